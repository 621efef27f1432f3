from __future__ import annotations

import hashlib
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import requests
from mimecast_client import DETAIL, FILE, NOW, RELEASE, URL, Client, a_file, a_mail, a_tenant

from devkit.mimecast.mail import AttachedFile
from devkit.mimecast.tenant import LeakedCredential, Tenant
from devkit.mimecast.wsgi_adapter import WsgiAdapter


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


@pytest.fixture
def client(tenant: Tenant) -> Client:
    return Client(tenant)


def plain(tenant: Tenant) -> requests.Session:
    """A client that brings no credentials."""
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", WsgiAdapter(tenant))
    return session


def link_to_first_file(tenant: Tenant, client: Client, file: AttachedFile | None = None) -> str:
    (row,) = tenant.add(a_mail(attachments=[file or a_file()]))
    (listed,) = client.data(DETAIL, {"id": row.held_id})[0]["attachments"]
    (answer,) = client.data(FILE, {"id": listed["id"]})
    (link,) = answer["urls"]
    return link


def test_attachments_are_listed_as_recorded(tenant: Tenant, client: Client) -> None:
    files = [a_file("Rechnung März.txt", b"one"), AttachedFile("no extension", b"two", "image/png")]
    (row,) = tenant.add(a_mail(attachments=files))
    first, second = client.data(DETAIL, {"id": row.held_id})[0]["attachments"]
    assert first == {
        "id": first["id"],
        "filename": "Rechnung März.txt",
        "size": 3,
        "extension": "txt",
        "contentType": "text/plain",
        "contentId": "",
        "sha256": hashlib.sha256(b"one").hexdigest(),
        "bodyType": 5,
    }
    assert (second["extension"], second["contentType"]) == ("", "image/png")
    assert first["id"] != second["id"]


def test_two_recipients_have_attachments_of_their_own(tenant: Tenant, client: Client) -> None:
    rows = tenant.add(a_mail(recipients=["ann@corp.example", "bob@corp.example"], attachments=[a_file()]))
    ids = {client.data(DETAIL, {"id": row.held_id})[0]["attachments"][0]["id"] for row in rows}
    assert len(ids) == 2


def test_the_list_takes_held_ids_of_messages_on_hold_only(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail(attachments=[a_file()]))
    assert client.error(DETAIL, {"id": row.tracking_id})["code"] == "xdk_failure"
    assert client.error(DETAIL, {"id": "unknown"})["code"] == "xdk_failure"
    assert client.post(DETAIL, {"id": row.held_id[:-3]}).status_code == 400
    client.data(RELEASE, {"id": row.held_id})
    assert client.error(DETAIL, {"id": row.held_id})["code"] == "err_message_not_held"


def test_a_link_leads_to_the_bytes(tenant: Tenant, client: Client) -> None:
    response = plain(tenant).get(link_to_first_file(tenant, client))
    assert (response.status_code, response.content) == (200, b"content of a file")
    assert response.headers["Content-Type"].startswith("text/plain")


def test_get_file_may_answer_with_the_bytes(tenant: Tenant, client: Client) -> None:
    tenant.file_answer = "bytes"
    (row,) = tenant.add(a_mail(attachments=[AttachedFile("a.json", b'{"data": 1}', "application/json")]))
    (listed,) = client.data(DETAIL, {"id": row.held_id})[0]["attachments"]
    assert client.post(FILE, {"id": listed["id"]}).content == b'{"data": 1}'


def test_get_file_refuses_what_it_never_listed(tenant: Tenant, client: Client) -> None:
    assert client.error(FILE, {"id": "unknown"})["code"] == "xdk_failure"
    assert client.error(FILE, {})["code"] == "err_validation_null"


@pytest.mark.parametrize("header", ["Authorization", "x-mc-app-id", "x-mc-date", "x-mc-req-id"])
def test_a_download_with_credentials_is_refused_and_remembered(tenant: Tenant, client: Client, header: str) -> None:
    link = link_to_first_file(tenant, client)
    response = plain(tenant).get(link, headers={header: "something"})
    assert response.status_code == 400
    (leak,) = tenant.leaked_credentials
    assert leak.path == urlsplit(link).path
    assert leak.header.lower() == header.lower()
    assert plain(tenant).get(link).status_code == 200


def test_all_leaked_headers_are_named(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    client.session.get(f"{URL}/download/x", headers=client.signed("/download/x"))
    assert {leak.header.lower() for leak in tenant.leaked_credentials} == {
        "authorization",
        "x-mc-app-id",
        "x-mc-date",
        "x-mc-req-id",
    }
    assert all(isinstance(leak, LeakedCredential) for leak in tenant.leaked_credentials)


def test_a_download_is_a_get_of_a_link_that_was_given_out(tenant: Tenant, client: Client) -> None:
    link = link_to_first_file(tenant, client)
    assert plain(tenant).post(link).status_code == 405
    assert plain(tenant).get(f"{URL}/download/made-up").status_code == 403


def test_a_link_ends() -> None:
    moment = NOW
    tenant = Tenant(clock=lambda: moment)
    link = link_to_first_file(tenant, Client(tenant))
    moment = NOW + timedelta(seconds=599)
    assert plain(tenant).get(link).status_code == 200
    moment = NOW + timedelta(seconds=600)
    assert plain(tenant).get(link).status_code == 403


def test_a_link_may_work_once_only(tenant: Tenant, client: Client) -> None:
    tenant.download_single_use = True
    link = link_to_first_file(tenant, client)
    assert [plain(tenant).get(link).status_code for _ in range(2)] == [200, 403]


def test_a_link_may_lead_to_another_host(tenant: Tenant, client: Client) -> None:
    tenant.download_host = "files.example"
    link = link_to_first_file(tenant, client)
    assert urlsplit(link).netloc == "files.example"
    assert plain(tenant).get(link).content == b"content of a file"


def test_a_download_may_redirect_to_another_host_and_still_works_once(tenant: Tenant, client: Client) -> None:
    tenant.redirect_host, tenant.download_single_use = "cdn.example", True
    link = link_to_first_file(tenant, client)
    assert urlsplit(link).netloc == urlsplit(URL).netloc
    response = plain(tenant).get(link)
    assert response.content == b"content of a file"
    assert [urlsplit(one.url).netloc for one in (*response.history, response)] == ["mimecast.example", "cdn.example"]
    assert tenant.leaked_credentials == []


def test_the_port_stays_when_the_host_changes(tenant: Tenant) -> None:
    tenant.download_host = "localhost"
    (row,) = tenant.add(a_mail(attachments=[a_file()]))
    client = Client(tenant)
    client.url = "http://mimecast.example:8443"
    (listed,) = client.data(DETAIL, {"id": row.held_id})[0]["attachments"]
    assert client.data(FILE, {"id": listed["id"]})[0]["urls"][0].startswith("http://localhost:8443/download/")
