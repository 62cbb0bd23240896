"""Trust policies (信任策略) in the C2SP tlog-policy format: whose lines make a checkpoint final.

A policy names logs, witnesses, groups of them and one quorum. Here the witnesses of a log are the receipt
keys of all members, its owner's included; with "all" a satisfied checkpoint is *final* (定局): everybody has
stored it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from syncd.ledger.canonical import FormatError
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, Note, NoteVerifier, verify_note

NONE = "none"
"""The predefined quorum that needs no cosignature."""

_BLANKS = re.compile("[ \t]+")  # str.split() also splits on U+00A0, U+3000 and other blanks
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy. ``groups`` maps a name to its threshold and its members, witnesses or groups."""

    logs: list[NoteVerifier] = field(default_factory=list)
    witnesses: dict[str, NoteVerifier] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = NONE


def parse_policy(data: bytes) -> Policy:
    """Read a policy file. Raises FormatError with the number of the line that cannot be taken."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise FormatError("The policy is not UTF-8.") from error
    if _CONTROL.search(text) or not text.endswith("\n"):
        raise FormatError("The policy holds a control character, or its last line does not end.")
    policy, quorums = Policy(), list[str]()
    for number, line in enumerate(text.split("\n"), 1):
        words = _BLANKS.split(line.strip(" \t"))
        if words == [""] or words[0].startswith("#"):
            continue
        try:
            _take_line(policy, quorums, words)
        except FormatError as error:
            raise FormatError(f"Line {number} of the policy: {error}") from error
    if len(quorums) != 1:
        raise FormatError("A policy needs exactly one quorum line.")
    return Policy(policy.logs, policy.witnesses, policy.groups, quorums[0])


def satisfied(policy: Policy, note: Note) -> bool:
    """Whether ``note`` is a checkpoint signed by a log of the policy under its own name and by the quorum.

    Raises FormatError if the text is no three-line checkpoint, BadSignature if a line of a key of the policy
    does not verify. A policy without logs is never satisfied.
    """
    origin = parse_checkpoint(note.text).origin
    signers = [log for log in policy.logs if log.name == origin and _signed(log, note)]
    for log in signers:
        verify_note(note, log)
    return bool(signers) and _reached(policy, policy.quorum, set(cosigners(policy, note)))


def cosigners(policy: Policy, note: Note) -> dict[str, int]:
    """The policy's names of the witnesses that cosigned ``note``, with the Unix seconds they gave.

    Raises BadSignature if a line of a witness of the policy does not verify.
    """
    times = {name: verify_note(note, key) for name, key in policy.witnesses.items() if _signed(key, note)}
    return {name: time for name, time in times.items() if time is not None}


def format_policy(log_vkey: str, witnesses: Mapping[str, str], threshold: int | None = None) -> bytes:
    """Return one log's policy: ``witnesses`` maps a name to a vkey; ``threshold`` of them, None for all."""
    count = "all" if threshold is None else str(threshold)
    lines = [f"log {log_vkey}", *(f"witness {name} {vkey}" for name, vkey in witnesses.items())]
    lines += [f"group members {count} {' '.join(witnesses)}", "quorum members"] if witnesses else ["quorum none"]
    data = "".join(f"{line}\n" for line in lines).encode()
    parse_policy(data)
    return data


def _signed(key: NoteVerifier, note: Note) -> bool:
    return any(key.made(line) for line in note.lines)


def _reached(policy: Policy, name: str, signed: set[str]) -> bool:
    """Groups name only what stands above them, so this ends."""
    if name == NONE:
        return True
    if name in policy.witnesses:
        return name in signed
    threshold, members = policy.groups[name]
    return sum(_reached(policy, member, signed) for member in members) >= threshold


def _take_line(policy: Policy, quorums: list[str], words: list[str]) -> None:
    match words:
        case ["log", vkey] | ["log", vkey, _]:
            policy.logs.append(_key(vkey, LOG_KEY, policy.logs))
        case ["witness", name, vkey] | ["witness", name, vkey, _]:
            _check_new(policy, name)
            policy.witnesses[name] = _key(vkey, COSIGNATURE_KEY, policy.witnesses.values())
        case ["group", name, threshold, *members]:
            _check_new(policy, name)
            policy.groups[name] = (_threshold(threshold, len(members)), members)
            _check_members(policy, name, members)
        case ["quorum", name]:
            if name != NONE and name not in policy.witnesses and name not in policy.groups:
                raise FormatError("the quorum is not defined above.")
            quorums.append(name)
        case _:
            raise FormatError("it is no log, witness, group or quorum line.")


def _key(vkey: str, kind: int, others: Iterable[NoteVerifier]) -> NoteVerifier:
    key = NoteVerifier.parse(vkey)
    if key.kind != kind:
        raise FormatError(f"the key is not of type {kind}.")
    if any(key.public_key == other.public_key for other in others):
        raise FormatError("the key stands above already.")
    return key


def _check_new(policy: Policy, name: str) -> None:
    if name == NONE or name in policy.witnesses or name in policy.groups:
        raise FormatError("the name is taken.")


def _check_members(policy: Policy, name: str, members: list[str]) -> None:
    """Each name is defined above and a member once in all, so that a witness counts in one way only."""
    elsewhere = {member for group, (_, held) in policy.groups.items() if group != name for member in held}
    for member in members:
        if member == name or (member not in policy.witnesses and member not in policy.groups):
            raise FormatError("a member is not defined above.")
    if len(set(members)) != len(members) or elsewhere.intersection(members):
        raise FormatError("a name is a member twice.")


def _threshold(text: str, count: int) -> int:
    if count and text in ("any", "all"):
        return 1 if text == "any" else count
    if not _THRESHOLD.fullmatch(text) or int(text) > count:
        raise FormatError("the threshold is not any, all or a number from 1 to the number of members.")
    return int(text)
