"""``resync``: walks a stage again from an earlier place; recorded in the ledger with account and ground."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.acting import Acting, act, draw_left
from syncd.cli.options import CONFIG, OWN_ACCOUNT, WAIT_SECONDS, Account, AsJson, Config, Reason, Wait, settings_of
from syncd.cli.output import give, say

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]


class Stage(StrEnum):
    """The four stages of the agreement: 归集, 共享, 互认, 受限."""

    collect = "collect"
    share = "share"
    recognise = "recognise"
    restrict = "restrict"


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.command("resync")(resync)


def resync(
    stage: Annotated[Stage, typer.Argument(help="归集 collect, 共享 share, 互认 recognise or 受限 restrict.")],
    reason: Reason,
    peer: Annotated[str, typer.Option("--peer", metavar="R", help="Only this member (share, recognise).")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be walked again.")] = False,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Move a stage's cursor back, so that it walks the same road again; nothing is said twice.

    collect reads the whole source again, share sends all disclosures again, recognise judges every entry again,
    restrict delivers all present orders again, liftings first, as to a home system that has lost them. With no daemon
    running the command does it itself.

    \b
    Example:
      syncd resync collect --reason "source restored from backup" -c kunshan/syncd.toml
    """
    if peer and stage in (Stage.collect, Stage.restrict):
        raise typer.BadParameter(f"{stage.value} is of this node alone, whoever its peers are", param_hint="--peer")
    args = {"stage": stage.value, "peer": peer or None, "dry_run": dry_run}
    give(act(settings_of(config), "resync", args, Acting(reason, account, wait)), as_json, _draw)


def _draw(to: "Console", answer: Json) -> None:
    result = answer["result"]
    skipped = ("stage", "peer", "dry_run", "from", "to")
    counts = ", ".join(f"{name}: {value}" for name, value in result.items() if name not in skipped)
    said = "would walk" if result["dry_run"] else "walks"
    peer = f" of {result['peer']}" if result["peer"] else ""
    say(to, f"resync {result['stage']}{peer} {said} again {counts} (job {answer['job']}, done by the {answer['by']})")
    draw_left(to, answer["left"])
