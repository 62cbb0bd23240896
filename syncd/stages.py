"""The stages of one node, put together from what was built: who rings whose bell, and in what order they drain.

Used by the daemon (each stage in its own thread) and by a command that holds the daemon's lock (all in one thread).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from adapters.source import Source
from syncd.flows.adopt import Adopt
from syncd.flows.bureau import Bureau
from syncd.flows.collect import Collect
from syncd.flows.custody import Custody
from syncd.flows.decide import Decide
from syncd.flows.erase import Erase
from syncd.flows.inquiry import Inquiry
from syncd.flows.order_erasure import OrderErasure
from syncd.flows.receive import Receive
from syncd.flows.recognise import Recognise
from syncd.flows.recover import Recover
from syncd.flows.refetch import Refetch
from syncd.flows.resend import Resend
from syncd.flows.restrict import Restrict
from syncd.flows.resync import Resync
from syncd.flows.serve import Serve
from syncd.flows.share import Batches, Link, Share
from syncd.flows.startup import begin
from syncd.flows.watch import Watch
from syncd.flows.work import Work

AHEAD_ENTRIES = 2_048
"""How far a long reading of the source may run ahead of a peer that answers: four stops."""
AHEAD_SECONDS = 0.5
"""How long one page waits for that at most; a peer that is slow or away never stops the reading."""


@dataclass(frozen=True)
class Stages:
    """All stages of a node. ``collect`` and ``restrict`` are absent where a node has no source of its own."""

    bureau: Bureau
    collect: Collect | None
    restrict: Restrict | None
    recognise: Recognise
    shares: Mapping[str, Share]
    resends: Mapping[str, Resend]
    receive: Receive
    serve: Serve
    inquiry: Inquiry
    custody: Custody
    adopt: Adopt
    work: Work
    erase: Erase
    watch: Watch

    def steps(self) -> Mapping[str, Callable[[], bool]]:
        """Each stage's step by the name of its bell; while the node is in doubt those that speak or sign rest."""
        steps: dict[str, Callable[[], bool]] = {"work": self.work.step, "recognise": self.recognise.step}
        steps["erase"] = self.erase.step
        steps["versions"] = self.adopt.step
        steps["answers"] = self.certain(lambda: self.recognise.answers(at_once=True))
        if self.collect is not None:
            collect = self.certain(self.collect.step)
            steps["collect"] = lambda: self.bureau.acts and collect()  # not before it has joined, nor once it has left
        if self.restrict is not None:
            steps["restrict"] = self.restrict.step
        for code, share in self.shares.items():
            steps[f"share:{code}"] = self.towards(code, share.step)
            steps[f"receipts:{code}"] = self.towards(code, share.receipts)
            steps[f"resend:{code}"] = self.towards(code, self.resends[code].step)
        steps["watch"] = self.certain(self.watch.step)
        return steps

    def certain(self, step: Callable[[], bool]) -> Callable[[], bool]:
        """``step``, but for while this node may not sign."""
        return lambda: self.bureau.may_sign and step()

    def towards(self, code: str, step: Callable[[], bool]) -> Callable[[], bool]:
        """``step`` as ``certain``, while entries are exchanged with this member at all."""
        return lambda: self.bureau.may_sign and code in self.bureau.exchanging and step()


def assemble(bureau: Bureau, source: Source | None, links: Mapping[str, Link]) -> Stages:
    """Put the stages together; ``links`` gives the way to each other member, in memory or over HTTPS."""
    recognise = Recognise(bureau)
    name = source.facts.source.id if source is not None else ""
    batches = Batches(bureau.vault)
    shares = {code: Share(bureau, bureau.members[code], link, batches) for code, link in links.items()}
    resends = {code: Resend(bureau, bureau.members[code], link) for code, link in links.items()}
    collect = Collect(bureau, source, name, lambda: _in_step(shares)) if source is not None else None
    adopt, refetch = Adopt(bureau), Refetch(bureau, links)
    custody = Custody(bureau, links, refetch, lambda: _begin(bureau))
    collects = [collect] if collect is not None else []
    return Stages(
        bureau=bureau,
        collect=collect,
        restrict=Restrict(bureau, source) if source is not None else None,
        recognise=recognise,
        shares=shares,
        resends=resends,
        receive=Receive(bureau),
        serve=Serve(bureau),
        inquiry=Inquiry(bureau),
        custody=custody,
        erase=Erase(bureau),
        adopt=adopt,
        work=Work(
            bureau,
            Resync(bureau, collects, resends),
            Decide(bureau, collects, recognise),
            Recover(bureau, links, custody, refetch),
            OrderErasure(bureau),
            adopt,
        ),
        watch=Watch(bureau, links, shares),
    )


def _begin(bureau: Bureau) -> None:
    """Nothing is in doubt any more: the log is begun or signed, and every stage goes on."""
    begin(bureau)
    for bell in ("share", "resend", "collect", "recognise", "restrict", "acknowledgements", "reconsider", "work",
                 "erase"):  # fmt: skip
        bureau.wake(bell)


def _in_step(shares: Mapping[str, Share]) -> None:
    for share in shares.values():
        share.keep_up(AHEAD_ENTRIES, AHEAD_SECONDS)
