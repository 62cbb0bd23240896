"""A new facts page loads, has every setting, and says what to fill in; invented rows are judged alike by every page."""

import tomllib

import pytest
from adapter_rows import facts_of
from pydantic import BaseModel

from adapters.base import SourceError
from adapters.facts import SourceFacts, parse_facts
from adapters.newpage import FILL_IN, MODES, ORDER_COLUMNS, new_page
from adapters.trial import cases, trial

pytestmark = pytest.mark.fast
BUREAUS = ("jiading", "kunshan", "taicang")


def settings_of(model: type[BaseModel]) -> set[str]:
    """The names of all settings of a section and its sub-sections."""
    names = set()
    for name, field in model.model_fields.items():
        kind = field.annotation
        deeper = isinstance(kind, type) and issubclass(kind, BaseModel)
        names |= settings_of(kind) if deeper else {field.alias or name}
    return names


@pytest.mark.parametrize("mode", MODES)
def test_a_new_page_loads_and_has_every_setting(mode: str) -> None:
    text = new_page("xincheng", mode)
    facts = parse_facts(text.encode())
    assert (facts.source.id, facts.source.mode, facts.illustrative, facts.unnamed) == ("xincheng", mode, True, True)
    assert facts.push == list(ORDER_COLUMNS)
    for model in (MODES[mode], *(kind for kind in _sections() if kind not in MODES.values())):
        for name in settings_of(model) - {"odd"}:
            assert f"\n{name} = " in text or f"\n# {name} = " in text, name
    assert "[columns.odd]" in text and text.count(FILL_IN) > 15


def _sections() -> list[type[BaseModel]]:
    found = []
    for field in SourceFacts.model_fields.values():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        found += [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return found


@pytest.mark.parametrize("mode", MODES)
def test_every_line_that_is_only_shown_can_be_taken_as_it_is(mode: str) -> None:
    """Each setting behind ``# `` is valid TOML: whoever takes the mark away gets what it says."""
    for line in new_page("xincheng", mode).splitlines():
        if line.startswith("# ") and " = " in line:
            tomllib.loads(line.removeprefix("# "))
        assert not line.endswith(" ")


def test_what_is_given_stands_on_the_page() -> None:
    given = {
        "publisher.code": "320599",
        "publisher.name": "虚构市新城生态环境局",
        "publisher.organ": "11320500MB2000020M",
    }
    facts = parse_facts(new_page("xincheng", "files", given).encode())
    assert facts.publisher.model_dump() == {name.removeprefix("publisher."): one for name, one in given.items()}
    assert not facts.unnamed


@pytest.mark.parametrize("given", [{"publisher.code": "32"}, {"publisher.organ": "11320500MB2000020N"}])
def test_what_cannot_be_is_said_by_its_name(given: dict[str, str]) -> None:
    with pytest.raises(SourceError, match=next(iter(given))):
        parse_facts(new_page("xincheng", "files", given).encode())


def test_the_shipped_pages_take_the_same_orders() -> None:
    for bureau in BUREAUS:
        assert facts_of(bureau).push == list(ORDER_COLUMNS)


@pytest.mark.parametrize("page", [*BUREAUS, *MODES])
def test_every_page_judges_the_invented_rows_right(page: str) -> None:
    facts = parse_facts(new_page("xincheng", page).encode()) if page in MODES else facts_of(page)
    tried = trial(facts)
    assert [one for one in tried if not one["fine"]] == []
    assert len(tried) == len(cases(facts)) == 16


def test_a_page_that_leads_astray_shows() -> None:
    """Each mistake an engineer can make with values: the trial names the row that is judged wrong."""
    text = new_page("xincheng", "files")
    wrong = text.replace('closed = ["", "无"]', 'closed = ["", "无", "?"]')
    assert [one["got"] for one in trial(parse_facts(wrong.encode())) if not one["fine"]] == ["finding"]
    wrong = text.replace("aliases = {}", 'aliases = { "CF_XDR_MC" = "CF_WSH", "CF_WSH" = "CF_XDR_MC" }')
    assert all(one["fine"] for one in trial(parse_facts(wrong.encode()))), "a standard name is never an alias"
    wrong = text + '\n[columns.odd]\nCF_GSJZQ = { "2028-11-02 14:05:33" = "" }\n'
    shown = [one for one in trial(parse_facts(wrong.encode())) if not one["fine"]]
    assert [(one["expected"], one["got"]) for one in shown] == [("stamped", "finding")]
