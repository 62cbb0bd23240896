"""Commands about a bureau's own system 来源适配: a facts page for a new one, what it takes, whether it fits."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from syncd.cli.adapter_shown import draw_check, draw_new
from syncd.cli.options import AsJson, family_of
from syncd.cli.output import give

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.home_system import Home

Json = dict[str, Any]
SOMETHING_TO_MEND = 1
FAMILY_HELP = "A bureau's own system 来源适配: its facts page, its front database, what it gives."
family = family_of(FAMILY_HELP, "adapter quality")

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the source or file of its facts page 来源说明.")]
NodeConfig = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="Settings of the node; ./syncd.toml if there is one."),
]
Setting = Annotated[
    list[str] | None,
    typer.Option("--source", metavar="NAME=VALUE", help="A setting of [source], in place of the node's; repeatable."),
]


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.add_typer(family, name="adapter")


def home_of(name: str, config: Path | None, given: list[str] | None) -> "Home":
    """The source that a command is about: its page, and how it is reached, as far as that is known."""
    from syncd.home_system import find_home

    settings = dict(_pair(one) for one in given or ())
    return find_home(name, config, settings)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    if not value.strip() or not name.isidentifier():
        raise typer.BadParameter("a setting is written as name=value, for example folder=/srv/exchange",
                                 param_hint="--source")  # fmt: skip
    return name, value


@family.command("new")
def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the source: small letters, digits, hyphens.")],
    mode: Annotated[Literal["service", "files", "database"], typer.Option("--mode", help="How it is reached.")],
    code: Annotated[str, typer.Option("--code", metavar="R", help="Region code 区划代码 of the bureau.")] = "",
    bureau: Annotated[str, typer.Option("--bureau", metavar="TEXT", help="Name of the bureau 发布单位.")] = "",
    organ: Annotated[str, typer.Option("--organ", metavar="USCC", help="Code of its penalising organ 处罚机关.")] = "",
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="Where the page goes.")] = Path("config/sources"),
    as_json: AsJson = False,
) -> None:
    """Write a commented facts page 来源说明 for a new bureau; no Python is needed in any of the three modes.

    The page loads as it is. Lines marked 填写 FILL IN are the bureau's; a page that is there is never overwritten.

    \b
    Example:
      syncd adapter new xincheng --mode files --code 320599 --bureau 虚构市新城生态环境局
    """
    from adapters.facts import parse_facts
    from adapters.newpage import FILL_IN, new_page
    from syncd.errors import NeedsPerson

    given = {"publisher.code": code, "publisher.name": bureau, "publisher.organ": organ}
    text = new_page(name, mode, {path: value for path, value in given.items() if value})
    parse_facts(text.encode())
    file = folder / f"{name}.toml"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with file.open("x", encoding="utf-8") as page:
            page.write(text)
    except FileExistsError:
        raise NeedsPerson(f"There is a page {file} already; it was left as it is.") from None
    marked = [line.split(" = ")[0] for line in text.splitlines() if FILL_IN in line and " = " in line]
    give({"page": str(file), "source": name, "mode": mode, "fill_in": marked}, as_json, draw_new)


@family.command("ddl")
def ddl(
    name: Name,
    dialect: Annotated[
        Literal["mariadb", "postgresql", "kingbase", "dm", "sqlite"], typer.Option("--dialect", help="Its database.")
    ] = "mariadb",
    config: NodeConfig = None,
    as_json: AsJson = False,
) -> None:
    """Print the tables of a front database 前置库 as DDL, with the grants a node needs; database mode only.

    \b
    Example:
      syncd adapter ddl taicang --dialect postgresql
    """
    from adapters.ddl import ddl as statements
    from syncd.errors import NeedsPerson

    facts = home_of(name, config, None).facts
    if facts.database is None:
        raise NeedsPerson(f"The source {facts.source.id} is in {facts.source.mode} mode, which has no tables.")
    give({"source": facts.source.id, "dialect": dialect, "ddl": statements(facts, dialect)}, as_json, _draw_ddl)


def _draw_ddl(to: "Console", made: Json) -> None:
    to.print(made["ddl"], end="", soft_wrap=True)


@family.command("check")
def check(
    name: Name,
    live: Annotated[bool, typer.Option("--live", help="Also read the real source; nothing is stored.")] = False,
    rows: Annotated[int, typer.Option("--rows", metavar="N", min=1, help="With --live: stop after N rows.")] = 20_000,
    setting: Setting = None,
    config: NodeConfig = None,
    as_json: AsJson = False,
) -> None:
    """Say whether a facts page and its source fit: columns understood, rows accepted and refused, and how to mend.

    Without --live invented rows are tried under the page's column names. With it the source is read as well: nothing is
    stored, sent or moved. Leaves with 1 where something is to be mended.

    \b
    Example:
      syncd adapter check xincheng --live --source folder=/srv/exchange
    """
    from adapters.check import dry_pull, reading_only
    from adapters.trial import trial

    home = home_of(name, config, setting)
    tried = trial(home.facts)
    facts = reading_only(home.facts)
    pulled = dry_pull(home.adapter(facts), facts, rows) if live else None
    fine = all(one["fine"] for one in tried) and not home.facts.unnamed and (pulled is None or pulled["fine"])
    report = {"source": home.facts.source.id, "mode": home.facts.source.mode, "page": str(home.page),
              "unnamed": home.facts.unnamed, "illustrative": home.facts.illustrative, "trial": tried, "live": pulled,
              "fine": fine}  # fmt: skip
    give(report, as_json, draw_check)
    if not fine:
        raise typer.Exit(SOMETHING_TO_MEND)
