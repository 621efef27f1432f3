"""The command ``python3 dev.py bench``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bench import report
from bench.cases import ROOT, Measured, all_cases, linearity, profile_cycle

PROFILED_MESSAGES = 500


def bench(
    case: Annotated[list[str] | None, typer.Option(help="Only this case; may be given several times.")] = None,
    output: Annotated[Path, typer.Option(metavar="DIR", help="Folder for JSON, Markdown and picture.")] = ROOT
    / "dist"
    / "bench",
    profile: Annotated[bool, typer.Option("--profile", help="Only show where a cycle's CPU time goes.")] = False,
) -> None:
    """Measure scripts on the embedded Mimecast; takes about five minutes. Exit status 1 if a target is missed."""
    if profile:
        print("\n".join(report.profile_lines(profile_cycle(PROFILED_MESSAGES), PROFILED_MESSAGES)))
        return
    cases = all_cases()
    unknown = [name for name in case or [] if name not in cases]
    if unknown:
        print(f"There is no case {', '.join(unknown)}. Cases: {', '.join(cases)}.", file=sys.stderr)
        raise typer.Exit(2)
    console = Console(width=None if sys.stdout.isatty() else 200)
    rows: list[Measured] = []
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), console=console, transient=True
    ) as progress:
        task = progress.add_task("")
        for name in case or cases:
            progress.update(task, description=name)
            rows += cases[name]()
    total = linearity(rows)
    rows += [total] if total else []
    console.print(f"Machine: {report.machine()}.")
    console.print(report.screen_table(rows))
    report.write(rows, output)
    console.print(f"Written to {output}.")
    raise typer.Exit(0 if all(row.met for row in rows) else 1)
