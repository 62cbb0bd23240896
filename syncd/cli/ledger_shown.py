"""How evidence is shown: a bundle that was made, and the verdict on one, as JSON and as numbered lines."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from syncd.cli import verdict_words as words
from syncd.cli.output import say
from syncd.cli.words import STANDING

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.cli.verdict_words import Language
    from syncd.evidence.prove import Made
    from syncd.ledger.bundle import Bundle
    from syncd.ledger.steps import Fault, Proven, Verdict

Json = dict[str, Any]


def made(output: Path, made: "Made") -> Json:
    """What was written where, by which checkpoints, and what is not final."""
    return {
        "file": str(output),
        "about": made.bundle.about,
        "records": len(made.bundle.records),
        "final": not made.unsigned and not any(one.lacking for one in made.used),
        "checkpoints": [
            {"log": one.origin, "size": one.size, "lacking": list(one.lacking)}
            for one in sorted(made.used, key=lambda one: one.origin)
        ],
        "unsigned": [{"log": row.origin, "index": row.index} for row in made.unsigned],
    }


def draw_made(to: "Console", value: Json, language: "Language") -> None:
    """A made bundle for a person."""
    zh = language == "zh"
    say(to, f"{value['file']}: {value['records']} {'条记录' if zh else 'records'}", "bold")
    for one in value["checkpoints"]:
        at = f"{one['log']} @ {one['size']}"
        if one["lacking"]:
            missing = words.say(words.CODES, "not_final", language)
            say(to, f"{at}: {missing} {' '.join(one['lacking'])}", "bold yellow")
        else:
            say(to, f"{at}: {'已定局，会签齐全' if zh else 'final, all lines are there'}")
    for one in value["unsigned"]:
        said = "尚无已签检查点覆盖，未列入" if zh else "no signed checkpoint covers it yet; not in the bundle"
        say(to, f"{one['log']}:{one['index']}: {said}", "bold yellow")


def unreadable(sentence: str, fingerprint: str) -> Json:
    """The verdict on what is no bundle: step 1 does not hold."""
    fault = {"record": 0, "place": "", "code": "unreadable", "detail": sentence}
    step = {"number": 1, "code": "form", "ok": False, "checked": 0, "faults": [fault], "notes": []}
    return {"ok": False, "about": None, "policy": fingerprint, "steps": [step], "records": [], "known": None}


def verdict(bundle: "Bundle", verdict: "Verdict", fingerprint: str) -> Json:
    """The verdict as JSON."""
    return {
        "ok": verdict.ok,
        "about": bundle.about,
        "made": bundle.made,
        "known": None if bundle.known is None else {"member": bundle.known.member, "before": bundle.known.before},
        "policy": fingerprint,
        "steps": [
            {"number": step.number, "code": step.code, "ok": not step.faults, "checked": step.checked,
             "faults": [_fault(one) for one in step.faults], "notes": [_fault(one) for one in step.notes]}
            for step in verdict.steps
        ],
        "records": [_record(one) for one in verdict.records],
    }  # fmt: skip


def _fault(one: "Fault") -> Json:
    return {"record": one.record, "place": one.place, "code": one.code, "detail": one.detail}


def _record(one: "Proven") -> Json:
    entry = one.entry
    return {
        "record": one.number,
        "place": one.place,
        "sound": one.sound,
        "leaf": one.hash.hex(),
        "kind": entry.kind if entry is not None else None,
        "at": entry.at if entry is not None else None,
        "about": entry.ref.leaf if entry is not None and entry.ref is not None else None,
        "disclosure": one.record.state,
        "size": one.checkpoint.size if one.checkpoint is not None else None,
        "countersigned": dict(one.lines),
        "body": one.body,
        "items": [item for item in one.items if item is not None],
    }


def draw_verdict(to: "Console", value: Json, language: "Language") -> None:
    """The numbered steps, then what is proven, then the verdict."""
    if value["about"] is not None:
        say(to, f"{_say('about', language)}: {value['about']}; {_say('made', language)}: {value['made']}")
    if value["known"] is not None:
        say(to, f"{_say('known', language)}: {value['known']['member']} < {moment(value['known']['before'])}")
    say(to, f"{_say('policy', language)}: {value['policy']}")
    for step in value["steps"]:
        _draw_step(to, step, language)
    for one in value["records"]:
        if one["sound"] and one["kind"]:
            _draw_record(to, one, language)
    code = "true" if value["ok"] else "false"
    say(to, f"{_say('verdict', language)}: {_say(code, language)}", "bold green" if value["ok"] else "bold red")


def _draw_step(to: "Console", step: Json, language: "Language") -> None:
    head = f"{step['number']}. {words.say(words.STEPS, step['code'], language)}"
    if step["ok"]:
        say(to, f"{head}: {_say('step_ok', language)} ({step['checked']})")
    else:
        say(to, f"{head}: {_say('step_false', language)}", "bold red")
    for one in step["faults"]:
        say(to, f"   ✗ {_named(one, language)}", "red")
    for one in step["notes"]:
        say(to, f"   · {_named(one, language)}")


def _named(one: Json, language: "Language") -> str:
    if one["code"] == "unreadable":
        return f"{_say('unreadable', language)}: {one['detail']}"
    place = f"{_say('record', language)} {one['record']} ({one['place']})"
    detail = f": {one['detail']}" if one["detail"] else ""
    return f"{place}: {words.say(words.CODES, one['code'], language)}{detail}"


def _draw_record(to: "Console", one: Json, language: "Language") -> None:
    state = words.say(words.CODES, one["disclosure"], language)
    say(to, f"   {one['record']}. {one['place']} {words.kind(one['kind'], language)} {one['at']} · {state}")
    lines = ", ".join(f"{name} {moment(time)}" for name, time in sorted(one["countersigned"].items()))
    say(to, f"      {_say('countersigned_by', language)} {lines} @ {one['size']}")


def draw_known(to: "Console", value: Json, language: "Language") -> None:
    """What a region knew, for a person."""
    zh = language == "zh"
    say(to, f"{value['uscc']} {value['name'] or ''}".strip(), "bold")
    said = "在该日结束前所知" if zh else "as known by the end of"
    say(to, f"{value['region']} {said} {value['on']}: {STANDING[value['standing']]}", "bold")
    for n, one in enumerate(value["findings"], 1):
        since = f"{'获知' if zh else 'known since'} {moment(one['known_since'])}"
        answer = words.kind(one["answer"], language) if one["answer"] else ("尚未回应" if zh else "not answered yet")
        say(to, f"{n}. {one['number']} · {one['place']} · {since} · {answer} {one['answered_at'] or ''}".rstrip())
        for relief in one["relief"]:
            say(to, f"   {words.kind(relief['kind'], language)} {relief['place']} {relief['at']}")
        if one["measures"]:
            acting = " ".join(f"{measure['id']}({measure['to']})" for measure in one["measures"])
            say(to, f"   {'有效措施' if zh else 'in force'}: {acting}")
        for later in one["later"]:
            said = "其后" if zh else "later"
            say(to, f"   {said}: {words.kind(later['kind'] or '-', language)} {later['place']} {_since(later, zh)}")
    for one in value["not_yet_known"]:
        say(to, f"· {one['number']} · {one['place']} · {'当时未知' if zh else 'not known then'} {_since(one, zh)}")
    if not value["findings"] and not value["not_yet_known"]:
        say(to, "无记录" if zh else "no finding is held here")
    if value["file"]:
        say(to, f"{_say('bundle', language)}: {value['file']}")


def _since(one: Json, zh: bool) -> str:
    if one["known_since"] is None:
        return "尚未会签" if zh else "not countersigned yet"
    return f"{'获知' if zh else 'known since'} {moment(one['known_since'])}"


def _say(code: str, language: "Language") -> str:
    return words.say(words.SAYINGS, code, language)


def moment(seconds: int) -> str:
    """Unix seconds as UTC text; the number itself beyond the calendar."""
    import datetime as dt

    try:
        return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (OverflowError, ValueError, OSError):
        return str(seconds)
