"""Why 说明: what a region's answer to one finding rests on, step by step, from the text of the version that judged it.

1. the finding, by which bureau, decision and local code;
2. what its own bureau's list makes of it: the row or condition, and the facts that it read;
3. the criterion; 4. this region's rule; 5. each measure: carried by which article, until when and why then, or why not.

A pure function of the version's text, the finding's body and the day of the answer: the same in three years. Sentences
are given in Chinese and English; beside them stand the facts, for a program.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from syncd.agreement.bases import doubts_of, kind_of
from syncd.agreement.conditions import conditions_of
from syncd.agreement.dates import months_later
from syncd.agreement.kinds import Json
from syncd.agreement.local import Condition, Rule
from syncd.agreement.mapping import judge
from syncd.agreement.model import Agreement
from syncd.agreement.names import facts_of
from syncd.agreement.outcome import map_local_code
from syncd.agreement.publicity import longest_publicity, publicity_shown
from syncd.agreement.reasons import said_of

MODES = {"automatic": ("自动实施", "by itself"), "review": ("须人工复核", "after review by a person")}
KINDS = {"binding": ("约束", "binding"), "discretionary": ("裁量", "discretionary"), "advisory": ("建议", "advice")}
BOUNDS = {
    "rule": ("规则所定月数届满", "the rule's months from the decision"),
    "publicity": ("公示期届满", "the record's publicity ends"),
    "effect": ("处罚自身效力届满", "the penalty's own effect ends"),
    "longest": ("当时最长公示期届满", "the longest publicity of its time ends"),
    "basis": ("法律依据届满", "its legal basis ends"),
    "maximum": ("措施或依据的最长期限届满", "the longest that the measure or its article allows"),
    "relief": ("信用修复", "its repair"),
}


def explanation(
    agreement: Agreement, region: str, body: Json, day: date, imposed: Json | None, *, demonstration: bool,
    released: bool,
) -> list[Json]:  # fmt: skip
    """Steps 1 to 5 for a finding as it was judged on ``day``; ``imposed``: what this region imposed last, or None."""
    steps = [_finding(agreement, body, demonstration), _outcome(agreement, body), _criterion(agreement, body)]
    if region not in agreement.members:
        return steps
    rule = agreement.regions[region].rules.get(body["criterion"] or "")
    if rule is not None:
        steps.append(_rule(agreement, rule, imposed))
    if imposed is not None:
        steps += [_in_effect(agreement, region, rule, body, one, demonstration) for one in imposed["measures"]]
    judged = judge(agreement, region, body, day, allow_candidates=demonstration, released=released)
    named = {one["id"] for one in imposed["measures"]} if imposed is not None else set()
    reasons: dict[str, list[str]] = {}
    for code, why in judged.details:
        if code is not None and code not in named:
            reasons.setdefault(code, []).append(why)
    return steps + [_not_in_effect(agreement, code, why) for code, why in reasons.items()]


def _finding(agreement: Agreement, body: Json, demonstration: bool) -> Json:
    place = agreement.regions.get(body["place"])
    zh, en = (place.department, place.name_en) if place is not None else (body["place"], body["place"])
    number, decided = body["key"]["number"], body["decided_on"]
    return {
        "step": "finding",
        "zh": f"{zh}于{decided}作出{number}，于{body['published_on']}公示，本地认定代码{body['local_code'] or '无'}",
        "en": f"decided by {en} on {decided}, published on {body['published_on']}, "
        f"local code {body['local_code'] or 'none'}",
        "number": number,
        "local_code": body["local_code"],
        "decided_on": decided,
        "place": body["place"],
        "grounds": body.get("grounds"),
        "publicity": publicity_shown(agreement, body, demonstration),
        "agreement": agreement.tag,
    }


def _outcome(agreement: Agreement, body: Json) -> Json:
    """Step 2: the row, the condition or the proposal that a person confirmed, with its text and what it read."""
    code, grounds = body["local_code"], body.get("grounds")
    local = map_local_code(agreement, body["place"], code)
    base: Json = {"step": "outcome", "text": None, "facts": {"local_code": code}, "by": code, "records": []}
    if grounds is not None:
        count = len(grounds["records"])
        return base | {
            "by": grounds["rule"],
            "text": _rule_text(agreement, body["place"], grounds["rule"]),
            "records": grounds["records"],
            "zh": f"规则{grounds['rule']}据{count}条记录提出，由认定单位人工认定（{grounds['confirmed_by']}）",
            "en": f"proposed by {grounds['rule']} from {count} records, determined by a person of the bureau "
            f"({grounds['confirmed_by']})",
        }
    if local is None:
        return base | {"zh": f"认定代码{code}不在对应表内", "en": f"the local code {code} is not in the table"}
    conditions = agreement.regions[body["place"]].conditions.get(code, ())
    if local.criterion is None and conditions:
        return base | _by_condition(conditions, body)
    if local.criterion is None:
        return base | {"text": local.meaning_zh, "zh": f"代码{code}（{local.meaning_zh}）为一般记录，未达严重",
                       "en": f"the code {code} is a plain record, not severe"}  # fmt: skip
    return base | {"text": local.meaning_zh, "zh": f"代码{code}（{local.meaning_zh}）由认定单位认定为{local.criterion}",
                   "en": f"the bureau's own code {code} determines {local.criterion}"}  # fmt: skip


def _by_condition(conditions: Sequence[Condition], body: Json) -> Json:
    """The condition that holds for the record, its text in CEL, and the values of the names that the code asks."""
    asked = [one for one in conditions if one.when is not None]
    compiled = conditions_of(tuple(one.when for one in asked if one.when is not None))
    facts = facts_of(compiled.names, body)
    told = compiled.hold(facts) if compiled.names <= facts.keys() else None
    holding = [one for one, holds in zip(asked, told, strict=True) if holds] if told is not None else []
    one = holding[0] if holding else next((one for one in conditions if one.when is None), None)
    text = (one.when or "") if one is not None else ""
    zh, en = (one.id, one.id) if one is not None else ("无", "none")
    return {
        "by": one.id if one is not None else None,
        "text": text,
        "facts": {name: facts[name] for name in sorted(facts)},
        "zh": f"判定条件{zh}成立：{text or '其余各情形'}",
        "en": f"the condition {en} holds: {text or 'all other records'}",
    }


def _rule_text(agreement: Agreement, place: str, rule: str) -> str | None:
    criterion = agreement.criteria.get(rule)
    if criterion is not None:
        return criterion.name_zh
    region = agreement.regions.get(place)
    listed = [one for some in region.conditions.values() for one in some] if region is not None else []
    return next((one.when for one in listed if one.id == rule), None)


def _criterion(agreement: Agreement, body: Json) -> Json:
    code, kind = body["criterion"], body["subject"]["type"]
    found = agreement.criteria.get(code or "")
    base: Json = {"step": "criterion", "code": code, "status": found.status if found else None,
                  "name_zh": found.name_zh if found else None, "name_en": found.name_en if found else None,
                  "agreement": agreement.tag, "subject_type": kind}  # fmt: skip
    if found is None:
        return base | {"zh": "无对应标准", "en": "no criterion of the agreement"}
    status = ("已确认", "confirmed") if found.status == "confirmed" else ("候选", "candidate")
    return base | {
        "provenance": found.provenance,
        "zh": f"符合{code}“{found.name_zh}”（{status[0]}，协议第{agreement.version}版）",
        "en": f"it meets {code}, {found.name_en} ({status[1]}, version {agreement.version} of the agreement)",
    }


def _rule(agreement: Agreement, rule: Rule, imposed: Json | None) -> Json:
    zh, en = MODES[rule.mode]
    two = ("，须二人", ", by two people") if rule.persons > 1 else ("", "")
    return {
        "step": "rule",
        "rule": rule.id,
        "mode": rule.mode,
        "months": rule.months,
        "persons": rule.persons,
        "measures": list(rule.measures),
        "released_by": imposed["released_by"] if imposed is not None else None,
        "zh": f"本地区规则{rule.id}：{zh}{two[0]}，自决定之日起{rule.months}个月，措施{'、'.join(rule.measures)}",
        "en": f"this region's rule {rule.id}: {en}{two[1]}, {rule.months} months from the decision, measures "
        + " ".join(rule.measures),
    }


def _in_effect(
    agreement: Agreement, region: str, rule: Rule | None, body: Json, measure: Json, demonstration: bool
) -> Json:
    known, basis = agreement.measures.get(measure["id"]), agreement.bases.get(measure["basis"] or "")
    zh, en = KINDS[measure["kind"]]
    article = f"{basis.instrument}{basis.article or ''}" if basis is not None else None
    shown = demonstration and measure["kind"] != "advisory"
    only = ("无，仅供演示", "no article, for demonstration only") if shown else ("无", "no article")
    bound = _bound(agreement, rule, body, measure, demonstration)
    until = BOUNDS[bound]
    name = known.name_zh if known else measure["id"]
    return {
        "step": "measure",
        **measure,
        "name_zh": known.name_zh if known else None,
        "status": known.status if known else None,
        "instrument": basis.instrument if basis else None,
        "article": basis.article if basis else None,
        "condition_zh": basis.condition_zh if basis else None,
        "quote_zh": basis.quote_zh if basis else None,
        "ends_by": bound,
        "doubts": [one.why_en for one in doubts_of(agreement, measure["id"], region)],
        "zh": f"{measure['id']}“{name}”：{zh}，{measure['responder']}，依据{article or only[0]}，"
        f"{measure['from']}至{measure['to']}（{until[0]}）",
        "en": f"{measure['id']}: {en}, by {measure['responder']}, on {article or only[1]}, {measure['from']} to "
        f"{measure['to']} ({until[1]})",
    }


def _not_in_effect(agreement: Agreement, code: str, reasons: Sequence[str]) -> Json:
    known, said = agreement.measures[code], [said_of(why) for why in reasons]
    return {
        "step": "measure_not",
        "id": code,
        "name_zh": known.name_zh,
        "kind": kind_of(known),
        "reasons": list(reasons),
        "zh": f"{code}“{known.name_zh}”不实施：{'；'.join(one.zh for one in said)}",
        "en": f"{code} takes no effect: {'; '.join(one.en for one in said)}",
    }


def _bound(agreement: Agreement, rule: Rule | None, body: Json, measure: Json, demonstration: bool) -> str:
    """Which of the ends of step 8 of the mapping cut the measure; ``relief`` where none of them did."""
    ends = dict(_ends(agreement, rule, body, measure, demonstration))
    return next((name for name, end in ends.items() if end == measure["to"]), "relief")


def _ends(
    agreement: Agreement, rule: Rule | None, body: Json, measure: Mapping[str, Any], demonstration: bool
) -> Iterator[tuple[str, str | None]]:
    decided = date.fromisoformat(body["decided_on"])
    if rule is not None:
        yield "rule", months_later(decided, rule.months).isoformat()
    yield "publicity", body["ends"]["publicity"]
    yield "effect", body["ends"]["measures"]
    yield "longest", longest_publicity(agreement, decided, demonstration).isoformat()
    basis, known = agreement.bases.get(measure["basis"] or ""), agreement.measures.get(measure["id"])
    if basis is not None and basis.valid_to is not None:
        yield "basis", basis.valid_to.isoformat()
    terms = [one for one in (known.max_months if known else None, basis.max_months if basis else None) if one]
    if terms:
        yield "maximum", months_later(decided, min(terms)).isoformat()
