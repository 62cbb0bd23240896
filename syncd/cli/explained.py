"""How ``explain`` draws one finding: the chain from the decision to the receipts, a step a line."""

from collections.abc import Callable
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
        say(to, "   " + _STEPS[step["step"]](step, acting))
        for doubt in step.get("doubts", ()):
            say(to, f"      doubtful 存疑: {doubt}")
    if receipt := finding["order_receipt"]:
        say(to, f"   delivered home 送达: taken under number 受理号 {receipt['number']} at {receipt['at']}")
    if finding["reason"] and not acting:
        say(to, f"   why not 原因: {why}")
    for item in finding["desk"]:
        kind, state = words.word(words.DESK, item["kind"]), words.ITEM_STATE[item["state"]]
        say(to, f"   desk 工作台: item {item['item']}, {kind}, {state}")


def _finding(step: Json, _acting: set[str]) -> str:
    local = step["local_code"] or "none 无"
    decided = f"finding 认定: decided {step['decided_on']} in {step['place']}, local code {local}"
    return decided + _beside(step) + f", {_entry(step)}" + _came(step)


def _beside(step: Json) -> str:
    """By what it was confirmed where a rule proposed it, and how long it may be published."""
    said, grounds, publicity = "", step["grounds"], step["publicity"]
    if grounds:
        count, by = len(grounds["records"]), grounds["confirmed_by"]
        said += f"; proposed by 提出规则 {grounds['rule']} of {count} records, confirmed by {by} 人工认定"
    if publicity["last"]:
        said += f"; class 等级 {words.word(words.SEVERITY, publicity['severity'])}"
        said += f", publicity 公示 to {publicity['last']}, repair 修复 from {publicity['repair_from']}"
    elif publicity["longest"]:
        said += f"; publicity 公示 to {publicity['longest']} at the longest"
    return said


def _amended(step: Json, _acting: set[str]) -> str:
    return f"amended 变更: {', '.join(step['fields'])}, {_entry(step)}" + _came(step)


def _came(step: Json) -> str:
    """The source row behind an entry of this bureau."""
    came = step["came_from"]
    if not came:
        return ""
    at = f" at {came['place']}" if came["place"] else ""
    return f"; from 来源 {came['source']} row {came['row']}{at}, read {came['read_at'][:19]}Z"


def _criterion(step: Json, _acting: set[str]) -> str:
    if step["code"] is None:
        return "criterion 标准: none, the local code is not mapped 未对应"
    status = words.word(words.STATUS, step["status"])
    return f"criterion 标准: {step['code']} {step['name_zh']} ({step['name_en']}), {status}, {step['agreement']}"


def _rule(step: Json, _acting: set[str]) -> str:
    released = f", released by account {step['released_by']} 人工放行" if step["released_by"] else ""
    return f"rule 规则: {step['rule']}{released}"


def _measure(step: Json, acting: set[str]) -> str:
    basis = f"{step['instrument']} {step['article'] or ''}".strip() if step["instrument"] else "none 无"
    now = "in force 有效" if step["id"] in acting else "not in force 无效"
    kind, status = words.KIND[step["kind"]], words.word(words.STATUS, step["status"])
    days = f"{step['from']} to {step['to']}"
    return f"measure 措施: {step['id']} {step['name_zh']}, {kind}, {status}, {days}, {now}; basis 依据: {basis}"


def _answer(step: Json, _acting: set[str]) -> str:
    reason = f", {words.word(words.REASON, step['reason'])}" if step["reason"] else ""
    return f"answer 互认 of {step['region']}: {words.word(words.ANSWER, step['answer'])}{reason}, {_entry(step)}"


def _relief(step: Json, _acting: set[str]) -> str:
    since = f" from {step['from']}" if step["from"] else ""
    return f"relief 修复: {words.word(words.RELIEF, step['kind'])}{since}, {_entry(step)}" + _came(step)


def _entry(step: Json) -> str:
    """Where the entry stands, and who has countersigned it."""
    entry = step["entry"]
    receipts = " ".join(entry["receipts"]) or "nobody yet 尚无"
    return f"entry 条目 {entry['log']}:{entry['index']}, receipts 回执 of {receipts}"


_STEPS: dict[str, Callable[[Json, set[str]], str]] = {
    "finding": _finding,
    "amended": _amended,
    "criterion": _criterion,
    "rule": _rule,
    "measure": _measure,
    "answer": _answer,
    "relief": _relief,
}
