"""Loading refuses what it does not understand, names file and field, and gives one digest to one content."""

import hashlib
from datetime import date

import pytest
import rfc8785

from syncd.agreement.load import AgreementError, digest_of, load_agreement
from syncd.agreement.model import Agreement
from syncd.errors import NeedsPerson

pytestmark = pytest.mark.fast

Files = dict[str, bytes]


def changed(files: Files, path: str, old: str, new: str) -> Files:
    text = files[path].decode()
    assert old in text
    return {**files, path: text.replace(old, new, 1).encode()}


def test_digest_is_the_hash_of_the_canonical_list(agreement_files: Files) -> None:
    listing = sorted(
        [path, hashlib.sha256(data).hexdigest()]
        for path, data in agreement_files.items()
        if not path.startswith("members/")
    )
    assert digest_of(agreement_files) == hashlib.sha256(rfc8785.dumps(listing)).hexdigest()


def test_digest_ignores_members_and_order_but_nothing_else(agreement_files: Files) -> None:
    plain = digest_of(agreement_files)
    assert digest_of({**agreement_files, "members/member-320583.toml": b"x"}) == plain
    assert digest_of(dict(reversed(agreement_files.items()))) == plain
    for path in agreement_files:
        if not path.startswith("members/"):
            assert digest_of({**agreement_files, path: agreement_files[path] + b"\n"}) != plain


def test_tag_names_id_version_and_digest(agreement: Agreement) -> None:
    assert agreement.tag == f"jiakuntai-eco@1#{agreement.digest[:16]}"
    assert len(agreement.digest) == 64
    assert agreement.effective_from == date(2019, 12, 30)


def test_two_loads_are_equal_in_content(agreement: Agreement, agreement_files: Files) -> None:
    again = load_agreement(agreement_files)
    assert again.measures == agreement.measures
    assert again.regions == agreement.regions


@pytest.mark.parametrize(
    ("path", "old", "new", "said"),
    [
        ("agreement.toml", "version = 1", "version = 0", "agreement.toml, field version"),
        ("agreement.toml", 'id = "jiakuntai-eco"', 'id = "Jia Kun Tai"', "field id"),
        ("agreement.toml", "version = 1", "version = 1\nsurprise = 1", "field surprise"),
        ("agreement.toml", "2019-12-30", '"the day of signing"', "field effective_from"),
        ("agreement.toml", '"320585"]', '"320585", "320581"]', "regions/320581.toml is missing"),
        ("agreement.toml", ', "320585"]', "]", "regions/320585.toml is of no member"),
        ("agreement.toml", ', "320585"]', ', "320585", "320585"]', "field members: a code stands twice"),
        ("criteria.toml", '\nstatus = "confirmed"', '\nstatus = "certain"', "criteria[0].status"),
        (
            "criteria.toml",
            'applies_to = ["POLLUTER"]',
            'applies_to = ["PERSON"]',
            "field applies_to: PERSON is unknown",
        ),
        ("criteria.toml", 'code = "EP-02"', 'code = "EP-01"', "criteria.code: EP-01 stands twice"),
        ("criteria.toml", "[[criteria]]", "extra = 1\n[[criteria]]", "criteria.toml holds other things"),
        ("measures.toml", 'category = "MA"', 'category = "ZZ"', "measure MA-01, field category: unknown"),
        ("measures.toml", 'aspect = "ADM"', 'aspect = "XXX"', "measure MA-01, field aspect: unknown"),
        ("measures.toml", 'aspect = "ADM"', 'aspect = "MKT"', "market and industry can only be advised"),
        ("measures.toml", 'regions = ["310114"', 'regions = ["310115"', "regions: 310115 is unknown"),
        ("measures.toml", "persons = false", 'persons = "no"', "measures[0].persons"),
        ("bases.toml", 'provenance = "read: ', 'provenance = "memory ', "bases[0].provenance"),
        ("bases.toml", 'measure = "MA-01"', 'measure = "MA-99"', "field measure: MA-99 is unknown"),
        ("bases.toml", "valid_from = 2026-08-15", "valid_from = 2026-13-01", "bases.toml is not valid TOML"),
        ("bases.toml", "valid_from = 2026-08-15", 'valid_from = "soon"', "bases[0].valid_from"),
        (
            "bases.toml",
            "valid_from = 2026-08-15",
            "valid_from = 2026-08-15\nvalid_to = 2026-08-14",
            "basis LB-MA-01-1, field valid_to",
        ),
        ("bases.toml", 'kind = "law"', 'kind = "local_regulation"', "binds only its own region"),
        ("bases.toml", 'region = "310114"', 'region = "310100"', "field region: 310100 is unknown"),
        ("regions/320583.toml", 'code = "320583"', 'code = "320584"', "differs from the file's name"),
        (
            "regions/320583.toml",
            'criterion = "EP-01"',
            'criterion = "EP-77"',
            "local code KS-0101, field criterion",
        ),
        ("regions/320583.toml", 'subject_type = "POLLUTER"', 'subject_type = "MONITORING_AGENCY"', "KS-0101"),
        ("regions/320583.toml", "severe = true", "severe = false", "what meets a criterion is severe"),
        ("regions/320583.toml", 'mode = "review"', 'mode = "automatic"', "always waits for review"),
        ("regions/320583.toml", "months = 36", "months = 61", "rules[0].months"),
        ("regions/320583.toml", "months = 36", 'months = 36\nregion = "320583"', "without the field region"),
        ("regions/320583.toml", 'id = "KS-R-EP-02"', 'id = "KS-R-EP-01"', "an id stands twice"),
        ("regions/320583.toml", '["MA-01", "MA-04"', '["MA-01", "MA-01"', "measures: a code stands twice"),
        ("regions/320583.toml", '["MA-01", "MA-04"', '["MA-01", "MA-77"', "measures: MA-77 is unknown"),
        ("regions/320583.toml", 'MA-04 = "昆山市财政局"\n', "", "MA-04 has no responder in this region"),
        ("criteria.toml", "at_least = 2", "at_least = 1", "aggregate.repeated.at_least"),
        ("criteria.toml", 'kind = "linked"', 'kind = "guessed"', "criteria[16].aggregate"),
        (
            "criteria.toml",
            'scope = "all", status',
            'scope = "all", among = ["EP-03"], status',
            "criterion EP-03, field aggregate.among: the criterion counts itself in a circle",
        ),
        ("criteria.toml", 'scope = "all", status', 'scope = "all", among = ["EP-88"], status', "EP-88 is unknown"),
        ("doubts.toml", 'measure = "MA-02"', 'measure = "MA-77"', "MA-77 is unknown"),
        ("doubts.toml", '"320585"]', '"320999"]', "regions: 320999 is unknown"),
        ("publicity.toml", "max_months = 12", "max_months = 1", "PG-2019-G, field max_months: less than min_months"),
        ("publicity.toml", "last = 2023-04-30", "last = 2019-01-01", "PG-2019-G, field last: lies before first"),
        ("publicity.toml", "last = 2023-04-30", "", "PG-2023-G, field first: regime PG-2019-G holds"),
        ("regions/320583.toml", 'mode = "automatic"', 'mode = "automatic"\npersons = 2', "only what waits for review"),
        ("regions/320583.toml", 'code = "KS-0120"\nwhen', 'code = "KS-0121"\nwhen', "KS-0121, field conditions"),
        ("regions/320583.toml", 'code = "KS-0120"\nwhen', 'code = "KS-0104"\nwhen', "has none of its own"),
        ("regions/320583.toml", 'outcome = "proposed"', 'outcome = "not_severe"', "named by determined and proposed"),
        ("regions/320583.toml", 'criterion = "EP-10"\nstatus', 'criterion = "EP-77"\nstatus', "EP-77 is unknown"),
        ("regions/320583.toml", 'criterion = "EP-10"\nstatus', 'criterion = "ES-01"\nstatus', "does not apply to"),
        ("regions/320583.toml", 'id = "KS-D-02"', 'id = "KS-D-01"', "conditions.id: KS-D-01 stands twice"),
        ("regions/320583.toml", "penalty.violation.contains", "penalty.offence.contains", "offence is unknown"),
        (
            "regions/320583.toml",
            'penalty.violation.contains("未批先建")\'',
            "penalty.amount_cny >= 5'",
            "decimal point",
        ),
        ("regions/320583.toml", ' && !penalty.violation.contains("未批先建")', "", "KS-D-01 and KS-D-02 both hold"),
        ("regions/320583.toml", "expect = {", "expected = {", "cases[0].expect"),
        ("regions/320583.toml", "[responders]", '[responders]\nMA-98 = "x"', "responders: MA-98 is unknown"),
    ],
)
def test_refused_naming_file_and_field(agreement_files: Files, path: str, old: str, new: str, said: str) -> None:
    with pytest.raises(AgreementError) as caught:
        load_agreement(changed(agreement_files, path, old, new))
    assert said in str(caught.value)
    assert path.rpartition("/")[2].removesuffix(".toml") in str(caught.value)
    assert isinstance(caught.value, NeedsPerson)


@pytest.mark.parametrize("path", ["measures.toml", "agreement.toml", "sources.toml"])
def test_a_missing_file_is_named(agreement_files: Files, path: str) -> None:
    with pytest.raises(AgreementError, match=f"lacks {path}"):
        load_agreement({name: data for name, data in agreement_files.items() if name != path})


@pytest.mark.parametrize("path", ["measures.toml~", "regions/notes.txt", ".DS_Store", "other/criteria.toml"])
def test_a_stray_file_is_refused(agreement_files: Files, path: str) -> None:
    with pytest.raises(AgreementError, match="is no file of an agreement"):
        load_agreement({**agreement_files, path: b""})


def test_bytes_that_are_no_text_are_refused(agreement_files: Files) -> None:
    with pytest.raises(AgreementError, match=r"criteria\.toml is not valid TOML in UTF-8"):
        load_agreement({**agreement_files, "criteria.toml": b"\xff\xfe"})


def test_loaded_tables_cannot_be_changed(agreement: Agreement) -> None:
    with pytest.raises(TypeError):
        agreement.measures["MA-01"] = agreement.measures["MA-02"]  # type: ignore[index]
