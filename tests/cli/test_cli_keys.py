"""The node's keys at the command line: shown, rotated, wrapped, and refused where others can read them."""

import sqlite3
from pathlib import Path

import pytest
from cli_nodes import AGREEMENT, OWN, make_node, put_rows, some_rows, syncd
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from syncd import keyring
from syncd.agreement.member import Member
from syncd.agreement_files import read_agreement
from syncd.errors import NeedsPerson
from syncd.key_list import _public, log_signers
from syncd.ledger.key_history import KeySpan
from syncd.ledger.notes import LOG_KEY, NoteSigner
from syncd.settings import read_settings
from syncd.signatures import put_signature, signatures


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The settings of a node that has read its source."""
    folder = tmp_path_factory.mktemp("keys")
    make_node(folder, allow_candidates=True)
    put_rows(folder, some_rows())
    settings = folder / "node/syncd.toml"
    assert syncd("resync", "collect", "--reason", "x", "-c", settings).code == 0
    return settings


def test_a_rotation_by_command_and_its_state(node: Path) -> None:
    before = syncd("keys", "show", "-c", node, "--json").json
    assert [(one["role"], one["state"]) for one in before["keys"]] == [
        ("log", "signs"), ("receipt", "signs"), ("witness", "signs")
    ]  # fmt: skip
    assert before["waits_for"] == [] and all(one["days_left"] > 3000 for one in before["certificates"])
    ran = syncd("keys", "rotate", "log", "--reason", "yearly", "-c", node, "--json")
    assert ran.code == 0 and ran.json["result"]["replaces"] == before["keys"][0]["vkey"]
    after = syncd("keys", "show", "-c", node, "--json").json
    assert [one["state"] for one in after["keys"] if one["role"] == "log"] == ["signs", "next"]
    assert after["waits_for"] == sorted({"310114", "320585"}) and OWN not in after["waits_for"]
    files = set((node.parent / "keys").iterdir())
    again = syncd("keys", "rotate", "log", "--reason", "too soon", "-c", node)
    assert again.code == 3 and "under way" in again.sentence
    assert set((node.parent / "keys").iterdir()) == files, "a refusal leaves no key behind"
    assert "接续 next" in syncd("keys", "show", "-c", node).out


def test_a_passphrase_wraps_the_keys(node: Path, tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse\n")
    assert "passphrase" in syncd("keys", "protect", "-c", node).sentence
    node.write_text(node.read_text() + f'\n[keys]\npassphrase_file = "{words}"\n')
    assert "can be read by others" in syncd("keys", "protect", "-c", node).sentence
    words.chmod(0o600)
    done = syncd("keys", "protect", "-c", node, "--json")
    assert done.code == 0 and {"log.key", "log.2.key", "node.key"} <= set(done.json["files"])
    assert all(one["wrapped"] for one in syncd("keys", "show", "-c", node, "--json").json["keys"])
    assert syncd("ledger", "prove", f"{OWN}:0", "-o", tmp_path / "b", "-c", node).code == 0, "the vault opens"
    words.write_text("another\n")
    ran = syncd("resync", "collect", "--reason", "x", "-c", node)
    assert ran.code == 3 and "passphrase" in ran.sentence
    words.write_text("correct horse\n")
    key = node.parent / "keys/log.key"
    key.chmod(0o640)
    ran = syncd("keys", "show", "-c", node)
    assert ran.code == 70 and "chmod 600" in ran.sentence
    key.chmod(0o600)


def test_wrapped_keys_need_their_own_words(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    keyring.create(folder, OWN, "https://127.0.0.1:1", b"one")
    held = keyring.load(folder, b"one")
    for words in (None, b"two"):
        with pytest.raises(NeedsPerson, match="passphrase"):
            keyring.load(folder, words)
        with pytest.raises(NeedsPerson, match="passphrase"):
            keyring.load_node_key(folder, words)
    keyring.protect(folder, b"two", b"one")
    assert keyring.load(folder, b"two").node_key == held.node_key
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("*.key"))


def test_a_stolen_key_is_sealed_by_command(node: Path) -> None:
    ran = syncd("keys", "seal", "another/999999/1", "--reason", "x", "-c", node)
    assert ran.code == 3 and "No member" in ran.sentence
    file = node.parent / f"member-{OWN}.toml"
    other = syncd("keys", "seal", "jiakuntai-eco/310114/1", "--successor", file, "--fingerprint", "00", "--reason", "x",
                  "-c", node)  # fmt: skip
    assert other.code == 65 and "fingerprint" in other.sentence
    ran = syncd("keys", "seal", f"jiakuntai-eco/{OWN}/1", "--reason", "key stolen", "-c", node, "--json")
    assert ran.code == 0, ran.err
    assert ran.json["result"]["successor"] == f"jiakuntai-eco/{OWN}/2" and ran.json["fingerprint"] in file.read_text()
    again = syncd("keys", "seal", f"jiakuntai-eco/{OWN}/1", "--reason", "once more", "-c", node)
    assert again.code == 3 and "sealed here already" in again.sentence
    assert syncd("status", "-c", node, "--json").json["peers"][0]["entries"] < 10, "the successor's log"
    assert syncd("ledger", "prove", f"jiakuntai-eco/{OWN}/2:1", "-o", file.with_name("b"), "-c", node).code == 0
    shown = syncd("keys", "show", "-c", node, "--json").json["keys"]
    assert [one["vkey"].split("+")[0] for one in shown if one["state"] == "signs" and one["role"] == "log"] == [
        f"jiakuntai-eco/{OWN}/2"
    ]
    assert [one.name for one in log_signers(read_settings(node))] == [f"jiakuntai-eco/{OWN}/2"]
    fsck_after_the_seal(node)
    before = set((node.parent / "keys").iterdir())
    ran = syncd("keys", "rotate", "log", "--reason", "yearly", "-c", node, "--json")
    assert ran.code == 0 and Path(ran.json["file"]) not in before, "never again the key that was stolen"
    assert len(log_signers(read_settings(node))) == 2


def fsck_after_the_seal(node: Path) -> None:
    """What the sealed log had issued is not taken for surplus; adoptions that cannot be read are named and mended."""
    with sqlite3.connect(node.parent / "syncd.db") as store:
        store.execute("UPDATE adoptions SET body = '{'")
    ran = syncd("fsck", "-c", node, "--repair", "--json")
    assert ran.code == 0 and ran.json["counts"] == {"versions.adoption_unreadable": ran.json["repaired"]}, ran.json


def test_certificates_are_renewed_by_command(node: Path) -> None:
    ran = syncd("keys", "rotate", "tls", "--reason", "ends soon", "-c", node, "--json")
    assert ran.code == 0, ran.err
    assert Path(ran.json["file"]).name == "tls.2.crt" and ran.json["result"]["role"] == "tls"
    assert syncd("keys", "show", "-c", node, "--json").json["certificates"][1]["file"] == "tls.2.crt"
    ran = syncd("keys", "rotate", "ca", "--reason", "ends soon", "-c", node, "--json")
    assert ran.code == 0 and ran.json["fingerprint"] in Path(ran.json["file"]).read_text()
    away = node.parent / "ca.key"
    (node.parent / "keys/ca.key").rename(away)
    ran = syncd("keys", "rotate", "tls", "--reason", "no authority", "-c", node)
    assert ran.code == 3 and "ca.key is not there" in ran.sentence
    away.rename(node.parent / "keys/ca.key")


def test_two_keys_that_end_alike_are_two() -> None:
    """Base64 has a plus sign of its own: what follows the last one is not the key."""
    assert _public("log/1+0011aabb+AAx+b") != _public("log/1+0011aabc+AAy+b") == _public("log/2+0011aabd+AAy+b")


@pytest.mark.parametrize("name", ["receipt", "witness", "node", "row", "tls", "log"])
def test_a_lost_key_file_is_named_with_what_to_do(tmp_path: Path, name: str) -> None:
    node = make_node(tmp_path, allow_candidates=True)
    lost = node.parent / "keys" / f"{name}.key"
    if name == "log":
        assert syncd("resync", "collect", "--reason", "x", "-c", node).code == 0
    lost.unlink()
    ran = syncd("run", "-c", node)
    assert ran.code == 3 and f"{lost} is gone" in ran.sentence and "from the backup" in ran.sentence
    assert "syncd init" not in ran.sentence and (node.parent / "syncd.db").exists() == (name == "log")
    if name == "tls":
        assert "keys rotate tls" in ran.sentence
        assert syncd("keys", "rotate", "tls", "--reason", "file lost", "-c", node).code == 0
    if name == "log":
        assert "keys seal" in ran.sentence
        assert syncd("resync", "collect", "--reason", "x", "-c", node).code == 3
        ran = syncd("keys", "seal", f"jiakuntai-eco/{OWN}/1", "--reason", "file lost", "-c", node, "--json")
        assert ran.code == 0 and ran.json["result"]["successor"] == f"jiakuntai-eco/{OWN}/2"
        assert syncd("resync", "collect", "--reason", "x", "-c", node).code == 0
        keyring.add_signing_key(lost.parent, "log")
        lost.with_name("log.2.key").unlink()
        ran = syncd("resync", "collect", "--reason", "x", "-c", node)
        assert ran.code == 3 and "member file introduces" in ran.sentence and "keys seal" in ran.sentence


def test_a_signature_counts_by_any_key_of_the_present_log(tmp_path: Path) -> None:
    agreement, origin = read_agreement(AGREEMENT), f"jiakuntai-eco/{OWN}/2"
    old, new, other, sealed = (Ed25519PrivateKey.generate() for _ in range(4))
    first, second = NoteSigner(origin, old, LOG_KEY), NoteSigner(origin, new, LOG_KEY)
    thief = NoteSigner(f"jiakuntai-eco/{OWN}/1", sealed, LOG_KEY)
    member = Member(OWN, "https://127.0.0.1:1", origin, first.vkey, "", "", "")
    spans = [KeySpan("log", thief.vkey, thief.name, 0, 9), KeySpan("log", first.vkey, origin, 0, 5),
             KeySpan("log", second.vkey, origin, 3)]  # fmt: skip

    def state(signer: NoteSigner, keys: list[KeySpan]) -> str:
        put_signature(tmp_path, agreement, OWN, [signer])
        return signatures(tmp_path, agreement, {OWN: member}, {OWN: keys})[OWN]

    assert state(first, []) == state(first, spans) == state(second, spans) == "signed"
    assert state(second, []) == "wrong", "the entry about it is not held here yet"
    assert state(thief, spans) == state(NoteSigner(origin, other, LOG_KEY), spans) == "wrong"
