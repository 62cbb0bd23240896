"""Commands on a node with no daemon: they ask the books, and do jobs themselves under the daemon's lock."""

import os
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest
from cli_nodes import OWN, make_node, put_rows, some_rows, syncd, utc_day

from syncd.cli.main import run
from syncd.settings import read_settings
from syncd.store.engine import Store

REASON = "the source was restored 来源已恢复"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demonstration node that has read six rows of its source, by a command, with no daemon."""
    folder = tmp_path_factory.mktemp("alone")
    make_node(folder, allow_candidates=True)
    put_rows(folder, some_rows())
    ran = syncd("resync", "collect", "--reason", REASON, "-c", folder / "node/syncd.toml", "--json")
    assert ran.code == 0 and ran.json["by"] == "command" and ran.json["result"]["stage"] == "collect"
    assert sorted(ran.json["left"]) == ["share:310114", "share:320585"], "no peer runs, so both wait"
    return folder


@pytest.fixture(scope="module")
def node(folder: Path) -> Path:
    """Its settings."""
    return folder / "node/syncd.toml"


def jobs(node: Path) -> list[dict[str, Any]]:
    """The job rows of a node."""
    store = Store.open(read_settings(node).store_url)
    with store.read() as conn:
        rows = [dict(row._mapping) for row in conn.exec_driver_sql("SELECT * FROM jobs ORDER BY id")]
    store.close()
    return rows


def test_a_node_that_never_ran_clears_nobody(tmp_path: Path) -> None:
    node = make_node(tmp_path, allow_candidates=False)
    asking = (("status",), ("check", "91320583MB00000193"), ("register",), ("desk", "list"))
    for arguments in asking:
        ran = syncd(*arguments, "-c", node)
        assert ran.code == 3 and "never run" in ran.sentence and not ran.out
    assert not (tmp_path / "node/syncd.db").exists(), "asking makes no store"


def test_a_folder_without_keys_is_no_node(node: Path, tmp_path: Path) -> None:
    shutil.copy(node, tmp_path / "syncd.toml")
    ran = syncd("run", "-c", tmp_path / "syncd.toml")
    assert ran.code == 3 and "syncd init" in ran.sentence
    assert [path.name for path in tmp_path.iterdir()] == ["syncd.toml"], "nothing is left there"
    shutil.copytree(node.parents[1] / "agreement", tmp_path.parent / "agreement")
    shutil.copy(node.with_name("syncd.db"), tmp_path)
    for command in ("status", "register"):
        ran = syncd(command, "-c", tmp_path / "syncd.toml")
        assert ran.code == 3 and "no node" in ran.sentence


def test_status_counts_what_is_there(node: Path) -> None:
    stands = syncd("status", "-c", node, "--json").json
    assert (stands["code"], stands["store"], stands["demonstration"], stands["daemon"]) == (OWN, "sqlite", True, False)
    (source,) = stands["sources"]
    assert source["source"] == "kunshan" and source["quarantined"] == 1 and source["rows"]["issued"] == 5
    assert source["last_pull"].startswith(utc_day()[:7]) and 0 <= source["lag_seconds"] < 600
    peers = {one["peer"]: one for one in stands["peers"]}
    assert set(peers) == {"310114", "320585"}
    for peer in peers.values():
        assert peer["entries"] == peer["signed"] == peer["behind"] > 10
        assert (peer["countersigned"], peer["held_of_theirs"], peer["last_contact"]) == (0, 0, None)
        assert "cannot be reached" in peer["error"]
    own = next(one for one in stands["stages"] if one["about"] == f"jiakuntai-eco/{OWN}/1")
    assert own["stage"] == "recognise" and own["cursor"] == own["of"] == own["relief"]
    assert stands["desk"] == {"quarantine": 1, "review": 1}
    assert stands["deliveries"] == {"pending": 0, "delivered": 4, "acknowledged": 0}
    assert stands["jobs_queued"] == 0


def test_quarantine_by_cause_and_the_months_quality(node: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def told(*arguments: str) -> str:
        assert run([*arguments, "-c", str(node)]) == 0
        return capsys.readouterr().out

    (cause,) = orjson.loads(told("desk", "list", "--grouped", "--json"))["causes"]
    assert (cause["source"], cause["field"], cause["reason"], cause["rows"]) == (
        "kunshan", "CF_XDR_SHXYM", "outer_check", 1,
    )  # fmt: skip
    assert cause["turn"] == "source" and "GB 32100" in cause["mend"] and "校验" in cause["mend_zh"]
    out = told("desk", "list", "--grouped")
    assert "1 × CF_XDR_SHXYM outer_check · 来源 source" in out and cause["examples"][0] in out
    figures = orjson.loads(told("adapter", "quality", "kunshan", "--json"))
    (month,) = figures["months"]
    assert figures["target"] == 0.95 and (month["received"], month["invalid"], month["in_time"]) == (6, 1, 5)
    out = told("adapter", "quality")
    assert "完整率" in out and "83.3%" in out and "未达标" in out
    assert "No row was received yet" in told("adapter", "quality", "nobody")


def test_status_is_readable(node: Path) -> None:
    out = syncd("status", "-c", node).out
    assert "rows in 收数 6 = recorded 5 + unchanged 0 + quarantined 1 + refused 0 + waiting 0 + duplicates 0" in out
    assert "completeness 100.0%, validity 83.3%, timeliness 100.0%" in out
    for word in ("昆山市", "演示", "未运行", "kunshan", "嘉定区", "隔离 quarantine: 1", "已送达 delivered: 4", "never"):
        assert word in out


def test_check_says_by_what_and_until_when(node: Path) -> None:
    register = syncd("register", "-c", node, "--json").json
    assert register["demonstration"] and register["region"] == OWN and len(register["organisations"]) == 5
    restricted = [one for one in register["organisations"] if one["standing"] == "restricted"]
    assert len(restricted) == 4
    ran = syncd("check", restricted[0]["uscc"], "-c", node, "--json")
    assert ran.code == 0 and ran.json == {**restricted[0], "findings": ran.json["findings"]}
    (finding,) = ran.json["findings"]
    assert finding["answer"] == "restriction.imposed" and finding["home"] == "delivered"
    binding = [one["to"] for one in finding["measures"] if one["kind"] != "advisory"]
    assert ran.json["until"] == max(binding)
    told = syncd("check", restricted[0]["uscc"], "-c", node, "--exit-code")
    assert told.code == 10
    for word in ("受限 restricted", "演示 demonstration", restricted[0]["until"], finding["number"], "已送达"):
        assert word in told.out
    known = syncd("check", restricted[0]["uscc"], "--known", "2099-01-01", "-c", node, "--json").json
    assert (known["standing"], known["known_on"]) == ("restricted", "2099-01-01")
    before = syncd("check", restricted[0]["uscc"], "--known", "2020-01-01", "-c", node)
    assert before.code == 0 and "as known on 2020-01-01: 无 clear" in before.out
    late = syncd("check", restricted[0]["uscc"], "--on", "2099-01-01", "-c", node, "--exit-code", "--json")
    assert late.code == 0 and late.json["standing"] == "clear" and late.json["until"] is None
    unknown = syncd("check", "91320583MB09999981", "-c", node)
    assert unknown.code == 65, "a wrong check character"


def test_answers_of_a_demonstration_are_marked_also_by_a_node_that_is_none(node: Path, tmp_path: Path) -> None:
    """Another's answers, or this node's before its settings were changed, keep their own mark."""
    settings = node.read_text("utf-8")
    assert settings.count("allow_candidates = true") == 1
    other = node.with_name("no-demonstration.toml")
    other.write_text(settings.replace("allow_candidates = true", "allow_candidates = false"), "utf-8")
    found = syncd("register", "-c", other, "--json").json
    marked = [one for one in found["organisations"] if one["demonstration"]]
    assert found["demonstration"] and 0 < len(marked) < len(found["organisations"])
    lines = syncd("register", "-c", other).out.splitlines()
    assert "演示" in lines[0], "the screen says so"
    assert {line[:18] for line in lines[1:] if "演示" in line} == {one["uscc"] for one in marked}
    for more in (("--known", "2099-01-01"), ("--for", "tender")):
        for one in (marked[0], next(one for one in found["organisations"] if not one["demonstration"])):
            ran = syncd("check", one["uscc"], *more, "-c", other, "--json")
            assert ran.json["demonstration"] is one["demonstration"]
            assert ("演示" in syncd("check", one["uscc"], *more, "-c", other).out) is one["demonstration"]
    listed, out = tmp_path / "list.csv", tmp_path / "out.csv"
    listed.write_text("USCC\n" + "\n".join(one["uscc"] for one in found["organisations"]), "utf-8")
    ran = syncd("review", "batch", listed, "-o", out, "--for", "tender", "-c", other, "--json")
    assert ran.json["statement"]["demonstration"]
    answers = out.read_text("utf-8-sig").splitlines()[1:]
    assert [one.endswith("演示") for one in answers] == [one["demonstration"] for one in found["organisations"]]
    assert all(one["demonstration"] for one in syncd("review", "book", "-c", other, "--json").json["reviews"][:1])


def test_check_of_another_region_and_of_nobody(node: Path) -> None:
    uscc = syncd("register", "-c", node, "--json").json["organisations"][0]["uscc"]
    there = syncd("check", uscc, "--region", "310114", "-c", node, "--json").json
    assert (there["standing"], there["findings"][0]["answer"]) == ("clear", "waiting")
    assert "待互认" in syncd("check", uscc, "--region", "310114", "-c", node).out
    stranger = syncd("check", "91310114MA4617848A", "-c", node)
    assert stranger.code == 0 and "无记录" in stranger.out and "无 clear" in stranger.out
    nowhere = syncd("check", uscc, "--region", "110000", "-c", node)
    assert nowhere.code == 3 and "310114, 320583, 320585" in nowhere.sentence


def test_explain_leads_from_the_decision_to_the_receipts(node: Path) -> None:
    found = syncd("register", "-c", node, "--json").json["organisations"]
    uscc = next(one["uscc"] for one in found if one["standing"] == "restricted")
    steps = syncd("explain", uscc, "-c", node, "--json").json["findings"][0]["steps"]
    names = [step["step"] for step in steps]
    assert names[:5] == ["finding", "outcome", "criterion", "rule", "measure"]
    assert names[-2:] == ["answer", "conclusion"]
    assert [step["n"] for step in steps] == list(range(1, len(steps) + 1)) and all(step["zh"] for step in steps)
    assert list(steps[0]["entry"]["receipts"]) == [OWN] and steps[0]["entry"]["log"] == f"jiakuntai-eco/{OWN}/1"
    out = syncd("explain", uscc, "-c", node).out
    for word in ("认定", "标准", "规则", "措施", "依据", "条目", "回执", "候选 candidate"):
        assert word in out


def test_without_candidates_nothing_is_imposed_and_check_says_why(tmp_path: Path) -> None:
    node = make_node(tmp_path, allow_candidates=False)
    put_rows(tmp_path, some_rows()[:2])
    assert syncd("resync", "collect", "--reason", REASON, "-c", node).code == 0
    for one in syncd("register", "-c", node, "--json").json["organisations"]:
        assert one["standing"] == "clear" and not one["demonstration"]
        answer = syncd("check", one["uscc"], "-c", node)
        assert "暂缓 held" in answer.out and "候选 candidate" in answer.out and "演示" not in answer.out
    assert syncd("status", "-c", node, "--json").json["deliveries"]["pending"] == 0


def test_a_release_that_waits_for_the_source_is_not_done_yet(folder: Path, node: Path) -> None:
    (bad,) = [one for one in syncd("desk", "list", "-c", node, "--json").json["items"] if one["kind"] == "quarantine"]
    asked = ("desk", "release", str(bad["id"]), "--reason", REASON, "-c", node, "--json")
    (folder / "system/in").rename(folder / "system/away")
    ran = syncd(*asked)
    assert ran.code == 75 and ran.json["result"]["state"] == "open" and "collect" in ran.json["left"]
    (folder / "system/away").rename(folder / "system/in")
    ran = syncd(*asked)
    assert ran.code == 0 and ran.json["result"]["state"] == "open", "it was read, and is as bad as before"


def test_the_desk_shows_and_decides(node: Path) -> None:
    items = {one["kind"]: one for one in syncd("desk", "list", "-c", node, "--json").json["items"]}
    assert set(items) == {"quarantine", "review"}
    bad, review = items["quarantine"], items["review"]
    assert bad["facts"]["field"] == "CF_XDR_SHXYM" and bad["reason"] == "outer_check"
    shown = syncd("desk", "show", str(bad["id"]), "-c", node)
    assert "隔离 quarantine" in shown.out and "待办 open" in shown.out and "虚构" not in shown.out
    uscc = review["facts"]["uscc"]
    waiting = syncd("explain", uscc, "-c", node).out
    assert "待复核" in waiting and f"item {review['id']}" in waiting
    ran = syncd("desk", "release", str(review["id"]), "--reason", REASON, "--account", "7", "-c", node, "--json")
    assert ran.code == 0 and ran.json["result"]["state"] == "released"
    after = syncd("check", uscc, "-c", node, "--json").json
    assert after["standing"] in ("restricted", "noted") and after["findings"][0]["home"] == "delivered"
    again = syncd("desk", "release", str(review["id"]), "--reason", REASON, "-c", node)
    assert again.code == 3 and "no open item" in again.sentence
    assert syncd("desk", "refuse", str(bad["id"]), "--reason", REASON, "-c", node).code == 0
    assert "无待办" in syncd("desk", "list", "-c", node).out
    every = {one["kind"]: one for one in syncd("desk", "list", "--all", "-c", node, "--json").json["items"]}
    assert (every["review"]["state"], every["review"]["closed_by"]) == ("released", "7")
    assert every["quarantine"]["state"] == "refused"
    assert syncd("desk", "show", "999", "-c", node).code == 3
    (act,) = syncd("desk", "show", str(review["id"]), "-c", node, "--json").json["acts"]
    assert (act["act"], act["account"], act["reason"]) == ("desk.release", 7, REASON)
    assert f"desk.refuse by account {os.getuid()} at" in (told := syncd("desk", "show", str(bad["id"]), "-c", node).out)
    assert told.rstrip().endswith(REASON)


def test_the_reason_stays_in_the_node(node: Path) -> None:
    shown = syncd("jobs", "-c", node, "--json").json["jobs"]
    assert (shown[0]["kind"], shown[0]["account"], shown[0]["reason"]) == ("resync", os.getuid(), REASON)
    assert shown == syncd("jobs", "--all", "-c", node, "--json").json["jobs"]
    assert ["no open item" in one["error"] for one in shown if one["state"] == "failed"] == [True]
    assert REASON in (told := syncd("jobs", "-c", node).out) and "已办 done" in told
    job = jobs(node)[0]
    assert orjson.loads(job["args"])["reason"] == REASON and job["state"] == "done"
    store = Store.open(read_settings(node).store_url)
    with store.read() as conn:
        leaves = [bytes(row.leaf) for row in conn.exec_driver_sql("SELECT leaf FROM entries")]
    store.close()
    assert leaves and not any("来源".encode() in leaf for leaf in leaves)


def test_resync_can_be_tried_without_effect(node: Path) -> None:
    before = syncd("status", "-c", node, "--json").json
    for stage in ("collect", "share", "recognise", "restrict"):
        ran = syncd("resync", stage, "--dry-run", "--reason", REASON, "-c", node)
        assert ran.code == 0 and "would walk" in ran.out
    after = syncd("status", "-c", node, "--json").json
    assert after["peers"] == before["peers"] and after["stages"] == before["stages"]


def test_resync_says_nothing_twice(node: Path) -> None:
    def entries() -> int:
        return int(syncd("status", "-c", node, "--json").json["peers"][0]["entries"])

    before = entries()
    ran = syncd("resync", "recognise", "--reason", REASON, "-c", node)
    assert ran.code == 0 and "walks again" in ran.out
    assert entries() == before + 1, "only that an operator acted"
    wrong = syncd("resync", "share", "--peer", "110000", "--reason", REASON, "-c", node)
    assert wrong.code == 3 and "not another member" in wrong.sentence


def test_a_daemon_that_does_not_answer_finds_the_job_later(node: Path) -> None:
    """Somebody holds the lock and answers no knock: the job is kept, and done with the next that gets its turn."""
    store = Store.open(read_settings(node).store_url)
    with store.single_instance():
        ran = syncd("resync", "restrict", "--reason", REASON, "--wait", "0.3", "-c", node)
        assert ran.code == 75 and "is kept" in ran.sentence
        second = syncd("run", "-c", node)
        assert second.code == 70 and "Another daemon" in second.sentence
    store.close()
    assert "Jobs waiting" in syncd("status", "-c", node).out
    assert syncd("resync", "restrict", "--reason", REASON, "-c", node).code == 0
    assert [job["state"] for job in jobs(node)[-2:]] == ["done", "done"]


def test_a_node_on_either_database_is_asked_alike(store_url: str, tmp_path: Path) -> None:
    node = make_node(tmp_path, allow_candidates=True, store_url=store_url)
    put_rows(tmp_path, some_rows())
    assert "never run" in syncd("check", "91310114MA4617848A", "-c", node).sentence
    assert syncd("resync", "collect", "--reason", REASON, "-c", node, "--json").json["by"] == "command"
    stands = syncd("status", "-c", node, "--json").json
    assert store_url.startswith(stands["store"]) and stands["sources"][0]["rows"]["issued"] == 5
    store = Store.open(store_url)
    with store.single_instance():
        assert syncd("resync", "share", "--reason", REASON, "--wait", "0.2", "-c", node).code == 75
    store.close()
