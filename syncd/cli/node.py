"""Commands about the node itself: ``init`` makes it, ``run`` is its daemon, ``status`` says how it stands."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.alarms import draw_alarm
from syncd.cli.intake_shown import draw_intake
from syncd.cli.options import CONFIG, AsJson, Config, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.founding import Founded
    from syncd.settings import SourceSettings

Json = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.command("init")(init)
    app.command("run")(run)
    app.command("status")(status)


def init(
    code: Annotated[str, typer.Option("--code", metavar="R", help="Region code 区划代码 of the bureau, GB/T 2260.")],
    url: Annotated[str, typer.Option("--url", metavar="URL", help="https://host:port at which peers reach it.")],
    agreement: Annotated[Path, typer.Option("--agreement", metavar="DIR", help="Folder of the agreement 协议.")],
    folder: Annotated[Path, typer.Option("--dir", metavar="DIR", help="The node's own folder.")] = Path("."),
    facts: Annotated[Path | None, typer.Option("--facts", metavar="FILE", help="Facts page of its own system.")] = None,
    source_folder: Annotated[
        Path | None, typer.Option("--source-folder", metavar="DIR", help="That system's folder (files mode).")
    ] = None,
    source_url: Annotated[
        str, typer.Option("--source-url", metavar="URL", help="Its URL (service and database modes).")
    ] = "",
    token_file: Annotated[
        Path | None, typer.Option("--token-file", metavar="FILE", help="File with its token (service mode).")
    ] = None,
    ca_file: Annotated[
        Path | None, typer.Option("--ca-file", metavar="FILE", help="Its certificate authority (service mode).")
    ] = None,
    store_url: Annotated[
        str, typer.Option("--store", metavar="URL", help="Store; SQLite in the node's folder if left out.")
    ] = "",
    sm2: Annotated[
        bool, typer.Option("--sm2", help="Make a second key 国密 and sign checkpoints by SM2 too (extra gm).")
    ] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of another member file of this code.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make a node: keys, certificate authority, signed sizes, vault, syncd.toml and its member file 成员名片.

    Refuses where keys exist. A syncd.toml that is there is kept. The member file is then handed to every other
    bureau, and its fingerprint read out over the telephone.

    \b
    Example:
      syncd init --dir kunshan --code 320583 --url https://192.0.2.7:8443 --agreement agreements/jiakuntai-eco
    """
    from syncd.founding import found
    from syncd.settings_file import Wishes

    source = _source(facts, source_folder, source_url, token_file, ca_file)
    made = found(folder, Wishes(code, url, agreement, source, store_url or None, sm2=sm2), replace)
    give(_founded(made), as_json, _draw_founded)


def _source(
    facts: Path | None, folder: Path | None, url: str, token_file: Path | None, ca_file: Path | None
) -> "SourceSettings | None":
    from syncd.settings import SourceSettings

    if facts is None:
        if folder or url or token_file or ca_file:
            raise typer.BadParameter("the options of the bureau's own system need its facts page", param_hint="--facts")
        return None
    given = {"folder": folder, "url": url or None, "token_file": token_file, "ca_file": ca_file}
    return SourceSettings(facts=facts, **{name: one for name, one in given.items() if one})


def _founded(made: "Founded") -> Json:
    return {
        "code": made.member.code,
        "url": made.member.url,
        "log": made.member.origin,
        "fingerprint": made.member.fingerprint,
        "member_file": str(made.member_file),
        "settings_file": str(made.settings_file),
        "settings_made": made.settings_made,
        "others": list(made.others),
    }


def _draw_founded(to: "Console", made: Json) -> None:
    say(to, f"Node {made['code']} is made; its log is {made['log']}.")
    say(to, f"Settings 配置: {made['settings_file']}{'' if made['settings_made'] else ' (kept as it was)'}")
    say(to, f"Member file 成员名片: {made['member_file']}")
    say(to, "Fingerprint 指纹:")
    say(to, f"  {made['fingerprint']}", "bold")
    say(to, "Next:")
    say(to, f"  1. give the member file to {', '.join(made['others'])} and read the fingerprint out by telephone;")
    say(to, f"  2. take theirs: syncd member add FILE --fingerprint F -c {made['settings_file']}")
    say(to, f"  3. start: syncd run -c {made['settings_file']}")


def run(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Run the node's daemon 守护进程 until SIGTERM or Ctrl-C; it drains and stops within five seconds.

    Log lines are JSON on standard output with or without --json. A second daemon on the same store refuses to start.

    \b
    Example:
      syncd run -c kunshan/syncd.toml
    """
    settings = settings_of(config)
    from syncd.daemon import Daemon

    Daemon(settings).run()


def status(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Say how the node stands: sources, peers, stages, desk and deliveries.

    Per source: last pull, lag, quarantine. Per peer: entries of ours, countersigned 会签, behind, held of theirs, last
    contact. Per stage: its cursor. Reads the store only, beside a running daemon or without one.

    \b
    Example:
      syncd status -c kunshan/syncd.toml
    """
    import datetime as dt

    from syncd.flows.status import status as state_of
    from syncd.knock import daemon_answers
    from syncd.reading import open_books

    settings = settings_of(config)
    with open_books(settings) as books:
        stands = state_of(books, dt.datetime.now(dt.UTC))
    give({**stands, "daemon": daemon_answers(settings.data)}, as_json, _draw_status)


def _draw_status(to: "Console", stands: Json) -> None:
    daemon = "daemon running 运行中" if stands["daemon"] else "no daemon 未运行"
    say(to, f"{stands['code']} {stands['name_zh']} · {stands['agreement']} · {stands['store']} · {daemon}", "bold")
    if stands["demonstration"]:
        say(to, f"{words.DEMONSTRATION}: candidates 候选 take effect here", "bold magenta")
    table(to, "Sources 数据源", ("source", "last-pull", "lag-s", "rows", "issued", "quarantined", "waiting", "refused"),
          [_source_row(one) for one in stands["sources"]])  # fmt: skip
    for one in stands["sources"]:
        draw_intake(to, one)
    table(to, "Peers 成员", ("peer", "ours", "signed", "countersigned", "behind", "theirs", "target", "last-contact"),
          [(f"{one['peer']} {one['name_zh']}", one["entries"], one["signed"], one["countersigned"], one["behind"],
            one["held_of_theirs"], one["their_target"], words.short(one["last_contact"])) for one in stands["peers"]],
          "peer")  # fmt: skip
    table(to, "Stages 阶段", ("stage", "about", "cursor", "of"),
          [(one["stage"], one["about"], one["cursor"], one["of"]) for one in stands["stages"]])  # fmt: skip
    to.print()
    for one in stands["stages"]:
        if one["error"]:
            say(to, f"{one['stage']} waits since {words.short(one['since'])}: {one['error']}", "yellow")
    for one in stands["alarms"]:
        draw_alarm(to, one)
    for one in stands["witnesses"]:
        say(to, f"Outside witness 外部见证 {one['witness']}: countersigned {one['size']}")
    for log, count in stands["evidence"].items():
        say(to, f"Evidence 违规证据 about {log}: {count} (`syncd ledger evidence list`)", "bold red")
    desk = ", ".join(f"{words.word(words.DESK, kind)}: {count}" for kind, count in sorted(stands["desk"].items()))
    say(to, f"Desk 工作台: {desk or 'nothing open 无'}")
    erasures = stands["erasures"]
    if erasures["open"]:
        say(to, f"Erasures 删除: {erasures['open']} open, {erasures['late']} late", "yellow")
    sent = ", ".join(f"{words.DELIVERY[state]}: {count}" for state, count in stands["deliveries"].items())
    say(to, f"Deliveries 送达: {sent}")
    if stands["jobs_queued"]:
        say(to, f"Jobs waiting for the daemon 任务: {stands['jobs_queued']}", "yellow")


def _source_row(one: Json) -> tuple[Any, ...]:
    pulled = words.short(one["last_pull"])
    return (one["source"], pulled, one["lag_seconds"], one["rows_there"], one["totals"].get("issued", 0),
            one["quarantined"], one["waiting"] + one["relief_waiting"], sum(one["refused"].values()))  # fmt: skip
