"""Commands about whole logs: ``ledger export`` writes them into a folder, ``ledger audit`` judges folder or node."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli.ledger import family
from syncd.cli.options import CONFIG, AsJson, Config, settings_of
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.evidence.audit import Report, Told

Json = dict[str, Any]
Level = Annotated[
    int, typer.Option("--level", metavar="1..6", min=1, max=6, help="How deep: L1 receipt to L6 pairing.")
]
SHOWN = 20


def add_to(app: typer.Typer) -> None:
    """Put these commands into the family ``ledger``."""
    family.command("export")(export)
    family.command("audit")(audit)


def export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the logs are written; again to bring it on.")],
    log: Annotated[str, typer.Option("--log", metavar="R", help="One log only, by origin or member's code.")] = "",
    provisional: Annotated[
        bool, typer.Option("--provisional", help="Also what not all members have countersigned yet.")
    ] = False,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Write logs as static tlog-tiles trees 导出: DIR/public for any web server, DIR/private for auditors only.

    The second run writes only what is new or has changed; a crash leaves the old export whole.

    \b
    Example:
      syncd ledger export audit-2026 -c kunshan/syncd.toml
    """
    from syncd.evidence.books import open_evidence
    from syncd.evidence.export import export as write

    with open_evidence(settings_of(config)) as evidence, progress() as told:
        with evidence.logs.store.read() as conn:
            held = [state.origin for state in evidence.logs.states(conn)]
        origins = [evidence.origin_of(log, held)] if log else held
        done = write(evidence, folder, origins, provisional=provisional, told=told)
        print_of = evidence.fingerprint
    value = {
        "folder": str(folder),
        "policy": print_of,
        "logs": [
            {"log": one.origin, "before": one.before, "size": one.size, "lacking": one.lacking, "files": one.files}
            for one in done
        ],
    }
    give(value, as_json, _draw_exported)


def _draw_exported(to: "Console", value: Json) -> None:
    table(to, "Logs 账本", ("log", "before", "entries", "files", "lacking"),
          [(one["log"], one["before"], one["size"], one["files"], " ".join(one["lacking"])) for one in value["logs"]],
          "lacking")  # fmt: skip
    say(to, f"Public 公开: {value['folder']}/public · private, never to be served 非公开: {value['folder']}/private")
    say(to, f"Policy 信任策略指纹: {value['policy']}")


def audit(
    folder: Annotated[
        Path | None, typer.Argument(metavar="DIR", help="An export; the node itself if left out.")
    ] = None,
    level: Level = 6,
    policy: Annotated[
        Path | None, typer.Option("--policy", metavar="FILE", help="The trust policy; the export's own if left out.")
    ] = None,
    report: Annotated[
        list[Path] | None,
        typer.Option("--report", metavar="FILE", help="Also write a report: .md, .html or .json; may be repeated."),
    ] = None,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Audit logs 审计 by six levels, in constant memory; leaves with 0 if nothing is wrong and 1 if something is.

    A fault names its record. L6 pairs all logs that are there: findings without answer, restrictions without finding,
    late or missing relief.

    \b
    Example:
      syncd ledger audit audit-2026 --policy trust.policy --report audit.html
    """
    with progress() as told:
        found = _of_node(config, policy, level, told) if folder is None else _of_folder(folder, policy, level, told)
    from syncd.evidence.report import as_json as content_of

    content = content_of(found)
    for path in report or []:
        _write_report(path, content)
    give(content, as_json, _draw_audited)
    raise typer.Exit(0 if content["ok"] else 1)


def _of_folder(folder: Path, policy: Path | None, level: int, told: "Told") -> "Report":
    from syncd.evidence.audit import audit as judge
    from syncd.evidence.files import read_policy
    from syncd.evidence.folder import FolderLog, logs_in, trust_file

    trust, print_of = read_policy(policy or trust_file(folder))
    return judge([FolderLog(folder, origin) for origin in logs_in(folder)], trust, print_of, level, told)


def _of_node(config: Path, policy: Path | None, level: int, told: "Told") -> "Report":
    from syncd.evidence.audit import audit as judge
    from syncd.evidence.books import open_evidence
    from syncd.evidence.files import read_policy
    from syncd.evidence.node_log import logs_of

    with open_evidence(settings_of(config)) as evidence, evidence.logs.store.read() as conn:
        trust, print_of = (evidence.policy, evidence.fingerprint) if policy is None else read_policy(policy)
        return judge(logs_of(evidence, conn, whole=level >= 4), trust, print_of, level, told)


def _write_report(path: Path, content: Json) -> None:
    from syncd.evidence.files import write_whole
    from syncd.evidence.report import as_html, as_markdown, as_text

    forms = {".md": as_markdown, ".html": as_html, ".json": as_text}
    if path.suffix not in forms:
        raise typer.BadParameter("a report ends in .md, .html or .json", param_hint="--report")
    write_whole(path, forms[path.suffix](content), private=True)


def _sm2(counts: Json) -> str:
    """``signed 12, not checked 3``."""
    return ", ".join(f"{state.removeprefix('sm2_').replace('_', ' ')} {count}" for state, count in counts.items())


def _draw_audited(to: "Console", content: Json) -> None:
    from syncd.evidence.report import LEVELS, faults_at

    for one in content["logs"]:
        lacking = f", not final 尚未定局: {' '.join(one['lacking'])}" if one["lacking"] else ""
        states = ", ".join(f"{state} {count}" for state, count in one["disclosures"].items())
        say(to, f"{one['log']}: {one['size']} entries, {one['checkpoints']} checkpoints, {one['lines']} lines{lacking}"
                + (f"; disclosures 披露件: {states}" if states else "")
                + (f"; SM2 国密: {_sm2(one['sm2'])}" if one["sm2"] else ""))  # fmt: skip
    say(to, f"Policy 信任策略指纹: {content['policy']}")
    for level in range(1, content["level"] + 1):
        count = faults_at(content, level)
        say(to, f"L{level} {LEVELS[level]}: {count or 'ok'}", "bold red" if count else "")
    faults = [(f"L{fault['level']}", fault["place"], fault["code"], fault["detail"])
              for one in content["logs"] for fault in one["faults"]]  # fmt: skip
    faults += [("L6" if one["fault"] else "", one["place"], one["code"], f"{one['region']} {one['detail']}".strip())
               for one in content["pairing"]["issues"]]  # fmt: skip
    table(to, "Records 记录", ("level", "record", "code", "detail"), faults[:SHOWN], "detail")
    if len(faults) > SHOWN:
        say(to, f"and {len(faults) - SHOWN} more, in the report (--report)")
    verdict = "无误 nothing wrong" if content["ok"] else "有误 something is wrong"
    say(to, f"Verdict 结论: {verdict}", "bold green" if content["ok"] else "bold red")


@contextmanager
def progress() -> Iterator["Told"]:
    """A bar on standard error, if it is a terminal: entries done, of which log."""
    import sys

    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = Console(stderr=True)
    done, what_text = TextColumn("{task.completed:,.0f}"), TextColumn("{task.description}")
    columns = (SpinnerColumn(), what_text, done, TimeElapsedColumn())
    with Progress(*columns, console=shown, transient=True, disable=not sys.stderr.isatty()) as bar:
        tasks: dict[str, Any] = {}

        def told(what: str, more: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=None)
            bar.advance(tasks[what], more)

        yield told
