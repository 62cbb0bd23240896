"""``fsck``: check a node's store, name what differs, and write again what can be derived."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from syncd.cli.ledger_audit import progress
from syncd.cli.options import CONFIG, AsJson, Config, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.fsck.faults import Report

Json = dict[str, Any]
SHOWN = 50


def add_to(app: typer.Typer) -> None:
    """Put this command into the command line."""
    app.command("fsck")(fsck)


def fsck(
    repair: Annotated[bool, typer.Option("--repair", help="Write again what can be derived; needs no daemon.")] = False,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Check a node's store 核查: leaves, tiles, roots, keys, cursors, register, outbox, signed sizes; name each record.

    Leaves with 0 if nothing is wrong, or nothing is left that is, and 1 otherwise. Runs beside a daemon; --repair wants
    it stopped, and re-derives tiles, cursors, register and deliveries, never entries.

    \b
    Example:
      syncd fsck -c kunshan/syncd.toml
    """
    from syncd.errors import Stop
    from syncd.fsck.run import check, check_before, check_texts
    from syncd.reading import open_store
    from syncd.wiring import build
    from syncd.witness_config import witnessed_of

    settings = settings_of(config)
    with ExitStack() as stack:
        store = open_store(settings)  # a node that never ran is told so
        stack.callback(store.close)
        if repair:
            stack.enter_context(store.single_instance())
        first = check_before(store, repair)
        if not first.ok:
            _end(first, repair, as_json)
        try:
            built = build(settings, lambda bell: None, lambda event, facts: None)
        except Stop:
            texts = check_texts(store)
            if texts.ok:
                raise
            _end(texts, repair, as_json)
        bureau = built.bureau
        stack.callback(bureau.store.close)
        stack.callback(bureau.vault.close)
        if built.source is not None:
            stack.callback(built.source.close)
        told = stack.enter_context(progress())
        report = check(bureau, settings.data / "signed-sizes", told, repair, witnessed_of(settings))
    report.counts.update(first.counts)
    report.faults[:0], report.mended = first.faults, report.mended + first.mended
    _end(report, repair, as_json)


def _end(report: "Report", repair: bool, as_json: bool) -> NoReturn:
    give(_content(report, repair), as_json, _draw)
    raise typer.Exit(0 if report.ok else 1)


def _content(report: "Report", repair: bool) -> Json:
    return {
        "ok": report.ok,
        "repaired": report.mended if repair else None,
        "faults": report.total,
        "counts": dict(sorted(report.counts.items())),
        "records": dict(report.records),
        "listed": [fault._asdict() for fault in report.faults],
    }


def _kinds(found: Json) -> str:
    return ", ".join(f"{kind} {count}" for kind, count in found["counts"].items())


def _draw(to: "Console", found: Json) -> None:
    rows = [(one["part"], one["record"], one["code"], "yes" if one["derivable"] else "", one["detail"])
            for one in found["listed"][:SHOWN]]  # fmt: skip
    if rows:
        table(to, "What differs 不一致", ("part", "record", "code", "derivable", "detail"), rows, "detail")
    if found["faults"] > len(rows):
        say(to, f"and {found['faults'] - len(rows)} more, by part and kind: {_kinds(found)} (--json lists a thousand)")
    if found["repaired"] is not None:
        say(to, f"{found['repaired']} of {found['faults']} written again 已重建")
    if found["ok"]:
        say(to, f"{found['records'].get('entries', 0)} entries looked at; nothing is wrong 无误", "bold green")
        return
    say(to, f"{found['faults']} records differ 有误", "bold red")
    if found["repaired"] is None and any(one["derivable"] for one in found["listed"]):
        say(to, "Stop the daemon and give --repair: what is derivable is written again.")
    if any(not one["derivable"] for one in found["listed"]):
        say(to, "What is not derivable comes back from a backup of the store, then `syncd ledger recover`.")
