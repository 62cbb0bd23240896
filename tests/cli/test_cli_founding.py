"""``init`` and ``member``: a node is made once, keys are its own, and members are added by fingerprint only."""

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from cli_nodes import AGREEMENT, CODES, OWN, ROOT, Ran, environment, syncd

from syncd.agreement.member import load_member
from syncd.agreement_files import put_member
from syncd.demo.site import free_port
from syncd.errors import Stop
from syncd.founding import found
from syncd.settings import read_settings
from syncd.settings_file import Wishes
from syncd.wiring import build

NODE, FACTS = ("--code", OWN, "--url", "https://h:1"), ROOT / "config" / "sources"
PRIVATE = ("statement.key", "log.key", "receipt.key", "witness.key", "tls.key", "ca.key", "node.key", "row.key")


def founded(folder: Path, code: str) -> Path:
    """The same node as ``make`` makes, without the command."""
    shutil.copytree(AGREEMENT, folder / code / "agreement")
    url = f"https://127.0.0.1:{free_port()}"
    return found(folder / code, Wishes(code, url, folder / code / "agreement")).settings_file


def make(folder: Path, code: str, *more: str | Path) -> Ran:
    """``init`` of a node in ``folder/<code>`` with a copy of the agreement of its own."""
    agreement = folder / code / "agreement"
    if not agreement.exists():
        shutil.copytree(AGREEMENT, agreement)
    url = f"https://127.0.0.1:{free_port()}"
    return syncd("init", "--dir", code, "--code", code, "--url", url, "--agreement", f"{code}/agreement", *more,
                 cwd=folder)  # fmt: skip


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three nodes, made by commands, that do not know each other yet."""
    folder = tmp_path_factory.mktemp("three")
    for code in CODES:
        assert make(folder, code).code == 0
    return folder


def fingerprint(folder: Path, code: str) -> str:
    """As the bureau would read it out."""
    return load_member((folder / code / f"member-{code}.toml").read_bytes()).fingerprint


def test_a_node_has_private_keys_and_introduces_itself(tmp_path: Path) -> None:
    ran = make(tmp_path, OWN, "--json")
    node, answer = tmp_path / OWN, ran.json
    assert {path.name for path in (node / "keys").glob("*.key")} == set(PRIVATE)
    for name in ("signed-sizes", "record-keys.db", *(f"keys/{key}" for key in PRIVATE)):
        assert (node / name).stat().st_mode & 0o777 == 0o600, name
    assert (node / "keys").stat().st_mode & 0o777 == 0o700
    member = load_member((node / f"member-{OWN}.toml").read_bytes())
    assert (member.origin, member.fingerprint) == (f"jiakuntai-eco/{OWN}/1", answer["fingerprint"])
    assert (node / "agreement/members" / f"member-{OWN}.toml").read_bytes() == (
        node / f"member-{OWN}.toml"
    ).read_bytes()
    assert not any(key in (node / f"member-{OWN}.toml").read_text() for key in ("PRIVATE", "BEGIN EC"))
    settings = read_settings(node / "syncd.toml")
    assert settings.node.code == OWN and settings.path(settings.node.agreement) == node / "agreement"
    assert member.url == f"https://{settings.server.host}:{settings.server.port}"


def test_a_node_with_a_second_key_signs_by_it(tmp_path: Path) -> None:
    """``--sm2``: a key file of its own, named in the member file, used while the settings say so."""
    assert make(tmp_path, OWN, "--sm2").code == 0
    file = tmp_path / OWN / "syncd.toml"
    assert (file.parent / "keys/sm2.key").stat().st_mode & 0o777 == 0o600
    settings = read_settings(file)
    for code in CODES:
        if code != OWN:
            other = load_member((founded(tmp_path, code).parent / f"member-{code}.toml").read_bytes())
            assert not other.sm2_vkey
            put_member(settings.path(settings.node.agreement), other)
    built = build(settings, lambda bell: None, lambda event, facts: None)
    own = built.bureau.members[OWN].sm2
    assert built.bureau.signers.sm2 is not None and built.bureau.signers.sm2.verifier == own
    assert own is not None and built.members[OWN].sm2_vkey == own.vkey
    built.bureau.vault.close()
    built.bureau.store.close()
    (file.parent / "keys/sm2.key").unlink()
    with pytest.raises(Stop, match=r"sm2\.key cannot be read"):
        build(settings, lambda bell: None, lambda event, facts: None)


def test_without_the_extra_no_second_key_is_promised(tmp_path: Path) -> None:
    without = "import sys; sys.modules['gmssl_pyx'] = None; from syncd.cli.main import main; main()"
    asked = [
        "init",
        "--sm2",
        "--dir",
        tmp_path / "node",
        "--code",
        OWN,
        "--url",
        "https://h:1",
        "--agreement",
        AGREEMENT,
    ]
    ran = subprocess.run([sys.executable, "-c", without, *map(str, asked)], env=environment(), capture_output=True,
                         timeout=90, check=False)  # fmt: skip
    assert ran.returncode == 3 and b"extra named gm" in ran.stderr
    assert not (tmp_path / "node").exists()


def test_it_tells_what_to_do_next(three: Path) -> None:
    ran = make(three / "other", OWN)
    for word in ("指纹", "310114, 320585", "syncd member add", "syncd run -c"):
        assert word in ran.out


def test_a_second_init_changes_nothing(three: Path) -> None:
    before = {path: path.read_bytes() for path in (three / OWN).rglob("*") if path.is_file()}
    ran = make(three, OWN)
    assert ran.code == 3 and "is a node already" in ran.sentence
    assert {path: path.read_bytes() for path in (three / OWN).rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("lost", ["keys", "signed-sizes", "record-keys.db"])
def test_what_is_lost_is_not_made_again(tmp_path: Path, lost: str) -> None:
    """New keys, sizes or a new vault beside what is left would hide that something is missing."""
    founded(tmp_path, OWN)
    place = tmp_path / OWN / lost
    place.rename(place.with_name("moved")) if place.is_file() else shutil.rmtree(place)
    assert make(tmp_path, OWN).code == 3
    assert not place.exists()


def test_an_init_that_was_interrupted_is_said(tmp_path: Path) -> None:
    keys = tmp_path / OWN / "keys"
    keys.mkdir(parents=True)
    (keys / "ca.key").write_bytes(b"half a set")
    ran = make(tmp_path, OWN)
    assert ran.code == 3 and "ca.key and no log.key" in ran.err and "begin again" in ran.err
    assert [path.name for path in keys.iterdir()] == ["ca.key"]
    (keys / "ca.key").unlink()
    assert make(tmp_path, OWN).code == 0, "settings that were written before are taken up"


def test_settings_that_are_there_are_kept(tmp_path: Path) -> None:
    node = tmp_path / OWN
    node.mkdir()
    text = f'# mine\n[node]\ncode = "{OWN}"\nagreement = "agreement"\ndata = "state"\n'
    (node / "syncd.toml").write_text(text)
    ran = make(tmp_path, OWN)
    assert ran.code == 0 and (node / "syncd.toml").read_text() == text
    assert (node / "state/keys/log.key").exists()
    other = syncd("init", "--dir", node, "--code", "310114", "--url", "https://127.0.0.1:1",
                  "--agreement", node / "agreement")  # fmt: skip
    assert other.code == 3 and f"is of {OWN}" in other.sentence


def test_a_source_is_written_as_it_was_given(tmp_path: Path) -> None:
    facts = ROOT / "config/sources/kunshan.toml"
    assert make(tmp_path, OWN, "--facts", facts, "--source-folder", "system").code == 0
    written = tomllib.loads((tmp_path / OWN / "syncd.toml").read_text("utf-8"))["source"]
    assert written == {"facts": str(facts), "folder": "../system"}


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (("--code", "310000", "--url", "https://h:1"), 3, "names 310114, 320583, 320585"),
        (("--code", OWN, "--url", "http://h:1"), 3, "https://host:port"),
        (("--code", OWN, "--url", "https://h:99999"), 3, "https://host:port"),
        (("--code", OWN, "--url", "https://h:1", "--source-folder", "x"), 2, "--facts"),
        (("--code", OWN), 2, "--url"),
        ((*NODE, "--store", "foo://x"), 3, "begins with foo"),
        ((*NODE, "--store", "sqlite://"), 3, "names no file"),
        ((*NODE, "--facts", "nowhere.toml", "--source-folder", "x"), 3, "no facts page nowhere.toml"),
        ((*NODE, "--facts", AGREEMENT / "agreement.toml", "--source-folder", "x"), 3, "facts page"),
        ((*NODE, "--facts", FACTS / "kunshan.toml"), 3, "--source-folder"),
        ((*NODE, "--facts", FACTS / "jiading.toml", "--source-folder", "x"), 3, "--source-url"),
        ((*NODE, "--facts", FACTS / "taicang.toml"), 3, "--source-url"),
    ],
)
def test_what_cannot_be_a_node_is_not_begun(
    tmp_path: Path, arguments: tuple[str | Path, ...], code: int, word: str
) -> None:
    ran = syncd("init", "--dir", tmp_path / "node", "--agreement", AGREEMENT, *arguments)
    assert ran.code == code and word in ran.sentence, ran.sentence
    assert not (tmp_path / "node").exists()


def test_three_nodes_come_to_know_each_other(three: Path) -> None:
    listed = syncd("member", "list", "-c", three / OWN / "syncd.toml", "--json").json
    assert {one["code"]: one["held"] for one in listed["members"]} == {code: code == OWN for code in CODES}
    spoken = {code: fingerprint(three, code).replace("-", " ").upper() for code in CODES}
    for code in CODES:
        for other in CODES:
            if other != code:
                file = three / other / f"member-{other}.toml"
                ran = syncd("member", "add", file, "--fingerprint", spoken[other], "-c", three / code / "syncd.toml")
                assert ran.code == 0 and other in ran.out
    shown = syncd("member", "list", "-c", three / OWN / "syncd.toml").out
    assert all(fingerprint(three, code) in shown for code in CODES)
    assert "本节点" in shown and "嘉定区" in shown


def test_a_wrong_fingerprint_adds_nothing(three: Path, tmp_path: Path) -> None:
    file, settings = three / "310114/member-310114.toml", founded(tmp_path, OWN)
    for spoken in (fingerprint(three, "320585"), fingerprint(three, "310114")[:-1], "非"):
        ran = syncd("member", "add", file, "--fingerprint", spoken, "-c", settings)
        assert ran.code == 65 and "Nothing was added" in ran.sentence
    altered = tmp_path / "altered.toml"
    altered.write_text(file.read_text("utf-8").replace("127.0.0.1", "127.0.0.9"), "utf-8")
    ran = syncd("member", "add", altered, "--fingerprint", fingerprint(three, "310114"), "-c", settings)
    assert ran.code == 3 and "fingerprint" in ran.sentence
    assert syncd("member", "add", tmp_path / "none", "--fingerprint", "x", "-c", settings).code == 3
    assert [path.name for path in (tmp_path / OWN / "agreement/members").glob("*.toml")] == [f"member-{OWN}.toml"]


def test_other_keys_of_a_member_need_a_word(three: Path, tmp_path: Path) -> None:
    """A member that was founded anew has other keys; only ``--replace`` puts them in the place of the old."""
    settings, held = founded(tmp_path / "a", OWN), tmp_path / "a" / OWN / "agreement/members"
    founded(tmp_path / "b", "310114")
    shutil.copy(three / "310114/member-310114.toml", held / "jd.toml")
    file = tmp_path / "b/310114/member-310114.toml"
    add = ("member", "add", file, "--fingerprint", fingerprint(tmp_path / "b", "310114"), "-c", settings)
    ran = syncd(*add)
    assert ran.code == 3 and "--replace" in ran.sentence and fingerprint(three, "310114") in ran.sentence
    assert syncd(*add, "--replace").code == 0
    assert {path.name for path in held.glob("*.toml")} == {"member-310114.toml", f"member-{OWN}.toml"}
    assert (held / "member-310114.toml").read_bytes() == file.read_bytes()
    assert syncd(*add).code == 0  # the same again changes nothing
