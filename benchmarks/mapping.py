"""Benchmark of the mapper 互认: findings recognised for every region against the full agreement, in one pure process.

``make bench-mapping``, or ``python -m benchmarks.mapping``. No store, no log, no network: 100,000 findings of the three
places, one in five of them under a code with conditions, each judged for all three regions as a demonstration. Beside
it the same conditions are evaluated by cel-python, another public rule engine, where it is installed
(``benchmarks/requirements.txt``), on a part of the same records. Prints one JSON object.
"""

import datetime as dt
import random
import sys
import time
from argparse import ArgumentParser
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson

from syncd.agreement.load import load_agreement
from syncd.agreement.mapping import judge
from syncd.agreement.model import Agreement
from syncd.agreement.names import NAMES, facts_of
from syncd.agreement.outcome import criterion_of, outcome_of

Json = dict[str, Any]
ROOT = Path(__file__).parents[1]
TODAY = dt.date(2026, 11, 22)
VIOLATIONS = ("未批先建", "建设项目未验先投", "未批先建，未验先投", "未按规定公开环评信息")
BASELINE_RECORDS = 2_000
RECORD_NAMES = [name for name, one in NAMES.items() if not one.of_history]


def agreement() -> Agreement:
    """The shipped agreement."""
    folder = ROOT / "config" / "agreements" / "jiakuntai-eco"
    return load_agreement({p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*.toml")})


def findings(of: Agreement, count: int, conditional: float, seed: int) -> list[Json]:
    """Invented records of all places, days and codes, with what their own bureau determined."""
    chance = random.Random(seed)
    days = [(TODAY - dt.timedelta(days=n)).isoformat() for n in range(700)]
    plain = {
        code: [one for one in region.local_codes.values() if one.code not in region.conditions]
        for code, region in of.regions.items()
    }
    return [_finding(of, chance, plain, days, conditional, n) for n in range(count)]


def _finding(
    of: Agreement, chance: random.Random, plain: Json, days: Sequence[str], conditional: float, n: int
) -> Json:
    place = chance.choice(of.members)
    asked = chance.random() < conditional
    local = of.regions[place].local_codes[chance.choice(list(of.regions[place].conditions))] if asked else None
    local = local or chance.choice(plain[place])
    body: Json = {
        "subject": {"uscc": f"{n:018}", "name": "", "type": local.subject_type},
        "place": place,
        "local_code": local.code,
        "criterion": None,
        "legal_basis": "示例",
        "kinds": ["罚款"],
        "amount": {"fine": f"{chance.randrange(10_000, 2_000_000)}.00", "confiscated": None},
        "violation": chance.choice(VIOLATIONS),
        "decided_on": chance.choice(days),
        "published_on": TODAY.isoformat(),
        "ends": {"publicity": chance.choice((None, "2027-11-22", "2028-11-22")), "query": None, "measures": None},
    }
    body["criterion"] = criterion_of(of, body, allow_candidates=True)
    return body


def timed(step: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds of processor, which other processes of the machine do not lengthen, and what came of it."""
    began = time.process_time()
    result = step()
    return time.process_time() - began, result


def recognised(of: Agreement, bodies: Sequence[Json]) -> Counter[str]:
    """Every finding judged for every region; the answers by reason."""
    answers = Counter[str]()
    for body in bodies:
        for region in of.members:
            judged = judge(of, region, body, TODAY, allow_candidates=True)
            answers[judged.reason or judged.outcome] += 1
    return answers


def by_our_conditions(of: Agreement, bodies: Sequence[Json]) -> list[str]:
    """The outcome of each record by the conditions of its code."""
    return [outcome_of(of, body, allow_candidates=True).kind for body in bodies]


def by_cel_python(of: Agreement, bodies: Sequence[Json]) -> list[str] | None:
    """The same by cel-python, each condition a program made once; None where it is not installed."""
    try:
        import celpy
    except ImportError:
        return None
    environment = celpy.Environment()
    programs = {
        one.id: environment.program(environment.compile(one.when))
        for region in of.regions.values()
        for listed in region.conditions.values()
        for one in listed
        if one.when is not None
    }
    return [_kind_by(of, body, programs, celpy.json_to_cel) for body in bodies]


def _kind_by(of: Agreement, body: Json, programs: Json, to_cel: Callable[[Json], Any]) -> str:
    nested: Json = {}
    for name, value in facts_of(RECORD_NAMES, body).items():
        first, _, second = name.partition(".")
        nested.setdefault(first, {})[second] = value
    facts = to_cel(nested)
    conditions = of.regions[body["place"]].conditions[body["local_code"]]
    holding = [one for one in conditions if one.when is not None and programs[one.id].evaluate(facts)]
    found = holding or [one for one in conditions if one.when is None]
    return found[0].outcome if len(found) == 1 else "unmapped"


def explain_seconds(of: Agreement, bodies: Sequence[Json]) -> list[float]:
    """What the pure part of an explanation takes: outcome at home and the answer of every region, caches empty."""
    times = []
    for n, body in enumerate(bodies):
        fresh = {**body, "decided_on": (dt.date(2024, 12, 1) + dt.timedelta(days=n)).isoformat()}

        def explained(body: Json = fresh, day: dt.date = TODAY + dt.timedelta(days=n)) -> None:
            outcome_of(of, body, allow_candidates=True)
            for region in of.members:
                judge(of, region, body, day, allow_candidates=True)

        times.append(timed(explained)[0])
    return sorted(times)


def main() -> int:
    """Run and print; 1 if the promised rate is missed."""
    options = ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    options.add_argument("--findings", type=int, default=100_000)
    options.add_argument("--conditional", type=float, default=0.2)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    load, of = timed(agreement)
    bodies = findings(of, chosen.findings, chosen.conditional, chosen.seed)
    first, answers = timed(lambda: recognised(of, bodies))
    asked = [body for body in bodies if body["local_code"] in of.regions[body["place"]].conditions]
    ours, outcomes = timed(lambda: by_our_conditions(of, asked))
    part = asked[:BASELINE_RECORDS]
    theirs, same = timed(lambda: by_cel_python(of, part))
    if same is not None and same != outcomes[: len(part)]:
        raise SystemExit("cel-python says otherwise: one of the two is wrong.")
    explained = explain_seconds(of, bodies[:500])
    rate = len(bodies) / first
    result = {
        "findings": len(bodies),
        "regions": len(of.members),
        "load_ms": round(load * 1e3, 1),
        "findings_per_second": round(rate),
        "judgements_per_second": round(rate * len(of.members)),
        "answers": dict(answers.most_common()),
        "conditions": {
            "records": len(asked),
            "records_per_second": round(len(asked) / ours) if asked else None,
            "cel_python_records_per_second": round(len(part) / theirs) if same else None,
            "times_faster": round(len(asked) / ours / (len(part) / theirs)) if same else None,
        },
        "explain_ms": {"p50": round(explained[250] * 1e3, 3), "max": round(explained[-1] * 1e3, 3)},
        "promised": {"findings_per_second": 10_000, "explain_ms": 20},
    }
    sys.stdout.buffer.write(orjson.dumps(result, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return int(rate < 10_000 or explained[-1] > 0.02)


if __name__ == "__main__":
    raise SystemExit(main())
