"""What an agreement's files must say of one another: every code known, every measure with one who acts.

The shape of each file is checked by ``load``; here stands only what no file can know alone. Each fault is
one sentence part that names file and field, so that all of them can be mended in one go.
"""

from collections.abc import Iterable, Iterator

from syncd.agreement.bases import ADVISED_ASPECTS
from syncd.agreement.checks_conditions import condition_faults
from syncd.agreement.checks_types import type_faults
from syncd.agreement.honours import Reward
from syncd.agreement.law import Doubt, LegalBasis, Regime
from syncd.agreement.local import LocalCode, Region, Rule
from syncd.agreement.model import Agreement, Criterion, Repeated


def faults_of(agreement: Agreement) -> Iterator[str]:
    """All contradictions between the files, in the order of the files; none for a sound agreement."""
    yield from _member_faults(agreement)
    for criterion in agreement.criteria.values():
        yield from _criterion_faults(agreement, criterion)
    yield from _circles(agreement)
    yield from type_faults(agreement)
    yield from _measure_faults(agreement)
    for basis in agreement.bases.values():
        yield from _basis_faults(agreement, basis)
    for doubt in agreement.doubts:
        yield from _doubt_faults(agreement, doubt)
    yield from _publicity_faults(agreement)
    for purpose in agreement.purposes.values():
        where = f"purposes.toml, purpose {purpose.code}, field"
        yield from _unknown(f"{where} categories", purpose.categories, agreement.categories)
        yield from _unknown(f"{where} measures", purpose.measures, agreement.measures)
        yield from _unknown(f"{where} incentives", purpose.incentives, agreement.incentives)
    for incentive in agreement.incentives.values():
        where = f"incentives.toml, incentive {incentive.code}, field"
        yield from _unknown(f"{where} regions", incentive.regions or (), agreement.members)
    for region in agreement.regions.values():
        yield from _region_faults(agreement, region)


def _member_faults(agreement: Agreement) -> Iterator[str]:
    members, regions = set(agreement.members), set(agreement.regions)
    if len(members) < len(agreement.members):
        yield "agreement.toml, field members: a code stands twice"
    yield from (f"regions/{code}.toml is missing for a member" for code in sorted(members - regions))
    yield from (f"regions/{code}.toml is of no member" for code in sorted(regions - members))


def _criterion_faults(agreement: Agreement, criterion: Criterion) -> Iterator[str]:
    where = f"criteria.toml, criterion {criterion.code}, field"
    if criterion.outside and criterion.status == "confirmed":
        yield f"{where} outside: a confirmed criterion is inside"
    if isinstance(criterion.aggregate, Repeated):
        yield from _unknown(f"{where} aggregate.among", criterion.aggregate.among, agreement.criteria)


def _circles(agreement: Agreement) -> Iterator[str]:
    """A criterion that counts findings of itself, by however many steps, would never come to an end."""
    counted = {
        code: set(criterion.aggregate.among) if isinstance(criterion.aggregate, Repeated) else set()
        for code, criterion in agreement.criteria.items()
    }
    for code in counted:
        reached, waiting = set[str](), list(counted[code])
        while waiting:
            step = waiting.pop()
            if step not in reached:
                reached.add(step)
                waiting += counted.get(step, ())
        if code in reached:
            yield f"criteria.toml, criterion {code}, field aggregate.among: the criterion counts itself in a circle"


def _measure_faults(agreement: Agreement) -> Iterator[str]:
    for code, measure in agreement.measures.items():
        where = f"measures.toml, measure {code}, field"
        if measure.category not in agreement.categories:
            yield f"{where} category: unknown"
        if measure.aspect not in agreement.aspects:
            yield f"{where} aspect: unknown"
        if measure.aspect in ADVISED_ASPECTS and measure.kind != "advisory":
            yield f"{where} kind: market and industry can only be advised"
        yield from _unknown(f"{where} regions", measure.regions or (), agreement.members)


def _basis_faults(agreement: Agreement, basis: LegalBasis) -> Iterator[str]:
    where = f"bases.toml, basis {basis.id}, field"
    yield from _unknown(f"{where} measure", (basis.measure,), agreement.measures)
    if basis.region is not None:
        yield from _unknown(f"{where} region", (basis.region,), agreement.members)
    elif basis.kind == "local_regulation":
        yield f"{where} region: a local regulation binds only its own region"
    if basis.valid_to is not None and basis.valid_to < basis.valid_from:
        yield f"{where} valid_to: lies before valid_from"


def _doubt_faults(agreement: Agreement, doubt: Doubt) -> Iterator[str]:
    where = f"doubts.toml, {doubt.standing} {doubt.measure}, field"
    yield from _unknown(f"{where} measure", (doubt.measure,), agreement.measures)
    yield from _unknown(f"{where} regions", doubt.regions or (), agreement.members)


def _publicity_faults(agreement: Agreement) -> Iterator[str]:
    regimes = list(agreement.regimes.values())
    for at, regime in enumerate(regimes):
        where = f"publicity.toml, regime {regime.id}, field"
        if regime.max_months < regime.min_months:
            yield f"{where} max_months: less than min_months"
        if regime.last is not None and regime.last < regime.first:
            yield f"{where} last: lies before first"
        for other in regimes[:at]:
            if other.severity == regime.severity and _meet(other, regime):
                yield f"{where} first: regime {other.id} holds for the same class on the same days"


def _meet(one: Regime, other: Regime) -> bool:
    return (one.last is None or other.first <= one.last) and (other.last is None or one.first <= other.last)


def _region_faults(agreement: Agreement, region: Region) -> Iterator[str]:
    where = f"regions/{region.code}.toml,"
    yield from _unknown(f"{where} field responders", region.responders, [*agreement.measures, *agreement.incentives])
    for reward in region.rewards.values():
        yield from _reward_faults(f"{where} reward {reward.id}, field", agreement, region, reward)
    for local in region.local_codes.values():
        yield from _local_code_faults(f"{where} local code {local.code}, field", agreement, local)
    yield from condition_faults(where, agreement, region)
    ids = [rule.id for rule in region.rules.values()]
    if len(set(ids)) < len(ids):
        yield f"{where} field rules.id: an id stands twice"
    for rule in region.rules.values():
        yield from _rule_faults(f"{where} rule {rule.id}, field", agreement, region, rule)


def _local_code_faults(where: str, agreement: Agreement, local: LocalCode) -> Iterator[str]:
    if local.criterion is None:
        return
    criterion = agreement.criteria.get(local.criterion)
    if criterion is None:
        yield f"{where} criterion: unknown"
    elif local.subject_type not in criterion.applies_to:
        yield f"{where} subject_type: the criterion does not apply to it"
    if not local.severe:
        yield f"{where} severe: what meets a criterion is severe"


def _rule_faults(where: str, agreement: Agreement, region: Region, rule: Rule) -> Iterator[str]:
    criterion = agreement.criteria.get(rule.criterion)
    if criterion is None:
        yield f"{where} criterion: unknown"
    elif criterion.outside and rule.mode != "review":
        yield f"{where} mode: a criterion outside the agreement always waits for review"
    if rule.persons > 1 and rule.mode != "review":
        yield f"{where} persons: only what waits for review is released by people"
    if len(set(rule.measures)) < len(rule.measures):
        yield f"{where} measures: a code stands twice"
    yield from _unknown(f"{where} measures", rule.measures, agreement.measures)
    for code in rule.measures:
        if code not in region.responders:
            yield f"{where} measures: {code} has no responder in this region"


def _reward_faults(where: str, agreement: Agreement, region: Region, reward: Reward) -> Iterator[str]:
    yield from _unknown(f"{where} honour", (reward.honour,), agreement.honours)
    yield from _unknown(f"{where} incentives", reward.incentives, agreement.incentives)
    for code in reward.incentives:
        if code not in region.responders:
            yield f"{where} incentives: {code} has no responder in this region"


def _unknown(where: str, codes: Iterable[str], known: Iterable[str]) -> Iterator[str]:
    allowed = set(known)
    return (f"{where}: {code} is unknown" for code in codes if code not in allowed)
