"""What was taken in from a source, for a person: the last round's sum, and a month's data quality 数据质量."""

from typing import TYPE_CHECKING, Any

from syncd.cli.output import say, table

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
ENDS = ("recorded", "unchanged", "quarantined", "refused", "waiting", "duplicates")
RATES = ("completeness", "validity", "timeliness")


def draw_intake(to: "Console", source: Json) -> None:
    """The last round of a source that brought rows, as a sum that must be right, and this month's rates."""
    done, month = source["last_round"], source["quality"]
    if done is not None:
        ends = " + ".join(f"{name} {done[name]}" for name in ENDS)
        wrong = f", and {done['astray']} ended nowhere" if done["astray"] else ""
        say(to, f"  {source['source']}: rows in 收数 {done['rows']} = {ends}{wrong}", "bold red" if wrong else "")
    if month is not None:
        rates = ", ".join(f"{name} {percent(month[name])}" for name in RATES)
        say(
            to,
            f"  {source['source']}: quality 数据质量 {month['month']}: {rates}",
            "" if month["reached"] else "yellow",
        )


def draw_quality(to: "Console", found: Json) -> None:
    """All months of all sources."""
    rows = [
        (one["source"], one["month"], one["received"], one["incomplete"], one["invalid"], one["in_time"], one["late"],
         *(percent(one[name]) for name in RATES), "yes 达标" if one["reached"] else "no 未达标")
        for one in found["months"]
    ]  # fmt: skip
    heads = ("source", "month", "received", "incomplete", "invalid", "in-time", "late", "completeness 完整率",
             "validity 合规率", "timeliness 及时率", f">={percent(found['target'])}")  # fmt: skip
    table(to, "Data quality 数据质量", heads, rows)
    if not rows:
        say(to, "No row was received yet 尚无数据.")


def percent(rate: float | None) -> str:
    """A rate as people read it; nothing counted is a dash."""
    return "–" if rate is None else f"{rate:.1%}"
