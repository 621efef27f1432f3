"""Releasing and rejecting held messages by either of their IDs, and Mimecast's console functions for messages.

What ``hold-release`` and ``hold-reject`` take is the held ID, so the given ID is tried as that first: one request, and
an ID of another kind is refused without effect ("0007 Invalid token", facts 2.5). Only then is it looked up as a
tracking ID. Mimecast gives no link from there to the hold queue, so the message is searched for, and acted on only if
the match is certain (``MimecastHoldQueue``); all that happens until then only reads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from MimecastConstants import (
    API_2,
    REJECT_HELD,
    RELEASE_HELD,
    RELEASE_TO_SANDBOX,
    REPORT_MESSAGE,
    STATUS_HELD,
    Endpoint,
)
from MimecastEnvelope import Row
from MimecastExceptions import ActionNotAppliedError, MimecastError, NotFoundError, UnsupportedError, ValidationError
from MimecastHoldQueue import RECEIPT_TOLERANCE, HoldQueueIndex
from MimecastModels import MessageDetails, TrackedMessage, write_moment

if TYPE_CHECKING:
    from MimecastManager import MimecastManager

WIDE_MARGIN = timedelta(hours=1)
"""How far around the time in its details a message is searched for in tracking; the two needn't be the same moment."""
CLOSE_MARGIN = 2 * RECEIPT_TOLERANCE + timedelta(minutes=1)
"""How far from a message's receipt another one can have a claim to the same held message: the tolerance twice, and
tracking's minute. So far is searched where a wider reply may have been cut off."""
SMALLEST_CAP = 100
"""A reply of fewer rows is complete: no cap below this was ever seen (facts 3.2)."""

_Way = tuple[str, str]
"""How tracking is searched: ``from`` or ``to``, and an address."""

_ID_FIELDS = frozenset({None, "id", "ids"})
_UNKNOWN_ID_CODES = frozenset({None, "xdk_failure"})
"""How Mimecast refuses an ID that it can't read: with this code, or with an empty HTTP 400 (facts 2.1, 2.5)."""
_USE_HELD_ID = (
    "Nothing was changed. Give the held ID instead: the alert's event has it, and the hold queue of Mimecast's console "
    "lists the message."
)


@dataclass(frozen=True)
class HoldOrder:
    """What shall happen to a held message.

    Attributes:
        endpoint: The function that does it.
        items: Makes the request's ``data`` for some held IDs.
        confirmed_by: The field that is true in each row of the answer if it was done.
        done: What has happened then, such as ``released``.
    """

    endpoint: Endpoint
    items: Callable[[Sequence[str]], list[Row]]
    confirmed_by: str
    done: str


RELEASE = HoldOrder(RELEASE_HELD, lambda held_ids: [{"id": held_id} for held_id in held_ids], "release", "released")


def reject_order(note: str, reason: str, *, notify: bool) -> HoldOrder:
    """Make the order to reject messages.

    Args:
        note: Explanation; empty: none.
        reason: One of Mimecast's reasons (``reasonType``); empty: none.
        notify: Whether Mimecast tells the sender.
    """
    item: Row = {"notify": notify}
    if note:
        item["message"] = note
    if reason:
        item["reasonType"] = reason
    return HoldOrder(REJECT_HELD, lambda held_ids: [{"ids": list(held_ids)} | item], "reject", "rejected")


def carry_out(manager: MimecastManager, order: HoldOrder, message_id: str) -> None:
    """Release or reject the message with a held ID or a tracking ID.

    Calls, in this order and no more of them than needed: the order with the given ID; its details as a tracking ID; the
    search in tracking, by up to three addresses until one finds it, each once more if the reply is long; for each of
    its recipients the search for its neighbours, unless the one before was that, and the hold queue; the order with the
    held IDs.

    Raises:
        NotFoundError: The ID is known neither as held ID nor as tracking ID.
        ActionNotAppliedError: The message isn't on hold, or its match in the hold queue isn't certain.
        OutcomeUnknownError: The order was sent, but its answer never came.
        MimecastError: Mimecast can't be reached or refuses.
    """
    refusal: MimecastError | None = None
    try:
        if _send(manager, order, [message_id]) == {message_id}:
            return
    except (ValidationError, NotFoundError) as error:
        if error.field not in _ID_FIELDS:
            raise
        refusal = error
    details = _details(manager, message_id)
    if details is None:
        if refusal is None:
            raise ActionNotAppliedError(
                f'The message with held ID "{message_id}" is no longer on hold: it was released, rejected or removed '
                f"before. It was not {order.done} now."
            )
        if refusal.code not in _UNKNOWN_ID_CODES:
            raise refusal
        raise NotFoundError(
            f'No message with ID "{message_id}" was found; Mimecast knows it neither as a held ID nor as a tracking '
            f"ID. Mimecast says: {refusal.message}",
            status=refusal.status,
            code=refusal.code,
            request_id=refusal.request_id,
        )
    _finish(manager, order, _held_ids(manager, order, message_id, details))


def _send(manager: MimecastManager, order: HoldOrder, held_ids: Sequence[str]) -> set[str]:
    """Send the order; return the IDs for which Mimecast says that it was done."""
    rows = manager.transport.call(order.endpoint, order.items(held_ids)).rows
    answered = {str(row.get("id")): row.get(order.confirmed_by) is True for row in rows}
    if set(answered) != set(held_ids):
        raise ActionNotAppliedError(
            f"Mimecast's answer doesn't say that the message was {order.done}. {order.endpoint.check_hint}"
        )
    return {held_id for held_id, done in answered.items() if done}


def _finish(manager: MimecastManager, order: HoldOrder, held_ids: Sequence[str]) -> None:
    """Send the order for held IDs that were found; with several of them a refusal may concern only some."""
    try:
        done = _send(manager, order, held_ids)
    except (ValidationError, NotFoundError) as error:
        if len(held_ids) == 1:
            raise
        raise ActionNotAppliedError(
            f"{error.message} The order was for {len(held_ids)} recipients; it may have been carried out for some. "
            f"{order.endpoint.check_hint}",
            status=error.status,
            code=error.code,
            request_id=error.request_id,
        ) from None
    if done != set(held_ids):
        raise ActionNotAppliedError(
            f"Mimecast {order.done} it for {len(done)} of {len(held_ids)} recipients; for the others it was no longer "
            f"on hold. {order.endpoint.check_hint}"
        )


def _details(manager: MimecastManager, message_id: str) -> MessageDetails | None:
    """Details of the message with this tracking ID; None if it is no tracking ID."""
    try:
        return manager.message_details(message_id, with_content=False)
    except (ValidationError, NotFoundError):
        return None


def _held_ids(manager: MimecastManager, order: HoldOrder, tracking_id: str, details: MessageDetails) -> list[str]:
    """Find the held IDs of a tracked message, one for each of its recipients."""
    status = details.status.lower()
    if status and status != STATUS_HELD:
        raise ActionNotAppliedError(
            f'The message with tracking ID "{tracking_id}" is not on hold; its status in Mimecast is "{status}". Only '
            f"messages on hold can be {order.done}."
        )

    def uncertain(why: str) -> MimecastError:
        return ActionNotAppliedError(
            f'The message with tracking ID "{tracking_id}" was not {order.done}: {why}. {_USE_HELD_ID}'
        )

    row, neighbours = _tracked(manager, tracking_id, details, uncertain)
    if row.received is None or not row.recipients:
        raise uncertain("message tracking names no recipient or no time of receipt")
    start, end = row.received - RECEIPT_TOLERANCE, row.received + RECEIPT_TOLERANCE
    held_ids = []
    for recipient in row.recipients:
        rows = neighbours.get(("to", recipient))
        if rows is None:
            rows = _search(manager, ("to", recipient), row.received, CLOSE_MARGIN)
        if not _complete(rows):
            raise uncertain(f"message tracking lists too many messages to {recipient} around it")
        index = HoldQueueIndex(manager.held_messages(start, end, recipient=recipient), rows)
        match = index.match(row, recipient)
        if match.held is None:
            senders = " or ".join(dict.fromkeys(row.senders)) or "an unknown sender"
            raise uncertain(
                f"{match.reason}. Looked for in the hold queue: from {senders} "
                f'to {recipient}, subject "{row.subject}", received {write_moment(start)} to {write_moment(end)}'
            )
        held_ids.append(match.held.id)
    return list(dict.fromkeys(held_ids))


def _tracked(
    manager: MimecastManager, tracking_id: str, details: MessageDetails, uncertain: Callable[[str], MimecastError]
) -> tuple[TrackedMessage, dict[_Way, Sequence[TrackedMessage]]]:
    """Find a message's row in tracking; with it come its neighbours, by the way in which they were searched for.

    Of those to the same recipient, one that looks alike makes the match in the hold queue uncertain.
    """
    info = details.recipient_info.message_info
    around = info.processed or info.sent
    if around is None:
        raise uncertain("its details in Mimecast name no time")
    neighbours: dict[_Way, Sequence[TrackedMessage]] = {}
    ways = _ways_to_search(details)
    for way in ways:
        rows = _search(manager, way, around, WIDE_MARGIN)
        if _complete(rows):
            neighbours[way] = rows
        else:
            rows = _search(manager, way, around, CLOSE_MARGIN)
        for row in rows:
            if row.id == tracking_id:
                return row, neighbours
    where = ", ".join(f"{direction} {address}" for direction, address in ways) or "no address to search by is known"
    raise uncertain(f"message tracking doesn't list it ({where}; around {write_moment(around)})")


def _ways_to_search(details: MessageDetails) -> list[_Way]:
    """Addresses by which tracking may find a message: its recipient, then its sender in envelope and header."""
    info = details.recipient_info
    message = info.message_info
    recipients = [address for address in (info.tx_info.to, *message.to) if address][:1]
    senders = [address for address in (message.from_envelope, message.from_header) if address]
    ways: list[_Way] = [("to", address) for address in recipients]
    return list(dict.fromkeys(ways + [("from", address) for address in senders]))


def _search(manager: MimecastManager, way: _Way, around: datetime, margin: timedelta) -> Sequence[TrackedMessage]:
    return manager.tracked_between(*way, around - margin, around + margin)


def _complete(rows: Sequence[TrackedMessage]) -> bool:
    return len(rows) < SMALLEST_CAP


# --- console functions -----------------------------------------------------------------------------------------------


def release_to_sandbox(manager: MimecastManager, tracking_id: str) -> None:
    """Release a held message to the sandbox; ``MimecastManager.release_to_sandbox`` says more."""
    _use_console_function(
        manager,
        RELEASE_TO_SANDBOX,
        {"id": tracking_id},
        "With API 2.0 credentials Mimecast has no function to release a message to the sandbox, so nothing was done. "
        "Use API 1.0 keys, or release it in Mimecast's Administration Console (Message Center | Held Messages).",
    )


def report_message(manager: MimecastManager, tracking_id: str, kind: str, comment: str) -> None:
    """Report a message; ``MimecastManager.report_message`` says more."""
    _use_console_function(
        manager,
        REPORT_MESSAGE,
        {"id": tracking_id, "type": kind} | ({"comment": comment} if comment else {}),
        "With API 2.0 credentials Mimecast has no function to report a message, so nothing was done. Use API 1.0 keys, "
        "or report it in Mimecast's Administration Console (Message Center | Message Tracking).",
    )


def _use_console_function(manager: MimecastManager, endpoint: Endpoint, item: Row, unsupported: str) -> None:
    """Call a function whose answer nobody documents: without ``fail`` it was done, unless a row denies it."""
    if manager.api == API_2 and not endpoint.api_2:
        raise UnsupportedError(unsupported)
    for row in manager.transport.call(endpoint, [item]).rows:
        if row.get("release") is False or row.get("id", item["id"]) != item["id"]:
            raise ActionNotAppliedError(f"Mimecast's answer denies that it was done. {endpoint.check_hint}")
