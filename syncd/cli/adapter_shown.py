"""What the commands about a source print for a person: a new page, and the report of a check."""

from typing import TYPE_CHECKING, Any

from syncd.cli import words
from syncd.cli.output import say

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]


def draw_new(to: "Console", made: Json) -> None:
    """A page that was written."""
    say(to, f"Facts page 来源说明: {made['page']} ({made['mode']})", "bold")
    say(to, "Next:")
    say(to, f"  1. fill in the lines marked 填写 FILL IN: {', '.join(made['fill_in'])};")
    say(to, f"  2. try the page: syncd adapter check {made['page']}")
    say(to, f"  3. read the source, nothing is stored: syncd adapter check {made['page']} --live --source …")


def draw_check(to: "Console", report: Json) -> None:
    """The report of a check, the verdict last."""
    say(to, f"Source 数据源 {report['source']} · {report['mode']} · {report['page']}", "bold")
    if report["unnamed"]:
        say(to, "The page names no publisher yet: fill in [publisher]. A node does not start with it.", "yellow")
    wrong = [one for one in report["trial"] if not one["fine"]]
    say(to, f"Trial 自检: {len(report['trial']) - len(wrong)} of {len(report['trial'])} invented rows judged right")
    for one in wrong:
        say(to, f"  {one['about']}: should be {one['expected']}, is {one['got']}", "yellow")
    if report["live"] is not None:
        _draw_live(to, report["live"])
    say(to, "Fine 通过." if report["fine"] else "Something is to be mended 有待处置.", "bold")


def _draw_live(to: "Console", live: Json) -> None:
    whole = "to its end" if live["whole"] else "in part"
    counts = ", ".join(f"{name} {count}" for name, count in live["rows"].items())
    say(to, f"Read 试读 {whole}: {counts}; nothing was stored")
    if not live["balanced"]:
        say(to, "The counts do not add up: a fault of the program, please report it.", "bold red")
    for title, counted in (("Refused 不予归集", live["refused"]), ("Waiting 待生效", live["waiting"])):
        if counted:
            say(to, f"{title}: " + ", ".join(f"{name} {count}" for name, count in counted.items()))
    _draw_columns(to, live)
    draw_causes(to, "Faults 隔离原因", live["faults"])
    for sample in live["samples"]:
        say(to, "")
        say(to, "Sample 样例", "bold")
        for name, value in sample.items():
            say(to, f"  {name}: {value}")


def draw_causes(to: "Console", title: str, causes: list[Json]) -> None:
    """Faults by cause: how many rows, whose turn it is, how to mend them, and where some of them stand."""
    if causes:
        say(to, f"{title}:")
    for one in causes:
        say(to, f"  {one['rows']} × {one['field']} {one['reason']} · {words.TURN[one['turn']]}", "bold")
        say(to, f"    {one['mend']} {one['mend_zh']}")
        say(to, f"    for example: {', '.join(one['examples'])}")


def _draw_columns(to: "Console", live: Json) -> None:
    columns = live["columns"]
    renamed = [f"{name} → {code}" for name, code in columns["renamed"].items()]
    said = (
        ("Columns understood 已识别", columns["understood"]),
        ("  by another name 别名", renamed),
        ("  never read 不读取", columns["never_read"]),
        ("  ignored 忽略", columns["ignored"]),
    )
    for title, names in said:
        if names:
            say(to, f"{title}: {', '.join(names)}")
    if columns["unknown"]:
        say(to, f"  unknown 未知, dropped: {', '.join(columns['unknown'])}; name them under columns.aliases or "
                "columns.ignored of the facts page", "yellow")  # fmt: skip
    for kind, names in live["absent"].items():
        if names:
            say(to, f"  not in any {kind} row 缺列: {', '.join(names)}", "yellow")
