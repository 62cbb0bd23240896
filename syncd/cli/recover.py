"""``ledger recover``: fetches this node's own entries back from the members after its store has lost them."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.acting import draw_left
from syncd.cli.ledger import family
from syncd.cli.options import CONFIG, OWN_ACCOUNT, WAIT_SECONDS, Account, AsJson, Config, Reason, Wait, settings_of
from syncd.cli.output import give, say

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Put this command into the family of the ledger."""
    family.command("recover")(recover)


def recover(
    reason: Reason,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="R", help="Go on without it; a person answers for it."),
    ] = None,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Fetch entries back 补回 that this store has lost (an old copy was restored), verify them, and go on.

    Asks every member what it holds of this node's log; a silent one stops it, unless a person answers for it with
    --without. Mirrored logs are filled up too, and what was erased since is erased again.

    \b
    Example:
      syncd ledger recover --reason "database restored from backup" -c kunshan/syncd.toml
    """
    from syncd.asking import ask

    args = {"without": without or [], "account": account, "ground": "operator_request", "reason": reason}
    give(ask(settings_of(config), "recover", args, wait), as_json, _draw)


def _draw(to: "Console", answer: Json) -> None:
    result = answer["result"]
    for log, count in result["fetched"].items():
        say(to, f"{log}: {count} entries fetched back 补回")
    told = ", ".join(f"{code} {size}" for code, size in sorted(result["told"].items()))
    say(to, f"members told 各方所持: {told or 'nobody 无'}; the node signs again (job {answer['job']})")
    draw_left(to, answer["left"])
