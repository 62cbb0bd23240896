"""The shipped agreement says what its sources say, no more: counts, marks, and only law that was read."""

import re
import tomllib
from collections import Counter
from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from syncd.agreement.bases import SUFFICIENT_KINDS, bases_in_force, standing_of
from syncd.agreement.model import Agreement
from syncd.agreement.objections import objections
from syncd.agreement.outcome import map_local_code

pytestmark = pytest.mark.fast

TODAY = date(2026, 11, 22)
EVERYWHERE = {"DI-01", "EV-01", "MA-01", "MA-04", "MA-08", "MA-09", "MA-10", "PP-02", "PP-05"}


def test_counts_are_those_of_the_bulletin(agreement: Agreement) -> None:
    inside = [criterion for criterion in agreement.criteria.values() if not criterion.outside]
    assert Counter(criterion.code[:2] for criterion in inside) == {"EP": 14, "ES": 5}
    assert len(agreement.measures) == 36
    assert "EV-03" not in agreement.measures
    assert len(agreement.aspects) == 4
    assert list(agreement.categories) == ["MA", "SF", "PP", "FS", "EV", "DI", "SR"]
    assert agreement.members == ("310114", "320583", "320585")


def test_only_the_quoted_criteria_are_confirmed(agreement: Agreement) -> None:
    confirmed = {code for code, criterion in agreement.criteria.items() if criterion.status == "confirmed"}
    assert confirmed == {"EP-01", "EP-02", "EP-03", "ES-01", "ES-02", "ES-03"}
    assert {measure.status for measure in agreement.measures.values()} == {"candidate"}


def test_the_catch_all_stands_outside_and_waits_for_a_person(agreement: Agreement) -> None:
    assert [code for code, criterion in agreement.criteria.items() if criterion.outside] == ["EP-A6"]
    for region in agreement.regions.values():
        assert {rule.criterion for rule in region.rules.values() if rule.mode == "review"} == {"EP-A6"}


def test_every_row_names_its_source(agreement: Agreement) -> None:
    rows = [*agreement.criteria.values(), *agreement.measures.values(), *agreement.aspects.values()]
    named = [*rows, *agreement.categories.values(), *agreement.regimes.values(), *agreement.classes]
    for row in [*named, *(row.aggregate for row in agreement.criteria.values() if row.aggregate)]:
        for cited in re.findall(r"\b[ES][0-9]+\b", row.provenance):
            assert cited in agreement.sources, (row, cited)
        assert re.match("seed|found: |memory|inference", row.provenance), row


def test_every_legal_basis_was_read_and_ends_with_its_law(agreement: Agreement) -> None:
    assert len(agreement.bases) == 78
    assert all(basis.provenance.startswith("read: ") for basis in agreement.bases.values())
    repealed = [b for b in agreement.bases.values() if re.search("环境保护法（2014|固体废物|土壤污染", b.instrument)]
    assert len(repealed) == 3
    assert {basis.valid_to for basis in repealed} == {date(2026, 8, 14)}
    code = [basis for basis in agreement.bases.values() if "生态环境法典" in basis.instrument]
    assert {basis.valid_from for basis in code} == {date(2026, 8, 15)}


def test_measures_with_a_basis_today(agreement: Agreement) -> None:
    carried = {
        region: {measure for measure in agreement.measures if bases_in_force(agreement, measure, region, TODAY)}
        for region in ("310114", "320583", "320585")
    }
    assert len(carried["310114"]) == 23
    assert carried["320583"] == carried["320585"] == EVERYWHERE


def test_shanghai_law_carries_nothing_in_jiangsu(agreement: Agreement) -> None:
    for measure, region in product(agreement.measures, ("320583", "320585")):
        cited = bases_in_force(agreement, measure, region, TODAY)
        assert all(basis.region in (None, region) and "上海" not in basis.instrument for basis in cited)


def test_mentions_and_normative_documents_never_suffice(agreement: Agreement) -> None:
    weak = [b for b in agreement.bases.values() if b.strength == "mentions" or b.kind not in SUFFICIENT_KINDS]
    assert weak, "the weak rows are kept, so that a reader sees why they are not enough"
    for basis, region in product(weak, agreement.members):
        assert basis not in bases_in_force(agreement, basis.measure, region, basis.valid_from)


def test_a_basis_holds_from_its_first_to_its_last_day(agreement: Agreement) -> None:
    def cites(day: date) -> bool:
        found = bases_in_force(agreement, "DI-01", "320583", day, "POLLUTER")
        return any("环境保护法（2014" in basis.instrument for basis in found)

    assert [cites(date(2014, 12, 31)), cites(date(2015, 1, 1))] == [False, True]
    assert [cites(date(2026, 8, 14)), cites(date(2026, 8, 15))] == [True, False]


def test_a_basis_reaches_only_its_types(agreement: Agreement) -> None:
    assert bases_in_force(agreement, "MA-08", "320583", TODAY, "MONITORING_AGENCY")
    assert not bases_in_force(agreement, "MA-08", "320583", TODAY, "POLLUTER")


def test_what_is_cited_first(agreement: Agreement) -> None:
    own = bases_in_force(agreement, "MA-01", "310114", TODAY, "POLLUTER")
    assert own[0].instrument == "上海市社会信用条例", "the region's own law before the general"
    general = bases_in_force(agreement, "DI-01", "320583", date(2026, 8, 14), "POLLUTER")
    assert general[0].valid_to is None, "what lasts before what is about to be repealed"


def test_each_region_maps_every_criterion_to_three_to_eight_measures(agreement: Agreement) -> None:
    for region in agreement.regions.values():
        assert set(region.rules) == set(agreement.criteria)
        assert all(3 <= len(rule.measures) <= 8 for rule in region.rules.values())
        used = {measure for rule in region.rules.values() for measure in rule.measures}
        assert used == {
            code for code, measure in agreement.measures.items() if region.code in (measure.regions or (region.code,))
        }
        offered = {incentive for reward in region.rewards.values() for incentive in reward.incentives}
        assert used | offered == set(region.responders)


def test_regions_differ(agreement: Agreement) -> None:
    mappings = [
        {code: (rule.months, rule.measures) for code, rule in region.rules.items()}
        for region in agreement.regions.values()
    ]
    assert all(one != other for at, one in enumerate(mappings) for other in mappings[:at])


def test_local_codes_cover_every_criterion_and_type(agreement: Agreement) -> None:
    wanted = {(code, kind) for code, criterion in agreement.criteria.items() for kind in criterion.applies_to}
    for region in agreement.regions.values():
        codes = region.local_codes.values()
        assert wanted == {(code.criterion, code.subject_type) for code in codes if code.criterion}
        plain = [code for code in codes if code.criterion is None]
        assert [code.severe for code in plain] == [False, False]
        assert [code.code for code in plain if code.code in region.conditions] == list(region.conditions)
        assert {code.status for code in codes} == {"illustrative"}
        assert region.illustrative


@pytest.mark.parametrize(
    ("region", "code", "criterion"),
    [("310114", "JD-HB-04", "EP-04"), ("320583", "KS-0104", "EP-04"), ("320585", "TC-A04", "EP-04")],
)
def test_a_local_code_is_read_in_its_own_region(agreement: Agreement, region: str, code: str, criterion: str) -> None:
    local = map_local_code(agreement, region, code)
    assert local is not None
    assert local.criterion == criterion
    others = [other for other in agreement.members if other != region]
    assert [map_local_code(agreement, other, code) for other in others] == [None, None]
    assert map_local_code(agreement, "310000", code) is None


def test_nothing_on_persons(agreement_files: dict[str, bytes]) -> None:
    for path in ("criteria.toml", "measures.toml", "bases.toml"):
        assert b"RESPONSIBLE_PERSON" not in agreement_files[path]
        assert tomllib.loads(agreement_files[path].decode())


def test_nothing_stands_against_the_shipped_agreement(agreement: Agreement) -> None:
    assert objections(agreement, TODAY) == []


def test_doubts_are_shown_and_never_carry(agreement: Agreement) -> None:
    stands = {
        (code, region, kind): standing_of(agreement, code, region, TODAY, kind)
        for code, measure in agreement.measures.items()
        for region in agreement.members
        for kind in measure.applies_to
    }
    assert set(stands.values()) == {"carried", "doubtful", "without_basis", "advised"}
    assert stands["MA-04", "320583", "POLLUTER"] == "doubtful"
    assert stands["PP-03", "320583", "POLLUTER"] == "without_basis"
    assert stands["FS-02", "310114", "POLLUTER"] == "advised"
    for (code, region, kind), standing in stands.items():
        assert (standing in ("carried", "doubtful")) <= bool(bases_in_force(agreement, code, region, TODAY, kind))


def test_law_that_has_ended_stands_against_it(agreement: Agreement) -> None:
    ending = {id_: replace(basis, valid_to=date(2027, 1, 31)) for id_, basis in agreement.bases.items()}
    changed = replace(agreement, bases=ending)
    assert objections(changed, date(2027, 1, 31)) == []
    found = [one.sentence for one in objections(changed, date(2027, 2, 1)) if one.about == "basis"]
    assert any("MA-04 rests for POLLUTER on LB-MA-04" in one and "ended on 2027-01-31" in one for one in found)


def test_a_criterion_without_code_or_rule_is_a_gap(agreement: Agreement) -> None:
    region = agreement.regions["320583"]
    codes = {code: local for code, local in region.local_codes.items() if code != "KS-0104"}
    rules = {code: rule for code, rule in region.rules.items() if code != "EP-07"}
    changed = {**agreement.regions, "320583": replace(region, local_codes=codes, rules=rules, cases=())}
    found = [one.sentence for one in objections(replace(agreement, regions=changed), TODAY) if one.region == "320583"]
    assert any("no local code stands for criterion EP-04 and the type POLLUTER" in one for one in found)
    assert any("no rule says what follows here from criterion EP-07" in one for one in found)
