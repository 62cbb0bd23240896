"""``ledger evidence`` 违规证据: what is kept of a log's misbehaviour, shown and written out for others."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.ledger import family as ledger
from syncd.cli.options import CONFIG, MOST_NUMBER, AsJson, Config, family_of, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.store.evidence import Evidence

Json = dict[str, Any]
Number = Annotated[
    int, typer.Argument(metavar="N", max=MOST_NUMBER, help="Number of the evidence, from `ledger evidence list`.")
]
family = family_of("Evidence of a log's misbehaviour 违规证据.", "ledger evidence list")


def add_to(app: typer.Typer) -> None:
    """Put this family into that of the ledger."""
    ledger.add_typer(family, name="evidence")


@family.command("list")
def listing(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List the evidence kept here: which log, what it did, whether it is proven, who showed it, when.

    \b
    Example:
      syncd ledger evidence list -c kunshan/syncd.toml
    """
    give({"evidence": [_shown(one) for one in _kept(config)]}, as_json, _draw_list)


@family.command("show")
def show(number: Number, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Show one piece of evidence whole: both signed notes, the log's keys, the proof.

    \b
    Example:
      syncd ledger evidence show 1 -c kunshan/syncd.toml
    """
    one = _one(number, config)
    give({**_shown(one), "text": _text(one).decode()}, as_json, lambda to, value: say(to, value["text"]))


@family.command("export")
def export(
    number: Number,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the evidence is written.")],
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write one piece of evidence as a text file, for the other members, an auditor or a court.

    It holds signed notes and hashes only, nothing of an organisation.

    \b
    Example:
      syncd ledger evidence export 1 -o fork.txt -c kunshan/syncd.toml
    """
    from syncd.evidence.files import write_whole

    one = _one(number, config)
    write_whole(output, _text(one))
    give({**_shown(one), "file": str(output)}, as_json, _draw_written)


def _kept(config: Path) -> "list[Evidence]":
    from syncd.reading import open_books
    from syncd.store import evidence

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        return evidence.listing(conn)


def _one(number: int, config: Path) -> "Evidence":
    from syncd.errors import NeedsPerson

    for one in _kept(config):
        if one.id == number:
            return one
    raise NeedsPerson(f"There is no evidence {number} here; `syncd ledger evidence list` shows what there is.")


def _text(one: "Evidence") -> bytes:
    from syncd.ledger.accusation import format_accusation

    facts = [("log", one.log), ("code", one.code), ("proven", "yes" if one.proven else "no"),
             ("shown-by", one.shown_by), ("found", one.at)]  # fmt: skip
    return format_accusation(facts, one.keys, one.proof, one.held, one.shown)


def _shown(one: "Evidence") -> Json:
    return {"evidence": one.id, "log": one.log, "code": one.code, "proven": one.proven, "shown_by": one.shown_by,
            "found": one.at}  # fmt: skip


def _draw_list(to: "Console", value: Json) -> None:
    rows = [
        (one["evidence"], one["log"], words.word(words.MISBEHAVIOUR, one["code"]), "yes 确证" if one["proven"] else
         "suspicion 疑", one["shown_by"], words.short(one["found"])) for one in value["evidence"]
    ]  # fmt: skip
    table(to, "Evidence 违规证据", ("evidence", "log", "code", "proven", "shown-by", "found"), rows)
    if not rows:
        say(to, "No evidence of misbehaviour is kept here 无.")


def _draw_written(to: "Console", value: Json) -> None:
    say(to, f"Evidence {value['evidence']} about {value['log']} stands in {value['file']}.")
