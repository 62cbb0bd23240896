"""Bad input and bad days, each as it would happen to the stages: nothing lost, nothing twice, relief never behind."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
from network import ORGAN, Network, Node, company, network, penalty, relief

from schemas.identifiers import make_uscc
from syncd.errors import NeedsPerson
from syncd.flows.record import Saying, record, sign
from syncd.flows.share import drain
from syncd.ledger.wire import compress, decompress
from syncd.store import desk, outbox

DAY = dt.date(2026, 11, 22)
HOME, OTHER = "320583", "320585"


@pytest.fixture
def net(tmp_path: Path, store_urls: Callable[[str], str]) -> Network:
    return network(tmp_path, store_urls)


def standing(node: Node, uscc: str) -> str:
    """How an organisation stands at a node."""
    return str(node.stages.inquiry.check(uscc, DAY)["standing"])


def on_desk(node: Node) -> dict[str, int]:
    """Open items by kind."""
    with node.bureau.store.read() as conn:
        return desk.counts(conn)


def size_of(node: Node, origin: str | None = None) -> int:
    """How far a log is held at a node."""
    with node.bureau.store.read() as conn:
        return node.bureau.logs.state(conn, origin or node.bureau.origin).size


def test_a_peer_that_is_down_catches_up_without_a_person(net: Network) -> None:
    for code in net.nodes:
        if code != OTHER:
            net.links[code, OTHER].down = True
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row, penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    assert standing(net.nodes[OTHER], company(1)) == "clear"
    assert standing(net.nodes["310114"], company(1)) == "restricted"
    net.nodes[HOME].home.put(relief("r1", row, "撤销"))
    net.settle()
    for link in net.links.values():
        link.down = False
    net.settle(collect=False)
    # What was relieved meanwhile was never imposed: relief in the batch acts before the findings below the target.
    assert standing(net.nodes[OTHER], company(1)) == "clear"
    assert not any(order["CJD_XDR_SHXYM"] == company(1) for order in net.nodes[OTHER].home.orders.values())
    assert standing(net.nodes[OTHER], company(2)) == "restricted"


def test_a_lost_answer_is_answered_again_with_the_same_line(net: Network) -> None:
    net.links[HOME, OTHER].lose_answers = 3
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    for _ in range(5):
        net.settle(collect=True)
    assert standing(net.nodes[OTHER], company(1)) == "restricted"
    with net.nodes[HOME].bureau.store.read() as conn:
        assert net.nodes[HOME].bureau.logs.countersigned(conn, net.nodes[HOME].bureau.origin, OTHER) == size_of(
            net.nodes[HOME]
        )


def test_a_home_system_that_is_down_is_pending_and_then_told(net: Network) -> None:
    net.nodes[OTHER].home.down = True
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle_but = OTHER  # type: ignore[attr-defined]
    for code, node in net.nodes.items():
        if code != OTHER:
            drain(node.stages.steps()["collect"])
    net.settle(collect=False)
    assert standing(net.nodes[OTHER], company(1)) == "restricted"
    with net.nodes[OTHER].bureau.store.read() as conn:
        assert outbox.counts(conn) == {"pending": 1}
    net.nodes[OTHER].home.down = False
    net.settle(collect=False)
    assert net.nodes[OTHER].home.in_force(company(1))


def test_a_home_system_that_never_acknowledges_stays_delivered(net: Network) -> None:
    net.nodes[OTHER].home.silent = True
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    assert net.nodes[OTHER].stages.inquiry.check(company(1), DAY)["findings"][0]["home"] == "delivered"
    assert net.nodes["310114"].stages.inquiry.check(company(1), DAY)["findings"][0]["home"] == "acknowledged"


def test_an_altered_batch_changes_nothing_and_is_sent_again(net: Network) -> None:
    def alter(body: bytes) -> bytes:
        raw = bytearray(decompress(body, 1 << 24))
        raw[-40] ^= 1  # inside the last disclosure: the leaf does not commit to it any more
        raw[raw.rfind(b'"kind":"finding.issued"') + 9] ^= 1
        return compress(bytes(raw))

    net.links[HOME, OTHER].tamper = alter
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    held = size_of(net.nodes[OTHER], net.nodes[HOME].bureau.origin)
    drain(net.nodes[HOME].stages.steps()["collect"])
    with pytest.raises(NeedsPerson, match="refused"):
        drain(net.nodes[HOME].stages.shares[OTHER].step)
    assert size_of(net.nodes[OTHER], net.nodes[HOME].bureau.origin) == held
    net.links[HOME, OTHER].tamper = None
    net.settle()
    assert standing(net.nodes[OTHER], company(1)) == "restricted"


def test_only_the_owner_may_add_to_a_log(net: Network) -> None:
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    body = net.links[HOME, OTHER].posted[-1]
    answer = net.nodes[OTHER].stages.receive.entries(net.nodes[HOME].bureau.origin, body, "310114")
    assert answer.status == 403


def test_an_unknown_kind_is_held_and_what_follows_is_not_delayed(net: Network) -> None:
    node = net.nodes[HOME]
    with node.bureau.store.write() as conn:
        record(node.bureau, conn, [Saying("weather.reported", None, public={"schema": "weather/1.0"})])
    sign(node.bureau)
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    assert standing(net.nodes[OTHER], company(1)) == "restricted"
    assert on_desk(net.nodes[OTHER])["unreadable"] == 1
    assert on_desk(node)["unreadable_at_peer"] == 2, "both peers say that they cannot read it"


def test_a_changed_identity_suspends_the_old_and_waits_for_a_person(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    node.home.put(penalty("101", company(2), "KS-0104", HOME))
    net.settle()
    assert all(standing(one, company(1)) == "clear" for one in net.nodes.values())
    assert all(standing(one, company(2)) == "clear" for one in net.nodes.values())
    assert on_desk(node) == {"identity_changed": 1}
    with node.bureau.store.read() as conn:
        item = desk.listing(conn)[0].id
    decide = node.stages.work._decide
    decide.run(item, True, 1001, "operator_request")
    net.settle()
    assert all(standing(one, company(2)) == "restricted" for one in net.nodes.values())
    assert on_desk(node) == {}


def test_a_vanished_row_goes_to_the_desk_and_lifts_nothing(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME), penalty("102", company(2), "KS-0104", HOME))
    net.settle()
    node.home.remove("101")
    assert node.stages.collect is not None
    with node.bureau.store.write() as conn:
        node.stages.collect.read_again(conn)
    net.settle()
    assert on_desk(node) == {"vanished": 1}
    assert all(standing(one, company(1)) == "restricted" for one in net.nodes.values())
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    assert on_desk(node) == {}


def test_a_source_that_seems_empty_is_one_item_and_lifts_nothing(net: Network) -> None:
    """A share that is mounted empty: the source is asked about, not each decision."""
    node = net.nodes[HOME]
    rows = [penalty(str(100 + n), company(n), "KS-0104", HOME) for n in (1, 2, 3)]
    node.home.put(*rows)
    net.settle()

    def read_whole() -> None:
        assert node.stages.collect is not None
        with node.bureau.store.write() as conn:
            node.stages.collect.read_again(conn)
        net.settle()

    for row in rows:
        node.home.remove(row.key)
    read_whole()
    read_whole()
    assert on_desk(node) == {"vanished": 1}
    assert all(standing(one, company(1)) == "restricted" for one in net.nodes.values())
    node.home.put(*rows)
    read_whole()
    assert on_desk(node) == {}, "it is over by itself"
    for row in rows:
        node.home.remove(row.key)
    read_whole()
    with node.bureau.store.read() as conn:
        [item] = desk.listing(conn)
    assert (item.mark, item.reason, desk.facts_of(item)["rows"]) == (desk.facts_of(item)["source"], "all_rows_gone", 3)
    net.nodes[HOME].stages.work._decide.run(item.id, True, 1001, "operator_request")
    assert on_desk(node) == {"vanished": 3}, "a person says that they are truly gone: now each is asked about"
    node.home.put(rows[0])
    read_whole()
    assert on_desk(node) == {"vanished": 2}


def test_a_source_that_seems_empty_takes_nothing_from_the_quarantine(net: Network) -> None:
    node, collect = net.nodes[HOME], net.nodes[HOME].stages.collect
    assert collect is not None
    rows = [penalty(str(100 + n), company(n), "KS-0104", HOME) for n in (1, 2, 3)]
    bad = penalty("109", "bad", "KS-0104", HOME)
    node.home.put(*rows, bad)
    net.settle()

    def read_whole() -> None:
        with node.bureau.store.write() as conn:
            collect.read_again(conn)
        net.settle()

    for row in (*rows, bad):
        node.home.remove(row.key)
    read_whole()
    assert on_desk(node) == {"vanished": 1, "quarantine": 1}, "what a faulty source no longer shows is not over"
    node.home.put(*rows)
    read_whole()
    assert on_desk(node) == {}, "a reading that is believed says that the row is gone"


def test_a_row_that_is_back_after_its_finding_was_revoked_shows_on_the_desk(net: Network) -> None:
    node = net.nodes[HOME]
    row = penalty("101", company(1), "KS-0104", HOME)
    node.home.put(row)
    net.settle()
    node.home.remove("101")
    assert node.stages.collect is not None
    with node.bureau.store.write() as conn:
        node.stages.collect.read_again(conn)
    net.settle()
    with node.bureau.store.read() as conn:
        item = desk.listing(conn)[0].id
    node.stages.work._decide.run(item, True, 1001, "operator_request")
    net.settle()
    node.home.put(row)
    net.settle()
    assert on_desk(node) == {"returned": 1}
    assert all(standing(one, company(1)) == "clear" for one in net.nodes.values()), "what was revoked stays revoked"
    node.home.put(penalty("101", company(2), "KS-0104", HOME, CF_WSH="环罚〔2026〕102号"))
    net.settle()
    assert standing(node, company(2)) == "restricted", "the key has been given to another decision"


def test_what_a_person_releases_is_judged_on_the_day_of_the_release(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    measures = node.stages.inquiry.check(company(1), DAY)["findings"][0]["measures"]
    assert {one["from"] for one in measures} == {"2026-11-22"}
    node.home.put(penalty("101", company(1), catch_all(node), HOME, GXSJ="2026-11-23 08:00:00.000000"))
    net.settle()
    assert on_desk(node) == {"review": 1} and standing(node, company(1)) == "clear"
    net.now += dt.timedelta(days=30)
    with node.bureau.store.read() as conn:
        item = desk.listing(conn)[0].id
    node.stages.work._decide.run(item, True, 1001, "operator_request")
    measures = node.stages.inquiry.check(company(1), DAY + dt.timedelta(days=30))["findings"][0]["measures"]
    assert {one["from"] for one in measures} == {"2026-12-22"}, "a basis may have begun since it was first imposed"


def catch_all(node: Node) -> str:
    """The local code of the criterion that always waits for a person."""
    codes = node.bureau.agreement.regions[HOME].local_codes.values()
    return next(one.code for one in codes if one.criterion == "EP-A6")


def test_the_same_decision_under_two_row_keys_is_one_finding(net: Network) -> None:
    node = net.nodes[HOME]
    row = penalty("101", company(1), "KS-0104", HOME)
    again = penalty("201", company(1), "KS-0104", HOME, CF_WSH="环罚[2026]101号", CF_XDR_MC=row.fields["CF_XDR_MC"])
    node.home.put(row, again)
    net.settle()
    assert len(node.stages.inquiry.check(company(1), DAY)["findings"]) == 1


def test_the_copy_of_another_bureaus_decision_is_linked_never_issued(net: Network) -> None:
    organ = make_uscc("11320500", "00000005")
    codes = {"CF_CFJGDM": organ, "CF_SJLYDM": organ}
    net.nodes[OTHER].home.put(penalty("101", company(1), "TC-A04", OTHER, **codes))
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", OTHER, **codes))
    net.settle()
    assert on_desk(net.nodes[HOME]) == {"linked": 1}
    assert on_desk(net.nodes[OTHER]) == {"copy_at_peer": 1}, "the copy is shown on both desks"
    assert all(standing(node, company(1)) == "restricted" for node in net.nodes.values())
    assert size_of(net.nodes[HOME]) == 3  # adopted, its own answer, its home system's feedback


def test_two_logs_with_one_decision_are_not_newly_imposed(net: Network) -> None:
    net.links[OTHER, HOME].down = net.links[OTHER, "310114"].down = True
    net.nodes[HOME].home.put(penalty("101", company(1), "KS-0104", HOME))
    net.nodes[OTHER].home.put(penalty("101", company(1), "TC-A04", OTHER))
    for link in net.links.values():
        link.down = True
    net.settle()
    for link in net.links.values():
        link.down = False
    net.settle()
    third = net.nodes["310114"]
    answers = {
        finding["issuer"]: finding["answer"] for finding in third.stages.inquiry.check(company(1), DAY)["findings"]
    }
    assert sorted(answers.values())[0] == "finding.held", "the second copy is not newly imposed"
    assert on_desk(third)["twin"] >= 1


def test_relief_of_one_twin_stops_both(net: Network) -> None:
    rows = {code: penalty("101", company(1), local, code) for code, local in ((HOME, "KS-0104"), (OTHER, "TC-A04"))}
    for code, row in rows.items():
        net.nodes[code].home.put(row)
    net.settle()
    net.nodes[HOME].home.put(relief("r1", rows[HOME], "修复"))
    net.settle()
    assert all(standing(node, company(1)) == "clear" for node in net.nodes.values())
    assert not any(node.home.in_force(company(1)) for node in net.nodes.values())


def test_relief_that_comes_before_its_finding_waits_for_it(net: Network) -> None:
    node = net.nodes[HOME]
    row = penalty("101", company(1), "KS-0104", HOME)
    node.home.put(relief("r1", row, "撤销"))
    net.settle()
    assert on_desk(node) == {"relief_waiting": 1}
    node.home.put(row)
    net.settle()
    assert all(standing(one, company(1)) == "clear" for one in net.nodes.values())
    assert on_desk(node) == {}


def test_a_quarantined_row_delays_nobody_and_clears_itself(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(
        penalty("101", company(1), "KS-0104", HOME, CF_GSJZQ="1900-01-01"),
        penalty("102", company(2), "KS-0104", HOME),
    )
    net.settle()
    assert on_desk(node) == {"quarantine": 1}
    assert standing(net.nodes[OTHER], company(2)) == "restricted"
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    assert on_desk(node) == {} and standing(net.nodes[OTHER], company(1)) == "restricted"


def test_unmapped_codes_and_reviews_wait_on_the_desk(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(
        penalty("101", company(1), "KS-9999", HOME),
        penalty("102", company(2), "", HOME),
        penalty("103", company(3), "KS-0199", HOME),
        penalty("104", company(4), "KS-0100", HOME),
    )
    net.settle()
    for one in net.nodes.values():
        assert on_desk(one) == {"unmapped": 2, "review": 1}
        assert [standing(one, company(n)) for n in (1, 2, 3, 4)] == ["clear"] * 4
    third = net.nodes["310114"]
    with third.bureau.store.read() as conn:
        item = next(row for row in desk.listing(conn) if row.kind == "review")
    third.stages.work._decide.run(item.id, True, 1001, "operator_request")
    net.settle()
    assert standing(third, company(3)) == "restricted" and standing(net.nodes[OTHER], company(3)) == "clear"


def test_persons_are_a_count_and_nothing_else(net: Network) -> None:
    node = net.nodes[HOME]
    trader = make_uscc("92320583", "MA000777")
    node.home.put(
        penalty("101", "", "KS-0104", HOME, CF_XDR_LB="自然人", CF_XDR_MC="乙某某", CF_XDR_ZJHM="11010519491231002X"),
        penalty("102", trader, "KS-0104", HOME, CF_XDR_LB="个体工商户"),
        penalty("103", company(1), "KS-0104", HOME),
    )
    net.settle()
    with node.bureau.store.read() as conn:
        from syncd.store import sourcebook

        assert sourcebook.read_board(conn)["source:taicang"]["refused"] == {"natural_person": 1, "sole_proprietor": 1}
    for one in net.nodes.values():
        with one.bureau.store.read() as conn:
            for table in one.bureau.store.dialect and _texts(conn):
                assert "甲某某" not in table and "乙某某" not in table and "11010519491231002X" not in table


def _texts(conn):  # type: ignore[no-untyped-def]
    """Every text of every table, and every stored leaf."""
    import sqlalchemy as sa

    from syncd.store import register_tables  # noqa: F401
    from syncd.store.tables import metadata

    for table in metadata.sorted_tables:
        for row in conn.execute(sa.select(table)):
            yield " ".join(
                value.decode("utf-8", "ignore") if isinstance(value, (bytes, memoryview)) else str(value)
                for value in row
            )


def test_organs_of_the_tests_are_valid() -> None:
    assert len(ORGAN) == 18


def test_an_issued_row_that_is_reviewed_again_is_suspended_until_a_person_resumes_it(net: Network) -> None:
    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    node.home.put(penalty("101", company(1), "KS-0104", HOME, FYZT="复议中", GXSJ="2026-11-06 08:00:00.000000"))
    net.settle()
    assert all(standing(one, company(1)) == "clear" for one in net.nodes.values())
    assert on_desk(node) == {"under_review": 1}
    node.home.put(penalty("101", company(1), "KS-0104", HOME, GXSJ="2026-11-07 08:00:00.000000"))
    net.settle()
    assert all(standing(one, company(1)) == "clear" for one in net.nodes.values()), (
        "resuming is adverse: a person does it"
    )
    with node.bureau.store.read() as conn:
        item = desk.listing(conn)[0].id
    node.stages.work._decide.run(item, True, 1001, "operator_request")
    net.settle()
    assert all(standing(one, company(1)) == "restricted" for one in net.nodes.values())


def test_an_older_version_of_a_row_met_again_changes_nothing(net: Network) -> None:
    node = net.nodes[HOME]
    new = penalty("101", company(1), "KS-0105", HOME, GXSJ="2026-11-09 08:00:00.000000")
    node.home.put(new)
    net.settle()
    size = size_of(node)
    node.home.put(penalty("101", company(1), "KS-0104", HOME, GXSJ="2026-11-05 08:00:00.000000"))
    net.settle()
    assert size_of(node) == size


def test_a_broken_relief_leaf_still_relieves(net: Network) -> None:
    """A later version of the form, or a defect beside kind and ref, may not keep a company restricted."""
    from syncd.flows.opening import Opened, _parse
    from syncd.flows.understand import understand

    node = net.nodes[HOME]
    node.home.put(penalty("101", company(1), "KS-0104", HOME))
    net.settle()
    found = node.stages.inquiry.check(company(1), DAY)["findings"][0]["finding"]
    origin, identity = node.bureau.origin, "01939f00-0000-7000-8000-000000000000"
    leaf = f'{{"v":2,"kind":"relief.revoked","ref":{{"id":"{identity}","leaf":"{found}","log":"{origin}"}}}}'.encode()
    one: Opened = _parse(99, b"\x01" * 32, leaf)
    assert one.entry is None and one.fault is not None
    other = net.nodes[OTHER]
    owner = other.bureau.owner(origin)
    assert owner is not None
    with other.bureau.store.read() as conn:
        log = other.bureau.logs.state(conn, origin).id
    changes = understand(other.bureau, log, owner, [one])
    assert [row["kind"] for row in changes.relief] == ["relief.revoked"] and changes.held
    stranger = other.bureau.owner(other.bureau.origin)
    assert stranger is not None and not understand(other.bureau, log, stranger, [one]).relief
