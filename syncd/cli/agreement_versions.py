"""Commands about versions of the agreement 协议版本: take up a text, sign it, see what is in force."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from syncd.cli import words
from syncd.cli.acting import Acting, act, draw_left
from syncd.cli.options import (
    CONFIG,
    MOST_NUMBER,
    OWN_ACCOUNT,
    WAIT_SECONDS,
    Account,
    AsJson,
    Config,
    On,
    Reason,
    Wait,
    day_of,
    settings_of,
)
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.agreement.model import Agreement
    from syncd.settings import Settings

Json = dict[str, Any]
NEEDS_PERSON = 3
Version = Annotated[
    int, typer.Argument(metavar="VERSION", min=1, max=MOST_NUMBER, help="Number of a version that this node holds.")
]


def load(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of the version.")],
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Take up the text of another version; nothing of it is in force before all its members have signed it.

    A folder that is put into `node.versions` by hand is taken up as well, once nothing in it has moved for ten seconds.

    \b
    Example:
      syncd agreement load agreements/jiakuntai-eco-2 -c kunshan/syncd.toml
    """
    from syncd.agreement_files import put_version, read_agreement
    from syncd.asking import ask
    from syncd.errors import NeedsPerson

    settings = settings_of(config)
    read, own = read_agreement(folder), read_agreement(settings.path(settings.node.agreement))
    if read.id != own.id:
        raise NeedsPerson(f"{folder} is the agreement {read.id}, not a version of {own.id}. Nothing was taken up.")
    if read.version == own.version and read.digest != own.digest:
        raise NeedsPerson(
            f"{folder} is another text of version {own.version}, which this node holds already. Nothing was taken up; "
            "a changed text needs a higher number in agreement.toml."
        )
    place = put_version(settings.path(settings.node.versions), folder, read)
    answer = ask(settings, "agreement.load", {}, wait)
    give({"tag": read.tag, "digest": read.digest, "folder": str(place), **answer}, as_json, _draw_loaded)


def _draw_loaded(to: "Console", answer: Json) -> None:
    say(to, f"{answer['tag']} is held, in {answer['folder']}.", "bold")
    say(to, f"Digest 摘要 {answer['digest']}: compare it with the other members before signing.")
    say(to, f"In force 有效: {answer['result']['agreement']}")
    draw_left(to, answer["left"])


def sign(
    version: Version,
    reason: Reason,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Sign a version for this member: a signature file to hand on, and `agreement.adopted` in its own log.

    It takes effect on its date, once the log of every member that it names says the same. Cannot be taken back.

    \b
    Example:
      syncd agreement sign 2 --reason "decided on 2026-11-20" -c kunshan/syncd.toml
    """
    from syncd.agreement.objections import objections
    from syncd.errors import NeedsPerson

    settings = settings_of(config)
    agreement = _held(settings, version)
    against = objections(agreement, max(day_of(""), agreement.effective_from))
    if against:
        raise NeedsPerson(
            f"{len(against)} things stand against version {version}; `syncd agreement check` lists them. Not signed."
        )
    answer = act(settings, "agreement.sign", {"version": version}, Acting(reason, account, wait))
    file = _write_signature(settings, agreement)
    give({**answer, "digest": agreement.digest, "file": str(file)}, as_json, _draw_signed)


def _held(settings: "Settings", version: int) -> "Agreement":
    from syncd.errors import NeedsPerson
    from syncd.reading import open_books

    with open_books(settings) as books:
        found = books.timeline.of(version)
    if found is None:
        raise NeedsPerson(f"This node holds no version {version}; `syncd agreement load FOLDER` takes one up.")
    return found


def _write_signature(settings: "Settings", agreement: "Agreement") -> Path:
    from syncd.key_list import log_signers
    from syncd.signatures import put_signature

    return put_signature(settings.path(settings.node.agreement), agreement, settings.node.code, log_signers(settings))


def _draw_signed(to: "Console", answer: Json) -> None:
    result = answer["result"]
    say(to, f"{result['agreement']} is adopted in this member's log; in force from {result['effective_from']} at the")
    say(to, "earliest, once all its members have adopted it 全体成员签署后生效.")
    say(to, f"Signature 签名: {answer['file']}; hand it to the other members, who put it into their `members/`.")
    draw_left(to, answer["left"])


def verify(version: Version, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Say who has signed a version: by a file in `members/`, and by an entry in the member's own log.

    Leaves with 3 while an entry of a member that it names is missing.

    \b
    Example:
      syncd agreement verify 2 -c kunshan/syncd.toml
    """
    from syncd.agreement_files import read_members
    from syncd.flows.versions_shown import versions_shown
    from syncd.reading import open_books
    from syncd.signatures import signatures
    from syncd.store.member_keys import history

    settings = settings_of(config)
    folder, agreement = settings.path(settings.node.agreement), _held(settings, version)
    with open_books(settings) as books, books.store.read() as conn:
        shown, keys = versions_shown(books, conn, day_of("")), history(conn)
    one = next(row for row in shown["versions"] if row["version"] == version)
    files = signatures(folder, agreement, read_members(folder), keys)
    answer = {**one, "files": files}
    give(answer, as_json, _draw_verified)
    if one["missing"] and version > 1:
        raise typer.Exit(NEEDS_PERSON)


def _draw_verified(to: "Console", answer: Json) -> None:
    say(to, f"{answer['tag']}, from {answer['effective_from']}", "bold")
    say(to, f"Digest 摘要 {answer['digest']}")
    table(to, "Members 成员", ("member 成员", "file 签名文件", "in its log 账本"),
          [(code, words.word(words.SIGNATURE, answer["files"][code]), on or "not yet 尚无")
           for code, on in answer["adopted"].items()])  # fmt: skip


def status(on: On = "", config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Say which version is in force since when, who has adopted which, and under which each member writes.

    \b
    Example:
      syncd agreement status -c kunshan/syncd.toml
    """
    from syncd.agreement_files import Versions
    from syncd.flows.adopt import changed_text
    from syncd.flows.versions_shown import versions_shown
    from syncd.reading import open_books

    settings = settings_of(config)
    with open_books(settings) as books, books.store.read() as conn:
        shown = versions_shown(books, conn, day_of(on))
        folders = Versions(settings.path(settings.node.versions), books.agreement.id)
        changed = [changed_text(one, kept.digest) for one in folders()
                   if (kept := books.timeline.of(one.version)) is not None and kept.digest != one.digest]  # fmt: skip
    give({**shown, "not_taken_up": folders.faults, "changed": changed}, as_json, draw_status)


def draw_status(to: "Console", shown: Json) -> None:
    """The versions, then whatever differs between the members."""
    say(to, f"Acting by 适用 {shown['agreement']} on {shown['on']}", "bold")
    if not shown["named"]:
        say(to, f"{shown['code']} is not named by what is in force 非现行成员: it issues nothing.", "bold yellow")
    table(to, "Versions 版本", ("version", "state", "from", "since", "members", "missing"),
          [(one["tag"], words.word(words.VERSION_STATE, one["state"]), one["effective_from"], one["since"],
            " ".join(one["members"]), " ".join(one["missing"]) if one["version"] > 1 else "")
           for one in shown["versions"]], "members missing")  # fmt: skip
    for name, sentence in shown["not_taken_up"].items():
        say(to, f"The folder {name} of versions was not taken up 未采用: {sentence}", "yellow")
    for sentence in shown["changed"]:
        say(to, sentence, "yellow")
    for one in shown["not_held"]:
        say(to, f"{one['member']} has adopted version {one['version']} (digest {one['digest'][:16]}) on {one['on']}, "
                "whose text is not held here: take it up with `syncd agreement load`.", "yellow")  # fmt: skip
    for one in shown["members"]:
        if not one["same"]:
            say(to, f"{one['member']} writes under another version 版本不一: {one['writes_under']}", "yellow")
