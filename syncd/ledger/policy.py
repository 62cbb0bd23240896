"""Trust policies (信任策略) in the C2SP tlog-policy format: whose lines make a checkpoint final.

A policy names logs, witnesses, groups of them and one quorum. Here the witnesses of a log are the receipt
keys of all members, its owner's included; with "all" a satisfied checkpoint is *final* (定局): everybody has
stored it.

A policy may carry the history of a log's keys: several ``log`` lines of one name are its keys one after the other.
Two kinds of comment lines narrow it, which other readers of the format skip:

* ``#: key <name>+<id> <origin> <first> <last or ->``: this key's lines count on that log's sizes first to last only;
* ``#: sealed <origin> <size> <root> <successor or ->``: the log ends there (封存); nothing above is taken, and no
  other root at that size.

A third one, ``#: sm2 <vkey>``, names a log's second key 国密 (``syncd.ledger.sm2``); its ``key`` lines narrow it too.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from syncd.ledger.canonical import FormatError, hash_of_base64
from syncd.ledger.checkpoint import Checkpoint, parse_checkpoint, parse_size
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, Note, NoteVerifier, verify_note
from syncd.ledger.sm2 import Sm2Verifier, installed

NONE = "none"
"""The predefined quorum that needs no cosignature."""

HISTORY = "#:"
"""Begins a line of the keys' history; a comment to other readers."""

_BLANKS = re.compile("[ \t]+")  # str.split() also splits on U+00A0, U+3000 and other blanks
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)
_KEY_NAME = re.compile(r"[^\s+]+\+[0-9a-f]{8}")


@dataclass(frozen=True, slots=True)
class Span:
    """The sizes of ``origin`` on which a key's lines count, both inclusive; ``last`` None: to this day."""

    origin: str
    first: int = 0
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Sealed:
    """Where a log ended, with which root (32 bytes), and the origin of the log that goes on, if one does."""

    size: int
    root: bytes
    successor: str | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A parsed policy.

    ``groups`` maps a name to its threshold and its members, witnesses or groups; ``spans`` a key (``name+id``) to
    where its lines count, for keys that do not count everywhere; ``sealed`` an origin to its end.
    """

    logs: list[NoteVerifier] = field(default_factory=list)
    witnesses: dict[str, NoteVerifier] = field(default_factory=dict)
    groups: dict[str, tuple[int, list[str]]] = field(default_factory=dict)
    quorum: str = NONE
    spans: dict[str, list[Span]] = field(default_factory=dict)
    sealed: dict[str, Sealed] = field(default_factory=dict)
    sm2: list[Sm2Verifier] = field(default_factory=list)

    def counts(self, key: NoteVerifier | Sm2Verifier, checkpoint: Checkpoint) -> bool:
        """Whether lines of ``key`` count on this checkpoint by the keys' history."""
        spans = self.spans.get(key_name(key))
        return spans is None or any(
            span.origin == checkpoint.origin
            and span.first <= checkpoint.size
            and (span.last is None or checkpoint.size <= span.last)
            for span in spans
        )

    def beyond_seal(self, checkpoint: Checkpoint) -> bool:
        """Whether this log was sealed below the checkpoint, or at its size with another root."""
        end = self.sealed.get(checkpoint.origin)
        if end is None:
            return False
        return checkpoint.size > end.size or (checkpoint.size == end.size and checkpoint.root != end.root)


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
        if words == [""] or (words[0].startswith("#") and words[0] != HISTORY):
            continue
        try:
            _take_line(policy, quorums, words)
        except FormatError as error:
            raise FormatError(f"Line {number} of the policy: {error}") from error
    if len(quorums) != 1:
        raise FormatError("A policy needs exactly one quorum line.")
    ours: list[NoteVerifier | Sm2Verifier] = [*policy.logs, *policy.witnesses.values(), *policy.sm2]
    named = {key_name(key) for key in ours}
    if unknown := sorted(policy.spans.keys() - named):  # left out, a mistyped key would count everywhere
        raise FormatError(f"The policy narrows the key {unknown[0]}, which it does not name.")
    return replace(policy, quorum=quorums[0])


def satisfied(policy: Policy, note: Note) -> bool:
    """Whether ``note`` is a checkpoint signed by a log of the policy under its own name and by the quorum.

    Raises FormatError if the text is no three-line checkpoint, BadSignature if a line of a key of the policy
    does not verify. A policy without logs is never satisfied.
    """
    return signed_by_log(policy, note) and not lacking(policy, note)


def signed_by_log(policy: Policy, note: Note) -> bool:
    """Whether a key of the log itself, good at this size, signed ``note``, and no seal stands below it.

    Raises FormatError, BadSignature as ``satisfied`` does.
    """
    checkpoint = parse_checkpoint(note.text)
    signers = [log for log in policy.logs if log.name == checkpoint.origin and _signed(log, note)]
    for log in signers:
        verify_note(note, log)
    return any(policy.counts(log, checkpoint) for log in signers) and not policy.beyond_seal(checkpoint)


def sm2_line(policy: Policy, note: Note) -> str:
    """What the SM2 line of ``note`` says: ``sm2_signed``, ``sm2_not_checked`` without the extra, or ``sm2_missing``.

    Empty where the policy names no SM2 key of this log that is good at this size. A missing line is no fault: the
    log's own line stands, and a bureau may begin or end to sign so. Raises BadSignature for a line that is wrong.
    """
    checkpoint = parse_checkpoint(note.text)
    keys = [key for key in policy.sm2 if key.name == checkpoint.origin and policy.counts(key, checkpoint)]
    made = [(key, line) for line in note.lines for key in keys if key.made(line)]
    if not made:
        return "sm2_missing" if keys else ""
    if not installed():
        return "sm2_not_checked"
    for key, line in made:
        key.verify(note.text, line)
    return "sm2_signed"


def cosigners(policy: Policy, note: Note) -> dict[str, int]:
    """The policy's names of the witnesses that cosigned ``note``, with the Unix seconds they gave.

    Raises BadSignature if a line of a witness of the policy does not verify.
    """
    checkpoint = parse_checkpoint(note.text)
    times = {name: verify_note(note, key) for name, key in policy.witnesses.items() if _signed(key, note)}
    return {
        name: time
        for name, time in times.items()
        if time is not None and policy.counts(policy.witnesses[name], checkpoint)
    }


def lacking(policy: Policy, note: Note) -> list[str]:
    """Whose lines are missing for the quorum, by the policy's names; empty if ``note`` is final.

    Raises BadSignature as ``cosigners`` does.
    """
    return lacking_of(policy, set(cosigners(policy, note)))


def lacking_of(policy: Policy, signed: set[str]) -> list[str]:
    """As ``lacking``, of lines that were verified already: ``signed`` are their witnesses by the policy's names."""
    if _reached(policy, policy.quorum, signed):
        return []
    members = policy.groups[policy.quorum][1] if policy.quorum in policy.groups else [policy.quorum]
    return [name for name in members if not _reached(policy, name, signed)]


def key_name(key: NoteVerifier | Sm2Verifier) -> str:
    """``name+id`` of a key, as the history's lines name it."""
    return f"{key.name}+{key.key_id.hex()}"


def format_policy(log_vkey: str, witnesses: Mapping[str, str], threshold: int | None = None) -> bytes:
    """Return one log's policy: ``witnesses`` maps a name to a vkey; ``threshold`` of them, None for all.

    ``syncd.ledger.trust`` writes the policy of several logs, with the history of their keys.
    """
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
        case ["#:", "key", name, origin, first, last]:
            if not _KEY_NAME.fullmatch(name):
                raise FormatError("the key is not named as name+id.")
            span = Span(origin, parse_size(first), None if last == "-" else parse_size(last))
            policy.spans.setdefault(name, []).append(span)
        case ["#:", "sm2", vkey]:
            second = Sm2Verifier.parse(vkey)
            if second in policy.sm2:
                raise FormatError("the key stands above already.")
            policy.sm2.append(second)
        case ["#:", "sealed", origin, size, root, successor]:
            if origin in policy.sealed:
                raise FormatError("the log is sealed above already.")
            end = Sealed(parse_size(size), hash_of_base64(root), None if successor == "-" else successor)
            policy.sealed[origin] = end
        case _:
            raise FormatError("it is no log, witness, group, quorum or history line.")


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
