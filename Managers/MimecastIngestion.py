"""What is done with one tracked message: its filters, its details, its held messages, its attachments."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from MimecastAlert import FetchedFile, IngestedMessage, encode_file, safe_file_name
from MimecastConstants import RISKS
from MimecastExceptions import DeadlineError, MimecastError, RateLimitedError, TooLargeError
from MimecastHoldQueue import RECEIPT_TOLERANCE, HeldMatch, HoldQueueIndex
from MimecastManager import MimecastManager
from MimecastModels import HeldAttachment, HeldMessage, MessageDetails, TrackedMessage
from MimecastParameters import ConnectorParameters
from MimecastRateLimit import Deadline

MAX_FILE_BYTES = 10 * 1024 * 1024
"""Largest attachment that is put on an alert."""
MAX_FILES_PER_MESSAGE = 50
CYCLE_FILES_BUDGET_CHARS = 24 * 1024 * 1024
"""How much base64 text of attachments one cycle's output holds; the platform's SDK copies it several times over."""
EXTRAS_SHARE_OF_TIME = 0.25
"""How much of the time that is left the hold queue, or one message's attachments, may take: a part of Mimecast that
hangs or has no quota must not keep alerts back for ever."""
NO_ROOM = "this cycle's output has no room left for it"


class FilesBudget:
    """What attachments may still be put into this cycle's output; shared by all workers.

    Args:
        chars: Length of base64 text in all.
    """

    def __init__(self, chars: int = CYCLE_FILES_BUDGET_CHARS) -> None:
        self._left = chars
        self._whole = chars
        self._lock = threading.Lock()

    def admit(self, estimate: int) -> FilesShare | None:
        """Let a message in, and keep room for its attachments, before anything is asked about it.

        A message larger than a whole cycle's budget is let in as the first one, with what there is: it must not wait
        for ever.

        Args:
            estimate: Length of base64 text that it will probably need.

        Returns:
            Its share, or None if it has to wait for the next cycle.
        """
        with self._lock:
            if estimate > self._left < self._whole:
                return None
            granted = min(estimate, self._left)
            self._left -= granted
        return FilesShare(self, granted)

    def take(self, chars: int) -> bool:
        """Take from what is left, if there is enough."""
        with self._lock:
            if chars > self._left:
                return False
            self._left -= chars
            return True

    def give_back(self, chars: int) -> None:
        """Return what is not needed after all."""
        with self._lock:
            self._left += chars


class FilesShare:
    """The part of the budget that one message has; used by one thread at a time."""

    def __init__(self, budget: FilesBudget, granted: int) -> None:
        self._budget = budget
        self._granted = granted

    def take(self, chars: int) -> bool:
        """Use some of it for a file, and more of the budget if that is not enough.

        Returns:
            Whether there is room.
        """
        if not self._budget.take(max(0, chars - self._granted)):
            return False
        self._granted -= min(chars, self._granted)
        return True

    def refund(self, chars: int) -> None:
        """Return what a file did not need after all."""
        self._granted += chars

    def close(self) -> None:
        """Return what was not used."""
        self._budget.give_back(self._granted)
        self._granted = 0


def base64_length(size: int) -> int:
    """Length of the base64 text of so many bytes."""
    return 4 * math.ceil(size / 3)


@dataclass(frozen=True)
class Filtered:
    """A message that is not wanted, and by which filter."""

    by: str


@dataclass(frozen=True)
class Failed:
    """A message that could not be read this time, and why."""

    reason: str


@dataclass(frozen=True)
class Unfinished:
    """A message whose work was cut off by time or quota; the next cycle goes on with it."""

    error: MimecastError


Outcome = IngestedMessage | Filtered | Failed | Unfinished


def row_filter(row: TrackedMessage, parameters: ConnectorParameters) -> str:
    """Apply the filters that need nothing but the tracked row.

    Returns:
        Name of the filter that drops the row; empty if it stays.
    """
    if parameters.statuses and row.status.lower() not in parameters.statuses:
        return "status"
    if parameters.routes and row.route.lower() not in parameters.routes:
        return "route"
    return ""


def details_filter(details: MessageDetails, parameters: ConnectorParameters) -> str:
    """Apply the filters that need the message's details.

    Returns:
        Name of the filter that drops the message; empty if it stays.
    """
    if parameters.queue_reasons and details.queue_info.reason.strip().casefold() not in parameters.queue_reasons:
        return "queue reason"
    if not details.risk:
        return "" if parameters.ingest_without_risk else "without risk"
    if parameters.lowest_risk and RISKS.index(details.risk) < RISKS.index(parameters.lowest_risk):
        return "risk"
    return ""


class HoldQueue:
    """The hold queue for a group of tracked messages: read once, by pages, and matched.

    Args:
        manager: Asks Mimecast.
        rows: The messages that are to be ingested.
        neighbours: All tracked messages around them, so that of two look-alikes none takes the other's held message.
    """

    def __init__(
        self, manager: MimecastManager, rows: Sequence[TrackedMessage], neighbours: Iterable[TrackedMessage]
    ) -> None:
        self.problem = ""
        self._index = HoldQueueIndex(())
        times = [row.received for row in rows if row.is_held and row.received is not None]
        if not times:
            return
        try:
            held = list(
                manager.held_messages(
                    min(times) - RECEIPT_TOLERANCE,
                    max(times) + RECEIPT_TOLERANCE,
                    deadline=manager.deadline.part(EXTRAS_SHARE_OF_TIME),
                )
            )
        except MimecastError as error:
            self.problem = f"the hold queue could not be read: {error.message}"
        else:
            self._index = HoldQueueIndex(held, neighbours)

    def matches(self, row: TrackedMessage) -> dict[str, HeldMatch]:
        """Find the held message for each recipient of a message; empty if it isn't on hold."""
        if not row.is_held or self.problem:
            return {}
        return {recipient: self._index.match(row, recipient) for recipient in row.recipients}


def files_estimate(matches: Mapping[str, HeldMatch]) -> int:
    """Length of a message's attachments in base64: a mail on hold carries them so, its size is known beforehand."""
    held = held_with_files(matches)
    return held.size if held else 0


def held_with_files(matches: Mapping[str, HeldMatch]) -> HeldMessage | None:
    """The held message whose attachments go on the alert: all recipients' copies carry the same files."""
    return next((match.held for match in matches.values() if match.held and match.held.has_attachments), None)


class MessageReader:
    """Reads all that an alert needs about one message; used by several threads.

    Args:
        manager: Asks Mimecast.
        parameters: The connector's parameters.
        budget: What attachments the cycle still has room for.
    """

    def __init__(self, manager: MimecastManager, parameters: ConnectorParameters, budget: FilesBudget) -> None:
        self._manager = manager
        self._parameters = parameters
        self._budget = budget

    def read(
        self, row: TrackedMessage, matches: Mapping[str, HeldMatch], held_problem: str, share: FilesShare
    ) -> Outcome:
        """Read one message.

        Args:
            row: Its tracked row.
            matches: For each recipient, what the hold queue says.
            held_problem: Why the hold queue could not be used at all.
            share: The room for its attachments.

        Returns:
            What became of it; nothing is raised, so that one bad message hurts itself only.
        """
        try:
            details = self._manager.message_details(row.tracking_id)
            dropped_by = details_filter(details, self._parameters)
            if dropped_by:
                return Filtered(dropped_by)
            files, problem = self._files(held_with_files(matches), share)
            return IngestedMessage(row, details, matches, held_problem, files, problem)
        except (DeadlineError, RateLimitedError) as error:
            return Unfinished(error)
        except MimecastError as error:
            return Failed(error.message)
        except Exception as error:  # noqa: BLE001 - whatever a row holds, it must not cost the others
            return Failed(f"its data could not be understood ({type(error).__name__})")
        finally:
            share.close()

    def _files(self, held: HeldMessage | None, share: FilesShare) -> tuple[tuple[FetchedFile, ...], str]:
        """Fetch the attachments of a held message; what can't be had is named, and never costs the alert."""
        if held is None:
            return (), ""
        deadline = self._manager.deadline.part(EXTRAS_SHARE_OF_TIME)
        try:
            listed = self._manager.held_attachments(held.id, deadline)
        except MimecastError as error:
            self._stop_if_time_is_up(error)
            return (), f"the list of attachments could not be read: {error.message}"
        files = [self._file(attachment, share, deadline) for attachment in listed[:MAX_FILES_PER_MESSAGE]]
        files += [
            FetchedFile(safe_file_name(attachment.filename), attachment.size, problem="too many files")
            for attachment in listed[MAX_FILES_PER_MESSAGE:]
        ]
        return tuple(files), ""

    def _file(self, listed: HeldAttachment, share: FilesShare, deadline: Deadline) -> FetchedFile:
        name, size = safe_file_name(listed.filename), listed.size
        too_large = f"larger than {MAX_FILE_BYTES // 1024 // 1024} MB"
        announced = base64_length(size)
        if size > MAX_FILE_BYTES:
            return FetchedFile(name, size, problem=too_large)
        if not share.take(announced):
            return FetchedFile(name, size, problem=NO_ROOM)
        try:
            content = self._manager.held_file(listed, MAX_FILE_BYTES, deadline)
        except MimecastError as error:
            self._stop_if_time_is_up(error)
            share.refund(announced)
            return FetchedFile(name, size, problem=too_large if isinstance(error, TooLargeError) else error.message)
        needed = base64_length(len(content))
        share.refund(max(0, announced - needed))
        if not share.take(max(0, needed - announced)):
            share.refund(announced)
            return FetchedFile(name, len(content), problem=NO_ROOM)
        return encode_file(name, content)

    def _stop_if_time_is_up(self, error: MimecastError) -> None:
        """Leave the message to the next cycle if the cycle itself has no time left, rather than this part of it."""
        if isinstance(error, (DeadlineError, RateLimitedError)) and self._manager.deadline.remaining() <= 0:
            raise error
