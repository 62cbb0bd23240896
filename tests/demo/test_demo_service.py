"""The stand-in service: a real process, real HTTPS, its own SQLite."""

import signal
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest
import requests
from demo_processes import Running, exchange_session, order, running, service_options

from syncd.demo.writers import ServiceSystem


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    return service_options(tmp_path)


@pytest.fixture
def service(tmp_path: Path, options: list[str]) -> Iterator[Running]:
    with running("service", tmp_path, *options) as standin:
        yield standin


def own(service: Running, directory: Path) -> ServiceSystem:
    return ServiceSystem(service.ready["url"], directory, directory / "tls" / "ca.pem")


def rows(count: int) -> list[dict[str, str]]:
    return [{"ID": f"R{n:05d}", "CF_XDR_MC": f"虚构（演示）{n}厂"} for n in range(count)]


def test_pages_go_through_all_rows_in_sequence_and_say_when_there_are_more(service: Running, tmp_path: Path) -> None:
    bureau, session = own(service, tmp_path), exchange_session(tmp_path)
    assert bureau.put_penalties(rows(1203)) == 1203
    after, more, seen = "", True, []
    while more:
        page = session.get(service.ready["url"] + "/penalties", params={"after": after, "limit": "500"}).json()
        assert page["count"] == len(page["items"]) <= 500
        seen += [(row["GXSJ"], row["ID"]) for row in page["items"]]
        after, more = page["after"], page["more"]
    assert seen == sorted(seen) and len(seen) == 1203
    assert session.get(service.ready["url"] + "/penalties", params={"after": after}).json() == {
        "count": 0,
        "items": [],
        "after": after,
        "more": False,
    }


def test_a_changed_row_comes_again_behind_the_cursor_and_a_removed_one_is_gone(
    service: Running, tmp_path: Path
) -> None:
    bureau, session, url = own(service, tmp_path), exchange_session(tmp_path), service.ready["url"]
    bureau.put_penalties(rows(3))
    after = session.get(url + "/penalties").json()["after"]
    bureau.put_penalties([{"ID": "R00001", "CF_XDR_MC": "改名虚构厂"}])
    assert bureau.remove_penalties(["R00002", "R99999"]) == 1
    assert [r["CF_XDR_MC"] for r in session.get(url + "/penalties", params={"after": after}).json()["items"]] == [
        "改名虚构厂"
    ]
    assert [r["ID"] for r in session.get(url + "/penalties").json()["items"]] == ["R00000", "R00001"]


def test_orders_are_applied_acknowledged_and_read_back_and_a_restart_loses_nothing(
    tmp_path: Path, options: list[str]
) -> None:
    session = exchange_session(tmp_path)
    with running("service", tmp_path, *options) as standin:
        url = standin.ready["url"]
        own(standin, tmp_path).put_relief([{"ID": "X1", "XF_ZT": "修复"}])
        orders = [order(1), order(1, "SF-01"), order(2, state="0")]
        reply = session.post(url + "/restrictions", data=orjson.dumps({"batch": "P1", "rows": orders}))
        assert reply.json() == {"batch": "P1", "received": 3}
        standin.stop(signal.SIGKILL)
    with running("service", tmp_path, *options) as standin:
        url, bureau = standin.ready["url"], own(standin, tmp_path)
        assert bureau.counts() == {
            "orders": 3,
            "in_force": 2,
            "lifted": 1,
            "findings": 1,
            "penalties": 0,
            "relief": 1,
        }
        assert {o["CJD_CS"] for o in bureau.held("91310114MA0000015X")} == {"MA-01", "SF-01"}
        assert len(bureau.held("91310114MA0000015X", lifted=True)) == 3
        assert bureau.held("91320583MA0000015L") == []
        page = session.get(url + "/acknowledgements", params={"after": 0, "limit": 1000}).json()
        assert page["count"] == 3 and not page["more"]
        assert page["items"][2] | {"HZ_RQ": ""} == {
            "HZ_RDBH": f"{2:064x}",
            "HZ_CS": "MA-01",
            "HZ_BBH": 1,
            "HZ_BM": "执行部门",
            "HZ_ZT": "已解除",
            "HZ_RQ": "",
        }
        assert session.get(url + "/acknowledgements", params={"after": page["after"]}).json()["items"] == []
        assert session.get(url + "/relief").json()["items"][0]["XF_ZT"] == "修复"


def test_tokens_are_asked_for_and_not_exchangeable(service: Running, tmp_path: Path) -> None:
    url = service.ready["url"]
    assert exchange_session(tmp_path, "wrong").get(url + "/penalties").status_code == 401
    agreed = exchange_session(tmp_path)
    assert agreed.get(url + "/held").status_code == 401
    assert agreed.post(url + "/admin/rows", data=b"{}").status_code == 401
    administrator = exchange_session(tmp_path, (tmp_path / "admin.token").read_text())
    assert administrator.get(url + "/penalties").status_code == 401
    assert (tmp_path / "admin.token").stat().st_mode & 0o077 == 0


def test_another_authority_does_not_vouch_for_it(service: Running) -> None:
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(service.ready["url"] + "/penalties", timeout=5)


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"batch":"x"}', b'{"batch":"x","rows":[{"CJD_RDBH":"a"}]}'])
def test_what_cannot_be_read_is_answered_400(service: Running, tmp_path: Path, body: bytes) -> None:
    session, url = exchange_session(tmp_path), service.ready["url"]
    assert session.post(url + "/restrictions", data=body).status_code == 400
    assert session.get(url + "/penalties", params={"limit": "many"}).status_code == 400
    assert own(service, tmp_path).counts()["orders"] == 0


def test_bad_days_by_appointment(service: Running, tmp_path: Path) -> None:
    bureau, session, url = own(service, tmp_path), exchange_session(tmp_path), service.ready["url"]
    bureau.put_penalties(rows(10))
    bureau.appoint_faults(truncate=1, fail=1)
    assert session.get(url + "/penalties").status_code == 503
    page = session.get(url + "/penalties").json()
    assert (page["count"], len(page["items"])) == (10, 5)
    assert len(session.get(url + "/penalties").json()["items"]) == 10


def test_a_silent_system_takes_orders_and_never_acknowledges(tmp_path: Path, options: list[str]) -> None:
    session = exchange_session(tmp_path)
    with running("service", tmp_path, *options, "--silent") as standin:
        url = standin.ready["url"]
        session.post(url + "/restrictions", data=orjson.dumps({"batch": "P1", "rows": [order(1)]}))
        assert own(standin, tmp_path).counts()["in_force"] == 1
        assert session.get(url + "/acknowledgements").json()["items"] == []


def test_it_stops_within_a_second_of_being_told(service: Running, tmp_path: Path) -> None:
    session = exchange_session(tmp_path)
    assert session.get(service.ready["url"] + "/penalties").ok
    code, seconds, said = service.stop()
    assert (code, said) == (0, "") and seconds < 1
