from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from mimecast_client import ACCOUNT, SEARCH, Client, a_tenant

from devkit.mimecast.faults import Fault
from devkit.mimecast.server import UNTRUSTED_CERTIFICATE, MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.mimecast.wsgi_adapter import WsgiAdapter


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


@pytest.fixture(params=["http", "in process"])
def client(request: pytest.FixtureRequest, tenant: Tenant) -> Iterator[Client]:
    """The same client over real connections and without any: faults look the same to it."""
    if request.param == "in process":
        yield Client(tenant)
        return
    with MimecastServer(tenant) as server:
        client = Client(tenant, url=server.url)
        yield client
        client.session.close()


def test_a_connection_serves_many_requests(tenant: Tenant) -> None:
    with MimecastServer(tenant) as server:
        client = Client(tenant, url=server.url)
        for _ in range(10):
            assert client.post(ACCOUNT).status_code == 200
        (pool,) = (client.session.get_adapter(server.url).poolmanager.pools[key] for key in pools(client, server.url))
        assert (pool.num_connections, pool.num_requests) == (1, 11)
        client.session.close()


def pools(client: Client, url: str) -> list[Any]:
    return list(client.session.get_adapter(url).poolmanager.pools.keys())


def place_of(server: MimecastServer) -> tuple[str, int]:
    parts = urlsplit(server.url)
    return str(parts.hostname), int(parts.port or 0)


def test_a_reset_is_a_real_one(tenant: Tenant) -> None:
    tenant.fault(Fault("reset"))
    with MimecastServer(tenant) as server, socket.create_connection(place_of(server)) as connection:
        connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_a_stopped_server_serves_nobody(tenant: Tenant) -> None:
    with MimecastServer(tenant) as server:
        client = Client(tenant, url=server.url)
        assert client.post(ACCOUNT).status_code == 200
    with pytest.raises(requests.exceptions.ConnectionError):
        client.post(ACCOUNT)


def test_a_body_without_a_length_is_refused(tenant: Tenant) -> None:
    with MimecastServer(tenant) as server:
        response = requests.post(server.url + ACCOUNT, data=iter([b"{}"]), timeout=10)
    assert response.status_code == 411


def test_https_with_a_certificate_that_nobody_trusts(tenant: Tenant) -> None:
    with MimecastServer(tenant, tls=True) as server:
        with pytest.raises(requests.exceptions.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
            requests.get(server.url, timeout=10)
        assert tenant.count() == 0
        trusting = requests.get(server.url, timeout=10, verify=str(UNTRUSTED_CERTIFICATE))
        assert trusting.status_code == 400  # no credentials


# -- the adapter


def test_before_sees_each_request_and_may_stop_it(tenant: Tenant) -> None:
    seen: list[tuple[int, str]] = []

    def before(number: int, path: str) -> None:
        seen.append((number, path))
        if number == 3:
            raise SystemExit("killed")

    client = Client(tenant, before=before)
    client.post(ACCOUNT)
    with pytest.raises(SystemExit):
        client.post(SEARCH)
    assert seen == [(1, "/oauth/token"), (2, ACCOUNT), (3, SEARCH)]
    assert tenant.count(SEARCH) == 0


def test_delays_move_the_clock_of_the_test_but_never_beyond_the_time_out(tenant: Tenant) -> None:
    slept: list[float] = []
    session = requests.Session()
    session.mount("http://", WsgiAdapter(tenant, sleep=slept.append))
    tenant.latency_s = 0.25
    tenant.fault(Fault("slow", request_number=2, seconds=60))
    url = "http://mimecast.example/"
    session.get(url)
    with pytest.raises(requests.exceptions.ReadTimeout):
        session.get(url, timeout=(3, 20))
    session.get(url, timeout=1)
    assert slept == [0.25, 20, 0.25]


def test_answers_can_be_streamed(tenant: Tenant, client: Client) -> None:
    chunks = list(client.post(ACCOUNT, stream=True).iter_content(64))
    assert json.loads(b"".join(chunks))["data"][0]["accountName"]
    assert len(chunks) > 1


def test_a_cut_answer_breaks_in_the_middle_of_the_stream(tenant: Tenant, client: Client) -> None:
    tenant.fault(Fault("cut", path=ACCOUNT, executed=True))
    response = client.post(ACCOUNT, stream=True)
    assert response.status_code == 200
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        list(response.iter_content(64))
