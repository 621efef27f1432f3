"""Real sockets on this machine: hosts that can't be reached, certificates, proxies, answers in pieces."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import certifi
import pytest

from devkit.mimecast.faults import Fault
from devkit.mimecast.server import UNTRUSTED_CERTIFICATE, MimecastServer
from devkit.mimecast.tenant import Tenant
from MimecastAuth import HmacAuth
from MimecastExceptions import ConnectionFailedError, OutcomeUnknownError
from MimecastRetry import MAX_TRIES
from MimecastTransport import MimecastTransport
from tests.managers.fakes import PROXY_PASSWORD, READ, WRITE, FakeTime, envelope, hmac_transport

LIST = [{"admin": True}]
UNRESOLVABLE = "no-such-host.mimecast.test"


@pytest.fixture(autouse=True)
def no_certificates_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def tenant(time: FakeTime) -> Tenant:
    return Tenant(clock=time.now)


def signed_in(transport: MimecastTransport, tenant: Tenant, time: FakeTime) -> MimecastTransport:
    known = tenant.credentials
    transport.auth = HmacAuth(
        known.application_id, known.application_key, known.access_key, known.secret_key, clock=time.now
    )
    return transport


def failure(transport: MimecastTransport) -> ConnectionFailedError:
    with pytest.raises(ConnectionFailedError) as caught:
        transport.call(READ, LIST)
    return caught.value


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def listening(answer: Callable[[socket.socket], object]) -> Iterator[str]:
    """A server that does something with each connection; gives its address."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = server.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.recv(65536)
                        answer(connection)

        threading.Thread(target=serve, daemon=True).start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        server.shutdown(socket.SHUT_RDWR)


# --- hosts ------------------------------------------------------------------------------------------------------------


def test_an_unknown_host_is_named(time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_such_name(host: str, *args: object, **kwargs: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, f"Name or service not known: {host}")

    monkeypatch.setattr(socket, "getaddrinfo", no_such_name)
    error = failure(hmac_transport(time, api_root=f"https://{UNRESOLVABLE}"))
    assert error.message == f'The host {UNRESOLVABLE} is unknown. Check "API Root" and DNS.'
    assert error.never_sent
    assert len(time.slept) == MAX_TRIES - 1


def test_a_refused_connection(time: FakeTime, free_port: int) -> None:
    error = failure(hmac_transport(time, api_root=f"http://127.0.0.1:{free_port}"))
    assert error.message == '127.0.0.1 refuses the connection. Check "API Root", the proxy and the firewall.'
    assert error.never_sent


@pytest.mark.parametrize("kind", ["reset", "close", "cut"])
def test_a_connection_that_breaks_after_the_request(time: FakeTime, tenant: Tenant, kind: str) -> None:
    tenant.fault(Fault(kind, times=None))  # type: ignore[arg-type]
    with MimecastServer(tenant) as server:
        error = failure(signed_in(hmac_transport(time, api_root=server.url), tenant, time))
    assert error.message == "The connection to 127.0.0.1 broke before its answer was complete."
    assert not error.never_sent


@pytest.mark.parametrize("kind", ["reset", "close", "cut"])
def test_a_write_whose_connection_breaks_arrives_once(time: FakeTime, tenant: Tenant, kind: str) -> None:
    tenant.fault(Fault(kind, executed=True, times=None))  # type: ignore[arg-type]
    with MimecastServer(tenant) as server, pytest.raises(OutcomeUnknownError):
        signed_in(hmac_transport(time, api_root=server.url), tenant, time).call(WRITE, [{"id": "x"}])
    assert tenant.count(WRITE.path) == 1


def test_a_host_that_takes_the_request_and_says_nothing(time: FakeTime) -> None:
    release = threading.Event()
    with listening(lambda connection: release.wait(10)) as url:
        transport = hmac_transport(time, 0.1, api_root=url)
        transport._sleep = lambda seconds: time.pass_by(60)
        error = failure(transport)
        release.set()
    assert error.message == "127.0.0.1 didn't answer in time."
    assert not error.never_sent


@pytest.mark.parametrize("host", ["eu-api..mimecast.test", ".mimecast.test", "*.mimecast.test", "a" * 64 + ".test"])
def test_a_host_that_can_not_exist_is_a_readable_failure(time: FakeTime, host: str) -> None:
    error = failure(hmac_transport(time, api_root=f"https://{host}"))
    assert error.message == f'The address of {host} or of the proxy is malformed. Check "API Root" and the proxy.'
    assert error.never_sent


def test_https_to_a_host_that_speaks_plain_http(time: FakeTime, tenant: Tenant) -> None:
    with MimecastServer(tenant) as server:
        error = failure(hmac_transport(time, api_root=server.url.replace("http:", "https:")))
    assert error.message == ('There is no secure connection to 127.0.0.1, or it broke. Check "API Root" and the proxy.')
    assert tenant.count() == 0


# --- answers in pieces ------------------------------------------------------------------------------------------------

DOCUMENT = json.dumps(envelope({"id": "x" * 5000})).encode()


def chunked(body: bytes, *, end: bytes = b"0\r\n\r\n", headers: bytes = b"") -> Callable[[socket.socket], None]:
    def answer(connection: socket.socket) -> None:
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n" + headers + b"\r\n"
        )
        for begin in range(0, len(body), 1000):
            piece = body[begin : begin + 1000]
            connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        connection.sendall(end)

    return answer


def test_an_answer_in_chunks(time: FakeTime) -> None:
    with listening(chunked(DOCUMENT)) as url:
        assert hmac_transport(time, api_root=url).call(READ, LIST).rows == ({"id": "x" * 5000},)


def test_a_compressed_answer_in_chunks(time: FakeTime) -> None:
    with listening(chunked(gzip.compress(DOCUMENT), headers=b"Content-Encoding: gzip\r\n")) as url:
        assert hmac_transport(time, api_root=url).call(READ, LIST).rows == ({"id": "x" * 5000},)


@pytest.mark.parametrize("end", [b"", b"5\r\nab", b"nonsense\r\n"])
def test_an_answer_in_chunks_that_breaks_off(time: FakeTime, end: bytes) -> None:
    with listening(chunked(DOCUMENT, end=end)) as url:
        error = failure(hmac_transport(time, api_root=url))
    assert error.message == "The connection to 127.0.0.1 broke before its answer was complete."


def test_an_answer_that_is_no_http(time: FakeTime) -> None:
    with listening(lambda connection: connection.sendall(b"220 mail.test ESMTP\r\n")) as url:
        error = failure(hmac_transport(time, api_root=url))
    assert error.message == "The connection to 127.0.0.1 broke before its answer was complete."


def test_connections_are_used_again(time: FakeTime, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    original = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        opened.append(address)
        original(self, address)

    monkeypatch.setattr(socket.socket, "connect", connect)
    with MimecastServer(tenant) as server:
        transport = signed_in(hmac_transport(time, api_root=server.url), tenant, time)
        for _ in range(5):
            transport.call(READ, LIST)
        transport.close()
    assert len(opened) == 1


# --- certificates -----------------------------------------------------------------------------------------------------


def test_a_certificate_that_is_not_trusted_stops_everything(time: FakeTime, tenant: Tenant) -> None:
    with MimecastServer(tenant, tls=True) as server:
        error = failure(signed_in(hmac_transport(time, api_root=server.url), tenant, time))
    assert error.message == (
        "The certificate of 127.0.0.1 isn't trusted. Install its authority's certificate, or turn \"Verify SSL\" off "
        "if you know why it isn't."
    )
    assert error.never_sent
    assert tenant.count() == 0


@pytest.mark.parametrize("bundle", ["", "this machine's", "missing"])
def test_verify_ssl_off_is_off_whatever_bundle_the_environment_names(
    time: FakeTime, tenant: Tenant, bundle: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if bundle:
        path = certifi.where() if bundle == "this machine's" else str(tmp_path / "missing.pem")
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", path)
    with MimecastServer(tenant, tls=True) as server:
        transport = signed_in(hmac_transport(time, api_root=server.url, verify_ssl=False), tenant, time)
        assert transport.call(READ, LIST).rows == ()


def test_a_bundle_of_the_environment_is_used_to_verify(
    time: FakeTime, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(UNTRUSTED_CERTIFICATE))
    with MimecastServer(tenant, tls=True) as server:
        transport = signed_in(hmac_transport(time, api_root=server.url), tenant, time)
        assert transport.call(READ, LIST).rows == ()


def test_a_bundle_that_is_not_there_is_named_by_its_variable(
    time: FakeTime, tenant: Tenant, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path / "missing.pem"))
    with MimecastServer(tenant, tls=True) as server:
        error = failure(hmac_transport(time, api_root=server.url))
    assert error.message == "The file of trusted certificates can't be read. Check the variable REQUESTS_CA_BUNDLE."


def test_no_warning_for_each_request_when_verify_ssl_is_off(
    time: FakeTime, tenant: Tenant, recwarn: pytest.WarningsRecorder
) -> None:
    with MimecastServer(tenant, tls=True) as server:
        signed_in(hmac_transport(time, api_root=server.url, verify_ssl=False), tenant, time).call(READ, LIST)
    assert [warning for warning in recwarn if "InsecureRequest" in warning.category.__name__] == []


# --- proxies ----------------------------------------------------------------------------------------------------------


def test_a_proxy_of_the_environment_is_used(time: FakeTime, tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    with MimecastServer(tenant) as server:  # it takes what a proxy is sent too
        monkeypatch.setenv("HTTP_PROXY", server.url.replace("://", f"://user:{PROXY_PASSWORD}@"))
        transport = signed_in(hmac_transport(time, api_root="http://mimecast.test"), tenant, time)
        assert transport.call(READ, LIST).rows == ()
    assert tenant.count(READ.path) == 1


def test_hosts_without_a_proxy_are_reached_directly(
    time: FakeTime, tenant: Tenant, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port}")
    monkeypatch.setenv("NO_PROXY", "localhost,127.0.0.1")
    with MimecastServer(tenant) as server:
        assert signed_in(hmac_transport(time, api_root=server.url), tenant, time).call(READ, LIST).rows == ()


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_proxy_that_can_not_be_reached_and_its_password_is_not_said(
    time: FakeTime, free_port: int, scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{scheme}_proxy", f"http://user:{PROXY_PASSWORD}@127.0.0.1:{free_port}")
    error = failure(hmac_transport(time, api_root=f"{scheme}://mimecast.test"))
    assert error.message == "The proxy can't be reached or refused the request. Check its settings."
    assert error.never_sent


def test_a_proxy_that_wants_another_password(time: FakeTime, monkeypatch: pytest.MonkeyPatch) -> None:
    refusal = b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n"
    with listening(lambda connection: connection.sendall(refusal)) as url:
        monkeypatch.setenv("https_proxy", url.replace("://", f"://user:{PROXY_PASSWORD}@"))
        error = failure(hmac_transport(time, api_root="https://mimecast.test"))
    assert error.message == "The proxy can't be reached or refused the request. Check its settings."
    assert error.never_sent


def test_a_proxy_that_breaks_the_connection_after_the_request_may_have_passed_it_on(
    time: FakeTime, monkeypatch: pytest.MonkeyPatch
) -> None:
    with listening(lambda connection: None) as url:
        monkeypatch.setenv("http_proxy", url)
        with pytest.raises(OutcomeUnknownError):
            hmac_transport(time, api_root="http://mimecast.test").call(WRITE, [])


@pytest.mark.parametrize("proxy", ["socks9://127.0.0.1:1", "http://", "http://127.0.0.1:port"])
def test_a_proxy_whose_address_makes_no_sense(time: FakeTime, proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", proxy)
    error = failure(hmac_transport(time, api_root="https://mimecast.test"))
    assert error.message == (
        'The address of mimecast.test or of the proxy is malformed. Check "API Root" and the proxy.'
    )
