"""What a member knew on a day: by its countersignatures, not by anybody's clock, with a bundle that proves it."""

import datetime as dt
from collections.abc import Iterator

import pytest
from evidence_kit import HOME, NEIGHBOUR, THREE, carry_lines, company, evidence_of
from network import Network, network, penalty, relief

from schemas.registry import check_body
from syncd.errors import NeedsPerson
from syncd.evidence.asof import as_known
from syncd.ledger.bundle import Known, format_bundle, parse_bundle
from syncd.ledger.policy import parse_policy
from syncd.ledger.verdict import verify_bundle

FIRST, SECOND = dt.date(2026, 11, 22), dt.date(2026, 11, 23)
FAR = "320585"
NOW = dt.datetime(2026, 11, 26, 4, 0, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """A finding on the first day; its repair on the second, of which the far member hears on the third only."""
    folder = tmp_path_factory.mktemp("days")
    net = network(folder, lambda code: f"sqlite:///{folder / code / 'syncd.db'}")
    row = penalty("101", company(1), "KS-0104", HOME)
    net.nodes[HOME].home.put(row)
    net.settle()
    net.now += dt.timedelta(days=1)
    net.links[HOME, FAR].down = True
    net.nodes[HOME].home.put(relief("r1", row, "修复"))
    net.settle()
    net.now += dt.timedelta(days=1)
    net.links[HOME, FAR].down = False
    net.settle()
    carry_lines(net)
    yield net
    net.close()


def asked(net: Network, region: str, day: dt.date, code: str = HOME) -> tuple[dict[str, object], bytes]:
    """The answer and the bundle's file, checked."""
    evidence = evidence_of(net, code)
    value, made = as_known(evidence, company(1), region, day, NOW)
    data = format_bundle(made.bundle) if made.bundle.records else b""
    if data:
        bundle = parse_bundle(data)
        assert bundle.known == Known(region, value["before"])
        verdict = verify_bundle(bundle, parse_policy(evidence.trust), check_body)
        assert verdict.ok, [step.faults for step in verdict.steps]
    return value, data


@pytest.mark.parametrize("code", THREE)
def test_each_member_knew_what_it_had_countersigned(net: Network, code: str) -> None:
    """Whichever node is asked, the answer is the same."""
    for region in THREE:
        assert asked(net, region, FIRST, code)[0]["standing"] == "restricted"
    assert [asked(net, region, SECOND, code)[0]["standing"] for region in THREE] == ["clear", "clear", "restricted"]
    assert asked(net, FAR, dt.date(2026, 11, 24), code)[0]["standing"] == "clear"
    assert asked(net, FAR, dt.date(2026, 11, 21), code)[0]["standing"] == "clear"


def test_what_was_not_known_yet_is_told_with_its_day(net: Network) -> None:
    (finding,) = asked(net, FAR, SECOND)[0]["findings"]
    assert finding["answer"] == "restriction.imposed" and finding["measures"] and finding["relief"] == []
    later = {(one["kind"], one["place"].split("/")[1]): one["known_since"] for one in finding["later"]}
    assert later["relief.repaired", HOME] >= dt.datetime(2026, 11, 23, 16, tzinfo=dt.UTC).timestamp()
    (known,) = asked(net, NEIGHBOUR, SECOND)[0]["findings"]
    assert [one["kind"] for one in known["relief"]] == ["relief.repaired"] and known["measures"] == []
    (nothing,) = asked(net, FAR, dt.date(2026, 11, 21))[0]["not_yet_known"]
    assert nothing["known_since"] >= dt.datetime(2026, 11, 21, 16, tzinfo=dt.UTC).timestamp()


def test_the_bundle_proves_it_for_that_member_and_moment_alone(net: Network) -> None:
    value, data = asked(net, FAR, SECOND)
    policy = parse_policy(evidence_of(net).trust)
    head = f"known {FAR} {value['before']}\n".encode()
    assert head in data
    earlier = data.replace(head, f"known {FAR} {int(str(value['before'])) - 3 * 86_400}\n".encode())
    for wrong, code in ((earlier, "line_too_late"), (data.replace(head, head.replace(FAR.encode(), b"999999")),
                                                     "line_missing")):  # fmt: skip
        verdict = verify_bundle(parse_bundle(wrong), policy, check_body)
        assert {fault.code for fault in verdict.steps[2].faults} == {code} and not verdict.ok


def test_only_members_are_asked_about(net: Network) -> None:
    with pytest.raises(NeedsPerson, match="no member"):
        asked(net, "999999", FIRST)
    value, data = as_known(evidence_of(net), company(7), FAR, FIRST, NOW)
    assert (value["findings"], value["not_yet_known"], value["standing"]) == (
        [],
        [],
        "clear",
    ) and not data.bundle.records
