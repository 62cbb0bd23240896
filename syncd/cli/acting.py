"""What commands share by which a person acts: who acts and why, the job that is asked for, and what is left of it."""

from typing import TYPE_CHECKING, Any, NamedTuple

from syncd.cli.output import say

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.settings import Settings

Json = dict[str, Any]
GROUND = "operator_request"
"""The code that the ledger gets; the reason in words stays in this node."""


class Acting(NamedTuple):
    """Who acts and why, and how many seconds a running daemon is waited for."""

    reason: str
    account: int
    wait: float


def act(settings: "Settings", kind: str, args: Json, by: Acting) -> Json:
    """Have a job done, by the daemon or here under its lock; returns its answer."""
    from syncd.asking import ask

    about = {**args, "account": by.account, "ground": GROUND, "reason": by.reason}
    answer: Json = ask(settings, kind, about, by.wait)
    return answer


def draw_left(to: "Console", left: Json) -> None:
    """What could not go on now; a daemon takes it up by itself."""
    for stage, sentence in left.items():
        say(to, f"left to the daemon: {stage}: {sentence}", "yellow")
