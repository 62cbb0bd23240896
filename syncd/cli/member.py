"""Commands about the agreement's members 成员: whose file is held, and adding one after comparing its fingerprint."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.options import CONFIG, AsJson, Config, family_of, settings_of
from syncd.cli.output import give, say

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
family = family_of("The agreement's members 成员 and their files.", "member list")


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.add_typer(family, name="member")


@family.command("add")
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bureau's member-<code>.toml.")],
    fingerprint: Annotated[str, typer.Option("--fingerprint", metavar="F", help="As the bureau has read it out 指纹.")],
    replace: Annotated[bool, typer.Option("--replace", help="Replace another file of the same member.")] = False,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Add another bureau's member file, after its fingerprint was compared over the telephone.

    A running daemon takes it up by itself, within seconds. A member that only a later version names is added once that
    version was taken up.

    \b
    Example:
      syncd member add member-310114.toml --fingerprint 4f0a-… -c kunshan/syncd.toml
    """
    from syncd.founding import add_member

    member = add_member(settings_of(config), file, fingerprint, replace)
    held = {"code": member.code, "url": member.url, "log": member.origin, "fingerprint": member.fingerprint}
    give(held, as_json, _draw_added)


def _draw_added(to: "Console", held: Json) -> None:
    say(to, f"{held['code']} is held, at {held['url']}. A running daemon takes it up by itself.")


@family.command("list")
def listing(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List the members that any version here names, and whether their files are held.

    \b
    Example:
      syncd member list -c kunshan/syncd.toml
    """
    from syncd.agreement_files import read_agreement, read_members
    from syncd.founding import named_members

    settings = settings_of(config)
    folder = settings.path(settings.node.agreement)
    agreement, held, named = read_agreement(folder), read_members(folder), named_members(settings)
    rows = [
        {
            "code": code,
            "name_zh": named[code].regions[code].name_zh,
            "own": code == settings.node.code,
            "held": code in held,
            "url": held[code].url if code in held else None,
            "fingerprint": held[code].fingerprint if code in held else None,
        }
        for code in named
    ]
    give({"agreement": agreement.tag, "members": rows}, as_json, _draw_members)


def _draw_members(to: "Console", found: Json) -> None:
    say(to, f"Agreement 协议 {found['agreement']}", "bold")
    for one in found["members"]:
        own = " (this node 本节点)" if one["own"] else ""
        say(to, f"{one['code']} {one['name_zh']}{own}: {one['url'] or 'no member file yet 尚无名片'}")
        if one["held"]:
            say(to, f"  {one['fingerprint']}")
