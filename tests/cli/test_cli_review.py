"""Credit review by command: asked and logged, in one go or from a list, with a statement that can be verified later."""

import csv
import io
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from cli_nodes import ROOT, make_node, put_rows, some_rows
from openpyxl import Workbook

from syncd import statements
from syncd.cli.main import run
from syncd.code_lists import MOST_ROWS_XLSX, read_codes, table_bytes
from syncd.errors import NeedsPerson, Refuse
from syncd.settings import read_settings
from syncd.store.engine import Store

PERSON, STRANGER = "11010519491231002X", "91310114MA4617848A"


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration node that has read its rows; its scoring tables are Kunshan's."""
    folder = tmp_path_factory.mktemp("review")
    settings = make_node(folder, allow_candidates=True)
    text = settings.read_text("utf-8").replace("[node]\n", f'[node]\nscoring = "{ROOT}/config/scoring/kunshan.toml"\n')
    settings.write_text(text, "utf-8")
    put_rows(folder, some_rows())
    assert run(["resync", "collect", "--reason", "x", "-c", str(settings)]) == 0
    return settings


def asked(node: Path, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    """A command's answer; ``capsys`` is emptied before."""
    capsys.readouterr()
    assert run([*map(str, arguments), "-c", str(node), "--json"]) == 0, capsys.readouterr().err
    return json.loads(capsys.readouterr().out)


def refused(node: Path, capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> str:
    capsys.readouterr()
    assert run([*map(str, arguments), "-c", str(node)]) in (2, 3, 65)
    return capsys.readouterr().err


@pytest.fixture
def restricted(node: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """An organisation with an order that touches tenders."""
    found = asked(node, capsys, "register")["organisations"]
    acting = {one["uscc"]: {m["id"] for f in one["findings"] for m in f["measures"]} for one in found}
    return next(uscc for uscc, codes in acting.items() if "MA-04" in codes)


def test_a_review_answers_for_its_purpose_and_stands_in_the_book(
    node: Path, restricted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = asked(node, capsys, "review", "book")["total"]
    tender = asked(node, capsys, "check", restricted, "--for", "tender", "--unit", "财政局", "--role", "approving")
    assert tender["standing"] == "restricted" and tender["until"] == tender["measures"][0]["to"]
    assert tender["demonstration"] and tender["purpose_status"] == "illustrative"
    clear = asked(node, capsys, "check", STRANGER, "--for", "honour")
    assert (clear["standing"], clear["records"], clear["until"]) == ("clear", [], None)
    found = asked(node, capsys, "review", "book")
    assert found["total"] == before + 2
    last = {one["uscc"]: one for one in found["reviews"][:2]}
    assert (last[restricted]["unit"], last[restricted]["role"]) == ("财政局", "approving")
    met = {(one["item"], one["unit"]): one["met"] for one in found["scoring"]["items"]}
    assert met["DEPT-5", "财政局"] and not met["DEPT-5", "审计局"]


def test_who_asks_is_never_a_name_and_what_is_not_logged_is_not_answered(
    node: Path, restricted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    before = asked(node, capsys, "review", "book")["total"]
    said = refused(node, capsys, "check", restricted, "--for", "tender", "--unit", "张三")
    assert "knows no unit" in said and "张三" not in said
    assert "handling, approving" in refused(node, capsys, "check", restricted, "--for", "tender", "--role", "boss")
    assert "tender 招标投标" in refused(node, capsys, "check", restricted, "--for", "bribe")
    assert "2y or 18m" in refused(node, capsys, "check", restricted, "--for", "tender", "--lookback", "2")
    assert "as it is known now" in refused(node, capsys, "check", restricted, "--for", "loan", "--region", "310114")
    assert asked(node, capsys, "review", "book")["total"] == before


def test_a_list_is_reviewed_signed_and_verified_later(
    node: Path, restricted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed, out = tmp_path / "list.csv", tmp_path / "out.csv"
    rows = [["企业", "统一社会信用代码", "联系人"], ["甲", restricted, "张三"], ["乙", STRANGER, ""], ["", PERSON, ""]]
    listed.write_bytes(table_bytes("csv", rows[0], rows[1:]).decode("utf-8-sig").encode("gb18030"))
    done = asked(node, capsys, "review", "batch", listed, "-o", out, "--for", "tender")
    assert (
        done["statement"]["counts"] == {"restricted": 1, "noted": 0, "clear": 1} and done["statement"]["refused"] == 1
    )
    text = out.read_text("utf-8-sig")
    assert PERSON not in text and "张三" not in text and PERSON not in Path(done["signed"]).read_text("utf-8")
    answers = list(csv.reader(io.StringIO(text)))[1:]
    assert {len(row) for row in answers} == {12}
    assert [(row[0], row[1], row[4]) for row in answers] == [
        ("2", restricted, "受限"), ("3", STRANGER, "无"), ("4", "", "未审查")]  # fmt: skip
    signed = out.with_name("out.csv.statement")
    true = asked(node, capsys, "review", "verify", signed, "--result", out, "--list", listed)
    assert true["result"] and true["list"] and true["statement"] == done["statement"]
    member = node.parent / "member-320583.toml"
    assert asked(node, capsys, "review", "verify", signed, "--member", member)["statement"]["bureau"] == "320583"
    assert "not about these answers" in refused(node, capsys, "review", "verify", signed, "--result", listed)
    whole = signed.read_text("utf-8")
    for one, other in (('"noted": 0', '"noted": 1'), ('"bureau": "320583"', '"bureau": "310114"'), ("{", "[")):
        signed.write_text(whole.replace(one, other, 1), "utf-8")
        said = refused(node, capsys, "review", "verify", signed)
        assert "relied on" in said


def test_a_workbook_comes_back_as_a_workbook(
    node: Path, restricted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed, out = tmp_path / "list.xlsx", tmp_path / "out.xlsx"
    listed.write_bytes(table_bytes("xlsx", ["统一社会信用代码"], [[restricted], ["=1+1"], [STRANGER]]))
    done = asked(node, capsys, "review", "batch", listed, "-o", out, "--for", "permit", "--lookback", "18m")
    assert (done["statement"]["organisations"], done["statement"]["lookback_months"]) == (2, 18)
    again = read_codes(out, out.read_bytes())
    assert [one.uscc for one in again] == [restricted, STRANGER]
    assert "csv or .xlsx" in refused(node, capsys, "review", "batch", listed, "-o", tmp_path / "o.txt", "--for", "loan")


def test_answers_never_replace_the_list_that_was_asked(
    node: Path, restricted: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    listed = tmp_path / "list.csv"
    listed.write_text(f"USCC\n{restricted}\n")
    before = listed.read_bytes(), asked(node, capsys, "review", "book")["total"]
    linked = tmp_path / "other.csv"
    linked.symlink_to(listed)
    for out in (listed, linked):
        assert "would replace" in refused(node, capsys, "review", "batch", listed, "-o", out, "--for", "tender")
    nowhere = tmp_path / "nowhere" / "out.csv"
    assert "no folder" in refused(node, capsys, "review", "batch", listed, "-o", nowhere, "--for", "tender")
    assert (listed.read_bytes(), asked(node, capsys, "review", "book")["total"]) == before, "and nothing was logged"


def test_lists_that_cannot_be_read_are_refused_whole() -> None:
    with pytest.raises(Refuse, match="UTF-8 or GB18030"):
        read_codes(Path("x.csv"), b"\xff\xff\xff")
    with pytest.raises(Refuse, match="workbook"):
        read_codes(Path("x.xlsx"), b"no workbook")
    book = Workbook(write_only=True)
    sheet = book.create_sheet()
    for _ in range(MOST_ROWS_XLSX + 2):
        sheet.append(["x"])
    file = io.BytesIO()
    book.save(file)
    with pytest.raises(Refuse, match="as CSV"):
        read_codes(Path("x.xlsx"), file.getvalue())
    assert b"'=cmd" in table_bytes("csv", ["name"], [["=cmd"]])


def test_the_statement_key_is_for_statements_alone(node: Path, tmp_path: Path) -> None:
    keys = read_settings(node).data / "keys"
    authority = (keys / "ca.crt").read_text("ascii")
    statement = {"bureau": "320583", "at": "2026-11-26T00:00:00.000Z"}
    with pytest.raises(Refuse, match="authority"):  # signed by a key that the authority certified for connections
        other = tmp_path / "keys"
        other.mkdir()
        for name in ("tls.key", "tls.crt"):
            there = other / {"tls.key": statements.KEY, "tls.crt": statements.CERTIFICATE}[name]
            there.write_bytes((keys / name).read_bytes())
            there.chmod(0o600)
        statements.verify(statements.sign(other, "320583", statement), authority)
    with pytest.raises(Refuse, match="certificate's days"):
        early = {**statement, "at": "2020-01-01T00:00:00.000Z"}
        statements.verify(statements.sign(keys, "320583", early), authority)
    copied = tmp_path / "copied"
    shutil.copytree(keys, copied)
    assert statements.protect(copied, b"secret") == [statements.KEY]
    with pytest.raises(NeedsPerson, match="passphrase"):
        statements.sign(copied, "320583", statement)
    now = {**statement, "at": datetime.now(UTC).isoformat()}
    assert statements.verify(statements.sign(copied, "320583", now, b"secret"), authority) == now
    bare = tmp_path / "bare"
    bare.mkdir()
    with pytest.raises(NeedsPerson, match=r"ca\.key"):
        statements.sign(bare, "320583", statement)


def test_the_book_is_not_written_into_tables_of_an_older_version(
    node: Path, restricted: str, capsys: pytest.CaptureFixture[str]
) -> None:
    store = Store.open(read_settings(node).store_url)
    with store.write() as conn:
        (head,) = conn.exec_driver_sql("SELECT version_num FROM alembic_version").scalars()
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = '0001'")
    said = refused(node, capsys, "check", restricted, "--for", "tender")
    with store.write() as conn:
        conn.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{head}'")
    store.close()
    assert "older version" in said
