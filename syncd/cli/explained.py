"""How ``explain`` draws one finding: numbered steps from the decision to the conclusion, in Chinese and in English."""

from typing import TYPE_CHECKING, Any

from syncd.cli import words
from syncd.cli.output import say

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]


def draw_finding(to: "Console", n: int, finding: Json, why: str) -> None:
    """One finding with its steps; ``why`` says why nothing follows where nothing does."""
    to.print()
    say(to, f"{n}. {finding['number']} · {finding['finding']}", "bold")
    acting = {measure["id"] for measure in finding["measures"]}
    for step in finding["steps"]:
        say(to, f"   {step['n']}. {words.word(words.STEP, step['step'])}: {step['zh']}")
        say(to, f"      {step['en']}")
        for line in _beside(step, acting):
            say(to, f"      {line}")
    if finding["reason"] and not acting:
        say(to, f"   why not 原因: {why}")
    for item in finding["desk"]:
        kind, state = words.word(words.DESK, item["kind"]), words.ITEM_STATE[item["state"]]
        say(to, f"   desk 工作台: item {item['item']}, {kind}, {state}")


def _beside(step: Json, acting: set[str]) -> list[str]:
    """What stands under a step: its text, the facts it read, its law, where it is recorded."""
    lines = []
    if step.get("text"):
        lines.append(f"text 原文: {step['text']}")
    if len(step.get("facts", ())) > 1:
        lines.append("facts 所读: " + ", ".join(f"{name} = {value}" for name, value in step["facts"].items()))
    if step["step"] == "finding":
        lines += _publicity(step["publicity"])
    if step["step"] == "criterion" and step["status"]:
        lines.append(f"{words.word(words.STATUS, step['status'])}, {step['agreement']}, 出处 {step['provenance']}")
    if step["step"] == "measure":
        now = "in force 有效" if step["id"] in acting else "not in force 无效"
        lines.append(f"{words.word(words.STATUS, step['status'])}, {now}; basis 依据 {step['basis'] or 'none 无'}")
        lines += [f"condition 条件: {step['condition_zh']}"] if step["condition_zh"] else []
    lines += [f"doubtful 存疑: {doubt}" for doubt in step.get("doubts", ())]
    if "entry" in step:
        lines.append(_entry(step["entry"]) + _came(step))
    return lines


def _publicity(publicity: Json) -> list[str]:
    """How long it may be published 公示期."""
    if publicity["last"]:
        severity = words.word(words.SEVERITY, publicity["severity"])
        until = f"publicity 公示 to {publicity['last']}, repair 修复 from {publicity['repair_from']}"
        return [f"class 等级 {severity}, {until}"]
    return [f"publicity 公示 to {publicity['longest']} at the longest"] if publicity["longest"] else []


def _came(step: Json) -> str:
    """The source row behind an entry of this bureau."""
    came = step.get("came_from")
    if not came:
        return ""
    at = f" at {came['place']}" if came["place"] else ""
    return f"; from 来源 {came['source']} row {came['row']}{at}, read {came['read_at'][:19]}Z"


def _entry(entry: Json) -> str:
    """Where the entry stands, and who has countersigned it."""
    receipts = " ".join(entry["receipts"]) or "nobody yet 尚无"
    return f"entry 条目 {entry['log']}:{entry['index']}, receipts 回执 of {receipts}"
