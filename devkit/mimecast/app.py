"""The embedded Mimecast as a Flask app: who may call what, faults, latency, and the answer's envelope."""

from __future__ import annotations

import gzip
import hmac
import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import format_datetime
from typing import Any, Literal

from flask import Flask, Response, request

from devkit.mimecast import (
    endpoints_archive,
    endpoints_files,
    endpoints_hold,
    endpoints_messages,
    endpoints_senders,
)
from devkit.mimecast.authentication import auth_kind, authenticate
from devkit.mimecast.envelope import (
    Answer,
    Call,
    EmptyBadRequestError,
    FunctionError,
    GatewayError,
    Json,
    failure,
)
from devkit.mimecast.faults import Fault, rate_limit_headers
from devkit.mimecast.ledger import RequestRecord
from devkit.mimecast.tenant import (
    EDIT_HELD,
    EDIT_MANAGED_SENDERS,
    EDIT_POLICIES,
    READ_ACCOUNT,
    READ_TRACKING,
    SEARCH_ARCHIVE,
    Tenant,
)

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]
# Answers smaller than about one packet are not compressed.
GZIP_FROM_BYTES = 1400
GZIP_LEVEL = 1

# Keys of the WSGI environment by which the app and what serves it talk to each other.
BROKEN = "mimecast.broken"  # how the connection shall break instead of the answer: "reset", "close" or "cut"
SLEEP = "mimecast.sleep"  # how to let time pass; time.sleep if absent


@dataclass(frozen=True)
class Endpoint:
    """A function of the API: what answers it, the right it needs, and whether API 2.0 has it."""

    handle: Callable[[Tenant, Call], Answer | Response]
    permission: str
    api: Literal["both", "1.0"] = "both"
    body_optional: bool = False


ENDPOINTS: dict[str, Endpoint] = {
    "/api/account/get-account": Endpoint(endpoints_messages.get_account, READ_ACCOUNT, body_optional=True),
    "/api/message-finder/search": Endpoint(endpoints_messages.search, READ_TRACKING),
    "/api/message-finder/get-message-info": Endpoint(endpoints_messages.get_message_info, READ_TRACKING),
    "/api/message-finder/release-held-email-to-sandbox": Endpoint(
        endpoints_messages.release_to_sandbox, EDIT_HELD, api="1.0"
    ),
    "/api/message-finder/report-message": Endpoint(endpoints_messages.report_message, EDIT_HELD, api="1.0"),
    "/api/gateway/get-hold-message-list": Endpoint(endpoints_hold.get_hold_message_list, READ_ACCOUNT),
    "/api/gateway/hold-release": Endpoint(endpoints_hold.hold_release, EDIT_HELD),
    "/api/gateway/hold-reject": Endpoint(endpoints_hold.hold_reject, EDIT_HELD),
    "/api/gateway/message/get-message-detail": Endpoint(endpoints_files.get_message_detail, READ_ACCOUNT),
    "/api/gateway/message/get-file": Endpoint(endpoints_files.get_file, READ_ACCOUNT),
    "/api/managedsender/permit-or-block-sender": Endpoint(
        endpoints_senders.permit_or_block_sender, EDIT_MANAGED_SENDERS
    ),
    "/api/policy/blockedsenders/create-policy": Endpoint(endpoints_senders.create_policy, EDIT_POLICIES),
    "/api/archive/search": Endpoint(endpoints_archive.search, SEARCH_ARCHIVE),
}

HTML_PAGE = "<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Please sign in.</body></html>"
UNAVAILABLE_PAGE = "<html><head><title>503 Service Temporarily Unavailable</title></head><body></body></html>"
# What a torn answer would have been if the request wasn't carried out.
PLAUSIBLE_BODY = json.dumps({"meta": {"status": 200}, "data": [{"id": "eNpNjk0PgjAQRP8K6blNdgtCe"}], "fail": []})


def create_app(tenant: Tenant) -> Flask:
    """The embedded Mimecast of one tenant.

    Args:
        tenant: Its data, settings and log.

    Returns:
        A WSGI app; ``MimecastServer`` serves it over HTTP, ``WsgiAdapter`` without sockets.
    """
    app = Flask(__name__, static_folder=None)
    app.url_map.merge_slashes = False  # "//api/…" is another path, and Mimecast doesn't redirect

    @app.route("/", defaults={"path": ""}, methods=METHODS)
    @app.route("/<path:path>", methods=METHODS)
    def serve(path: str) -> Response:
        path = request.environ["PATH_INFO"]  # request.path would have lost a doubled slash at its start
        raw = request.get_data(cache=True)
        kind = auth_kind(request.headers)
        parsed = _json_of(raw) if path != TOKEN_PATH else None
        record, replayed = tenant.ledger.arrive(
            request.method,
            path,
            kind,
            request.headers.get("x-mc-req-id"),
            parsed if isinstance(parsed, dict) else None,
            tenant.clock(),
        )
        status = 0
        try:
            response = _respond(tenant, record, raw, parsed, replayed)
            if BROKEN not in request.environ:
                status = response.status_code
            return response
        finally:
            tenant.ledger.leave(record, status)

    return app


def _json_of(raw: bytes) -> Any:
    """The body as JSON; the raw bytes if it isn't JSON."""
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw


def _respond(tenant: Tenant, record: RequestRecord, raw: bytes, parsed: Any, replayed: bool) -> Response:
    """Lets time pass, applies rate limit and faults, and carries the request out."""
    allowed, headers = tenant.rate_limit.take() if tenant.rate_limit else (True, {})
    fault = tenant.faults.draw(record.number, record.path, raw) if allowed else None
    delay = tenant.latency_s + (fault.seconds if fault and fault.kind == "slow" else 0)
    if delay:
        request.environ.get(SLEEP, time.sleep)(delay)
    if not allowed:
        return _finished(tenant, record, _quota_exceeded(), headers)
    response = None
    if fault is None or fault.kind == "slow" or fault.executed:
        response = _carried_out(tenant, record, parsed, replayed)
    if fault is not None:
        response = _spoilt(fault, response)
        if fault.kind == "429":
            headers = rate_limit_headers(1, 0, fault.reset_ms)
    assert response is not None  # noqa: S101 - carried out, or made by the fault
    return _finished(tenant, record, response, headers)


def _finished(tenant: Tenant, record: RequestRecord, response: Response, headers: dict[str, str]) -> Response:
    response.headers.update(headers)
    response.headers["Date"] = format_datetime(tenant.clock(), usegmt=True)
    if record.auth == "oauth" or record.path == TOKEN_PATH:
        response.headers["x-request-id"] = str(uuid.uuid4())
    if request.accept_encodings["gzip"] and BROKEN not in request.environ:
        body = response.get_data()
        if len(body) >= GZIP_FROM_BYTES and response.mimetype == "application/json":
            response.set_data(gzip.compress(body, GZIP_LEVEL))
            response.headers["Content-Encoding"] = "gzip"
    return response


def _spoilt(fault: Fault, response: Response | None) -> Response | None:
    """The answer that a fault leaves."""
    match fault.kind:
        case "429":
            return _quota_exceeded()
        case "500":
            return _json_response(500, GatewayError(500, "err_internal", "Internal server error").body())
        case "503":
            return Response(UNAVAILABLE_PAGE, 503, mimetype="text/html")
        case "html":
            return Response(HTML_PAGE, 200, mimetype="text/html")
        case "empty":
            return Response(b"", 200, mimetype="application/json")
        case "slow":
            return response
    whole = response.get_data() if response is not None and response.get_data() else PLAUSIBLE_BODY.encode()
    if fault.kind == "torn":
        return Response(whole[: len(whole) // 2], 200, mimetype="application/json")
    request.environ[BROKEN] = fault.kind
    return Response(whole, 200, mimetype="application/json")


def _quota_exceeded() -> Response:
    return _json_response(429, GatewayError(429, "too_many_requests", "Quota exceeded").body())


def _json_response(status: int, body: Json) -> Response:
    return Response(json.dumps(body, separators=(",", ":")), status, mimetype="application/json")


def _carried_out(tenant: Tenant, record: RequestRecord, parsed: Any, replayed: bool) -> Response:
    """The answer to a request that nothing spoils."""
    try:
        if record.path == TOKEN_PATH:
            return _token(tenant)
        if record.path.startswith(f"{endpoints_files.DOWNLOAD_PATH}/"):
            return endpoints_files.download(tenant, record.path, request)
        return _function(tenant, record.path, parsed, replayed)
    except GatewayError as error:
        return _json_response(error.status, error.body())
    except EmptyBadRequestError:
        return Response(b"", 400, mimetype="application/json")


def _function(tenant: Tenant, path: str, parsed: Any, replayed: bool) -> Response:
    auth = authenticate(tenant, path, request.headers, replayed=replayed)
    nested = auth == "hmac"
    endpoint = ENDPOINTS.get(path)
    if endpoint is None or path in tenant.unavailable or (endpoint.api == "1.0" and auth == "oauth"):
        if auth == "oauth":
            raise _not_in_any_product(404)
        raise GatewayError(404, "err_not_found", "The requested resource does not exist", nested=nested)
    if request.method != "POST":
        raise GatewayError(405, "err_method_not_allowed", f"Method {request.method} not allowed", nested=nested)
    if endpoint.permission not in tenant.permissions:
        if auth == "oauth":
            raise _not_in_any_product(403)
        raise GatewayError(403, "err_xdk_forbidden", f"Forbidden: needs {endpoint.permission}", nested=nested)
    call = _call(path, auth, endpoint, parsed)
    try:
        answer = endpoint.handle(tenant, call)
    except FunctionError as error:
        answer = Answer([], fail=[failure(call.items[0] if call.items else {}, error)])
    return answer if isinstance(answer, Response) else _json_response(200, answer.body())


def _not_in_any_product(status: int) -> GatewayError:
    text = "Resource or method requested does not exist in any product assigned to the application"
    return GatewayError(status, "app_forbidden", text)


def _call(path: str, auth: Literal["hmac", "oauth"], endpoint: Endpoint, parsed: Any) -> Call:
    """The request's envelope.

    Raises:
        GatewayError: If it isn't one.
    """
    base_url = request.host_url.rstrip("/")
    if parsed is None and endpoint.body_optional:
        return Call(path, auth, base_url, [])

    def malformed(message: str) -> GatewayError:
        return GatewayError(400, "err_validation_malformed", message, nested=auth == "hmac")

    if request.mimetype != "application/json":
        raise malformed("Content-Type must be application/json")
    if not isinstance(parsed, dict):
        raise malformed("The body must be a JSON object")
    items, meta = parsed.get("data"), parsed.get("meta", {})
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise malformed("data must be an array of objects")
    pagination = meta.get("pagination", {}) if isinstance(meta, dict) else None
    if not isinstance(pagination, dict):
        raise malformed("meta.pagination must be an object")
    return Call(path, auth, base_url, items, pagination)


def _token(tenant: Tenant) -> Response:
    """oauth/token: the client credentials grant, credentials in the form (facts 1.2)."""
    if request.method != "POST":
        raise GatewayError(405, "err_method_not_allowed", f"Method {request.method} not allowed")
    form = request.form
    if request.mimetype != "application/x-www-form-urlencoded" or not form.get("grant_type"):
        error = {"error": "invalid_request", "error_description": "A form with grant_type is required"}
        return _json_response(400, error)
    if form["grant_type"] != "client_credentials":
        return _json_response(400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant type"})
    known = tenant.credentials
    good_id = hmac.compare_digest(form.get("client_id", "").encode(), known.client_id.encode())
    good_secret = hmac.compare_digest(form.get("client_secret", "").encode(), known.client_secret.encode())
    if not (good_id and good_secret):
        fail = [{"code": "InvalidClientIdentifier", "message": "Client credentials are invalid"}]
        return _json_response(401, {"fail": fail})
    token = {
        "access_token": tenant.issue_token(),
        "token_type": "Bearer",
        "expires_in": tenant.token_lifetime_s,
        "scope": "",
    }
    return _json_response(200, token)
