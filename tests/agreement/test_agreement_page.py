"""The page for officials is true: every example loads as it says, and its table of names is the one in the code."""

import re
from datetime import date
from pathlib import Path

import pytest

from syncd.agreement.comparison import changes
from syncd.agreement.load import AgreementError, load_agreement
from syncd.agreement.names import NAMES
from syncd.agreement.objections import objections

pytestmark = pytest.mark.fast

Files = dict[str, bytes]
PAGE = (Path(__file__).parents[2] / "docs" / "agreement.md").read_text("utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
TODAY = date(2026, 11, 22)


def told(example: str, what: str) -> str | None:
    found = re.search(rf"^# {what} (.+)$", example, re.MULTILINE)
    return found[1] if found else None


def with_example(files: Files, example: str) -> Files:
    if path := told(example, "lines of"):
        return {**files, path: _lines(files[path].decode(), example).encode()}
    path = told(example, "in")
    assert path in files or path == "scales.toml", example
    text = files.get(path, b"").decode()
    if replaced := told(example, "instead of"):
        head, row = replaced.split(" ", 1)
        text = re.sub(rf"{re.escape(head)}\n{re.escape(row)}\n.*?\n\n", "", text, count=1, flags=re.DOTALL)
        assert row not in text
    return {**files, path: f"{text}\n{example}".encode()}


def _lines(text: str, example: str) -> str:
    """The file with these of its own lines in the place of what they said before."""
    for line in example.splitlines():
        if " = " in line and not line.startswith("#"):
            text, count = re.subn(rf"(?m)^{line.split(' = ')[0]} = .*$", line, text, count=1)
            assert count == 1, line
    return text


def test_there_are_examples_of_each_sort() -> None:
    assert len(EXAMPLES) >= 12
    assert sum(told(example, "refused:") is not None for example in EXAMPLES) >= 3
    assert len(EXAMPLES) == PAGE.count("```toml")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.splitlines()[2][:40])
def test_every_example_loads_as_it_says(agreement_files: Files, example: str) -> None:
    files = with_example(agreement_files, example)
    if refused := told(example, "refused:"):
        with pytest.raises(AgreementError) as caught:
            load_agreement(files)
        assert refused in str(caught.value)
        return
    found = [one.sentence for one in objections(load_agreement(files), TODAY)]
    if objected := told(example, "objected:"):
        assert any(objected in sentence for sentence in found)
    elif "[[cases]]" in example or "[[rules]]" in example or "[[bases]]" in example:
        assert found == []


def test_what_a_comparison_says_is_what_it_is_said_to_say(agreement_files: Files) -> None:
    first = load_agreement(agreement_files)
    for example in EXAMPLES:
        if said := told(example, "said:"):
            found = [one.zh for one in changes(first, load_agreement(with_example(agreement_files, example)))]
            assert found == [said] and PAGE.count(said) == 2
    (head,) = [example for example in EXAMPLES if told(example, "lines of")]
    later = load_agreement(with_example(agreement_files, head))
    assert (later.version, later.effective_from) == (2, date(2027, 3, 1))


def test_the_table_of_names_is_the_vocabulary() -> None:
    cells = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if re.match(r"\| `[a-z]+\.[a-z]", line)]
    rows = [row for row in cells if len(row) == 5]
    assert rows == [[f"`{one.name}`", one.type, one.zh, one.en, one.column] for one in NAMES.values()]
