"""The account and message tracking functions (facts 3.1 to 3.4)."""

from __future__ import annotations

from datetime import datetime, timedelta

from devkit.mimecast.envelope import (
    Answer,
    Call,
    EmptyBadRequestError,
    FunctionError,
    Json,
    date_of,
    not_allowed,
    null,
    optional_text,
    text_of,
    words_of,
)
from devkit.mimecast.mail import HELD_ID_BYTES, ID_PREFIX, ROUTES, STATUSES, TRACKING_ID_BYTES, opaque_id
from devkit.mimecast.mailstore import TrackedRow
from devkit.mimecast.rows import message_details, tracked_row
from devkit.mimecast.tenant import Report, Tenant

# A start this old or older fails (facts 3.2: exactly 30 days failed too).
OLDEST_START = timedelta(days=30)
ADVANCED_OPTIONS = ("from", "to", "subject", "senderIP", "url")
STATUS_WORDS = frozenset(STATUSES)
ROUTE_WORDS = frozenset({*ROUTES, "all", "external"})
REPORT_TYPES = frozenset({"malware", "spam", "phishing"})
# What may be reported (specification, Report Message).
REPORTABLE_STATUSES = frozenset({"held", "archived", "bounced"})
_WHOLE_LENGTHS = {len(opaque_id(TRACKING_ID_BYTES)), len(opaque_id(HELD_ID_BYTES))}


def get_account(tenant: Tenant, call: Call) -> Answer:
    """account/get-account: what the account is and has."""
    account: Json = {
        "accountCode": "CDEMO1A1",
        "accountName": "Demonstration tenant",
        "region": "uk",
        "type": "full",
        "gateway": True,
        "archive": tenant.archive_enabled,
        "packages": ["Advanced MTA - Site [1002]", "Email Archive [1001]"],
        "userCount": 250,
        "maxRetention": 30,
        "mimecastId": "01-0000-00001",
        "databaseCode": "ukterm1",
        "adminEmail": "admin@corp.example",
        "contactEmail": "admin@corp.example",
        "domain": "corp.example",
        "supportCode": "0000",
        "adminSessionTimeout": 60,
        "searchReason": False,
        "policyInheritance": False,
    }
    return Answer([account])


def search(tenant: Tenant, call: Call) -> Answer:
    """message-finder/search: tracked rows of a window that match the criteria; no pages."""
    item = call.only_item()
    options, message_id = item.get("advancedTrackAndTraceOptions"), item.get("messageId")
    if (options is None) == (message_id is None):
        raise FunctionError(
            "err_validation_value_not_allowed",
            "Exactly one of messageId and advancedTrackAndTraceOptions is required",
            field="advancedTrackAndTraceOptions",
        )
    statuses = words_of(item, "status", STATUS_WORDS)
    routes = _wanted_routes(words_of(item, "route", ROUTE_WORDS))
    now = tenant.clock()
    start = date_of(item, "start") or now - OLDEST_START + timedelta(minutes=1)
    end = date_of(item, "end") or now
    if start <= now - OLDEST_START:
        raise FunctionError(
            "err_track_and_trace_invalid_start_date", "Start date must be within the last 30 days", field="start"
        )
    if end < start:
        raise not_allowed("end", item.get("end"))
    with tenant.lock:
        if message_id is not None:
            text_of(item, "messageId")
            wanted = set(map(id, tenant.store.with_message_id(message_id)))
            found = [row for row in tenant.store.search(start, end, now) if id(row) in wanted] if wanted else []
        else:
            found = _advanced_search(tenant, _advanced_options(options), start, end)
        found = [
            row
            for row in found
            if (not statuses or row.status in statuses) and (routes is None or row.mail.route in routes)
        ]
        if tenant.search_order == "newest":
            found.reverse()
        return Answer([{"trackedEmails": [tracked_row(row) for row in found[: tenant.search_cap]]}])


def _wanted_routes(words: list[str]) -> set[str] | None:
    """Routes behind the words; ``external`` is what crosses the border, ``all`` is no filter."""
    if not words or "all" in words:
        return None
    return {route for route in words if route != "external"} | (
        {"inbound", "outbound"} if "external" in words else set()
    )


def _advanced_options(options: object) -> dict[str, str]:
    """The criteria among the options; anything else in them is ignored, as by Mimecast (``senderIp``, facts 3.2)."""
    if not isinstance(options, dict):
        raise not_allowed("advancedTrackAndTraceOptions", options)
    prefix = "advancedTrackAndTraceOptions."
    criteria = {name: text_of(options, name, within=prefix) for name in ADVANCED_OPTIONS if name in options}
    if not criteria:
        raise null("advancedTrackAndTraceOptions")
    return criteria


def _advanced_search(tenant: Tenant, criteria: dict[str, str], start: datetime, end: datetime) -> list[TrackedRow]:
    rows = tenant.store.search(start, end, tenant.clock(), criteria.get("from"), criteria.get("to"))
    subject = criteria.get("subject", "").casefold()
    sender_ip, url = criteria.get("senderIP"), criteria.get("url", "")
    return [
        row
        for row in rows
        if subject in row.mail.subject.casefold()
        and (sender_ip is None or row.mail.sender_ip == sender_ip)
        and (url in row.mail.text or url in row.mail.html)
    ]


def get_message_info(tenant: Tenant, call: Call) -> Answer:
    """message-finder/get-message-info: everything about one tracked row; bodies only with ``loadContent``."""
    item = call.only_item()
    tracking_id = text_of(item, "id")
    with tenant.lock:
        row = tracked(tenant, tracking_id)
        if row.mail.odd.details_missing or row.visible_from_s > tenant.clock().timestamp():
            raise FunctionError("err_track_and_trace_message_not_found", "Message not found", field="id")
        return Answer([message_details(row, with_content=str(item.get("loadContent", "")).lower() == "true")])


def release_to_sandbox(tenant: Tenant, call: Call) -> Answer:
    """message-finder/release-held-email-to-sandbox: a console function that takes a tracking ID (facts 3.4)."""
    tracking_id = text_of(call.only_item(), "id")
    with tenant.lock:
        row = tracked(tenant, tracking_id)
        if not row.on_hold:
            raise FunctionError("err_message_not_held", "The message is not on hold", field="id")
        row.status = "processing"
        tenant.sandboxed.append(tracking_id)
    return Answer([{"id": tracking_id, "release": True}])


def report_message(tenant: Tenant, call: Call) -> Answer:
    """message-finder/report-message: a console function that takes a tracking ID (facts 3.4)."""
    item = call.only_item()
    tracking_id, kind, comment = text_of(item, "id"), text_of(item, "type"), optional_text(item, "comment")
    if kind not in REPORT_TYPES:
        raise not_allowed("type", kind)
    with tenant.lock:
        row = tracked(tenant, tracking_id)
        if row.status not in REPORTABLE_STATUSES:
            raise FunctionError("err_message_not_reportable", f"A message that is {row.status} cannot be reported")
        tenant.reported.append(Report(tracking_id, kind, comment))
    return Answer([{"id": tracking_id}])


def tracked(tenant: Tenant, tracking_id: str) -> TrackedRow:
    """The row with this tracking ID.

    Raises:
        EmptyBadRequestError: If the ID was cut short.
        FunctionError: If there is no such row.
    """
    row = tenant.store.by_tracking_id.get(tracking_id)
    if row is None:
        refuse_truncated(tracking_id)
        raise FunctionError("xdk_failure", "0007 Invalid token", field="id")
    return row


def refuse_truncated(message: str) -> None:
    """Refuses an ID that looks like one of a message but has the wrong length (facts 2.1).

    Raises:
        EmptyBadRequestError: If so.
    """
    if message.startswith(ID_PREFIX) and len(message) not in _WHOLE_LENGTHS:
        raise EmptyBadRequestError
