"""One cycle of the Message Tracking connector: tracked messages become alerts, each exactly once.

What is done is remembered in one text (``MimecastConnectorState``), written after every alert is proven to serialise
and immediately before the package is handed over; a note after it says that this was done. A row is *seen* when its
alert is in the package or it was filtered on purpose; the checkpoint never passes a row that is neither.
`docs/connector.md` tells the whole story.
"""

from __future__ import annotations

import atexit
import gc
import json
import sys
import traceback
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import requests

from EnvironmentCommon import GetEnvironmentCommonFactory
from MimecastAlert import IngestedMessage, build_alert, build_attachment, build_events
from MimecastConnectorState import OVERLAP, ConnectorState, row_hash
from MimecastConstants import API_1
from MimecastExceptions import MimecastError
from MimecastHoldQueue import HeldMatch
from MimecastIngestion import (
    Failed,
    FilesBudget,
    FilesShare,
    Filtered,
    HoldQueue,
    MessageReader,
    Outcome,
    Unfinished,
    files_estimate,
    row_filter,
)
from MimecastManager import Clock, MimecastManager, TrackingQuery
from MimecastModels import TrackedMessage
from MimecastParameters import Configuration, ConnectorParameters
from MimecastStateStore import StateStore
from MimecastTracking import Batch, floor_minute, merge, read_tracking
from MimecastWorkers import WORKERS, run_in_parallel

if TYPE_CHECKING:
    from SiemplifyConnectors import SiemplifyConnectorExecution
    from SiemplifyConnectorsDataModel import AlertInfo

# When the process ends, nobody needs what a search for garbage in all that was imported would find; it takes 40 ms.
atexit.register(gc.freeze)

MAX_AGE = timedelta(days=29)
"""Mimecast refuses searches that start 30 days ago or earlier (facts 3.2)."""
NETWORK_SHARE_OF_TIMEOUT = 0.8
"""How much of PythonProcessTimeout all network work may take; the rest is for building and handing over."""
TIME_FOR_A_ROW_S = 1.0
"""With less time left no row is begun: that its answer came too late would count as its own failure."""
MAX_FAILED_CYCLES = 3
"""After so many cycles in which a message's details could not be read it is ingested without them."""
SMALLEST_GROUP = 50
"""Rows that share one sweep of the hold queue, at least."""
MAX_FAILURES_LOGGED = 20
TEST_RUN_ATTEMPTS = 10
"""How many messages a test run looks at, at most, to find one that passes the filters."""


@dataclass
class CycleCounts:
    """What happened in a cycle, for its log."""

    searched: int = 0
    known: int = 0
    new: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    ingested: int = 0
    without_details: int = 0
    failed: int = 0
    overflowed: int = 0
    left: int = 0

    @property
    def processed(self) -> int:
        """Messages that count towards *Max Messages To Return*."""
        return self.ingested + self.failed + self.overflowed


@dataclass(frozen=True)
class _Work:
    row: TrackedMessage
    key: str
    matches: Mapping[str, HeldMatch]
    share: FilesShare


class Cycle:
    """One cycle's work on the rows of message tracking.

    Args:
        siemplify: The platform's connector object.
        manager: Asks Mimecast.
        parameters: The connector's parameters.
        state: What earlier cycles did; it is changed in place.
        now: The present moment.
        test_run: Whether one alert is enough and nothing is remembered.
        workers: Requests in flight at once.
    """

    def __init__(
        self,
        siemplify: SiemplifyConnectorExecution,
        manager: MimecastManager,
        parameters: ConnectorParameters,
        state: ConnectorState,
        now: datetime,
        *,
        test_run: bool,
        workers: int,
    ) -> None:
        self._siemplify = siemplify
        self._manager = manager
        self._parameters = parameters
        self._state = state
        self._now = now
        self._test_run = test_run
        self._workers = 1 if test_run else workers
        self._limit = 1 if test_run else parameters.max_messages
        self._budget = FilesBudget()
        self._reader = MessageReader(manager, parameters, self._budget)
        self._environments = GetEnvironmentCommonFactory.create_environment_manager(
            siemplify, parameters.environment_field, parameters.environment_pattern
        )
        self._dynamic_list = frozenset(siemplify.whitelist or ())
        self._unfinished: dict[str, datetime] = {}
        self._full_rules: set[str] = set()
        self._failures_logged = 0
        self.stop_reason = ""
        self._not_before: list[datetime] = []
        self.alerts: list[AlertInfo] = []
        self.counts = CycleCounts()
        self.problems: list[str] = []

    def run(self, start: datetime) -> None:
        """Read message tracking from a moment on and ingest what is new, until done, or limit or time are used up."""
        queries = [
            TrackingQuery(domain, direction, self._parameters.statuses)
            for domain in self._parameters.domains
            for direction in ("to", "from")
        ]
        batches = read_tracking(
            self._manager.search_tracked, queries, start, self._now, self._workers, split=not self._test_run
        )
        with closing(batches):
            for batch in self._gathered(batches):
                self._ingest(batch)
                if self._may_start(0):
                    continue
                if batch.end < self._now:
                    self._not_before.append(batch.end)
                break
        self.alerts.sort(key=lambda alert: (alert.start_time, alert.ticket_id))

    def checkpoint(self) -> datetime:
        """The moment before which everything is done and final, never past an unfinished row."""
        return floor_minute(min([self._now - OVERLAP, *self._not_before, *self._unfinished.values()]))

    def finish(self) -> None:
        """Bring the state up to date."""
        handed_over = [row_hash(str(alert.ticket_id)) for alert in self.alerts]
        self._state.advance(self.checkpoint(), self._unfinished, handed_over)

    # --- rows --------------------------------------------------------------------------------------------------------

    def _gathered(self, batches: Iterable[Batch]) -> Iterator[Batch]:
        """Put parts of the time span together until they hold as much as this cycle can do.

        Between two parts all workers would have to wait for the slowest of them, and for the next search.
        """
        start: datetime | None = None
        rows: tuple[TrackedMessage, ...] = ()
        to_do = 0
        for batch in batches:
            self._note_problems(batch)
            start = start or batch.start
            rows = merge([*rows, *batch.rows])
            to_do += sum(not self._is_done(row) and not row_filter(row, self._parameters) for row in batch.rows)
            if to_do < self._limit - self.counts.processed and batch.end < self._now and self._may_start(0):
                continue
            yield Batch(start, batch.end, rows)
            start, rows, to_do = None, (), 0

    def _note_problems(self, batch: Batch) -> None:
        if batch.errors:
            self._not_before.append(batch.start)
            self.problems += [f"A search failed: {error.message}" for error in batch.errors]
        if batch.cut_off and not self._test_run:
            self.problems.append(
                f"Mimecast's reply for the minute from {batch.start:%Y-%m-%d %H:%M} UTC looks cut off; messages may be "
                "missing. Split the domains over several connectors."
            )

    def _ingest(self, batch: Batch) -> None:
        self.counts.searched += len(batch.rows)
        waiting = deque(self._wanted(batch.rows))
        self.counts.new += len(waiting)
        while waiting and self._may_start(0):
            # At least a page of the hold queue's worth: filters may drop some, and a sweep for each of a few is dear.
            size = min(max(self._limit - self.counts.processed, SMALLEST_GROUP), len(waiting))
            group = [waiting.popleft() for _ in range(size)]
            left = self._process(group, batch.rows)
            waiting.extendleft(reversed(left))
        for row in waiting:
            self._leave(row)

    def _wanted(self, rows: tuple[TrackedMessage, ...]) -> Iterator[TrackedMessage]:
        """Rows that are neither done nor dropped by a filter on the row itself.

        A row that such a filter drops is not remembered: it costs nothing to look at again, and its status may change.
        """
        for row in rows:
            if self._is_done(row):
                self.counts.known += 1
                # As long as a search brings it, it must not be forgotten, whatever its own time says.
                for name in (row_hash(row.tracking_id), _filtered_key(row)):
                    if self._state.is_seen(name):
                        self._state.remember(name, self._now)
                continue
            dropped_by = row_filter(row, self._parameters) or self._dynamic_list_filter(row)
            if dropped_by:
                self.counts.filtered[dropped_by] += 1
            else:
                yield row

    def _is_done(self, row: TrackedMessage) -> bool:
        return self._state.is_seen(row_hash(row.tracking_id)) or self._state.is_seen(_filtered_key(row))

    def _dynamic_list_filter(self, row: TrackedMessage) -> str:
        """Apply the dynamic list to the row's info, as TIPCommon does, but without a log line for each row."""
        if not self._dynamic_list:
            return ""
        listed = row.info in self._dynamic_list
        return "dynamic list" if listed == self._parameters.allow_list_is_block_list else ""

    def _process(self, group: list[TrackedMessage], neighbours: tuple[TrackedMessage, ...]) -> list[TrackedMessage]:
        """Work on a group of rows.

        Returns:
            Those that were not started.
        """
        queue = HoldQueue(self._manager, group, neighbours)
        if queue.problem:
            self.problems.append(f"Alerts come without held IDs: {queue.problem}")
        remaining = {row.tracking_id: row for row in group}

        def work_items() -> Iterator[_Work]:
            for row in group:
                key = row_hash(row.tracking_id)
                if self._state.held_back.get(key) in self._full_rules:
                    self._leave(remaining.pop(row.tracking_id))
                    continue
                matches = queue.matches(row)
                share = self._budget.admit(files_estimate(matches))
                if share is None:
                    self.stop_reason = "this cycle's output has no room for more attachments"
                    return
                yield _Work(row, key, matches, share)

        def read(work: _Work) -> Outcome:
            return self._reader.read(work.row, work.matches, queue.problem, work.share)

        results = run_in_parallel(read, work_items(), self._workers, may_start=self._may_start)
        with closing(results):
            for work, outcome in results:
                del remaining[work.row.tracking_id]
                self._settle(work, outcome, queue.problem)
        return list(remaining.values())

    def _may_start(self, in_flight: int) -> bool:
        if not self.stop_reason and self._manager.deadline.remaining() < TIME_FOR_A_ROW_S:
            self.stop_reason = "the time for this cycle is used up"
        if self._test_run and sum(self.counts.filtered.values()) + self.counts.processed >= TEST_RUN_ATTEMPTS:
            self.stop_reason = "the test run has looked at enough messages"
        return not self.stop_reason and self.counts.processed + in_flight < self._limit

    def _leave(self, row: TrackedMessage) -> None:
        """Leave a row to the next cycle."""
        self._unfinished[row_hash(row.tracking_id)] = row.received or self._now
        self.counts.left += 1

    def _settle(self, work: _Work, outcome: Outcome, held_problem: str) -> None:
        """Decide what becomes of a row that was worked on."""
        if isinstance(outcome, Filtered):
            self.counts.filtered[outcome.by] += 1
            self._state.mark_seen(_filtered_key(work.row), self._now)
        elif isinstance(outcome, Unfinished):
            self.stop_reason = self.stop_reason or outcome.error.message
            self._leave(work.row)
        elif isinstance(outcome, IngestedMessage):
            self._add(work, outcome)
        elif self._note_failure(work, outcome) >= MAX_FAILED_CYCLES and not self._test_run:
            self._add(work, IngestedMessage(work.row, None, work.matches, held_problem))
            self.counts.without_details += 1

    def _note_failure(self, work: _Work, failure: Failed) -> int:
        """Count a failure; below the limit, the row is left to the next cycle."""
        self._state.note_failure(work.key)
        failures = self._state.failures[work.key]
        self._warn_of_failure(
            f"Message {work.row.tracking_id[:32]} could not be read (cycle {failures} of {MAX_FAILED_CYCLES}): "
            f"{failure.reason}"
        )
        if failures < MAX_FAILED_CYCLES or self._test_run:
            self.counts.failed += 1
            self._leave(work.row)
        return failures

    def _warn_of_failure(self, text: str) -> None:
        """Log a bad message; the platform keeps only so many rows of a log, and its end matters more."""
        self._failures_logged += 1
        if self._failures_logged <= MAX_FAILURES_LOGGED:
            self._siemplify.LOGGER.warn(text)

    def _add(self, work: _Work, message: IngestedMessage) -> None:
        """Put a message's alert into the package, unless the platform's overflow policy refuses it for now."""
        from TIPCommon.utils import is_overflowed  # here, because it takes 0.1 s, and a cycle without alerts needs none

        try:
            events = build_events(message, self._now, self._parameters.device_product_field)
            flat = {name: str(value) for name, value in events[0].items()}
            alert = build_alert(message, events, self._environments.get_environment(flat), self._now)
            # One value that isn't plain would cost the whole package; so each alert is tried alone.
            json.dumps(vars(alert))
        except Exception as error:  # noqa: BLE001 - whatever a row holds, it must not cost the others
            self.counts.failed += 1
            self._leave(work.row)
            self._warn_of_failure(
                f"No alert could be built of message {work.row.tracking_id[:32]} ({type(error).__name__})."
            )
            return
        if is_overflowed(self._siemplify, alert, self._test_run):
            self.counts.overflowed += 1
            self._full_rules.add(message.rule)
            self._state.held_back[work.key] = message.rule
            self._leave(work.row)
            return
        alert.attachments = [build_attachment(file, work.row.tracking_id) for file in message.files if not file.problem]
        self.alerts.append(alert)
        self.counts.ingested += 1
        self._state.mark_seen(work.key, self._now)


def _filtered_key(row: TrackedMessage) -> str:
    """Name under which a row is remembered that a filter on its details dropped: until its status changes."""
    return row_hash(f"{row.status}\n{row.tracking_id}")


class MessageTrackingConnector:
    """The connector: reads its parameters, runs one cycle, hands over the package exactly once.

    Args:
        siemplify: The platform's connector object.
        clock: Time, for tests.
        session: HTTP session for Mimecast, for tests.
        download_session: HTTP session for download links, for tests.
        workers: Requests in flight at once.
    """

    def __init__(
        self,
        siemplify: SiemplifyConnectorExecution,
        *,
        clock: Clock | None = None,
        session: requests.Session | None = None,
        download_session: requests.Session | None = None,
        workers: int = WORKERS,
    ) -> None:
        self._siemplify = siemplify
        self._log = siemplify.LOGGER
        self._clock = clock or Clock()
        self._sessions = {"session": session, "download_session": download_session}
        self._workers = workers

    def run(self) -> None:
        """Run one cycle. Whatever goes wrong, the platform gets one package, last of all."""
        alerts: list[AlertInfo] = []
        store = StateStore(self._siemplify, self._clock)
        try:
            alerts, state = self._cycle(store)
        except MimecastError as error:
            self._log.error(f"The cycle failed: {error.message}")
        except Exception as error:  # noqa: BLE001 - the platform must get a package, whatever happened
            # The frames only: an exception's own text may quote a parameter.
            where = "".join(traceback.format_tb(error.__traceback__))
            self._log.error(f"The cycle failed for an unexpected reason ({type(error).__name__}):\n{where}")
        else:
            if state is not None:
                self._hand_over(alerts, state, store)
                return
        self._siemplify.return_package(alerts)

    def _hand_over(self, alerts: list[AlertInfo], state: ConnectorState, store: StateStore) -> None:
        """Save the state, hand over the package, note that this is done.

        A process that is killed before the note was written has handed over nothing: what a killed process wrote does
        not count for the platform. The next cycle sees that the note is missing and brings the same alerts again.
        """
        if not store.save(state):
            self._log.error("The state could not be saved, so no alert is handed over; all come in the next cycle.")
            self._siemplify.return_package([])
            return
        self._siemplify.return_package(alerts)
        if sys.__stdout__ is not None:
            sys.__stdout__.flush()
        store.confirm(state)

    def _cycle(self, store: StateStore) -> tuple[list[AlertInfo], ConnectorState | None]:
        started = self._clock.monotonic()
        warnings: list[str] = []
        values = self._parameter_values()
        configuration = Configuration.read(values)
        parameters = ConnectorParameters.read(values, warnings=warnings)
        for warning in warnings:
            self._log.warn(warning)
        test_run = self._siemplify.is_test_run
        manager = MimecastManager(
            configuration, NETWORK_SHARE_OF_TIMEOUT * parameters.timeout_s, clock=self._clock, **self._sessions
        )
        with closing(manager):
            if manager.api == API_1:
                self._log.info("API 1.0 keys are in use. Mimecast issues no new ones; prefer API 2.0 where you can.")
            now = self._clock.now()
            state = ConnectorState() if test_run else store.load(now)
            start = self._window_start(state, parameters, now)
            if state.checkpoint is None:
                state.checkpoint = start  # should this first package get lost, the next cycle must not begin later
            self._log.info(
                f"{'Test run: s' if test_run else 'S'}earching {len(parameters.domains)} domain(s) with {manager.api} "
                f"from {start:%Y-%m-%d %H:%M} to {now:%Y-%m-%d %H:%M} UTC."
            )
            cycle = Cycle(self._siemplify, manager, parameters, state, now, test_run=test_run, workers=self._workers)
            cycle.run(start)
            self._report(cycle, manager, self._clock.monotonic() - started)
        if test_run:
            return cycle.alerts, None
        cycle.finish()
        return cycle.alerts, state

    def _parameter_values(self) -> dict[str, Any]:
        """The connector's parameters; secrets that are placeholders of a vault are resolved by the SDK's own method."""
        values: dict[str, Any] = dict(self._siemplify.parameters)
        if getattr(self._siemplify.context, "vault_settings", None):
            for name in ("Application ID", "Application Key", "Access Key", "Secret Key", "Client ID", "Client Secret"):
                if values.get(name):
                    values[name] = self._siemplify.extract_connector_param(param_name=name, input_type=str)
        return values

    def _window_start(self, state: ConnectorState, parameters: ConnectorParameters, now: datetime) -> datetime:
        """Where to search from: the checkpoint, after an outage of any length; Max Hours Backwards the first time."""
        if state.checkpoint is None:
            start = now - timedelta(hours=parameters.max_hours_backwards)
        else:
            start = min(state.checkpoint, now - OVERLAP)  # a clock that was ahead must not leave a gap
        oldest = floor_minute(now - MAX_AGE) + timedelta(minutes=1)
        if start < oldest:
            self._log.warn(
                f"Mimecast can't be searched further back than {MAX_AGE.days} days; messages before "
                f"{oldest:%Y-%m-%d %H:%M} UTC are out of reach."
            )
            start = oldest
        return floor_minute(start)

    def _report(self, cycle: Cycle, manager: MimecastManager, seconds: float) -> None:
        counts, requests_sent = cycle.counts, manager.transport.counts
        for problem, times in Counter(cycle.problems).items():
            self._log.error(problem if times == 1 else f"{problem} ({times} times)")
        filtered = ", ".join(f"{name} {count}" for name, count in sorted(counts.filtered.items())) or "none"
        self._log.info(
            f"Found {counts.searched} messages: {counts.known} known, {counts.new} new; filtered: {filtered}."
        )
        self._log.info(
            f"Ingested {counts.ingested} ({counts.without_details} without details), failed {counts.failed}, held back "
            f"by the platform's overflow policy {counts.overflowed}, left for the next cycle {counts.left}."
        )
        if cycle.stop_reason:
            self._log.warn(f"The cycle ended early: {cycle.stop_reason}")
        self._log.info(
            f"{requests_sent.get('requests', 0)} requests to Mimecast, {requests_sent.get('retries', 0)} of them "
            f"repeated, {requests_sent.get('rate_limited', 0)} refused for the quota; {seconds:.1f} s."
        )
