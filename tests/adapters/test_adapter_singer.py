"""Singer out: schemas before records, a state behind each page, records that fit their schema, nobody's name."""

import csv
import datetime as dt
import subprocess
import sys
from pathlib import Path

import orjson
import pytest
from adapter_rows import PERSON, PERSON_NUMBER, ROW_KEY, TELEPHONE, csv_bytes, facts_of, penalty, put_file, relief

from adapters.base import Json, SourceError
from adapters.files import FilesAdapter
from adapters.singer import catalog, line_of, messages, read_state, schemas
from adapters.source import Source

KINDS = {"string": str, "null": type(None), "array": list}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for part in ("in", "out", "ack"):
        (tmp_path / part).mkdir()
    rows = [penalty(n) for n in range(1, 701)] + [penalty(701, CF_XDR_LB="自然人"), penalty(702, FYZT="复议中")]
    put_file(tmp_path / "in", "XZCF_1.csv", csv_bytes(rows))
    put_file(tmp_path / "in", "XF_1.csv", csv_bytes([relief(1)]))
    return tmp_path


def tapped(folder: Path, state: Json | None = None) -> list[Json]:
    source = Source(FilesAdapter(folder, facts_of("kunshan")), facts_of("kunshan"), ROW_KEY)
    found = [orjson.loads(line_of(message)) for message in messages(source, state or {})]
    source.close()
    return found


def records(said: list[Json], stream: str) -> list[Json]:
    return [one["record"] for one in said if one["type"] == "RECORD" and one["stream"] == stream]


def test_messages_come_in_order_and_fit_their_schema(folder: Path) -> None:
    said = tapped(folder)
    assert said[:2] == schemas() and {one["type"] for one in said[2:]} == {"RECORD", "STATE"}
    assert said[-1]["type"] == "STATE" and [one["type"] for one in said].count("STATE") == 2
    assert len(records(said, "findings")) == 700 and len(records(said, "relief")) == 1
    for one in said[:2]:
        properties = one["schema"]["properties"]
        for record in records(said, one["stream"]):
            assert record.keys() == properties.keys()
            for name, value in record.items():
                allowed = properties[name]["type"]
                assert isinstance(
                    value, tuple(KINDS[kind] for kind in ([allowed] if isinstance(allowed, str) else allowed))
                )
    assert records(said, "findings")[0]["number"] == "苏环行罚字〔2026〕83第001号"
    assert records(said, "relief")[0]["row"] == "relief/XF000001"
    text = orjson.dumps(said).decode()
    for secret in (PERSON, PERSON_NUMBER, TELEPHONE):
        assert secret not in text


def test_a_state_goes_on_where_the_last_reading_ended(folder: Path) -> None:
    first = tapped(folder)
    states = [one["value"] for one in first if one["type"] == "STATE"]
    assert [len(records(tapped(folder, state), "findings")) for state in states] == [200, 0]
    put_file(folder / "in", "XZCF_2.csv", csv_bytes([penalty(3, CF_NR_FK="9")]))
    (again,) = records(tapped(folder, states[-1]), "findings")
    assert (again["row"], again["fine"]) == ("KS2026000003", "90000.00")


def test_a_state_of_something_else_is_refused(folder: Path) -> None:
    assert read_state(b"") == {} and read_state(b'{"source":"kunshan","cursor":{}}')["cursor"] == {}
    for state in ({"source": "taicang", "cursor": {}}, {"bookmarks": {}}, {"source": "kunshan", "cursor": 3}):
        with pytest.raises(SourceError, match="another source"):
            tapped(folder, state)
    for data in (b"[1]", b"{"):
        with pytest.raises(SourceError, match="no JSON object"):
            read_state(data)


def test_the_catalogue_names_both_streams() -> None:
    assert [one["tap_stream_id"] for one in catalog()["streams"]] == ["findings", "relief"]


def test_a_public_target_takes_it_as_it_is(folder: Path, tmp_path: Path) -> None:
    """target-csv of Meltano, unmodified: two files, each record once, the state handed back."""
    target = Path(sys.executable).with_name("target-csv")
    if not target.exists():
        pytest.skip("the public target meltanolabs-target-csv is not installed; `make test` brings it")
    out = tmp_path / "csv"
    config = tmp_path / "target.json"
    config.write_bytes(orjson.dumps({"output_path": str(out), "file_naming_scheme": "{stream_name}.csv"}))
    lines = b"".join(line_of(one) for one in tapped(folder))
    ended = subprocess.run([target, "--config", config], input=lines, capture_output=True, timeout=100, check=False)
    assert ended.returncode == 0, ended.stderr.decode()[-2000:]
    with (out / "findings.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 700 and rows[0]["uscc"] == penalty(1)["CF_XDR_SHXYM"] and rows[0]["fine"] == "25000.00"
    assert (out / "relief.csv").read_text("utf-8").count("\n") == 2
    state = orjson.loads(ended.stdout.splitlines()[-1])
    assert state == tapped(folder)[-1]["value"]


def test_a_row_whose_day_has_come_is_read_though_its_source_did_not_change(folder: Path) -> None:
    put_file(folder / "in", "XZCF_2.csv", csv_bytes([penalty(800, GSRQ="2026-11-29")]))
    source = Source(FilesAdapter(folder, facts_of("kunshan")), facts_of("kunshan"), ROW_KEY)
    days = [dt.date(2026, 11, 22), dt.date(2026, 11, 28), dt.date(2026, 11, 29)]
    state: Json = {}
    seen = []
    for day in days:
        said = list(messages(source, state, day))
        state = said[-1]["value"]
        seen.append({one["row"] for one in records(said, "findings")} & {"KS2026000800"})
    assert seen == [set(), set(), {"KS2026000800"}] and state["first"] == ""
    source.close()
