"""In force on D as known on K, from the entries: the register's answer for today, and the past as it was known."""

import datetime as dt

import pytest
from evidence_kit import HOME, NEIGHBOUR, evidence_of
from network import THREE, Network, company, network, penalty, relief

from syncd.errors import NeedsPerson
from syncd.evidence.past import as_known

FIRST, SECOND, THIRD = (dt.date(2026, 11, day) for day in (22, 25, 28))


def at(net: Network, day: dt.date) -> None:
    net.now = dt.datetime.combine(day, dt.time(9), dt.UTC)


@pytest.fixture(scope="module")
def net(tmp_path_factory: pytest.TempPathFactory) -> Network:
    """Restricted on the first day, revoked on the third; a second company repaired on the second day."""
    folder = tmp_path_factory.mktemp("past")
    net = network(folder, lambda code: f"sqlite:///{folder}/{code}.db")
    rows = [penalty(str(100 + n), company(n), "KS-0104", HOME) for n in (1, 2)]
    net.nodes[HOME].home.put(*rows)
    net.settle()
    at(net, SECOND)
    net.nodes[HOME].home.put(relief("r2", rows[1], "修复", XF_RQ="2026-11-25"))
    net.settle()
    at(net, THIRD)
    net.nodes[HOME].home.put(relief("r1", rows[0], "撤销", XF_RQ="2026-11-28"))
    net.settle()
    return net


def standing(net: Network, code: str, n: int, day: dt.date, known: dt.date, region: str | None = None) -> str:
    evidence = evidence_of(net, code)
    with evidence.logs.store.read() as conn:
        found: str = as_known(evidence, conn, company(n), day, known, region)["standing"]
    return found


@pytest.mark.parametrize("code", THREE)
def test_the_past_stands_as_it_was_known(net: Network, code: str) -> None:
    assert standing(net, code, 1, FIRST, FIRST) == "restricted"
    assert standing(net, code, 1, SECOND, SECOND) == "restricted"
    assert standing(net, code, 1, FIRST, THIRD) == "clear", "revoked from the beginning, once that is known"
    assert standing(net, code, 1, THIRD, SECOND) == "restricted", "nobody knew yet"
    assert standing(net, code, 2, FIRST, THIRD) == "restricted", "repaired from its date only"
    assert standing(net, code, 2, SECOND, THIRD) == "clear"
    assert standing(net, code, 1, FIRST, FIRST - dt.timedelta(days=1)) == "clear", "nothing had been received"


@pytest.mark.parametrize("code", THREE)
def test_for_today_it_is_what_the_register_says(net: Network, code: str) -> None:
    for n in (1, 2, 3):
        for day in (FIRST, SECOND, THIRD, dt.date(2028, 12, 1)):
            said = net.nodes[code].stages.inquiry.check(company(n), day)["standing"]
            assert standing(net, code, n, day, THIRD) == said


def test_another_region_is_asked_by_its_own_lines(net: Network) -> None:
    assert standing(net, HOME, 1, FIRST, SECOND, NEIGHBOUR) == "restricted"
    with pytest.raises(NeedsPerson, match="is no member"):
        standing(net, HOME, 1, FIRST, SECOND, "999999")
