"""Founding 建点: what makes a folder a node, once (``syncd init``), and how nodes come to know each other.

A node is its keys, its signed-sizes file and its vault; losing one of them and making a new one would let it sign a
second history or make stored disclosures unreadable. So nothing that exists is ever made again. Members exchange
``member-<code>.toml`` by hand and compare its fingerprint over another channel (LEDGER §1).
"""

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from syncd import keyring, sm2_file, statements
from syncd.agreement.member import Member, format_member, load_member, same_fingerprint, with_fingerprint
from syncd.agreement.model import Agreement
from syncd.agreement_files import Versions, put_member, read_agreement, read_members
from syncd.errors import NeedsPerson, Refuse
from syncd.home_system import ask_place
from syncd.knock import daemon_answers
from syncd.ledger import sm2
from syncd.ledger.notes import COSIGNATURE_KEY, LOG_KEY, NoteSigner
from syncd.settings import Settings, read_settings
from syncd.settings_file import SETTINGS_FILE, Wishes, settings_text
from syncd.store.engine import address_of
from syncd.store.sizes import SignedSizes
from syncd.store.vault import Vault

EPOCH = 1


@dataclass(frozen=True, slots=True)
class Founded:
    """A node just made: its member file, to be handed to ``others``, and where its settings stand."""

    member: Member
    member_file: Path
    settings_file: Path
    settings_made: bool
    others: tuple[str, ...]


def found(folder: Path, wishes: Wishes, replace: bool = False) -> Founded:
    """Make the node in ``folder``: keys, certificate authority, signed sizes, vault, member file, settings.

    A ``syncd.toml`` that is there is kept and must name the same code and agreement. The node's own member file goes
    into the agreement's local ``members/`` too; ``replace`` lets it take the place of another. Raises ``NeedsPerson``,
    and makes nothing, where keys, signed sizes or a vault exist, or the store's address or the source cannot be used.
    """
    _ask_url(wishes.url)
    if wishes.sm2:
        sm2.library()
    if wishes.store_url is not None:
        address_of(wishes.store_url)
    if wishes.source is not None:
        ask_place(wishes.source)
    agreement = read_agreement(wishes.agreement)
    if wishes.code not in agreement.members:
        raise NeedsPerson(f"The agreement names {', '.join(agreement.members)}, not {wishes.code}. Nothing was made.")
    file = folder / SETTINGS_FILE
    settings = read_settings(file) if file.exists() else None
    if settings is None:
        _ask_empty(folder, "record-keys.db")
    else:
        _ask_same(settings, wishes)
        _ask_empty(settings.data, str(settings.store.keys))
    _ask_new(wishes.agreement, wishes.code, replace)
    if settings is None:
        folder.mkdir(parents=True, exist_ok=True)
        _write(file, settings_text(folder, wishes))
    held = settings or read_settings(file)
    _make_state(held, wishes)
    member = _introduce(held, agreement.id, wishes.url)
    member_file = folder / f"member-{member.code}.toml"
    _write(member_file, format_member(member))
    put_member(wishes.agreement, member)
    others = tuple(code for code in agreement.members if code != member.code)
    return Founded(member, member_file, file, settings is None, others)


def add_member(settings: Settings, file: Path, fingerprint: str, replace: bool = False) -> Member:
    """Put another member's file under the agreement's local ``members/``, once its fingerprint is confirmed.

    ``fingerprint`` is what the bureau has read out; blanks, colons and case do not count. Raises ``Refuse`` for
    another print and ``NeedsPerson`` for a file that is no member's, or differs from the one held without ``replace``.
    """
    try:
        member = load_member(file.read_bytes())
    except OSError as error:
        raise NeedsPerson(f"The file {file} cannot be read ({error.strerror}). Nothing was added.") from None
    if not same_fingerprint(fingerprint, member.fingerprint):
        raise Refuse(
            f"The fingerprint given is not that of {file.name}. Nothing was added; ask the bureau for its file again, "
            "and compare all sixteen groups over the telephone."
        )
    folder = settings.path(settings.node.agreement)
    named = named_members(settings)
    if member.code not in named or member.origin.split("/")[0] != named[member.code].id:
        raise Refuse(
            f"{file.name} introduces {member.origin}, but the agreement {read_agreement(folder).id} names "
            f"{', '.join(named)}. Nothing was added; a version that names it is taken up first: `syncd agreement load`."
        )
    held = read_members(folder).get(member.code)
    if held is not None and held.origin != member.origin:
        raise NeedsPerson(
            f"{file.name} introduces the log {member.origin}, while {held.origin} is held. Nothing was changed; "
            "another log takes its place by a seal: `syncd keys seal` with --successor."
        )
    if held != member:
        _ask_new(folder, member.code, replace)
        put_member(folder, member)
        daemon_answers(settings.data)  # it looks at the members' files when it is woken
    return member


def named_members(settings: Settings) -> dict[str, Agreement]:
    """The members that any version in this node's folders names, each with the newest text that does."""
    agreement = read_agreement(settings.path(settings.node.agreement))
    texts = [agreement, *Versions(settings.path(settings.node.versions), agreement.id)()]
    return {code: one for one in sorted(texts, key=lambda text: text.version) for code in one.members}


def _ask_url(url: str) -> None:
    try:
        address = urlsplit(url)
        usable = address.scheme == "https" and address.hostname and address.port != 0
    except ValueError:  # a port that is no number
        usable = False
    if not usable or address.path.strip("/") or address.query:
        raise NeedsPerson("The URL must be https://host:port, as the peers will reach this node. Nothing was made.")


def _ask_empty(data: Path, vault: str) -> None:
    for name in ("keys/log.key", "signed-sizes", vault):
        if (data / name).exists():
            raise NeedsPerson(
                f"{data} is a node already: it holds {name}. Nothing was changed. Keep it, for new keys would make "
                "every signed line unprovable; if nobody has its member file yet, remove the folder and begin again."
            )


def _ask_same(settings: Settings, wishes: Wishes) -> None:
    if settings.node.code != wishes.code:
        raise NeedsPerson(
            f"syncd.toml is of {settings.node.code}, not of {wishes.code}. Nothing was made; each node has a folder."
        )
    if settings.path(settings.node.agreement).resolve() != wishes.agreement.resolve():
        raise NeedsPerson(
            f"syncd.toml names the agreement {settings.node.agreement}, not {wishes.agreement}. Nothing was made."
        )


def _ask_new(agreement: Path, code: str, replace: bool) -> None:
    held = read_members(agreement).get(code)
    if held is not None and not replace:
        raise NeedsPerson(
            f"Another member file of {code} is held, with the fingerprint {held.fingerprint}. Nothing was changed. "
            "If the bureau has new keys, confirm them with it and give --replace."
        )


def _make_state(settings: Settings, wishes: Wishes) -> None:
    """Keys, signed sizes, vault; a crash between them leaves a node that neither starts nor is made again."""
    settings.data.mkdir(parents=True, exist_ok=True)
    folder = settings.data / "keys"
    keyring.create(folder, settings.node.code, wishes.url, settings.passphrase)
    statements.create_key(folder, settings.node.code, settings.passphrase)
    if wishes.sm2:
        sm2_file.create(folder, settings.passphrase)
    SignedSizes.create(settings.data / "signed-sizes").close()
    Vault.create(settings.data / settings.store.keys, keyring.load(folder, settings.passphrase).node_key).close()


def _introduce(settings: Settings, agreement: str, url: str) -> Member:
    folder, name = settings.data / "keys", f"{agreement}/{settings.node.code}"
    keys, origin = keyring.load(folder, settings.passphrase), f"{name}/{EPOCH}"
    member = Member(
        code=settings.node.code,
        url=url.rstrip("/"),
        origin=origin,
        log_vkey=NoteSigner(origin, keys.log, LOG_KEY).vkey,
        receipt_vkey=NoteSigner(f"{name}/receipt", keys.receipt, COSIGNATURE_KEY).vkey,
        witness_vkey=NoteSigner(f"{name}/witness", keys.witness, COSIGNATURE_KEY).vkey,
        tls_ca_pem=keys.ca_file.read_text("ascii"),
        sm2_vkey=sm2_file.vkey(folder, origin, settings.passphrase),
    )
    return with_fingerprint(member)


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a crash leaves the old file."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text, "utf-8")
    fresh.replace(path)
