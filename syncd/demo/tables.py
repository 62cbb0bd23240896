"""What the demonstration prints: the story with its times, the registers side by side, where to look next."""

import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table

from syncd.demo.places import Places
from syncd.demo.scenario import Scenario
from syncd.demo.site import Site
from syncd.demo.story import Told

Json = dict[str, Any]
STANDING = {"restricted": "受限 restricted", "noted": "关注 noted", "clear": "无 clear", "unknown": "—"}
MODES = {"service": "服务方式 HTTPS JSON", "files": "文件方式 CSV files", "database": "前置库 front database"}
WIDTH = 110


def say(text: RenderableType) -> None:
    """Print; a pipe gets the same text without colour."""
    width = None if sys.stdout.isatty() else WIDTH
    Console(width=width, highlight=False, soft_wrap=isinstance(text, str)).print(text, markup=False) if isinstance(
        text, str
    ) else Console(width=width, highlight=False).print(text)


def opening(places: Places) -> RenderableType:
    """Who takes part."""
    table = Table(
        box=box.SIMPLE, title="syncd 演示 demonstration: everything below is invented but the places", width=90
    )
    for column in ("bureau", "code", "its own system", "speaks through"):
        table.add_column(column)
    for bureau in places.bureaus.values():
        table.add_row(
            f"{bureau.name} {bureau.key}", bureau.code, MODES[bureau.mode], f"config/sources/{bureau.key}.toml"
        )
    return table


def story(running: Mapping[str, Site], scenario: Scenario, told: Told) -> RenderableType:
    """The moments of the story, in milliseconds from the row in the source to the effect in each bureau system."""
    table = Table(box=box.SIMPLE, title="The story: milliseconds from a row in one source to its effect in each system")
    table.add_column("what happened")
    for site in running.values():
        table.add_column(site.bureau.key, justify="right")
    for moment in told.moments:
        table.add_row(moment.what, *[f"{moment.milliseconds[code]}" for code in running])
    lines = [f"  {line.name}: {line.company.name}" for line in scenario.stories.values()]
    return Group(table, *lines)


def registers(
    running: Mapping[str, Site], scenario: Scenario, held: Mapping[str, Mapping[str, Json]]
) -> RenderableType:
    """The story's companies and the totals, the three registers side by side."""
    table = Table(box=box.SIMPLE, title="\nThe three registers side by side")
    table.add_column("company 企业", overflow="fold")
    table.add_column("USCC", no_wrap=True)
    for site in running.values():
        table.add_column(site.bureau.key, no_wrap=True)
    for line in scenario.stories.values():
        cells = [STANDING[held[code].get(line.company.uscc, {"standing": "unknown"})["standing"]] for code in running]
        table.add_row(line.company.name, line.company.uscc, *cells)
    table.add_section()
    for standing in ("restricted", "noted", "clear"):
        counts = [str(Counter(one["standing"] for one in held[code].values())[standing]) for code in running]
        table.add_row(f"all: {STANDING[standing]}", "", *counts)
    return table


def verdict(folder: Path, running: Mapping[str, Site], scenario: Scenario, wrong: list[str]) -> str:
    """What was checked, what does not hold, and where to look next."""
    refused = sum(sum(load.expected.refused.values()) for load in scenario.loads.values())
    quarantined = sum(sum(load.expected.quarantined.values()) for load in scenario.loads.values())
    if wrong:
        return "NOT all of this holds:\n" + "\n".join(f"  ✗ {fault}" for fault in wrong)
    live = [line for line in scenario.stories.values() if line.live is not None]
    findings = len(scenario.findings) + sum(len(line.findings) for line in live)
    first = next(iter(running.values()))
    line = next(iter(scenario.stories.values()))
    config = folder / first.bureau.key / "syncd.toml"
    return (
        f"Checked against three stores and read back from three bureau systems: {findings} findings in each "
        f"register,\nonly what is in force applied at home, {quarantined} faulty rows on the desks, {refused} "
        "rows of persons refused at the border\nand nothing of a person in any file. 演示: candidates act here only "
        "because the demonstration allows them.\n\nWhere to look next:\n"
        f"  .venv/bin/syncd explain {line.company.uscc} -c {config}\n"
        f"  .venv/bin/syncd register -c {config}\n"
        f"  .venv/bin/syncd desk list -c {config}\n"
        f"  .venv/bin/syncd status -c {config}"
    )


def serving(folder: Path, running: Mapping[str, Site]) -> str:
    """What is left running."""
    lines = [
        f"  {site.bureau.key}: https://127.0.0.1:{site.port}  {folder / site.bureau.key}" for site in running.values()
    ]
    return "\nLeft running (Ctrl-C stops them):\n" + "\n".join(lines)
