"""The HTTP server behind the SDK: the endpoints below ``/api/external/v1/sdk/`` that scripts call.

The protocol is the one of the platform's SDK; Google's own SDK works against it as well as ours.
"""

from __future__ import annotations

import json
import logging
import secrets
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.serving import WSGIRequestHandler, make_server

from devkit.platform.settings import PlatformSettings
from devkit.platform.store import ContextStore

API_PREFIX = "/api/external/v1/sdk"

_STOP_POLL_S = 0.02
_OVERFLOW_SETTINGS = "overflow_settings"
_HTTP_NO_CONTENT = 204
_HTTP_BAD_REQUEST = 400
_HTTP_UNAUTHORIZED = 401
_HTTP_NOT_FOUND = 404
_HTTP_SERVER_ERROR = 500


@dataclass(frozen=True)
class Call:
    """A call a script made to the server."""

    endpoint: str
    """First part of the path, such as ``SetContextProperty`` or ``configuration``."""
    path: str
    body: Any


@dataclass
class _Fault:
    remaining: int
    after_applying: bool


class PlatformServer:
    """The platform's server on loopback, in a thread of its own; the system chooses the port.

    Use it as a context manager, or call ``close``.

    Args:
        database: File for the state; None keeps it in memory.

    Attributes:
        settings: What it answers; can be replaced or changed between two runs.
        store: The state.
        api_key: What scripts have to send as ``AppKey``.
        calls: How often each endpoint was called.
        on_call: Called with each call before it is answered; its exception becomes a status 500.
    """

    def __init__(self, database: Path | None = None) -> None:
        self.settings = PlatformSettings()
        self.store = ContextStore(database)
        self.api_key = secrets.token_hex()  # hex: a leading dash would be taken for an option
        self.calls: Counter[str] = Counter()
        self.updated_entities: list[dict[str, Any]] = []
        self.attachments: list[dict[str, Any]] = []
        self.on_call: Callable[[Call], None] | None = None
        self._fault = _Fault(0, after_applying=False)
        self._lock = threading.Lock()
        self._open_calls = 0
        self._idle = threading.Condition(self._lock)
        self._server = make_server("127.0.0.1", 0, self._app(), threaded=True, request_handler=_KeepAliveHandler)
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_STOP_POLL_S,), name="platform server", daemon=True
        )
        self._thread.start()

    @property
    def port(self) -> int:
        """The port the system has chosen."""
        return self._server.server_port

    def fail_writes(self, count: int, *, after_applying: bool = False) -> None:
        """Answer the next writes of context properties with status 500.

        Args:
            count: How many.
            after_applying: Store the value first, as if only the answer had got lost.
        """
        self._fault = _Fault(count, after_applying)

    def reset_calls(self) -> None:
        """Start counting anew."""
        with self._lock:
            self.calls = Counter()

    def wait_until_idle(self) -> None:
        """Wait until every call has been carried out, also those of a script that is no more."""
        with self._lock:
            self._idle.wait_for(lambda: self._open_calls == 0)

    def close(self) -> None:
        """Stop the server and close the database."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.store.close()

    def __enter__(self) -> PlatformServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _app(self) -> Flask:
        app = Flask("platform")
        app.before_request(self._admit)
        app.teardown_request(self._leave)
        for rule, view, method in (
            ("GetContextProperty", self._get_property, "POST"),
            ("SetContextProperty", self._set_property, "POST"),
            ("TrySetContextProperty", self._set_property, "POST"),
            ("configuration/<identifier>", self._get_configuration, "GET"),
            ("GetProxySettings", self._get_proxy, "GET"),
            ("CaseMetadata/<case_id>", self._get_case, "GET"),
            ("AlertFullDetails", self._get_alert, "POST"),
            ("AlertsFullDetails/<case_id>/<with_source>", self._get_alerts, "GET"),
            ("UpdateEntities", self._update_entities, "POST"),
            ("AddAttachment", self._add_attachment, "POST"),
        ):
            app.add_url_rule(f"{API_PREFIX}/{rule}", rule, view, methods=[method])
        app.register_error_handler(_HTTP_NOT_FOUND, self._unknown)
        return app

    def _admit(self) -> Response | None:
        """Count the call, check the key, tell whoever listens."""
        path = request.path.removeprefix(f"{API_PREFIX}/")
        call = Call(path.split("/")[0], path, request.get_json(silent=True))
        with self._lock:
            self._open_calls += 1
            self.calls[call.endpoint] += 1
        if not secrets.compare_digest(request.headers.get("AppKey", ""), self.api_key):
            return _error(_HTTP_UNAUTHORIZED, "AppKey is missing or wrong")
        if self.on_call:
            try:
                self.on_call(call)
            except Exception as error:  # noqa: BLE001 - the listener's way to make this call fail
                return _error(_HTTP_SERVER_ERROR, f"{type(error).__name__}: {error}")
        return None

    def _leave(self, _exception: BaseException | None) -> None:
        with self._lock:
            self._open_calls -= 1
            self._idle.notify_all()

    def _get_property(self) -> Response:
        body = request.get_json()
        context_type, identifier, key = body["ContextType"], str(body["Identifier"]), body["PropertyKey"]
        if (identifier, key) == (_OVERFLOW_SETTINGS, _OVERFLOW_SETTINGS):
            policy = self.settings.overflow_policy
            value = None if policy is None else json.dumps(policy)
        else:
            value = self.store.get(context_type, identifier, key)
        return Response(status=_HTTP_NO_CONTENT) if value is None else jsonify(value)

    def _set_property(self) -> Response:
        body = request.get_json()
        value = body["PropertyValue"]
        if not isinstance(value, str):
            return _error(_HTTP_BAD_REQUEST, "PropertyValue must be a string")
        with self._lock:
            failing = self._fault.remaining > 0
            if failing:
                self._fault.remaining -= 1
        if not failing or self._fault.after_applying:
            self.store.set(body["ContextType"], str(body["Identifier"]), body["PropertyKey"], value)
        return _error(_HTTP_SERVER_ERROR, "asked to fail") if failing else jsonify(True)

    def _get_configuration(self, identifier: str) -> Response:  # there is one integration only
        return jsonify(self.settings.integration_configuration)

    def _get_proxy(self) -> Response:
        nothing = {"proxy_server_address": "", "username": "", "password": "", "ignore_addresses": []}
        return jsonify({**nothing, **(self.settings.proxy or {})})

    def _get_case(self, case_id: str) -> Response:
        if case_id != self.settings.case_id:
            return _error(_HTTP_NOT_FOUND, f"no case {case_id}")
        return jsonify(self.settings.case())

    def _get_alert(self) -> Response:
        body = request.get_json()
        known = (str(body["case_id"]), body["alert_id_str"]) == (self.settings.case_id, self.settings.alert_id)
        return jsonify(self.settings.alert() if known else None)

    def _get_alerts(self, case_id: str, with_source: str) -> Response:  # there are no source files
        return jsonify([self.settings.alert()] if case_id == self.settings.case_id else [])

    def _update_entities(self) -> Response:
        self.updated_entities = request.get_json()
        return jsonify(True)

    def _add_attachment(self) -> Response:
        self.attachments.append(request.get_json())
        return jsonify(len(self.attachments))

    @staticmethod
    def _unknown(_exception: Exception) -> Response:
        return _error(_HTTP_NOT_FOUND, f"the local platform has no {request.method} {request.path}")


class _KeepAliveHandler(WSGIRequestHandler):
    """Keeps connections open between calls, and keeps quiet."""

    protocol_version = "HTTP/1.1"

    def log(self, type: str, message: str, *args: Any) -> None:  # werkzeug's signature
        logging.getLogger("devkit.platform").debug(message, *args)


def _error(status: int, message: str) -> Response:
    response = jsonify({"error": message})
    response.status_code = status
    return response
