"""Whatever happens, and in whatever order: every tracked row that passes the filters is an alert exactly once."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from devkit.mimecast.faults import Fault
from tests.connector.mails import held_mail
from tests.connector.world import CycleResult, Killed, World

DETAILS = "/api/message-finder/get-message-info"
PATHS = (
    "/api/message-finder/search",
    DETAILS,
    "/api/gateway/get-hold-message-list",
    "/oauth/token",
    None,
)
KINDS = ("429", "500", "503", "reset", "close", "torn", "html", "empty", "slow")
PASSING = ("held", "bounced")
OTHER = ("archived", "accepted", "delivery")
OVERLAP = timedelta(hours=1)
MOST_IN_A_MINUTE = 90
"""Below the smallest cap of a reply: the model knows nothing of messages that Mimecast never shows."""
SWEEP_EXAMPLES = int(os.environ.get("PROPERTY_EXAMPLES", "300"))
"""How many runs the sweep makes; more on demand."""


def kill_at(number: int) -> Callable[[int, str], None]:
    """Kill the process when it sends a certain request."""

    def before(sent: int, path: str) -> None:
        if sent == number:
            raise Killed

    return before


class ConnectorMachine(RuleBasedStateMachine):
    """Mail arrives, time passes, things break, cycles run."""

    world: World
    workers = 8

    @initialize(
        oauth=st.booleans(),
        limit=st.sampled_from([1, 2, 7, 30, 200]),
        cap=st.sampled_from([None, None, 100, 250]),
        order=st.sampled_from(["newest", "oldest"]),
        risk=st.sampled_from(["", "medium"]),
        hold_pages=st.sampled_from([3, 100]),
    )
    def begin(self, oauth: bool, limit: int, cap: int | None, order: Any, risk: str, hold_pages: int) -> None:
        self.world = World(oauth=oauth, workers=self.workers)
        self.world.parameters |= {
            "Status Filter": ", ".join(PASSING),
            "Max Messages To Return": str(limit),
            "Domains": "corp.example, second.example",
            "Lowest Risk To Fetch": risk,
            "Ingest Messages Without Risk": "false" if risk else "true",
        }
        self.world.tenant.search_cap = cap
        self.world.tenant.search_order = order
        self.world.tenant.page_ceiling = hold_pages
        self.risky_only = bool(risk)
        self.first_start = self.world.time.now - OVERLAP
        self.required: set[str] = set()
        self.allowed: set[str] = set()
        self.taken_back: set[str] = set()
        self.rows: list[Any] = []
        self.in_minute: Counter[Any] = Counter()
        self._check(self.world.cycle())  # the first run sets the checkpoint; from here on nothing may be lost

    @rule(
        count=st.sampled_from([1, 1, 2, 5, 40, 130]),
        minutes_ago=st.integers(0, 55),
        together=st.booleans(),
        late_minutes=st.sampled_from([0, 0, 0, 5, 59]),
        recipients=st.sampled_from([1, 1, 2, 3]),
        status=st.sampled_from([*PASSING, "held", OTHER[0]]),
        risk=st.sampled_from(["", "low", "high"]),
        both_domains=st.booleans(),
    )
    def mail_arrives(
        self,
        count: int,
        minutes_ago: int,
        together: bool,
        late_minutes: int,
        recipients: int,
        status: str,
        risk: str,
        both_domains: bool,
    ) -> None:
        """Mail becomes known now that was received some time ago; searchable at once or later, an hour at the most."""
        now = self.world.time.now
        late = min(late_minutes, 59 - minutes_ago) if late_minutes else 0
        received = max(self.first_start, now - timedelta(minutes=minutes_ago))
        for index in range(count):
            mail = held_mail(
                min(now, received + (timedelta() if together else timedelta(seconds=7 * index))),
                recipients=[f"user{n}@{'second' if n % 2 else 'corp'}.example" for n in range(recipients)],
                **({"sender": "boss@second.example"} if both_domains else {}),
                status=status,
                indexed_at=now + timedelta(minutes=max(0, late)),
                verdict={"decision": "none", "risk": risk} if risk else None,
            )
            minute = mail.received.replace(second=0, microsecond=0)
            if self.world.tenant.search_cap and self.in_minute[minute] + recipients > MOST_IN_A_MINUTE:
                continue  # more than a reply holds in one minute can't be told apart by time; that is only reported
            self.in_minute[minute] += recipients
            for row in self.world.tenant.add(mail):
                self.rows.append((row, risk))
                self._expect(row.tracking_id, status, risk)

    def _expect(self, tracking_id: str, status: str, risk: str) -> None:
        if status in PASSING:
            self.allowed.add(tracking_id)
            if not self.risky_only or risk == "high":
                self.required.add(tracking_id)

    @rule(index=st.integers(0, 10_000), status=st.sampled_from([*PASSING, *OTHER]))
    def status_changes(self, index: int, status: str) -> None:
        """A message is released, archived, or put on hold after all, while it is still in the overlap."""
        if not self.rows:
            return
        row, risk = self.rows[index % len(self.rows)]
        if row.mail.received < self.world.time.now - OVERLAP + timedelta(minutes=1):
            return
        self.world.tenant.set_status(row.tracking_id, status)
        if status in PASSING:
            self._expect(row.tracking_id, status, risk)
        elif row.tracking_id not in self.world.tickets():
            self.required.discard(row.tracking_id)  # gone before anybody looked; bringing it late is no fault

    @rule(minutes=st.sampled_from([1, 1, 3, 10, 61, 180]))
    def time_passes(self, minutes: int) -> None:
        self.world.time.sleep(60 * minutes)

    @rule(kind=st.sampled_from(KINDS), path=st.sampled_from(PATHS), times=st.integers(1, 6), after=st.integers(0, 5))
    def something_breaks(self, kind: Any, path: str | None, times: int, after: int) -> None:
        self.world.tenant.fault(Fault(kind, path=path, times=times, after=after, seconds=90.0))

    @rule()
    def everything_works_again(self) -> None:
        self.world.tenant.faults.clear()

    @rule(overflow=st.sampled_from([None, None, None, 3]))
    def cycle(self, overflow: int | None) -> None:
        self._check(self.world.cycle(overflow_limit=overflow))

    @rule(number=st.integers(1, 60))
    def cycle_is_killed(self, number: int) -> None:
        self._check(self.world.cycle(before=kill_at(number)))

    @rule(key=st.sampled_from(["mimecast_state", "mimecast_delivered", "timestamp"]), applied=st.booleans())
    def cycle_cannot_save(self, key: str, applied: bool) -> None:
        """A write to the platform fails once, before it is made or after."""
        failed = []

        def on_write(name: str, write: Callable[[], None]) -> None:
            if name == key and not failed:
                failed.append(name)
                if applied:
                    write()
                raise OSError("the platform answers 500")
            write()

        self._check(self.world.cycle(on_write=on_write))

    @rule(kill=st.sampled_from([("mimecast_state", False), ("mimecast_state", True), ("mimecast_delivered", False)]))
    def cycle_is_killed_at_a_write(self, kill: tuple[str, bool]) -> None:
        """Killed while it hands over; only a kill after the very last write can't be told from a good end."""
        key, applied = kill

        def on_write(name: str, write: Callable[[], None]) -> None:
            if name == key and not applied:
                raise Killed
            write()
            if name == key:
                raise Killed

        self._check(self.world.cycle(on_write=on_write))

    @rule()
    def test_run(self) -> None:
        before = dict(self.world.memory.context)
        result = self.world.cycle(test_run=True)
        assert len(result.alerts) <= 1
        assert self.world.memory.context == before

    def _check(self, result: CycleResult) -> None:
        assert result.killed or result.packages == 1
        assert len(result.alerts) <= int(self.world.parameters["Max Messages To Return"])

    @invariant()
    def nothing_is_doubled(self) -> None:
        if hasattr(self, "world"):
            doubled = [ticket for ticket, count in Counter(self.world.tickets()).items() if count > 1]
            assert not doubled

    def teardown(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.tenant.faults.clear()
        self.world.parameters["Max Messages To Return"] = "200"
        self.world.time.sleep(2 * 3600)  # by now everything is searchable
        for _ in range(60):
            self._check(result := self.world.cycle())
            self.world.time.sleep(60)
            if not result.alerts and "left for the next cycle 0." in result.log.text():
                break
        else:
            pytest.fail("the connector does not come to rest")
        got = set(self.world.tickets())
        self.nothing_is_doubled()
        note(result.log.text())
        assert self.required <= got, f"{len(self.required - got)} lost of {len(self.required)}"
        assert got <= self.allowed, "messages came that should have been filtered"


def run_machine(workers: int, examples: int, steps: int) -> None:
    machine = type("Machine", (ConnectorMachine,), {"workers": workers})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_exactly_once_over_any_sequence_of_cycles_faults_kills_and_limits() -> None:
    run_machine(workers=8, examples=25, steps=15)


@pytest.mark.sweep
@pytest.mark.parametrize("workers", [1, 3, 8])
def test_exactly_once_sweep(workers: int) -> None:
    run_machine(workers=workers, examples=SWEEP_EXAMPLES // 3, steps=30)
