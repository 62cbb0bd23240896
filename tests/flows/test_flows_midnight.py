"""Between midnight in Shanghai and the step that puts a version in force: what is asked is answered by the day."""

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

from network import ORGAN, Network, company, network, penalty, version_of

from syncd.flows.books import Books
from syncd.flows.honour import Honouring
from syncd.flows.inquiry import Inquiry
from syncd.flows.review import Question, Review
from syncd.reading import OpenBooks
from syncd.store.versions import Keys, timeline_of

HOME, LEAVING, THIRD = "320583", "320585", "310114"
LAST, FIRST = dt.date(2026, 11, 30), dt.date(2026, 12, 1)
LOANS_ALONE = ("regions/320583.toml",
               'id = "KS-W-RED"\nhonour = "HN-RED"\nmonths = 12\nincentives = ["IN-GREEN", "IN-PAPERS", ',
               'id = "KS-W-RED"\nhonour = "HN-RED"\nmonths = 12\nincentives = [')  # fmt: skip


def opened(net: Network, code: str, day: dt.date) -> OpenBooks:
    """As a command opens them, from the store alone (``reading.open_books``, ``evidence.past_day``)."""
    bureau = net.nodes[code].bureau
    first = bureau.timeline.held[0]
    with bureau.store.read() as conn:
        keys = {one: Keys(peer.origin, peer.log.vkey, peer.receipt.vkey) for one, peer in bureau.members.items()}
        held = timeline_of(conn, [first], keys)
    return OpenBooks(code, held.acting(day, code), bureau.members, bureau.store, True, held)  # type: ignore[arg-type]


def asked(books: Books, day: dt.date) -> dict[str, Any]:
    whole = Inquiry(books).check(company(1), day)
    offers = Inquiry(books).check(company(2), day)["honours"]
    return {
        "standing": whole["standing"],
        "measures": [measure["id"] for one in whole["findings"] for measure in one["measures"]],
        "reviewed": Review(books, Question("tender", day)).one(company(1))["standing"],
        "offers": [offer["id"] for one in offers for offer in one["incentives"]],
    }


def test_an_answer_in_these_seconds_is_right_by_the_day(tmp_path: Path) -> None:
    """A member leaves, and an incentive is another, with version 2 on 1 December; nothing has run since midnight."""
    net = network(tmp_path, lambda code: f"sqlite:///{tmp_path}/{code}.db")
    staying = (THIRD, HOME)
    net.versions = {code: [version_of(staying, 2, FIRST.isoformat(), LOANS_ALONE)] for code in staying}
    net.nodes[LEAVING].home.put(penalty("101", company(1), "TC-A04", LEAVING))
    net.settle()
    args = {"uscc": company(2), "honour": "HN-RED", "name": "演示第2化工有限公司", "number": "诚〔2026〕1号",
            "organ": ORGAN, "on": "2026-11-01", "published": "2026-11-05", "until": "2027-10-31", "account": 7,
            "ground": "operator_request"}  # fmt: skip
    Honouring(net.nodes[HOME].bureau).run("honour.grant", args, lambda conn, result: None)
    for code in staying:
        net.nodes[code].stages.adopt.adopt(2, 1001, "operator_request")
    net.settle(collect=False)
    net.now = dt.datetime(2026, 11, 30, 15, 59, 50, tzinfo=dt.UTC)
    net.settle(collect=False)
    bureau = net.nodes[HOME].bureau
    then = asked(opened(net, HOME, LAST), LAST)
    assert then["standing"] == then["reviewed"] == "restricted" and then["offers"] == [
        "IN-GREEN",
        "IN-PAPERS",
        "IN-LOAN",
    ]
    net.now = dt.datetime(2026, 11, 30, 16, 0, 1, tzinfo=dt.UTC)
    assert bureau.agreement.version == 1, "nothing has stepped"
    at_once = asked(opened(net, HOME, FIRST), FIRST)
    assert at_once == {"standing": "clear", "measures": [], "reviewed": "noted", "offers": ["IN-LOAN"]}
    assert asked(replace(opened(net, HOME, LAST), agreement=bureau.agreement), LAST) == then
    net.settle(collect=False)
    assert bureau.agreement.version == 2
    assert asked(opened(net, HOME, FIRST), FIRST) == at_once == asked(bureau, FIRST), "the step changes no answer"
    net.close()
