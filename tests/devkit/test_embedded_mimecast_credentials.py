from __future__ import annotations

from datetime import timedelta

import pytest
from mimecast_client import ACCOUNT, NOW, REPORT, SEARCH, URL, Client, a_tenant, header_date, minutes

from devkit.mimecast.app import ENDPOINTS, create_app
from devkit.mimecast.authentication import parse_header_date
from devkit.mimecast.tenant import PERMISSIONS, READ_ACCOUNT, READ_TRACKING, Credentials, Tenant
from devkit.mimecast.wsgi import call_app

# openssl dgst -sha1 -hmac over "{date}:{id}:/api/account/get-account:demo-application-key", computed on a command line.
GOLDEN_DATE = "Tue, 24 Nov 2015 12:50:11 UTC"
GOLDEN_ID = "018f3a52-6f0c-4c54-9d0a-3c9f1a6b7e21"
GOLDEN_SIGNATURE = "3ypr1znPTJFKAZlpCXkO3P7GjN4="


@pytest.fixture
def tenant() -> Tenant:
    return a_tenant()


def nested_error(response) -> dict:
    """API 1.0: the error stands in fail[].errors[]."""
    body = response.json()
    assert body["meta"]["status"] == response.status_code
    assert body["data"] == []
    return body["fail"][0]["errors"][0]


def flat_error(response) -> dict:
    """API 2.0: the error stands in fail[] itself."""
    body = response.json()
    assert body["meta"]["status"] == response.status_code
    assert "errors" not in body["fail"][0]
    return body["fail"][0]


def test_accepts_the_golden_signature() -> None:
    tenant = Tenant(clock=lambda: parse_header_date(GOLDEN_DATE))
    headers = {
        "Authorization": f"MC demo-access-key:{GOLDEN_SIGNATURE}",
        "x-mc-app-id": "demo-application-id",
        "x-mc-date": GOLDEN_DATE,
        "x-mc-req-id": GOLDEN_ID,
    }
    response = Client(tenant, "hmac").post(ACCOUNT, headers=headers)
    assert response.status_code == 200
    assert response.json()["data"][0]["accountCode"]


def test_accepts_a_signature_computed_by_the_test(tenant: Tenant) -> None:
    assert Client(tenant, "hmac").data(ACCOUNT)[0]["archive"] is True


def test_get_account_needs_no_body(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    assert client.session.post(URL + ACCOUNT, headers=client.signed(ACCOUNT)).status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"access_key": "other"},
        {"secret_key": "b3RoZXI="},
        {"application_key": "other"},
    ],
)
def test_a_wrong_key_is_an_invalid_signature(tenant: Tenant, change: dict[str, str]) -> None:
    client = Client(tenant, "hmac")
    response = client.post(ACCOUNT, headers=client.signed(ACCOUNT, **change))
    assert response.status_code == 401
    assert nested_error(response)["code"] == "err_xdk_invalid_signature"
    assert response.headers["Date"] == "Tue, 10 Mar 2026 12:00:00 GMT"  # what tells a client that its clock is wrong


def test_a_signature_holds_for_one_path_only(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    assert client.post(SEARCH, headers=client.signed(ACCOUNT)).status_code == 401


def test_an_unknown_application_is_a_developer_key_error(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    response = client.post(ACCOUNT, headers=client.signed(ACCOUNT, application_id="other"))
    assert (response.status_code, nested_error(response)["code"]) == (401, "err_developer_key")


@pytest.mark.parametrize("header", ["Authorization", "x-mc-date", "x-mc-req-id", "x-mc-app-id"])
def test_each_header_is_needed(tenant: Tenant, header: str) -> None:
    client = Client(tenant, "hmac")
    response = client.post(ACCOUNT, headers=client.signed(ACCOUNT) | {header: None})
    assert (response.status_code, nested_error(response)["code"]) == (400, "0001")


def test_no_credentials_at_all(tenant: Tenant) -> None:
    response = Client(tenant, "hmac").post(ACCOUNT, headers={})
    assert (response.status_code, nested_error(response)["code"]) == (400, "0001")
    assert tenant.requests[-1].auth == "none"


def test_another_scheme_is_not_supported(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    response = client.post(ACCOUNT, headers=client.signed(ACCOUNT) | {"Authorization": "Basic-Cloud abc"})
    assert (response.status_code, nested_error(response)["code"]) == (401, "0001")


@pytest.mark.parametrize(
    "date",
    [
        "Tue, 10 Mar 2026 12:00:00 GMT",
        "Tue, 10 Mar 2026 12:00:00 +0000",
        "Mon, 10 Mar 2026 12:00:00 UTC",  # it was a Tuesday
        "Di, 10 Mär 2026 12:00:00 UTC".encode().decode("latin-1"),
        "Tue, 10 Mai 2026 12:00:00 UTC",
        "Tue, 40 Mar 2026 12:00:00 UTC",
        "2026-03-10T12:00:00+0000",
    ],
)
def test_a_date_written_otherwise_is_malformed(tenant: Tenant, date: str) -> None:
    client = Client(tenant, "hmac")
    response = client.post(ACCOUNT, headers=client.signed(ACCOUNT, date=date))
    assert (response.status_code, nested_error(response)["message"]) == (400, "x-mc-date is malformed")


@pytest.mark.parametrize(("off_by_minutes", "status"), [(-16, 401), (-15, 200), (15, 200), (16, 401)])
def test_a_date_may_be_a_quarter_of_an_hour_off(tenant: Tenant, off_by_minutes: int, status: int) -> None:
    client = Client(tenant, "hmac")
    headers = client.signed(ACCOUNT, date=header_date(NOW + minutes(off_by_minutes)))
    assert client.post(ACCOUNT, headers=headers).status_code == status


def test_a_request_id_is_a_guid(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    response = client.post(ACCOUNT, headers=client.signed(ACCOUNT, request_id="1"))
    assert (response.status_code, nested_error(response)["message"]) == (400, "x-mc-req-id is not a GUID")


def test_a_replayed_request_is_refused(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    headers = client.signed(ACCOUNT)
    assert client.post(ACCOUNT, headers=headers).status_code == 200
    response = client.post(ACCOUNT, headers=headers)
    assert (response.status_code, nested_error(response)["code"]) == (401, "err_xdk_request_replayed")


def test_a_request_id_is_used_up_even_by_a_signature_for_another_path_and_by_a_reset_of_the_counts(
    tenant: Tenant,
) -> None:
    client = Client(tenant, "hmac")
    client.post(ACCOUNT, headers=client.signed(ACCOUNT, request_id=GOLDEN_ID))
    tenant.reset_counts()
    assert client.post(SEARCH, headers=client.signed(SEARCH, request_id=GOLDEN_ID)).status_code == 401


def test_an_expired_access_key_is_418(tenant: Tenant) -> None:
    tenant.access_key_expired = True
    response = Client(tenant, "hmac").post(ACCOUNT)
    assert (response.status_code, nested_error(response)["code"]) == (418, "err_xdk_binding_expired")
    assert Client(tenant, "oauth").post(ACCOUNT).status_code == 200


def test_a_token_comes_as_recorded(tenant: Tenant) -> None:
    body = Client(tenant, "hmac").token().json()
    assert set(body) == {"access_token", "token_type", "expires_in", "scope"}
    assert (body["token_type"], body["expires_in"]) == ("Bearer", 1799)


@pytest.mark.parametrize("change", [{"client_id": "other"}, {"client_secret": "other"}])
def test_wrong_client_credentials_get_the_recorded_error(tenant: Tenant, change: dict[str, str]) -> None:
    response = Client(tenant, "hmac").token(**change)
    assert response.status_code == 401
    assert response.json() == {
        "fail": [{"code": "InvalidClientIdentifier", "message": "Client credentials are invalid"}]
    }


@pytest.mark.parametrize(
    ("change", "error"),
    [({"grant_type": "password"}, "unsupported_grant_type"), ({"grant_type": ""}, "invalid_request")],
)
def test_only_the_client_credentials_grant(tenant: Tenant, change: dict[str, str], error: str) -> None:
    response = Client(tenant, "hmac").token(**change)
    assert (response.status_code, response.json()["error"]) == (400, error)


def test_the_token_endpoint_takes_a_form_and_a_post(tenant: Tenant) -> None:
    session = Client(tenant, "hmac").session
    assert session.post(URL + "/oauth/token", json={"grant_type": "client_credentials"}).status_code == 400
    assert session.get(URL + "/oauth/token").status_code == 405


def test_a_token_expires_to_the_second() -> None:
    moment = NOW
    tenant = Tenant(clock=lambda: moment)
    client = Client(tenant)
    moment = NOW + timedelta(seconds=1798)
    assert client.post(ACCOUNT).status_code == 200
    moment = NOW + timedelta(seconds=1799)
    response = client.post(ACCOUNT)
    assert (response.status_code, flat_error(response)["code"]) == (401, "token_expired")


def test_revoked_tokens_are_expired_and_a_new_one_is_good(tenant: Tenant) -> None:
    client = Client(tenant)
    tenant.revoke_tokens()
    assert flat_error(client.post(ACCOUNT))["code"] == "token_expired"
    assert Client(tenant).post(ACCOUNT).status_code == 200
    assert tenant.tokens_issued == 2


def test_an_unknown_token_fails_verification(tenant: Tenant) -> None:
    response = Client(tenant).post(ACCOUNT, headers={"Authorization": "Bearer made-up"})
    assert (response.status_code, flat_error(response)["code"]) == (401, "token_verification_failed")


def test_every_answer_of_api_2_has_a_request_id(tenant: Tenant) -> None:
    client = Client(tenant)
    ids = {client.post(path).headers["x-request-id"] for path in (ACCOUNT, SEARCH, "/api/no/such")}
    ids.add(client.token().headers["x-request-id"])
    assert len(ids) == 4
    assert "x-request-id" not in Client(tenant, "hmac").post(ACCOUNT).headers


@pytest.mark.parametrize("permission", sorted(PERMISSIONS))
@pytest.mark.parametrize("auth", ["hmac", "oauth"])
def test_without_a_permission_its_functions_are_forbidden_and_only_those(
    tenant: Tenant, permission: str, auth: str
) -> None:
    tenant.permissions.remove(permission)
    client = Client(tenant, auth)
    for path, endpoint in ENDPOINTS.items():
        if auth == "oauth" and endpoint.api == "1.0":
            continue
        response = client.post(path)
        assert (response.status_code == 403) == (endpoint.permission == permission), path
        if response.status_code == 403:
            error = nested_error(response) if auth == "hmac" else flat_error(response)
            assert error["code"] == ("err_xdk_forbidden" if auth == "hmac" else "app_forbidden")
            assert auth == "hmac" or "does not exist in any product" in error["message"]


def test_permissions_have_the_names_of_the_documentation() -> None:
    assert {READ_ACCOUNT, READ_TRACKING} <= PERMISSIONS
    assert "Account | Monitoring | Held | Edit" in PERMISSIONS


@pytest.mark.parametrize("path", ["/api/no/such", "/", "/api/api/account/get-account", "/api/account/get-account/"])
def test_an_unknown_path_is_404(tenant: Tenant, path: str) -> None:
    hmac = Client(tenant, "hmac")
    assert hmac.post(path).status_code == 404
    response = Client(tenant).post(path)
    assert (response.status_code, flat_error(response)["code"]) == (404, "app_forbidden")


def test_a_doubled_slash_is_another_path(tenant: Tenant) -> None:
    # requests removes it before it sends; another client may not.
    headers = [("Authorization", f"Bearer {tenant.issue_token()}"), ("Content-Type", "application/json")]
    app = create_app(tenant)
    for root, status in (("", 200), ("/", 404)):
        assert call_app(app, "POST", f"{URL}{root}{ACCOUNT}", headers, b'{"data": []}').status == status


@pytest.mark.parametrize("path", [REPORT, "/api/message-finder/release-held-email-to-sandbox"])
def test_console_functions_are_unknown_to_api_2(tenant: Tenant, path: str) -> None:
    response = Client(tenant).post(path, {"id": "x"})
    assert (response.status_code, flat_error(response)["code"]) == (404, "app_forbidden")
    assert Client(tenant, "hmac").post(path, {"id": "x"}).status_code == 200


def test_a_function_can_be_unavailable(tenant: Tenant) -> None:
    tenant.unavailable.add(ACCOUNT)
    assert Client(tenant, "hmac").post(ACCOUNT).status_code == 404
    assert flat_error(Client(tenant).post(ACCOUNT))["code"] == "app_forbidden"


def test_functions_are_posted(tenant: Tenant) -> None:
    assert Client(tenant).session.get(URL + SEARCH).status_code == 405


@pytest.mark.parametrize(
    "options",
    [
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b"", "headers": {"Content-Type": "application/json"}},
        {"data": b'{"data": []}', "headers": {"Content-Type": "text/plain"}},
        {"json": []},
        {"json": {}},
        {"json": {"data": {}}},
        {"json": {"data": ["x"]}},
        {"json": {"data": [], "meta": {"pagination": 1}}},
        {"json": {"data": [], "meta": None}},
    ],
)
def test_a_body_that_is_no_envelope_is_malformed(tenant: Tenant, options: dict) -> None:
    response = Client(tenant).post(SEARCH, **options)
    assert (response.status_code, flat_error(response)["code"]) == (400, "err_validation_malformed")


def test_credentials_can_be_others() -> None:
    tenant = a_tenant(credentials=Credentials(client_secret="another"))
    assert Client(tenant).post(ACCOUNT).status_code == 200
