"""Commands about the node's own keys 密钥: ``show``, ``rotate``, ``protect``, ``seal``."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from syncd.cli.options import (
    CONFIG,
    OWN_ACCOUNT,
    WAIT_SECONDS,
    Account,
    AsJson,
    Config,
    Reason,
    Wait,
    family_of,
    settings_of,
)
from syncd.cli.output import give, say, table

if TYPE_CHECKING:
    from rich.console import Console

    from syncd.settings import Settings

Json = dict[str, Any]
STATES = {"signs": "签署 signs", "next": "接续 next", "retired": "停用 retired", "unused": "未用 unused"}
family = family_of("The node's keys 密钥.", "keys show")


def add_to(app: typer.Typer) -> None:
    """Put this family into the command line."""
    app.add_typer(family, name="keys")


@family.command("show")
def show(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Show the node's keys 密钥: public halves, files, which sign now, whose line a rotation waits for, certificates.

    \b
    Example:
      syncd keys show -c kunshan/syncd.toml
    """
    from syncd.key_list import certificates, key_list, waiting_for

    settings = settings_of(config)
    value = {"keys": key_list(settings), "waits_for": waiting_for(settings), "certificates": certificates(settings)}
    give(value, as_json, _draw)


@family.command("rotate")
def rotate(
    role: Annotated[
        Literal["log", "receipt", "tls", "ca"],
        typer.Argument(help="The log's key, the receipt key 回执, the TLS certificate 证书, or the CA's own."),
    ],
    reason: Reason,
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Replace a key by a new one 换钥; the exchange never stops for it.

    Both keys sign until every member has countersigned the entry that says so; then the old one is retired by itself.
    A stolen or lost key is not rotated but sealed. `tls` issues a new certificate and key by the node's own CA; `ca`
    issues the CA's certificate anew by its key, and a new member file for the others.

    \b
    Example:
      syncd keys rotate log --reason "yearly" -c kunshan/syncd.toml
    """
    from syncd.asking import ask
    from syncd.errors import NeedsPerson
    from syncd.key_list import forget_key, next_key, renew

    settings = settings_of(config)
    if role in ("tls", "ca"):
        made = renew(settings, role)
        args = {"role": role, "key": "", "account": account, "reason": reason}
        give(ask(settings, "keys.rotate", args, wait) | made, as_json, _draw_renewed)
        return
    following = next_key(settings, role)
    args = {"role": role, "key": following.vkey, "account": account, "reason": reason}
    try:
        answer = ask(settings, "keys.rotate", args, wait)
    except NeedsPerson:
        forget_key(settings, following)
        raise
    give(answer | {"file": str(following.file)}, as_json, _draw_rotated)


@family.command("protect")
def protect(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Wrap the private keys with the passphrase that the settings or SYNCD_KEYS__PASSPHRASE give.

    The TLS key stays readable by its owner only. A start without the passphrase is refused from then on.

    \b
    Example:
      syncd keys protect -c kunshan/syncd.toml
    """
    from syncd import keyring, statements
    from syncd.errors import NeedsPerson

    settings: Settings = settings_of(config)
    passphrase = settings.passphrase
    if not passphrase:
        raise NeedsPerson("No passphrase is given: set SYNCD_KEYS__PASSPHRASE or keys.passphrase_file.")
    keyring.load(settings.data / "keys", passphrase)
    done = keyring.protect(settings.data / "keys", passphrase, passphrase)
    done += statements.protect(settings.data / "keys", passphrase, passphrase)
    give({"files": done}, as_json, lambda to, value: say(to, f"Wrapped: {', '.join(value['files'])}."))


def _draw(to: "Console", value: Json) -> None:
    rows = [(one["role"], STATES[one["state"]], one["vkey"], Path(one["file"]).name if one["file"] else "–",
             "yes" if one["wrapped"] else "no") for one in value["keys"]]  # fmt: skip
    table(to, "Keys 密钥", ("role", "state", "vkey", "file", "wrapped"), rows)
    table(to, "Certificates 证书", ("file", "until"), [(one["file"], one["until"]) for one in value["certificates"]])
    if value["waits_for"]:
        say(to, f"A rotation waits for the countersignature of {', '.join(value['waits_for'])}.", "yellow")


def _draw_renewed(to: "Console", answer: Json) -> None:
    if answer["fingerprint"] is None:
        say(to, f"The TLS certificate 证书 {answer['file']} is valid until {answer['until']}.")
        say(to, "A running daemon takes it up at once; the other members trust its authority and need nothing.")
        say(to, "The pair before may be removed then.")
        return
    say(to, f"The CA's certificate is valid until {answer['until']}; its key is the same, so all goes on as it is.")
    say(to, f"New member file 成员名片 for the others, before the old one ends: {answer['file']}")
    say(to, f"Fingerprint 指纹: {answer['fingerprint']}", "bold")
    say(to, "They take it up with `syncd member add --replace`; then run `syncd keys rotate tls`.")


def _draw_rotated(to: "Console", answer: Json) -> None:
    result = answer["result"]
    say(to, f"The {result['role']} key is {result['key']} from entry {result['entry']} on ({answer['file']}).")
    say(
        to,
        "Both keys sign until every member has countersigned it; `syncd keys show` says whose line is missing.",
    )


@family.command("seal")
def seal(
    log: Annotated[str, typer.Argument(metavar="LOG", help="The log that cannot be continued, by its origin.")],
    reason: Reason,
    successor: Annotated[
        Path | None, typer.Option("--successor", metavar="FILE", help="The member's new member-<code>.toml.")
    ] = None,
    fingerprint: Annotated[
        str, typer.Option("--fingerprint", metavar="F", help="Of that file, as the bureau has read it out 指纹.")
    ] = "",
    account: Account = OWN_ACCOUNT,
    wait: Wait = WAIT_SECONDS,
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Seal a log 封存 whose key was stolen or lost, whose tail is gone, or that forked; nothing more of it is taken.

    At its own node this also makes the successor: the next epoch with a new log key, and a new member file for the
    others, who seal the log with that file. Running daemons take it up by themselves.

    \b
    Example:
      syncd keys seal jiakuntai-eco/320583/1 --reason "key stolen" -c jiading/syncd.toml
    """
    from syncd.sealing import seal as sealed

    args = {"account": account, "reason": reason}
    give(sealed(settings_of(config), log, successor, fingerprint, args, wait), as_json, _draw_sealed)


def _draw_sealed(to: "Console", answer: Json) -> None:
    result = answer["result"]
    after = f"{result['successor']} goes on" if result["successor"] else "no log goes on"
    say(to, f"{result['log']} is sealed 封存 at size {result['size']}; {after}.")
    if answer["member_file"]:
        say(to, f"New member file 成员名片 for the others: {answer['member_file']}")
        say(to, f"Fingerprint 指纹: {answer['fingerprint']}", "bold")
