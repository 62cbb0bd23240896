"""The verdict on a proof bundle (验证结论), offline: bytes and a trust policy in, numbered steps out.

1. *form*: each record's proof and checkpoint have the public forms (tlog-proof, signed note, three-line checkpoint).
2. *signed*: a key of the log itself, good at that size by the policy's history, signed the checkpoint; and so did its
   SM2 key, where the policy names one, the line is there and the extra ``gm`` is installed to check it.
3. *countersigned*: the lines the policy asks for are there and verify; all members' by default, so it is final. In a
   bundle of what a member knew, that member's line is there, dated before the moment asked about.
4. *one tree*: no two checkpoints of one log and size differ.
5. *included*: the leaf stands in the checkpoint's tree at its index (RFC 9162 §2.1.3.2).
6. *leaf*: the leaf is an entry in canonical form; of a kind this version knows.
7. *disclosure*: it opens the leaf's commitment, and its body has the form of its kind.
8. *chain*: what each entry speaks of is in the bundle, under the same log, id and leaf.
9. *erased*: what is erased was ordered to be, by an entry in the bundle.

Each fault names the record. A record that fails an early step is not looked at further. Nothing is trusted but the
policy: what the bundle says of itself decides nothing.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Final

from syncd.errors import Refuse
from syncd.ledger.bundle import ABSENT, ERASED, NONE, PARTIAL, PRESENT, WITHHELD, Bundle, Known
from syncd.ledger.canonical import FormatError, Json
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.disclosure import open_disclosure, open_items
from syncd.ledger.entry import KINDS, Entry, MeaningError, parse_entry
from syncd.ledger.notes import BadSignature, parse_note
from syncd.ledger.policy import Policy, cosigners, lacking, signed_by_log, sm2_line
from syncd.ledger.proof import parse_proof
from syncd.ledger.steps import Fault, Proven, Step, Verdict
from syncd.ledger.tree import ProofError, verify_inclusion

STEPS: Final = (
    "form",
    "signed",
    "countersigned",
    "one_tree",
    "included",
    "leaf",
    "disclosure",
    "chain",
    "erased",
)
_NOTES_KEPT = 64
CheckBody = Callable[[str, Json], None]
"""Raises for a body that is not of the form of its kind; the exception's ``reason`` is a code."""


def verify_bundle(bundle: Bundle, policy: Policy, check_body: CheckBody) -> Verdict:
    """Return the verdict on ``bundle`` by ``policy``; raises nothing, whatever the bundle holds."""
    records = [Proven(number, f"record {number}", record) for number, record in enumerate(bundle.records, 1)]
    steps = [Step(number, code) for number, code in enumerate(STEPS, 1)]
    checked = _Checked(policy)
    judge = (
        _form,
        lambda one: _signed(one, checked),
        lambda one: _countersigned(one, checked, bundle.known),
    )
    for step, look in zip(steps, judge, strict=False):
        _each(step, records, look)
    _one_tree(steps[3], records)
    _each(steps[4], records, _included)
    _each(steps[5], records, _leaf)
    _each(steps[6], records, lambda one: _disclosure(one, check_body))
    by_leaf = {one.hash: one for one in records if one.sound}
    _each(steps[7], records, lambda one: _chain(one, by_leaf, policy))
    ordered = {one.entry.ref.leaf for one in by_leaf.values() if _orders(one, policy) and one.entry and one.entry.ref}
    _each(steps[8], records, lambda one: _erased(one, by_leaf, ordered))
    _add_notes(steps, records, bundle.known)
    return Verdict(steps, records)


def _each(step: Step, records: Sequence[Proven], look: Callable[[Proven], str | None]) -> None:
    """Look at each record that is sound so far; what ``look`` returns or raises is its fault."""
    for one in records:
        if not one.sound:
            continue
        step.checked += 1
        try:
            code, detail = look(one), ""
        except MeaningError as error:
            code, detail = error.reason, ""
        except (FormatError, BadSignature, ProofError) as error:
            code, detail = _CODES[type(error)], str(error)
        if code is not None:
            code, _, more = code.partition(" ")
            step.faults.append(Fault(one.number, one.place, code, detail or more))
            one.sound = False


_CODES: Mapping[type[Refuse], str] = {
    FormatError: "malformed",
    BadSignature: "bad_signature",
    ProofError: "not_included",
}


def _form(one: Proven) -> str | None:  # 1
    proof = parse_proof(one.record.proof)
    one.note = parse_note(proof.checkpoint)
    one.checkpoint = parse_checkpoint(one.note.text)
    one.index, one.proof = proof.index, proof.hashes
    one.place = f"{one.checkpoint.origin}:{one.index}"
    return None


class _Checked:
    """Signatures checked once for each checkpoint: the records of one log share theirs."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.by_log = lru_cache(_NOTES_KEPT)(lambda note: signed_by_log(policy, note))
        self.cosigners = lru_cache(_NOTES_KEPT)(lambda note: cosigners(policy, note))
        self.lacking = lru_cache(_NOTES_KEPT)(lambda note: lacking(policy, note))
        self.sm2 = lru_cache(_NOTES_KEPT)(lambda note: sm2_line(policy, note))


def _signed(one: Proven, checked: _Checked) -> str | None:  # 2
    policy = checked.policy
    if one.note is None or one.checkpoint is None:
        return "malformed"
    if checked.by_log(one.note):
        one.sm2 = checked.sm2(one.note)
        return None
    if all(log.name != one.checkpoint.origin for log in policy.logs):
        return f"unknown_log {one.checkpoint.origin}"
    return "sealed_below" if policy.beyond_seal(one.checkpoint) else "not_signed"


def _countersigned(one: Proven, checked: _Checked, known: Known | None) -> str | None:  # 3
    if one.note is None:
        return "malformed"
    one.lines = checked.cosigners(one.note)
    one.lacking = checked.lacking(one.note)
    if known is None:
        return f"not_final {' '.join(one.lacking)}" if one.lacking else None
    times = [time for name, time in one.lines.items() if name.partition(".")[0] == known.member]
    if not times:
        return f"line_missing {known.member}"
    return None if min(times) < known.before else f"line_too_late {known.member}"


def _one_tree(step: Step, records: Sequence[Proven]) -> None:  # 4
    roots: dict[tuple[str, int], Proven] = {}
    for one in records:
        if not one.sound or one.checkpoint is None:
            continue
        step.checked += 1
        first = roots.setdefault((one.checkpoint.origin, one.checkpoint.size), one)
        if first.checkpoint is not None and first.checkpoint.root != one.checkpoint.root:
            step.faults.append(Fault(one.number, one.place, "fork", f"record {first.number}"))
            one.sound = False


def _included(one: Proven) -> str | None:  # 5
    if one.checkpoint is None:
        return "malformed"
    verify_inclusion(one.index, one.checkpoint.size, one.hash, one.proof, one.checkpoint.root)
    return None


def _leaf(one: Proven) -> str | None:  # 6
    one.entry = parse_entry(one.record.leaf)
    return None


def _disclosure(one: Proven, check_body: CheckBody) -> str | None:  # 7
    entry, record = one.entry, one.record
    if entry is None:
        return "malformed"
    commits = isinstance(entry.body, str | list)
    if record.state not in (PRESENT, PARTIAL):
        return None if commits == (record.state != NONE) else "state_does_not_fit"
    if isinstance(entry.body, list):
        one.items = open_items(entry.id, entry.body, record.disclosure)
        if (record.state == PARTIAL) != any(item is None for item in one.items):
            return "state_does_not_fit"
    elif isinstance(entry.body, str) and record.state == PRESENT:
        one.body = open_disclosure(entry.id, entry.body, record.disclosure)
    else:
        return "state_does_not_fit"
    return _faulty_body(entry, [one.body, *one.items], check_body)


def _faulty_body(entry: Entry, bodies: Sequence[Json | None], check_body: CheckBody) -> str | None:
    if entry.kind not in KINDS:
        return None
    for body in bodies:
        try:
            if body is not None:
                check_body(entry.kind, body)
        except Exception as error:  # whatever a reader of bodies raises, this body is not of its form
            reason = str(getattr(error, "reason", type(error).__name__))
            return None if reason == "newer_schema" else f"invalid_body {reason}"
    return None


def _chain(one: Proven, by_leaf: Mapping[bytes, Proven], policy: Policy) -> str | None:  # 8
    if one.entry is None:
        return "malformed"
    wanted = [one.entry.ref.leaf] if one.entry.ref is not None else []
    wanted += [item["about"] for item in one.items if item is not None and item.get("about")]
    for leaf in wanted:
        if bytes.fromhex(leaf) not in by_leaf:
            return f"not_in_bundle {leaf}"
    ref = one.entry.ref
    if ref is not None:
        named = by_leaf[bytes.fromhex(ref.leaf)]
        origin = named.checkpoint.origin if named.checkpoint is not None else ""
        if named.entry is None or (origin, named.entry.id) != (ref.log, ref.id):
            return f"names_another {ref.leaf}"
    return None


def _orders(one: Proven, policy: Policy) -> bool:
    """Whether this is an order of erasure by the log of the finding it names, or by that log's successor."""
    entry = one.entry
    if entry is None or entry.kind != "erasure.ordered" or entry.ref is None or one.checkpoint is None:
        return False
    return speaks_for(one.checkpoint.origin, entry.ref.log, policy)


def speaks_for(origin: str, about: str, policy: Policy) -> bool:
    """Whether a log may relieve and erase what stands in log ``about``: itself, or its successor after a seal."""
    seen = set[str]()
    while origin != about and about not in seen and about in policy.sealed:
        seen.add(about)
        about = policy.sealed[about].successor or ""
    return origin == about


def _erased(one: Proven, by_leaf: Mapping[bytes, Proven], ordered: set[str]) -> str | None:  # 9
    if one.record.state == ABSENT:
        return "missing"
    if one.record.state != ERASED:
        return None
    step: Proven | None = one
    for _ in range(8):
        if step is None or step.hash.hex() in ordered:
            break
        ref = step.entry.ref if step.entry is not None else None
        step = by_leaf.get(bytes.fromhex(ref.leaf)) if ref is not None else None
    return None if step is not None and step.hash.hex() in ordered else "no_erasure_entry"


def _add_notes(steps: Sequence[Step], records: Sequence[Proven], known: Known | None) -> None:
    """What is no fault and still to be known: kinds not known yet, what was kept back, what is not final yet."""
    second = {(one.checkpoint.origin, one.sm2): one for one in reversed(records) if one.checkpoint and one.sm2}
    steps[1].notes += [Fault(one.number, one.place, one.sm2) for one in reversed(second.values())]
    for one in records:
        if one.entry is not None and one.entry.kind not in KINDS:
            steps[5].notes.append(Fault(one.number, one.place, "unknown_kind", one.entry.kind))
        if one.record.state in (WITHHELD, PARTIAL, ERASED):
            steps[6].notes.append(Fault(one.number, one.place, one.record.state))
        if known is not None and one.lacking:
            steps[2].notes.append(Fault(one.number, one.place, "not_final", " ".join(one.lacking)))
