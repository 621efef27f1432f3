from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from mimecast_client import ACCOUNT, INFO, RELEASE, SEARCH, URL, Client, a_mail, a_tenant

from devkit.mimecast.faults import FAULT_KINDS, Fault, RateLimit
from devkit.mimecast.server import MimecastServer
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


def test_429_has_the_headers_of_the_documentation(tenant: Tenant, client: Client) -> None:
    tenant.fault(Fault("429", path=ACCOUNT, reset_ms=2500))
    response = client.post(ACCOUNT)
    assert (response.status_code, response.json()["meta"]["status"]) == (429, 429)
    assert response.headers["X-RateLimit-Reset"] == "2500"
    assert response.headers["X-RateLimit-Remaining"] == "0"
    assert int(response.headers["X-RateLimit-Limit"]) > 0
    assert "Retry-After" not in response.headers
    assert client.post(ACCOUNT).status_code == 200


def test_500_has_an_envelope_and_503_a_page(tenant: Tenant, client: Client) -> None:
    tenant.fault(Fault("500", path=ACCOUNT), Fault("503", path=ACCOUNT))
    first, second = client.post(ACCOUNT), client.post(ACCOUNT)
    assert (first.status_code, first.json()["fail"][0]["message"]) == (500, "Internal server error")
    assert (second.status_code, second.headers["Content-Type"]) == (503, "text/html; charset=utf-8")


def test_html_and_empty_are_200(tenant: Tenant, client: Client) -> None:
    tenant.fault(Fault("html", path=ACCOUNT), Fault("empty", path=ACCOUNT))
    first, second = client.post(ACCOUNT), client.post(ACCOUNT)
    assert (first.status_code, first.text[:15]) == (200, "<!DOCTYPE html>")
    assert (second.status_code, second.content) == (200, b"")


@pytest.mark.parametrize("executed", [True, False])
def test_torn_json_has_a_length_that_agrees(tenant: Tenant, client: Client, executed: bool) -> None:
    tenant.fault(Fault("torn", path=ACCOUNT, executed=executed))
    response = client.post(ACCOUNT)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert int(response.headers["Content-Length"]) == len(response.content) > 10
    assert response.text.startswith('{"meta":' if executed else '{"meta": ')
    with pytest.raises(json.JSONDecodeError):
        json.loads(response.text)


def test_cut_promises_more_than_comes(tenant: Tenant, client: Client) -> None:
    tenant.fault(Fault("cut", path=ACCOUNT))
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        client.post(ACCOUNT)
    assert client.post(ACCOUNT).status_code == 200


@pytest.mark.parametrize(("kind", "reason"), [("reset", "Connection reset by peer"), ("close", "RemoteDisconnected")])
def test_broken_connections(tenant: Tenant, client: Client, kind: Any, reason: str) -> None:
    tenant.fault(Fault(kind, path=ACCOUNT))
    with pytest.raises(requests.exceptions.ConnectionError, match=reason):
        client.post(ACCOUNT)
    assert client.post(ACCOUNT).status_code == 200
    assert [record.status for record in tenant.requests if record.path == ACCOUNT] == [0, 200]


def test_slow_runs_into_the_read_time_out_and_is_carried_out_all_the_same(tenant: Tenant, client: Client) -> None:
    (row,) = tenant.add(a_mail())
    done = threading.Event()
    tenant.released = Noting(done)
    tenant.fault(Fault("slow", path=RELEASE, seconds=0.3))
    with pytest.raises(requests.exceptions.ReadTimeout):
        client.post(RELEASE, {"id": row.held_id}, timeout=(5, 0.05))
    assert done.wait(10)
    assert tenant.released == [row.held_id]


class Noting(list[str]):
    """A list that tells when something is put into it."""

    def __init__(self, done: threading.Event) -> None:
        super().__init__()
        self._done = done

    def append(self, item: str) -> None:
        super().append(item)
        self._done.set()


def test_slow_within_the_time_out_is_answered(tenant: Tenant, client: Client) -> None:
    tenant.fault(Fault("slow", path=ACCOUNT, seconds=0.01))
    assert client.post(ACCOUNT, timeout=5).status_code == 200


@pytest.mark.parametrize("kind", [kind for kind in FAULT_KINDS if kind != "slow"])
@pytest.mark.parametrize("executed", [True, False])
def test_a_fault_may_strike_before_or_after_a_write_is_carried_out(
    tenant: Tenant, client: Client, kind: Any, executed: bool
) -> None:
    (row,) = tenant.add(a_mail())
    tenant.fault(Fault(kind, path=RELEASE, executed=executed))
    try:
        response = client.post(RELEASE, {"id": row.held_id})
    except requests.exceptions.RequestException:
        pass
    else:
        assert response.status_code != 200 or not is_json(response)
    assert tenant.released == ([row.held_id] if executed else [])


def is_json(response: requests.Response) -> bool:
    try:
        response.json()
    except requests.exceptions.JSONDecodeError:
        return False
    return True


def test_faults_by_request_number_path_and_content(tenant: Tenant) -> None:
    client = Client(tenant)  # request 1 is its token
    first, second = tenant.add(a_mail(1), a_mail(2))
    tenant.fault(
        Fault("500", request_number=3),
        Fault("503", contains=second.tracking_id, times=None),
        Fault("429", path="/api/message-finder"),
    )
    assert client.post(ACCOUNT).status_code == 200
    assert client.post(ACCOUNT).status_code == 500
    assert [client.post(INFO, {"id": row.tracking_id}).status_code for row in (second, first, second, first)] == [
        503,
        429,
        503,
        200,
    ]
    assert tenant.faults.happened() == 4


def test_faults_happen_as_often_as_asked_and_as_late(tenant: Tenant) -> None:
    client = Client(tenant)
    tenant.fault(Fault("500", path=ACCOUNT, times=2, after=1))
    assert [client.post(ACCOUNT).status_code for _ in range(5)] == [200, 500, 500, 200, 200]
    tenant.fault(Fault("500", path=ACCOUNT, times=None))
    assert {client.post(ACCOUNT).status_code for _ in range(20)} == {500}
    tenant.faults.clear()
    assert client.post(ACCOUNT).status_code == 200


def test_faults_strike_the_token_and_the_download_too(tenant: Tenant) -> None:
    client = Client(tenant)
    tenant.fault(Fault("503", path="/oauth/token"), Fault("500", path="/download"))
    assert client.token().status_code == 503
    assert client.session.get(f"{client.url}/download/x").status_code == 500


def test_a_fault_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("404")  # type: ignore[arg-type]


def test_a_request_that_a_fault_strikes_has_used_up_its_id(tenant: Tenant) -> None:
    client = Client(tenant, "hmac")
    headers = client.signed(ACCOUNT)
    tenant.fault(Fault("503", path=ACCOUNT))
    assert [client.post(ACCOUNT, headers=headers).status_code for _ in range(2)] == [503, 401]


# -- rate limit and latency


def test_a_rate_limit_refuses_what_is_too_much_and_says_when_to_come_back(tenant: Tenant) -> None:
    now_s = 0.0
    client = Client(tenant)
    tenant.rate_limit = RateLimit(4, timer=lambda: now_s)
    responses = [client.post(ACCOUNT) for _ in range(6)]
    assert [response.status_code for response in responses] == [200] * 4 + [429] * 2
    assert [response.headers["X-RateLimit-Remaining"] for response in responses] == ["3", "2", "1", "0", "0", "0"]
    assert {response.headers["X-RateLimit-Limit"] for response in responses} == {"4"}
    assert responses[-1].headers["X-RateLimit-Reset"] == "250"
    now_s = 0.24
    assert client.post(ACCOUNT).status_code == 429
    now_s = 0.25
    assert client.post(ACCOUNT).status_code == 200
    now_s = 100.0
    assert [client.post(ACCOUNT).status_code for _ in range(5)] == [200] * 4 + [429]
    assert tenant.rate_limit.refused == 4


def test_a_refused_request_draws_no_fault(tenant: Tenant) -> None:
    client = Client(tenant)
    tenant.rate_limit = RateLimit(1, timer=lambda: 0.0)
    client.post(ACCOUNT)
    tenant.fault(Fault("500"))
    assert client.post(ACCOUNT).status_code == 429
    assert tenant.faults.happened() == 0


@pytest.mark.parametrize("quota", [0, -1, float("nan")])
def test_a_rate_limit_is_positive(quota: float) -> None:
    with pytest.raises(ValueError, match="positive"):
        RateLimit(quota)


class Meeting(RateLimit):
    """Lets requests go on only when so many are under way."""

    def __init__(self, parties: int) -> None:
        super().__init__(1)
        self._barrier = threading.Barrier(parties, timeout=30)

    def take(self) -> tuple[bool, dict[str, str]]:
        self._barrier.wait()
        return True, {}


def test_requests_are_answered_side_by_side_and_those_in_flight_are_counted(tenant: Tenant) -> None:
    token = tenant.issue_token()
    tenant.rate_limit = Meeting(5)
    with MimecastServer(tenant) as server:

        def ask() -> None:
            headers = {"Authorization": f"Bearer {token}"}
            requests.post(server.url + ACCOUNT, json={"data": []}, headers=headers, timeout=30)

        threads = [threading.Thread(target=ask) for _ in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert tenant.max_in_flight == 5
    assert sorted(record.in_flight for record in tenant.requests) == [1, 2, 3, 4, 5]
    assert {record.status for record in tenant.requests} == {200}
    tenant.reset_counts()
    assert tenant.max_in_flight == 0


def test_latency_is_that_of_every_answer(tenant: Tenant) -> None:
    slept: list[float] = []
    session = requests.Session()
    session.mount("http://", WsgiAdapter(tenant, sleep=slept.append))
    tenant.latency_s = 0.2
    for path in (ACCOUNT, "/oauth/token", "/download/x", "/nowhere"):
        session.post(URL + path)
    assert slept == [0.2] * 4


def test_an_answer_is_compressed_if_it_is_large_and_the_client_takes_it(tenant: Tenant, client: Client) -> None:
    tenant.add(*(a_mail(number) for number in range(20)))
    large = client.post(SEARCH, {"advancedTrackAndTraceOptions": {"to": "corp.example"}})
    assert large.headers["Content-Encoding"] == "gzip"
    assert len(large.json()["data"][0]["trackedEmails"]) == 20
    assert int(large.headers["Content-Length"]) < len(large.content)
    plain = client.post(
        SEARCH,
        {"advancedTrackAndTraceOptions": {"to": "corp.example"}},
        headers={"Accept-Encoding": "identity"},
    )
    assert plain.content == large.content
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in client.post(ACCOUNT).headers
