"""Commands about evidence 证据: ``prove`` and ``asof`` make bundles, ``verify`` judges one offline."""

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from syncd.cli import ledger_shown
from syncd.cli.options import CONFIG, AsJson, Config, On, Region, day_of, family_of, organisation_of, settings_of
from syncd.cli.output import give

if TYPE_CHECKING:
    from syncd.cli.verdict_words import Language

Json = dict[str, Any]
Lang = Annotated[
    Literal["zh", "en", ""], typer.Option("--lang", metavar="zh|en", help="Language; the terminal's if left out.")
]
Out = Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="Where the bundle is written.")]
family = family_of("Evidence 证据: prove, verify, audit, export.", "ledger audit")


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.add_typer(family, name="ledger")


def language_of(lang: str) -> "Language":
    """The language asked for, or that of the terminal."""
    if lang == "":
        lang = "zh" if os.environ.get("LC_ALL", os.environ.get("LANG", "")).startswith("zh") else "en"
    return "zh" if lang == "zh" else "en"


@family.command("prove")
def prove(
    what: Annotated[str, typer.Argument(metavar="ENTRY|USCC|FINDING", help="<log>:<index>, id, leaf hash or USCC.")],
    output: Out,
    lang: Lang = "",
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write a proof bundle 证据包: the entries, their disclosures, and proofs with all members' lines.

    A finding comes with the chain about it in all logs: relief, what each region answered, feedback. Says which
    checkpoint is not final yet.

    \b
    Example:
      syncd ledger prove 91320583MB00000193 -o proof.bundle -c kunshan/syncd.toml
    """
    import datetime as dt

    from syncd.evidence.books import open_evidence
    from syncd.evidence.files import write_whole
    from syncd.evidence.prove import prove as make
    from syncd.ledger.bundle import format_bundle

    settings, language = settings_of(config), language_of(lang)
    with open_evidence(settings) as evidence:
        made = make(evidence, what, dt.datetime.now(dt.UTC))
    write_whole(output, format_bundle(made.bundle), private=True)
    give(ledger_shown.made(output, made), as_json, lambda to, value: ledger_shown.draw_made(to, value, language))


@family.command("asof")
def asof(
    uscc: Annotated[str, typer.Argument(metavar="USCC", help="Unified social credit code 统一社会信用代码.")],
    on: On = "",
    region: Region = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Also write the bundle that proves it.")
    ] = None,
    lang: Lang = "",
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Say what a region knew of an organisation by the end of a day 某日所知, and prove it.

    Known is what the region had countersigned by then. Each finding: since when, its answer, the relief it knew, what
    was in force, and what came later.

    \b
    Example:
      syncd ledger asof 91320583MB00000193 --on 2026-11-22 --region 320585 -o known.bundle -c kunshan/syncd.toml
    """
    import datetime as dt

    from syncd.evidence.asof import as_known
    from syncd.evidence.books import open_evidence
    from syncd.evidence.files import write_whole
    from syncd.ledger.bundle import format_bundle

    code, day, language = organisation_of(uscc), day_of(on), language_of(lang)
    with open_evidence(settings_of(config)) as evidence:
        value, made = as_known(evidence, code, region or evidence.code, day, dt.datetime.now(dt.UTC))
    if output is not None and made.bundle.records:
        write_whole(output, format_bundle(made.bundle), private=True)
    value["file"] = str(output) if output is not None and made.bundle.records else None
    give(value, as_json, lambda to, shown: ledger_shown.draw_known(to, shown, language))


@family.command("verify")
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The proof bundle.")],
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="The trust policy 信任策略, of any member's export.")
    ] = None,
    lang: Lang = "",
    as_json: AsJson = False,
) -> None:
    """Judge a proof bundle offline, by numbered steps; leaves with 0 if it is true and 1 if not.

    Nothing but the bundle and the policy is read; a step that does not hold names the record.

    \b
    Example:
      syncd ledger verify proof.bundle --policy trust.policy --lang zh
    """
    from schemas.registry import check_body
    from syncd.evidence.files import read_policy
    from syncd.ledger.bundle import BUNDLE_LIMIT, parse_bundle
    from syncd.ledger.canonical import FormatError
    from syncd.ledger.verdict import verify_bundle

    if policy is None:
        raise typer.BadParameter(
            "a bundle is judged by the trust policy 信任策略. Any member gives it: it is public/trust.policy of what "
            "`syncd ledger export` writes. Compare its fingerprint 指纹 with each bureau over the telephone",
            param_hint="--policy",
        )
    trust, print_of = read_policy(policy)
    language = language_of(lang)
    with file.open("rb") as opened:
        data = opened.read(BUNDLE_LIMIT + 1)
    try:
        bundle = parse_bundle(data)
    except FormatError as error:
        value = ledger_shown.unreadable(str(error), print_of)
    else:
        value = ledger_shown.verdict(bundle, verify_bundle(bundle, trust, check_body), print_of)
    give(value, as_json, lambda to, shown: ledger_shown.draw_verdict(to, shown, language))
    raise typer.Exit(0 if value["ok"] else 1)
