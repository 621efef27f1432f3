"""The main job, shown on the embedded Mimecast: connector cycles while mail arrives, and actions on what came in."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rich import box
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from devkit.laptop import Laptop, embedded_configuration
from devkit.mimecast.mailstream import MailStream
from devkit.mimecast.server import MimecastServer
from devkit.mimecast.tenant import Tenant
from devkit.platform import sdk_in_use
from devkit.platform.results import ActionRun, ConnectorRun

DOMAIN = "corp.example"
SEED = 2026
FIRST_MAILS = 60
NEW_MAILS = 20
SEARCHES_OF_IDLE_CYCLE = 2
STEPS = 10
PRIORITIES = {-1: "Info", 40: "Low", 60: "Medium", 80: "High", 100: "Critical"}
DETAILS_PATH = "/api/message-finder/get-message-info"
COLUMNS = {"received": 2, "priority": 3, "sender": 6, "recipient": 6, "subject": 8, "files": 1}


@dataclass
class Demo:
    """What the demo has seen so far, and what was wrong with it."""

    console: Console
    tenant: Tenant
    laptop: Laptop
    progress: Progress
    tickets: Counter[str] = field(default_factory=Counter)
    events: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    def check(self, good: bool, problem: str) -> None:
        """Remember what is not as it should be."""
        if not good:
            self.problems.append(problem)

    def step(self, text: str) -> None:
        """Show what is going on."""
        self.progress.update(self.progress.task_ids[0], description=text, advance=1)

    def action(self, stem: str, parameters: dict[str, str] | None = None) -> ActionRun:
        """Run an action and show its message."""
        name = self.laptop.package.actions[stem].name
        self.step(name)
        run = self.laptop.action(stem, parameters)
        self.console.print(Text.assemble((name, "bold"), ": ", run.message))
        self.check(run.result_value is True, f"{name} failed")
        return run

    def cycle(self, title: str) -> ConnectorRun:
        """Run one cycle of the connector and show its alerts."""
        self.step(title)
        asked = self.tenant.count()
        run = self.laptop.connector({"Domains": DOMAIN})
        self.check(run.envelope is not None, f"{title} gave no result: {run.reason}")
        self.tickets.update(alert["ticket_id"] for alert in run.alerts)
        self.events += [alert["events"][0] for alert in run.alerts]
        self.console.print(
            f"[bold]{title}[/]: {len(run.alerts)} alerts, {self.tenant.count() - asked} requests, {run.seconds:.1f} s"
        )
        if run.alerts:
            self.console.print(_alerts_table(run.alerts))
        return run

    def held_rows(self) -> set[str]:
        """Tracking IDs of all messages on hold: what the connector has to bring."""
        return {row.tracking_id for row in self.tenant.rows() if row.status == "held"}


def _alerts_table(alerts: list[dict[str, Any]]) -> Table:
    table = Table(box=box.SIMPLE, expand=True)
    for title, ratio in COLUMNS.items():
        table.add_column(title, ratio=ratio, no_wrap=True, overflow="ellipsis")
    for alert in alerts:
        event = alert["events"][0]
        received = datetime.fromtimestamp(alert["start_time"] / 1000, UTC)
        table.add_row(
            f"{received:%H:%M}",
            PRIORITIES.get(alert["priority"], "?"),
            *(Text(event[name]) for name in ("sender", "recipient", "subject")),  # Text: a subject is no markup
            str(len(alert["attachments"])),
        )
    return table


def run_demo(console: Console) -> int:
    """Show the main job.

    Returns:
        Exit status: 0 only if every figure is right.
    """
    begun = time.monotonic()
    tenant = Tenant()
    stream = MailStream(SEED, domains=(DOMAIN,))
    now = datetime.now(UTC)
    tenant.add(*stream.mails(FIRST_MAILS, now - timedelta(minutes=55), now - timedelta(minutes=5)))
    columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    console.print(f"SOAR SDK: {sdk_in_use.describe()}. Mimecast: embedded, seed {SEED}, {FIRST_MAILS} mails.")
    with MimecastServer(tenant) as server, Progress(*columns, console=console, transient=True) as progress:
        progress.add_task("Starting", total=STEPS)
        with Laptop(embedded_configuration(server.url, tenant.credentials)) as laptop:
            demo = Demo(console, tenant, laptop, progress)
            demo.action("ping")
            demo.cycle("Cycle 1, what is there")
            expected = demo.held_rows()
            demo.check(set(demo.tickets) == expected, "cycle 1 did not bring exactly the messages on hold")
            _second_cycle(demo)
            now = datetime.now(UTC)
            tenant.add(*stream.mails(NEW_MAILS, now - timedelta(minutes=4), now - timedelta(minutes=1)))
            demo.cycle("Cycle 3, new mail has arrived")
            expected = demo.held_rows()
            demo.check(set(demo.tickets) == expected, "cycle 3 did not bring exactly the new messages on hold")
            _triage(demo)
            demo.step("Done")
    duplicates = sum(demo.tickets.values()) - len(demo.tickets)
    demo.check(duplicates == 0, f"{duplicates} alerts came twice")
    demo.check(not tenant.leaked_credentials, "credentials were sent to a download link")
    for problem in demo.problems:
        console.print(f"[red]Wrong: {problem}.[/]")
    console.print(
        f"{len(demo.tickets)} alerts, {duplicates} duplicates, {tenant.count()} requests, "
        f"{time.monotonic() - begun:.1f} s: {'as it should be' if not demo.problems else 'NOT as it should be'}"
    )
    return 1 if demo.problems else 0


def _second_cycle(demo: Demo) -> None:
    details = demo.tenant.count(DETAILS_PATH)
    before = demo.tenant.count()
    run = demo.cycle("Cycle 2, nothing new")
    demo.check(not run.alerts, "cycle 2 brought alerts again")
    demo.check(demo.tenant.count(DETAILS_PATH) == details, "cycle 2 asked for details again")
    demo.check(demo.tenant.count() - before == SEARCHES_OF_IDLE_CYCLE, "cycle 2 asked for more than its searches")


def _triage(demo: Demo) -> None:
    """Do what an analyst does with what came in, and look whether Mimecast did it."""
    # Mails to several recipients look alike in the hold queue but for these, so any event with a held ID will do.
    first, second = [event for event in demo.events if event["held_id"]][:2]
    demo.action("release_message", {"Message ID": first["held_id"]})
    demo.check(demo.tenant.released == [first["held_id"]], "not exactly that message was released")
    note = {"Note": "Looks like a fake invoice", "Reason": "Against Email Policy"}
    demo.action("reject_message", {"Message ID": second["tracking_id"], **note})
    rejected = [rejection.held_id for rejection in demo.tenant.rejected]
    demo.check(rejected == [second["held_id"]], "not exactly that message was rejected")
    demo.action("block_sender", {"Sender": second["sender"], "Recipient": second["recipient"]})
    demo.check(len(demo.tenant.managed_senders) == 1, "the sender was not blocked")
    domain = second["sender"].rpartition("@")[2]
    demo.action(
        "create_block_sender_policy",
        {"Description": "Demo", "Sender": domain, "Recipient": DOMAIN, "Bidirectional": "false"},
    )
    demo.check(len(demo.tenant.policies) == 1, "the policy was not created")
    demo.tenant.set_status(first["tracking_id"], "archived")  # what Mimecast does with a released mail
    found = demo.action("simple_archive_search", {"From": first["sender"], "Time Frame": "Last 6 Hours"})
    subjects = [row["subject"] for row in found.json_result]
    demo.check(first["subject"] in subjects, "the released mail was not found in the archive")
    demo.console.print(f"  {len(subjects)} found, among them the released one")
