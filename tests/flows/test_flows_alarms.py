"""A stage's alarms: one line on raise and one on clear, only once committed, and seen in the node's state."""

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from network import network

from syncd import keyring
from syncd.flows import alarms
from syncd.flows.status import status
from syncd.renewal import Renewal, valid_until
from syncd.store import desk

Json = dict[str, Any]


def test_one_line_on_raise_and_one_on_clear(tmp_path: Path) -> None:
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    node = net.nodes["320583"]
    bureau, lines = node.bureau, list[tuple[str, Json]]()
    bureau.notice = lambda event, facts: lines.append((event, facts))
    for size in (7, 8):
        with bureau.store.write() as conn:
            alarms.sound(bureau, conn, "fork", "x/310114/1", {"size": size})
    (shown,) = status(bureau, net.clock())["alarms"]
    assert (shown["kind"], shown["about"], shown["facts"]) == ("fork", "x/310114/1", {"size": 8})
    assert "Call the bureau" in shown["sentence"] and shown["since"] < shown["seen_at"]
    with pytest.raises(ValueError, match="on purpose"), bureau.store.write() as conn:
        alarms.quiet(bureau, conn, "fork", ["x/310114/1"])
        raise ValueError("on purpose")
    with bureau.store.write() as conn:
        alarms.match(bureau, conn, "fork", {"x/320585/1": {}})
        with pytest.raises(KeyError):
            alarms.sound(bureau, conn, "no such kind", "x")
    assert [one["about"] for one in status(bureau, net.clock())["alarms"]] == ["x/320585/1"]
    assert [(event, facts["about"]) for event, facts in lines] == [
        ("alarm.raised", "x/310114/1"), ("alarm.raised", "x/320585/1"), ("alarm.cleared", "x/310114/1"),
    ]  # fmt: skip
    with bureau.store.write() as conn:
        item = {"kind": "fork", "mark": "x/320585/1", "reason": "fork", "facts": {}}
        desk.put(conn, [item], bureau.now_text())
        number = desk.listing(conn)[0].id
    node.stages.work._decide.run(number, False, 7, "operator_request")
    assert status(bureau, net.clock())["alarms"] == []
    net.close()


def test_a_certificate_that_ends_soon_alarms_until_another_is_there(tmp_path: Path) -> None:
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path / code / 'syncd.db'}")
    bureau, taken = net.nodes["320583"].bureau, list[tuple[Path, Path]]()
    keys = tmp_path / "certificates"
    keyring.create(keys, "320583", "https://127.0.0.1:1")
    look = Renewal(bureau, keys, [lambda *pair: taken.append(pair)])
    look.step()
    assert status(bureau, net.clock())["alarms"] == [] and taken == []
    bureau.clock = lambda: dt.datetime.now(dt.UTC) + dt.timedelta(days=3630)
    look.step()
    (first, second) = status(bureau, net.clock())["alarms"]
    assert {first["about"], second["about"]} == {"ca.crt", "tls.crt"} and first["facts"]["days_left"] in (19, 20)
    made = keyring.renew_tls(keys, "320583", "https://127.0.0.1:1")
    assert valid_until(made) == valid_until(keys / "ca.crt"), "none outlives its authority"
    key = keys / "tls.2.key"
    key.rename(keys / "away")
    look.step()
    assert taken == [], "half a pair is not taken up"
    (keys / "away").rename(key)
    keyring.renew_ca(keys, "320583")
    bureau.clock = lambda: dt.datetime.now(dt.UTC)
    look.step()
    assert taken == [(made, key)] and status(bureau, net.clock())["alarms"] == []
    net.close()
