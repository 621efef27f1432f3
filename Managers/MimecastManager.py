"""What Mimecast can do for this integration: one method each. The scripts call nothing else of Mimecast's."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

import requests

from MimecastArchive import FoundEmails, search_archive
from MimecastAuth import HmacAuth, OAuthAuth, utc_now
from MimecastConstants import (
    API_1,
    API_2,
    GET_ACCOUNT,
    GET_HELD_DETAIL,
    GET_HELD_FILE,
    GET_HOLD_LIST,
    GET_MESSAGE_INFO,
    SEARCH_TRACKING,
)
from MimecastEnvelope import Envelope, Row
from MimecastExceptions import ActionNotAppliedError, NotFoundError, ServerError
from MimecastModels import (
    HELD_ATTACHMENT,
    HELD_MESSAGE,
    MESSAGE_DETAILS,
    TRACKED_MESSAGE,
    HeldAttachment,
    HeldMessage,
    MessageDetails,
    TrackedMessage,
    write_moment,
)
from MimecastParameters import Configuration
from MimecastRateLimit import Deadline
from MimecastSenders import BlockSenderPolicy, create_policy, manage_sender
from MimecastTransport import MimecastTransport
from MimecastTriage import RELEASE, carry_out, reject_order, release_to_sandbox, report_message

_SHA256 = re.compile(r"(?i)^[0-9a-f]{64}$")


@dataclass(frozen=True)
class Clock:
    """Everything with time in it, so that tests need none.

    Attributes:
        now: The present moment, aware, UTC.
        monotonic: A clock in seconds that never goes back.
        sleep: Waits for a number of seconds.
    """

    now: Callable[[], datetime] = utc_now
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class TrackingQuery:
    """One search of message tracking.

    Attributes:
        domain: A domain of the customer's.
        direction: ``from`` or ``to``: which side of the mail the domain is on.
        statuses: Only messages in one of these states; empty: all.
    """

    domain: str
    direction: str
    statuses: tuple[str, ...] = ()


class MimecastManager:
    """The facade of one Mimecast tenant for one run of a script; may be used by several threads.

    Args:
        configuration: How to reach and sign in to Mimecast.
        time_budget_s: How long all network work of this run may take.
        clock: Time, for tests.
        session: HTTP session for Mimecast, for tests.
        download_session: HTTP session for download links, for tests.

    Raises:
        ConfigurationError: The Secret Key is not base64.
    """

    def __init__(
        self,
        configuration: Configuration,
        time_budget_s: float,
        *,
        clock: Clock | None = None,
        session: requests.Session | None = None,
        download_session: requests.Session | None = None,
    ) -> None:
        clock = clock or Clock()
        self.now = clock.now
        self.deadline = Deadline(clock.monotonic, time_budget_s)
        self.transport = MimecastTransport(
            configuration.api_root,
            self.deadline,
            verify_ssl=configuration.verify_ssl,
            monotonic=clock.monotonic,
            sleep=clock.sleep,
            now=clock.now,
            session=session,
            download_session=download_session,
        )
        self.api = API_2 if configuration.uses_api_2 else API_1
        if configuration.uses_api_2:
            self.transport.auth = OAuthAuth(
                lambda: self.transport.fetch_token(configuration.client_id, configuration.client_secret),
                clock.monotonic,
            )
        else:
            self.transport.auth = HmacAuth(
                configuration.application_id,
                configuration.application_key,
                configuration.access_key,
                configuration.secret_key,
                clock=clock.now,
            )

    def close(self) -> None:
        """Close all connections."""
        self.transport.close()

    # --- account -----------------------------------------------------------------------------------------------------

    def check_connection(self) -> None:
        """Prove that Mimecast can be reached and accepts the credentials.

        Raises:
            ActionNotAppliedError: The answer holds no account.
            MimecastError: Mimecast can't be reached or refuses.
        """
        if not self.transport.call(GET_ACCOUNT, []).rows:
            raise ActionNotAppliedError("Mimecast answered without any account data. Check the API Root and the role.")

    # --- message tracking --------------------------------------------------------------------------------------------

    def search_tracked(self, query: TrackingQuery, start: datetime, end: datetime) -> tuple[TrackedMessage, ...]:
        """Search message tracking for a time span.

        The reply has no documented pages, but an undocumented cap (facts 3.2): it may be incomplete. Should Mimecast
        ever announce a next page, it is read.

        Args:
            query: What to search for.
            start: Earliest receipt; not older than 29 days.
            end: Latest receipt.

        Returns:
            The rows, in Mimecast's order.

        Raises:
            MimecastError: The search failed.
        """
        item: Row = {
            "start": write_moment(start),
            "end": write_moment(end),
            "advancedTrackAndTraceOptions": {query.direction: query.domain},
        }
        if query.statuses:
            item["status"] = list(query.statuses)
        found: list[TrackedMessage] = []
        envelope = self.transport.call(SEARCH_TRACKING, [item])
        tokens: set[str] = set()
        while True:
            found += [TRACKED_MESSAGE.validate_python(row) for row in _listed(envelope, "trackedEmails")]
            token = envelope.next_token
            if token is None:
                return tuple(found)
            if token in tokens:
                raise ServerError("Mimecast repeats a page token, so the search can't be read to its end.")
            tokens.add(token)
            envelope = self.transport.call(SEARCH_TRACKING, [item], page_token=token)

    def tracked_between(
        self, direction: str, address: str, start: datetime, end: datetime
    ) -> tuple[TrackedMessage, ...]:
        """Search message tracking for one address; arguments and result are those of ``search_tracked``."""
        return self.search_tracked(TrackingQuery(address, direction), start, end)

    def message_details(self, tracking_id: str, *, with_content: bool = True) -> MessageDetails:
        """Get the details of one tracked message.

        ``loadContent`` is what brings the body; it is undocumented, but the official integration sends it too.

        Args:
            tracking_id: Which message.
            with_content: Whether its body is wanted.

        Raises:
            NotFoundError: Mimecast gave no details.
            MimecastError: The details could not be had.
        """
        content = {"loadContent": "true"} if with_content else {}
        envelope = self.transport.call(GET_MESSAGE_INFO, [{"id": tracking_id} | content])
        if not envelope.rows:
            raise NotFoundError("Mimecast gave no details of this message.")
        return MESSAGE_DETAILS.validate_python(envelope.rows[0])

    # --- hold queue --------------------------------------------------------------------------------------------------

    def held_messages(
        self, start: datetime, end: datetime, *, recipient: str | None = None, deadline: Deadline | None = None
    ) -> Iterator[HeldMessage]:
        """List the hold queue of a time span, page by page.

        ``admin`` is always true: without it Mimecast lists only the caller's own messages (facts 3.7).

        Args:
            start: Earliest receipt.
            end: Latest receipt.
            recipient: Only messages for this address.
            deadline: When the list must be done, if before the run's own deadline.

        Raises:
            MimecastError: A page could not be had.
        """
        item: Row = {"admin": True, "start": write_moment(start), "end": write_moment(end)}
        if recipient is not None:
            item["searchBy"] = {"fieldName": "recipient", "value": recipient}
        for envelope in self.transport.pages(GET_HOLD_LIST, [item], deadline=deadline):
            for row in envelope.rows:
                yield HELD_MESSAGE.validate_python(row)

    def held_attachments(self, held_id: str, deadline: Deadline | None = None) -> tuple[HeldAttachment, ...]:
        """List the files of a held message.

        Raises:
            MimecastError: The list could not be had.
        """
        envelope = self.transport.call(GET_HELD_DETAIL, [{"id": held_id}], deadline=deadline)
        return tuple(HELD_ATTACHMENT.validate_python(row) for row in _listed(envelope, "attachments"))

    def held_file(self, listed: HeldAttachment, max_bytes: int, deadline: Deadline | None = None) -> bytes:
        """Fetch one file of a held message: Mimecast gives a short-lived link to it, or the bytes themselves.

        Bytes whose hash isn't the listed one are not the file: a gateway's page, say, or another mail's attachment.

        Args:
            listed: The file as the held message lists it.
            max_bytes: Largest file that is taken.
            deadline: When it must be there, if before the run's own deadline.

        Raises:
            TooLargeError: The file is larger than max_bytes.
            NotFoundError: Mimecast gave no link.
            MimecastError: The file could not be had.
        """

        def check(content: bytes) -> None:
            if _SHA256.match(listed.sha256):
                good = hashlib.sha256(content).hexdigest() == listed.sha256.lower()
            else:
                good = listed.size in (0, len(content))
            if not good:
                raise ServerError("what came is not the file that Mimecast lists: its hash or size differs")

        answer = self.transport.call_for_file(GET_HELD_FILE, [{"id": listed.id}], max_bytes, check, deadline)
        if isinstance(answer, bytes):
            return answer
        for row in answer.rows:
            for url in row.get("urls") or [row.get("url")]:
                if isinstance(url, str) and url:
                    return self.transport.download(url, max_bytes, check, deadline)
        raise NotFoundError("Mimecast gave no link to the file.")

    # --- triage ------------------------------------------------------------------------------------------------------

    def release_message(self, message_id: str) -> None:
        """Release a held message to its recipient, by its held ID or its tracking ID.

        Raises:
            ActionNotAppliedError: The message isn't on hold, or it isn't certain which held message is meant.
            NotFoundError: Mimecast doesn't know the ID.
            MimecastError: The message could not be released.
        """
        carry_out(self, RELEASE, message_id)

    def reject_message(self, message_id: str, *, note: str, reason: str, notify: bool) -> None:
        """Reject a held message, by its held ID or its tracking ID; raises what ``release_message`` does.

        Args:
            message_id: Which message.
            note: Explanation; empty: none.
            reason: One of Mimecast's reasons; empty: none.
            notify: Whether Mimecast tells the sender.
        """
        carry_out(self, reject_order(note, reason, notify=notify), message_id)

    def release_to_sandbox(self, tracking_id: str) -> None:
        """Release a held message to the sandbox, by its tracking ID.

        Raises:
            UnsupportedError: With API 2.0 credentials; nothing was sent.
            MimecastError: The message could not be released.
        """
        release_to_sandbox(self, tracking_id)

    def report_message(self, tracking_id: str, kind: str, comment: str) -> None:
        """Report a message to Mimecast, by its tracking ID.

        Args:
            tracking_id: Which message.
            kind: ``spam``, ``malware`` or ``phishing``.
            comment: Free text; empty: none.

        Raises:
            UnsupportedError: With API 2.0 credentials; nothing was sent.
            MimecastError: The message could not be reported.
        """
        report_message(self, tracking_id, kind, comment)

    # --- senders -----------------------------------------------------------------------------------------------------

    def manage_sender(self, sender: str, recipient: str, action: str) -> None:
        """Block or permit a sender for one recipient.

        Args:
            sender: Mail address.
            recipient: Mail address.
            action: ``block`` or ``permit``.

        Raises:
            ActionNotAppliedError: Mimecast's answer doesn't agree with what was asked.
            MimecastError: It could not be done.
        """
        manage_sender(self.transport, sender, recipient, action)

    def create_block_sender_policy(self, policy: BlockSenderPolicy) -> Row:
        """Create a policy against a sender and return it, as Mimecast's own row; raises what ``manage_sender`` does."""
        return create_policy(self.transport, policy)

    # --- archive -----------------------------------------------------------------------------------------------------

    def search_archive(self, query: str, limit: int | None = None) -> FoundEmails:
        """Search the whole archive.

        Args:
            query: The query's XML.
            limit: How many rows are wanted at most; None for all.

        Raises:
            MimecastError: The search failed.
        """
        return search_archive(self.transport, query, limit)


def _listed(envelope: Envelope, key: str) -> list[Row]:
    """Rows that are a list inside the items of ``data``; rows that aren't objects are left out."""
    lists = (row.get(key) for row in envelope.rows)
    return [row for rows in lists if isinstance(rows, list) for row in rows if isinstance(row, dict)]
