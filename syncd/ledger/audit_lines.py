"""The lines under a checkpoint as an audit judges them 签名行: own, SM2, members', others."""

from typing import NamedTuple

from syncd.ledger.audited import Listed, LogReport
from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import BadSignature, Note, parse_note
from syncd.ledger.policy import Policy, lacking_of, signed_by_log, sm2_line


class Seen(NamedTuple):
    """One listed checkpoint as far as it goes without the tree: its root, empty if it cannot be read, and whether a key
    of the log has signed it.
    """

    size: int
    root: bytes
    by_log: bool
    report: LogReport


def seen(policy: Policy, origin: str, listed: Listed) -> Seen:
    """Judge one listed checkpoint's form and lines (L2)."""
    report, place = LogReport(origin, checkpoints=1), f" checkpoint {listed.size}"
    if listed.fault:
        report.add(2, place, "row_differs", listed.fault)
    if not listed.note:
        return Seen(listed.size, b"", False, report)
    try:
        note = parse_note(listed.note)
        checkpoint = parse_checkpoint(note.text)
        if (checkpoint.origin, checkpoint.size) != (origin, listed.size):
            raise FormatError("It is another log's or another size's.")
    except FormatError as error:
        report.add(2, place, "malformed", str(error))
        return Seen(listed.size, b"", False, report)
    by_log = signed(policy, report, 2, place, note)
    second(policy, report, 2, place, note, counted=True)
    if not lacking_of(policy, set(lines(policy, report, 2, place, note))):
        report.final = listed.size
    return Seen(listed.size, checkpoint.root, by_log, report)


def signed(policy: Policy, report: LogReport, level: int, place: str, note: Note) -> bool:
    """Whether the log's own key signed it."""
    try:
        found = signed_by_log(policy, note)
    except (BadSignature, FormatError):
        found = False
    if not found:
        report.add(level, place, "not_signed")
    return found


def second(policy: Policy, report: LogReport, level: int, place: str, note: Note, *, counted: bool) -> None:
    """What the log's SM2 line says, where the policy names a key for it, into the counts; a wrong one is named."""
    try:
        said = sm2_line(policy, note)
    except (BadSignature, FormatError):
        report.add(level, place, "bad_sm2_signature")
    else:
        report.sm2.update([said] if said and counted else [])


def lines(policy: Policy, report: LogReport, level: int, place: str, note: Note) -> dict[str, int]:
    """The witnesses whose lines verify, with their times; every other line is named, whoever's it is."""
    checkpoint, times = parse_checkpoint(note.text), dict[str, int]()
    for line in note.lines:
        makers = [name for name, key in policy.witnesses.items() if key.made(line)]
        report.lines += len(makers)
        for name in makers:
            try:
                time = policy.witnesses[name].verify(note.text, line)
            except (BadSignature, FormatError):
                report.add(level, f"{place} line of {name}", "bad_signature")
                continue
            if time is not None and policy.counts(policy.witnesses[name], checkpoint):
                times[name] = time
        if not makers and not _of_the_log(policy, checkpoint.origin, line):
            report.add(level, f"{place} line of {line.split(' ')[1]}", "unknown_key")
    return times


def _of_the_log(policy: Policy, origin: str, line: str) -> bool:
    """Whether a line is by a key of a log of the policy; a second line in the log's name may be of a key it lacks."""
    if any(key.made(line) for key in policy.logs) or any(key.made(line) for key in policy.sm2):
        return True
    return line.split(" ")[1] == origin and all(key.name != origin for key in policy.sm2)
