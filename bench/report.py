"""The measured rows as a table for the screen, as JSON, as Markdown and as a picture."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
import pstats
from pathlib import Path

import psutil
from rich import box
from rich.table import Table

from bench.cases import Measured
from devkit.platform import sdk_in_use

COLUMNS = (
    "case", "requests", "fewest", "seconds", "ideal", "ratio", "peak MiB", "platform calls", "target", "met", "note",
)  # fmt: skip
TOP = 10
PICTURE_INCHES = (7.0, 4.2)


def cells(row: Measured) -> list[str]:
    """One row as texts."""
    return [
        row.case,
        f"{row.requests:,}",
        f"{row.fewest:,}",
        f"{row.seconds:.2f}",
        f"{row.ideal_s:.2f}" if row.ideal_s else "-",
        f"{row.ratio:.2f}" if row.ideal_s else "-",
        f"{row.peak_mib:.0f}",
        f"{row.platform_calls:,}",
        row.target,
        ("yes" if row.met else "NO") if row.target or not row.met else "",
        row.note,
    ]


def screen_table(rows: list[Measured]) -> Table:
    """The rows for a terminal."""
    table = Table(*COLUMNS, box=box.SIMPLE)
    for row in rows:
        table.add_row(*cells(row))
    return table


def profile_lines(stats: pstats.Stats, messages: int) -> list[str]:
    """The ten functions that take most CPU time themselves, as a Markdown table, and what is ours of all."""
    timed = stats.get_stats_profile()
    names = sorted(timed.func_profiles.items(), key=lambda item: item[1].tottime, reverse=True)
    lines = ["| function | calls | own CPU, ms for each message | share |", "|---|---|---|---|"]
    for name, function in names[:TOP]:
        place = f"{Path(function.file_name).name}:{function.line_number}" if function.line_number else "built in"
        each = function.tottime / messages * 1000
        lines.append(
            f"| `{name}` ({place}) | {function.ncalls} | {each:.3f} | {function.tottime / timed.total_tt:.0%} |"
        )
    ours = sum(one.tottime for one in timed.func_profiles.values() if "Managers" in Path(one.file_name).parts)
    lines += [
        "",
        f"Our own code (`Managers/`): {ours / messages * 1000:.2f} ms for each message, profiler included; "
        f"all: {timed.total_tt / messages * 1000:.2f} ms.",
    ]
    return lines


def machine() -> str:
    """What was measured on, without names of it."""
    memory = psutil.virtual_memory().total / 1024**3
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB of memory, {platform.system()}, Python {platform.python_version()}; "
        f"SDK: {sdk_in_use.describe()}"
    )


def write(rows: list[Measured], folder: Path) -> None:
    """Write ``bench.json``, ``bench.md`` and ``bench.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    document = {"machine": machine(), "rows": [dataclasses.asdict(row) | {"ratio": row.ratio} for row in rows]}
    (folder / "bench.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    lines = [f"Machine: {machine()}.", "", "| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(cells(row)) + " |" for row in rows]
    (folder / "bench.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
    _picture(rows, folder / "bench.png")


def _picture(rows: list[Measured], path: Path) -> None:
    """Draw seconds against messages, with the ideal line."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=PICTURE_INCHES)
    for marker, ending in (("o", "1 attachment each, 200 ms"), ("s", "50 ms")):
        points = sorted((row.messages, row.seconds, row.ideal_s) for row in rows if _belongs(row, ending))
        if points:
            messages, seconds, ideal = zip(*points, strict=True)
            (line,) = axes.plot(messages, seconds, marker=marker, label=f"measured, {ending}")
            axes.plot(messages, ideal, linestyle="--", color=line.get_color(), label=f"ideal at 8 in flight, {ending}")
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("messages in one cycle")
    axes.set_ylabel("seconds")
    axes.grid(visible=True, which="both", alpha=0.3)
    if axes.lines:
        axes.legend(fontsize="small")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _belongs(row: Measured, ending: str) -> bool:
    return bool(row.messages) and row.case.endswith(ending) and "domains" not in row.case
