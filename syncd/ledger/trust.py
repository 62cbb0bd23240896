"""The trust policy of an agreement (信任策略): one small text by which all its members' logs are verified offline.

It is a C2SP tlog-policy: a ``log`` line for each key of each log, a ``witness`` line for each receipt key, and a group
of all members with its quorum, "all" by default (LEDGER §1, §6). Who verifies needs nothing else from a bureau, so it
is handed over once and compared by its fingerprint, as member files are.

It carries the history of keys: a member with two receipt keys is a group of its own of which any line is enough; a key
that counts on some sizes only, and a log that ended, stand in lines that other readers skip (``syncd.ledger.policy``).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from syncd.ledger.canonical import b64
from syncd.ledger.key_history import EVERYWHERE, KeySpan, base
from syncd.ledger.policy import HISTORY, Policy, Sealed, Span, parse_policy

MEMBERS = "members"
"""The policy's name of the group of all members."""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A public key as vkey; ``spans``: where alone its lines count, empty for everywhere."""

    vkey: str
    spans: Sequence[Span] = ()


@dataclass(frozen=True, slots=True)
class TrustedMember:
    """A member by its code: the keys of its log or logs, and its receipt keys, oldest first; ``sm2``: second keys.

    No receipt keys: it has left.
    """

    code: str
    logs: Sequence[TrustedKey]
    receipts: Sequence[TrustedKey]
    sealed: Mapping[str, Sealed] = field(default_factory=dict)
    sm2: Sequence[TrustedKey] = ()


def format_trust(
    members: Sequence[TrustedMember],
    threshold: int | None = None,
    title: str = "",
    outside: Mapping[str, str] | None = None,
) -> bytes:
    """Return the policy's text; ``threshold`` of the members, None for all. Raises FormatError.

    ``title`` stands in its first line, as a comment. ``outside`` names witnesses by their vkeys who are no members:
    their lines are verified and shown, and no quorum waits for them.
    """
    lines = [f"# {title}"] if title else []
    lines += [f"log {key.vkey}" for member in members for key in member.logs]
    for member in members:
        lines += _receipts(member)
    lines += [f"witness {name} {vkey}" for name, vkey in sorted((outside or {}).items())]
    count = "all" if threshold is None else str(threshold)
    counting = " ".join(member.code for member in members if member.receipts)
    lines += [f"group {MEMBERS} {count} {counting}", f"quorum {MEMBERS}"]
    lines += _history(members)
    data = "".join(f"{line}\n" for line in lines).encode()
    parse_policy(data)
    return data


def plain_trust(
    agreement: str,
    members: Mapping[str, tuple[str, str]],
    outside: Mapping[str, str] | None = None,
    sm2: Mapping[str, str] | None = None,
) -> bytes:
    """The policy of an agreement whose members have one log key and one receipt key each, by code, both as vkey."""
    return agreement_trust(agreement, members, outside, sm2=sm2)


def agreement_trust(
    agreement: str,
    members: Mapping[str, tuple[str, str]],
    outside: Mapping[str, str] | None = None,
    history: Mapping[str, Sequence[KeySpan]] | None = None,
    ends: Mapping[str, Mapping[str, Sealed]] | None = None,
    sm2: Mapping[str, str] | None = None,
    former: Collection[str] = (),
) -> bytes:
    """The policy of an agreement: log and receipt key of each member as vkeys, or its ``history`` where it has one.

    ``ends``: the sealed logs of a member by their origins. ``sm2``: second keys by code, of the members that have one.
    ``former``: those that have left; their logs can be verified still, and no quorum waits for them.
    """
    trusted = []
    for code, (log, receipt) in sorted(members.items()):
        spans = (history or {}).get(code) or [base("log", log), base("receipt", receipt)]
        sealed = (ends or {}).get(code, {})
        receipts = [] if code in former else _trusted(spans, "receipt")
        trusted.append(TrustedMember(code, _trusted(spans, "log"), receipts, sealed, _second(sm2, code)))
    return format_trust(trusted, title=f"trust policy 信任策略 of {agreement}: C2SP tlog-policy", outside=outside)


def _trusted(spans: Sequence[KeySpan], role: str) -> list[TrustedKey]:
    """A role's keys in their order, each with the sizes on which alone it counts."""
    found: dict[str, list[Span]] = {}
    for one in spans:
        if one.role == role:
            kept = found.setdefault(one.vkey, [])
            if one.origin != EVERYWHERE:
                kept.append(Span(one.origin, one.first, one.last))
    return [TrustedKey(vkey, kept) for vkey, kept in found.items()]


def fingerprint(policy: bytes) -> str:
    """SHA-256 of a policy's text as sixteen groups of four hex digits, to be compared over the telephone."""
    digits = sha256(policy).hexdigest()
    return "-".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def origins(policy: Policy) -> list[str]:
    """The logs of a policy by their names, each once, in its order."""
    return list(dict.fromkeys(log.name for log in policy.logs))


def _receipts(member: TrustedMember) -> list[str]:
    if not member.receipts:
        return []  # it has left
    if len(member.receipts) == 1:
        return [f"witness {member.code} {member.receipts[0].vkey}"]
    names = [f"{member.code}.{number}" for number in range(1, len(member.receipts) + 1)]
    lines = [f"witness {name} {key.vkey}" for name, key in zip(names, member.receipts, strict=True)]
    return [*lines, f"group {member.code} any {' '.join(names)}"]


def _second(sm2: Mapping[str, str] | None, code: str) -> Sequence[TrustedKey]:
    vkey = (sm2 or {}).get(code)
    return [TrustedKey(vkey)] if vkey else []


def _history(members: Iterable[TrustedMember]) -> list[str]:
    lines = []
    for member in members:
        lines += [f"{HISTORY} sm2 {key.vkey}" for key in member.sm2]
        for key in (*member.logs, *member.receipts, *member.sm2):
            name = "+".join(key.vkey.split("+")[:2])
            for span in key.spans:
                lines.append(f"{HISTORY} key {name} {span.origin} {span.first} {_or_dash(span.last)}")
        for origin, end in member.sealed.items():
            lines.append(f"{HISTORY} sealed {origin} {end.size} {b64(end.root)} {_or_dash(end.successor)}")
    return lines


def _or_dash(value: object) -> str:
    return "-" if value is None else str(value)
