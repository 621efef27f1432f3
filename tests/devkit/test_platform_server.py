"""The platform's server, called over HTTP as an SDK does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from devkit.platform.server import API_PREFIX, Call, PlatformServer


class Client:
    """Calls a server with its key."""

    def __init__(self, server: PlatformServer) -> None:
        self._base = f"http://127.0.0.1:{server.port}{API_PREFIX}"
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["AppKey"] = server.api_key

    def get(self, path: str) -> requests.Response:
        return self.session.get(f"{self._base}/{path}", timeout=10)

    def post(self, path: str, body: object) -> requests.Response:
        return self.session.post(f"{self._base}/{path}", json=body, timeout=10)

    def read(self, key: str, identifier: str = "one") -> requests.Response:
        return self.post("GetContextProperty", {"ContextType": 4, "Identifier": identifier, "PropertyKey": key})

    def write(self, key: str, value: object, endpoint: str = "SetContextProperty") -> requests.Response:
        body = {"ContextType": 4, "Identifier": "one", "PropertyKey": key, "PropertyValue": value}
        return self.post(endpoint, body)


@pytest.fixture
def server() -> Iterator[PlatformServer]:
    with PlatformServer() as server:
        yield server


@pytest.fixture
def client(server: PlatformServer) -> Client:
    return Client(server)


def test_a_property_that_was_never_set_is_no_content_and_then_the_text_as_json(client: Client) -> None:
    assert client.read("key").status_code == 204
    assert client.write("key", "té\n").status_code == 200
    assert client.read("key").json() == "té\n"
    assert client.read("key", identifier="other").status_code == 204


def test_the_other_way_to_set_a_property(client: Client) -> None:
    assert client.write("key", "1", endpoint="TrySetContextProperty").status_code == 200
    assert client.read("key").json() == "1"


def test_a_property_is_a_text_and_nothing_else(client: Client) -> None:
    assert client.write("key", 5).status_code == 400
    assert client.read("key").status_code == 204


def test_a_wrong_or_missing_key_is_refused(server: PlatformServer, client: Client) -> None:
    client.session.headers["AppKey"] = "wrong"
    assert client.read("key").status_code == 401
    del client.session.headers["AppKey"]
    assert client.write("key", "1").status_code == 401
    assert server.store.all(4, "one") == {}


def test_what_the_platform_does_not_have_is_named(client: Client) -> None:
    response = client.get("SystemInfo/5")
    assert response.status_code == 404
    assert f"the local platform has no GET {API_PREFIX}/SystemInfo/5" in response.json()["error"]


def test_calls_are_counted_by_endpoint(server: PlatformServer, client: Client) -> None:
    client.get("configuration/Mimecast?format=snake")
    client.write("key", "1")
    client.get("configuration/Mimecast?format=snake")
    assert server.calls == {"configuration": 2, "SetContextProperty": 1}
    server.reset_calls()
    assert server.calls == {}


def test_writes_can_be_made_to_fail_before_or_after_they_are_applied(client: Client, server: PlatformServer) -> None:
    server.fail_writes(2)
    assert [client.write("key", str(n)).status_code for n in range(3)] == [500, 500, 200]
    assert client.read("key").json() == "2"
    server.fail_writes(1, after_applying=True)
    assert client.write("key", "kept").status_code == 500
    assert client.read("key").json() == "kept"


def test_a_listener_sees_each_call_and_can_make_it_fail(client: Client, server: PlatformServer) -> None:
    seen: list[Call] = []

    def listen(call: Call) -> None:
        seen.append(call)
        if call.endpoint == "SetContextProperty":
            raise RuntimeError("not now")

    server.on_call = listen
    assert client.read("key").status_code == 204
    response = client.write("key", "1")
    assert (response.status_code, response.json()) == (500, {"error": "RuntimeError: not now"})
    assert [call.endpoint for call in seen] == ["GetContextProperty", "SetContextProperty"]
    assert (seen[1].path, seen[1].body["PropertyValue"]) == ("SetContextProperty", "1")
    assert client.read("key").status_code == 204


def test_settings_are_answered_as_they_are_at_the_moment(client: Client, server: PlatformServer) -> None:
    overflow = {"ContextType": 4, "Identifier": "overflow_settings", "PropertyKey": "overflow_settings"}
    assert client.post("GetContextProperty", overflow).status_code == 204
    assert client.get("GetProxySettings?format=snake").json()["proxy_server_address"] == ""
    server.settings.overflow_policy = {"is_overflow_enabled": False}
    server.settings.proxy = {"proxy_server_address": "http://proxy.example:3128"}
    server.settings.integration_configuration = {"Verify SSL": "true"}
    server.settings.environment = "Paris"
    assert client.post("GetContextProperty", overflow).json() == '{"is_overflow_enabled": false}'
    assert client.get("GetProxySettings?format=snake").json() == {
        "proxy_server_address": "http://proxy.example:3128",
        "username": "",
        "password": "",
        "ignore_addresses": [],
    }
    assert client.get("configuration/Mimecast").json() == {"Verify SSL": "true"}
    assert client.get("CaseMetadata/1").json()["environment"] == "Paris"


def test_only_the_one_case_and_its_alert_are_known(client: Client, server: PlatformServer) -> None:
    server.settings.entities = [("A@B.C", "USERUNIQNAME")]
    alert = {"case_id": 1, "alert_id_str": "alert-1", "populate_original_file": False}
    (entity,) = client.post("AlertFullDetails", alert).json()["domain_entities"]
    assert (entity["identifier"], entity["entity_type"]) == ("A@B.C", "USERUNIQNAME")
    assert client.post("AlertFullDetails", alert | {"alert_id_str": "other"}).json() is None
    assert [one["identifier"] for one in client.get("AlertsFullDetails/1/False").json()] == ["alert-1"]
    assert client.get("AlertsFullDetails/2/False").json() == []
    assert client.get("CaseMetadata/2").status_code == 404


def test_a_connection_serves_many_calls(client: Client) -> None:
    client.read("key")
    client.write("key", "1")
    client.read("key")
    pools = client.session.get_adapter("http://").poolmanager.pools
    (key,) = pools.keys()
    pool = pools.get(key)
    assert (pool.num_requests, pool.num_connections) == (3, 1)


def test_state_in_a_file_outlives_the_server(tmp_path: Path) -> None:
    for expected in (None, "1"):
        with PlatformServer(tmp_path / "state.sqlite3") as server:
            assert server.store.get(4, "one", "key") == expected
            Client(server).write("key", "1")
