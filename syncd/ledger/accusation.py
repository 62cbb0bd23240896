"""The text form of evidence of misbehaviour 违规证据: what a stranger needs to see for himself that a log misbehaved.

    syncd-evidence@v1
    log <origin>
    code <code>
    proven yes|no
    shown-by <who>
    found <UTC time>
    key <vkey>              one line for each key of the log
    proof <base64>          a consistency proof between the two sizes, if it belongs to the evidence
    <blank line>
    <the note held, a signed checkpoint>
    <blank line>
    <the note shown>

Both notes carry the log's own signature. Two roots of one size exclude each other by themselves; with a proof, the
larger note commits to another root at the smaller size than the smaller note shows.
"""

from collections.abc import Sequence

FIRST_LINE = "syncd-evidence@v1"


def format_accusation(
    facts: Sequence[tuple[str, str]], keys: Sequence[str], proof: Sequence[str], held: bytes, shown: bytes
) -> bytes:
    """The text of one piece of evidence; ``facts`` are the lines after the first, in their order."""
    lines = [FIRST_LINE, *(f"{name} {value}" for name, value in facts)]
    lines += [f"key {vkey}" for vkey in keys] + [f"proof {step}" for step in proof]
    return "".join(f"{line}\n" for line in lines).encode() + b"\n" + held + b"\n" + shown
