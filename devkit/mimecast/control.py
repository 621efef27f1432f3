"""Control of an embedded Mimecast that runs as a process of its own: endpoints below ``/_control/``, loopback only.

They are no part of Mimecast's API: no authentication, no envelope, and they are not counted.
"""

from __future__ import annotations

import dataclasses
import ipaddress
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, request

from devkit.mimecast.faults import Fault, RateLimit
from devkit.mimecast.mailstream import DEFAULT_ATTACHMENT_BYTES, MailStream
from devkit.mimecast.rows import mimecast_time
from devkit.mimecast.tenant import Tenant, utc_now

DEFAULT_COUNT = 10
DEFAULT_MINUTES_AGO = 60.0

Json = dict[str, Any]
# What POST settings may set as it is, and of which types it is then.
PLAIN_SETTINGS: dict[str, tuple[type, ...]] = {
    "access_key_expired": (bool,),
    "token_lifetime_s": (int,),
    "search_cap": (int, type(None)),
    "search_order": (str,),
    "hold_page_default": (int,),
    "page_ceiling": (int,),
    "release_accepts_tracking_id": (bool,),
    "archive_enabled": (bool,),
    "archive_shape": (str,),
    "file_answer": (str,),
    "download_host": (str, type(None)),
    "redirect_host": (str, type(None)),
    "download_single_use": (bool,),
    "latency_s": (int, float),
}


def add_control(app: Flask, tenant: Tenant) -> None:
    """Adds the control endpoints of a tenant to its app.

    Args:
        app: The app.
        tenant: Its tenant.
    """
    control = Blueprint("control", __name__, url_prefix="/_control")

    @control.before_request
    def only_from_this_machine() -> Response | None:
        if request.remote_addr and ipaddress.ip_address(request.remote_addr).is_loopback:
            return None
        return Response("loopback only\n", 403)

    @control.errorhandler(ValueError)
    @control.errorhandler(TypeError)
    def not_understood(error: Exception) -> tuple[Response, int]:
        return jsonify(error=str(error)), 400

    @control.get("/state")
    def state() -> Response:
        return jsonify(state_of(tenant))

    @control.get("/rows")
    def rows() -> Response:
        return jsonify(rows_of(tenant))

    def add(name: str, apply: Callable[[Tenant, Json], Json]) -> None:
        @control.post(f"/{name}", endpoint=name)
        def change() -> Response:
            body = request.get_json(force=True, silent=True) if request.get_data() else {}
            if not isinstance(body, dict):
                raise ValueError("the body must be a JSON object")
            return jsonify(apply(tenant, body))

    for name, apply in CHANGES.items():
        add(name, apply)
    app.register_blueprint(control)


def state_of(tenant: Tenant) -> Json:
    """What was asked and what was done."""
    with tenant.lock:
        return {
            "requests": tenant.count(),
            "by_path": tenant.ledger.counts(),
            "max_in_flight": tenant.max_in_flight,
            "faults_happened": tenant.faults.happened(),
            "rate_limited": tenant.rate_limit.refused if tenant.rate_limit else 0,
            "tokens_issued": tenant.tokens_issued,
            "mails": len(tenant.store.mails),
            "rows": len(tenant.store.by_tracking_id),
            "leaked_credentials": [dataclasses.asdict(leak) for leak in tenant.leaked_credentials],
            "released": tenant.released,
            "rejected": [dataclasses.asdict(one) for one in tenant.rejected],
            "sandboxed": tenant.sandboxed,
            "reported": [dataclasses.asdict(one) for one in tenant.reported],
            "managed_senders": [dataclasses.asdict(one) for one in tenant.managed_senders],
            "policies": tenant.policies,
        }


def rows_of(tenant: Tenant) -> list[Json]:
    """All rows, for those who need to know what there is to be found."""
    return [
        {
            "tracking_id": row.tracking_id,
            "held_id": row.held_id,
            "message_id": row.mail.message_id,
            "sender": row.mail.sender,
            "recipient": row.recipient,
            "subject": row.mail.subject,
            "status": row.status,
            "route": row.mail.route,
            "received": mimecast_time(row.mail.received),
            "attachments": len(row.mail.attachments),
        }
        for row in tenant.rows()
    ]


def add_mail(tenant: Tenant, body: Json) -> Json:
    """POST mail: adds generated mail.

    Keys: ``seed``, ``count``, ``kind`` ("mixed" or "held"), ``domains``, ``start`` and ``end`` (ISO 8601) or
    ``minutes_ago`` (of the oldest; the newest is now), ``late_share``, ``attachments_each``, ``attachment_bytes``.
    """
    options = dict(body)
    kind, count = options.pop("kind", "mixed"), int(options.pop("count", DEFAULT_COUNT))
    minutes_ago = float(options.pop("minutes_ago", DEFAULT_MINUTES_AGO))
    end = _moment(options.pop("end", None)) or tenant.clock()
    start = _moment(options.pop("start", None)) or tenant.clock() - timedelta(minutes=minutes_ago)
    stream = MailStream(
        int(options.pop("seed", 1)), options.pop("domains", ["corp.example"]), float(options.pop("late_share", 0))
    )
    sizes = {
        "attachments_each": int(options.pop("attachments_each", 1)),
        "attachment_bytes": int(options.pop("attachment_bytes", DEFAULT_ATTACHMENT_BYTES)),
    }
    if options:
        raise ValueError(f"unknown keys: {', '.join(sorted(options))}")
    if kind not in ("mixed", "held"):
        raise ValueError("kind is mixed or held")
    mails = stream.mails(count, start, end) if kind == "mixed" else stream.held_mails(count, start, end, **sizes)
    return {"mails": len(mails), "rows": len(tenant.add(*mails))}


def _moment(text: str | None) -> datetime | None:
    if text is None:
        return None
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError("start and end need an offset")
    return moment


def add_faults(tenant: Tenant, body: Json) -> Json:
    """POST faults: asks for the ``faults`` in the body (keys of ``Fault``), after forgetting the old ones."""
    faults = [Fault(**fault) for fault in body.get("faults", [])]
    tenant.faults.clear()
    tenant.fault(*faults)
    return {"faults": len(faults)}


def change_settings(tenant: Tenant, body: Json) -> Json:
    """POST settings: sets attributes of ``Tenant``.

    Besides the plain ones: ``permissions`` and ``unavailable`` (lists), ``requests_per_second`` (null = no limit),
    ``clock_ahead_s`` (how far the tenant's clock is ahead of the real one).
    """
    for name, value in body.items():
        if name in PLAIN_SETTINGS:
            if not isinstance(value, PLAIN_SETTINGS[name]):
                raise ValueError(f"{name} can't be {value!r}")
        elif name not in SPECIAL_SETTINGS:
            raise ValueError(f"unknown setting {name}")
    for name, value in body.items():
        if name in PLAIN_SETTINGS:
            setattr(tenant, name, value)
        else:
            SPECIAL_SETTINGS[name](tenant, value)
    return {"set": sorted(body)}


def _set_clock(tenant: Tenant, ahead_s: float) -> None:
    ahead = timedelta(seconds=ahead_s)
    tenant.clock = lambda: utc_now() + ahead


SPECIAL_SETTINGS: dict[str, Callable[[Tenant, Any], None]] = {
    "permissions": lambda tenant, names: setattr(tenant, "permissions", set(names)),
    "unavailable": lambda tenant, paths: setattr(tenant, "unavailable", set(paths)),
    "requests_per_second": lambda tenant, quota: setattr(tenant, "rate_limit", RateLimit(quota) if quota else None),
    "clock_ahead_s": _set_clock,
}


def revoke_tokens(tenant: Tenant, body: Json) -> Json:
    """POST revoke-tokens: all tokens so far count as expired."""
    tenant.revoke_tokens()
    return {"revoked": True}


def reset_counts(tenant: Tenant, body: Json) -> Json:
    """POST reset-counts: forgets the requests so far."""
    tenant.reset_counts()
    return {"requests": 0}


CHANGES: dict[str, Callable[[Tenant, Json], Json]] = {
    "mail": add_mail,
    "faults": add_faults,
    "settings": change_settings,
    "revoke-tokens": revoke_tokens,
    "reset-counts": reset_counts,
}
