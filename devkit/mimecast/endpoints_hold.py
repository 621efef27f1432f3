"""The hold queue: list, release, reject (facts 3.5 to 3.7)."""

from __future__ import annotations

from collections.abc import Callable

from devkit.mimecast.endpoints_messages import refuse_truncated
from devkit.mimecast.envelope import (
    Answer,
    Call,
    FunctionError,
    Json,
    date_of,
    failure,
    flag_of,
    not_allowed,
    null,
    optional_text,
    text_of,
)
from devkit.mimecast.mailstore import TrackedRow
from devkit.mimecast.paging import Page, Row, UnknownPageTokenError
from devkit.mimecast.rows import held_row
from devkit.mimecast.tenant import Rejection, Tenant

SEARCH_FIELDS = ("all", "subject", "sender", "recipient", "reasonCode", "senderIP")
# Larger sizes were seen nowhere (facts 2.2).
LARGEST_PAGE = 500
REASON_TYPES = frozenset(
    {
        "MESSAGE CONTAINS UNDESIRABLE CONTENT",
        "MESSAGE CONTAINS CONFIDENTIAL INFORMATION",
        "REVIEWER DISAPPROVES OF CONTENT",
        "INAPPROPRIATE COMMUNICATION",
        "MESSAGE GOES AGAINST EMAIL POLICIES",
    }
)


def get_hold_message_list(tenant: Tenant, call: Call) -> Answer:
    """gateway/get-hold-message-list: rows on hold, newest first, by pages; none without ``admin``."""
    item = call.only_item()
    admin = flag_of(item, "admin", default=False)
    start, end = date_of(item, "start"), date_of(item, "end")
    if start and end and end < start:
        raise not_allowed("end", item["end"])
    field, value = _search_by(item)
    size = min(page_size(call, tenant.hold_page_default), tenant.page_ceiling)

    def find() -> list[TrackedRow]:
        if not admin:
            return []
        recipient = value if field == "recipient" and "@" in value else None
        rows = tenant.store.held(start, end, tenant.clock(), recipient)
        return [row for row in rows if _matches(held_row(row), row, field, value)] if field != "all" else rows

    with tenant.lock:
        page = turn_page(tenant, call, size, find)
        pagination = {"pageSize": size, "totalCount": page.total} | page.tokens()
        return Answer([held_row(row) for row in page.rows], pagination)


def _search_by(item: Json) -> tuple[str, str]:
    """Field and text to search by."""
    criterion = item.get("searchBy")
    if criterion is None and "searchBy" not in item:
        return "all", ""
    if not isinstance(criterion, dict):
        raise not_allowed("searchBy", criterion)
    field = text_of(criterion, "fieldName", within="searchBy.")
    if field not in SEARCH_FIELDS:
        raise not_allowed("searchBy.fieldName", field)
    return field, "" if field == "all" else text_of(criterion, "value", within="searchBy.")


def _matches(shown: Json, row: TrackedRow, field: str, value: str) -> bool:
    texts = {
        "subject": [row.mail.subject],
        "sender": [row.mail.sender, row.mail.envelope_sender or ""],
        "recipient": [row.recipient or ""],
        "reasonCode": [shown["reasonCode"]],
        "senderIP": [row.mail.sender_ip],
    }
    return any(value.casefold() in text.casefold() for text in texts[field])


def page_size(call: Call, default: int) -> int:
    """The ``pageSize`` of a request.

    Raises:
        FunctionError: If it is no whole number from 1 to 500.
    """
    size = call.pagination.get("pageSize", default)
    if not isinstance(size, int) or isinstance(size, bool) or not 1 <= size <= LARGEST_PAGE:
        raise not_allowed("meta.pagination.pageSize", size)
    return size


def turn_page(tenant: Tenant, call: Call, size: int, find: Callable[[], list[Row]], start: int = 0) -> Page[Row]:
    """The page that a request asks for.

    Args:
        tenant: Whose.
        call: The request.
        size: Rows a page.
        find: Finds all rows.
        start: At which row the first page begins.

    Returns:
        The page.

    Raises:
        FunctionError: If its page token isn't one of this query's.
    """
    token = call.pagination.get("pageToken")
    if token is not None and not isinstance(token, str):
        raise not_allowed("meta.pagination.pageToken", token)
    try:
        return tenant.pages.page([call.path, call.items], token, size, find, start)
    except UnknownPageTokenError:
        raise not_allowed("meta.pagination.pageToken", token) from None


def hold_release(tenant: Tenant, call: Call) -> Answer:
    """gateway/hold-release: one held ID for each item; ``release`` is false for what is no longer on hold."""
    _some_items(call)
    data: list[Json] = []
    fail: list[Json] = []
    for item in call.items:
        try:
            held_id = text_of(item, "id")
            with tenant.lock:
                row = _held(tenant, held_id)
                done = row.on_hold
                if done:
                    row.status = "accepted"
                    tenant.released.append(row.held_id)
            data.append({"id": held_id, "release": done})
        except FunctionError as error:
            fail.append(failure(item, error))
    return Answer(data, fail=fail)


def hold_reject(tenant: Tenant, call: Call) -> Answer:
    """gateway/hold-reject: a list of held IDs for each item; ``reject`` is false for what is no longer on hold."""
    _some_items(call)
    data: list[Json] = []
    fail: list[Json] = []
    for item in call.items:
        try:
            held_ids, rejection = _rejection(item)
            with tenant.lock:
                rows = [_held(tenant, held_id) for held_id in held_ids]
                for held_id, row in zip(held_ids, rows, strict=True):
                    done = row.on_hold
                    if done:
                        row.status = "rejected"
                        tenant.rejected.append(Rejection(row.held_id, *rejection))
                    data.append({"id": held_id, "reject": done})
        except FunctionError as error:
            fail.append(failure(item, error))
    return Answer(data, fail=fail)


def _rejection(item: Json) -> tuple[list[str], tuple[str | None, str | None, bool]]:
    """Held IDs, and message, reason and notification of a rejection."""
    held_ids = item.get("ids")
    if held_ids is None:
        raise null("ids")
    if not isinstance(held_ids, list) or not held_ids or not all(isinstance(one, str) and one for one in held_ids):
        raise not_allowed("ids", held_ids)
    reason = optional_text(item, "reasonType")
    if reason is not None and reason not in REASON_TYPES:
        raise not_allowed("reasonType", reason)
    return held_ids, (optional_text(item, "message"), reason, flag_of(item, "notify", default=False))


def _some_items(call: Call) -> None:
    if not call.items:
        raise null("data")


def _held(tenant: Tenant, held_id: str) -> TrackedRow:
    """The row with this held ID, or with this tracking ID where the tenant takes that too."""
    row = tenant.store.by_held_id.get(held_id)
    if row is None and tenant.release_accepts_tracking_id:
        row = tenant.store.by_tracking_id.get(held_id)
    if row is None:
        refuse_truncated(held_id)
        raise FunctionError("xdk_failure", "0007 Invalid token", field="id")
    return row
