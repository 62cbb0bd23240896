"""The page on the ledger's format: each of its bytes is made again, and its bundle is judged by its policy."""

from hashlib import sha256

import pytest
from house_docs import DOCS, blocks, text_of

from schemas.registry import check_body
from syncd.evidence.layout import format_disclosures, page, parse_disclosures
from syncd.ledger.audited import Disclosed
from syncd.ledger.bundle import NONE, PRESENT, parse_bundle
from syncd.ledger.checkpoint import parse_checkpoint
from syncd.ledger.disclosure import open_disclosure
from syncd.ledger.entry import parse_entry
from syncd.ledger.notes import format_note, parse_note
from syncd.ledger.policy import parse_policy, satisfied, sm2_line
from syncd.ledger.sm2 import Sm2Verifier
from syncd.ledger.tree import leaf_hash, node_hash
from syncd.ledger.verdict import verify_bundle

pytestmark = pytest.mark.fast

TEXT = text_of(DOCS / "ledger-format.md")
FIRST, SECOND, DISCLOSURE = (block.removesuffix("\n").encode() for block in blocks(TEXT, "json"))
NOTE, SM2, POLICY, RECORD, BUNDLE, PAGE = (block.encode() for block in blocks(TEXT, "text"))


def test_the_leaves_and_their_hashes() -> None:
    assert (parse_entry(FIRST).kind, parse_entry(SECOND).kind) == ("agreement.adopted", "operator.acted")
    for leaf in (FIRST, SECOND):
        assert sha256(b"\x00" + leaf).digest() == leaf_hash(leaf) and f"`{leaf_hash(leaf).hex()}`" in TEXT
    assert RECORD.decode().strip() == (len(FIRST).to_bytes(2, "big") + FIRST)[:16].hex(" ")


def test_the_disclosure_opens_the_commitment() -> None:
    entry = parse_entry(SECOND)
    check_body(entry.kind, open_disclosure(entry.id, str(entry.body), DISCLOSURE))
    assert f"`{entry.body}`" in TEXT


def test_the_checkpoint_is_final_by_the_policy() -> None:
    note, root = parse_note(NOTE), node_hash(leaf_hash(FIRST), leaf_hash(SECOND))
    assert satisfied(parse_policy(POLICY), note) and parse_checkpoint(note.text).root == root
    assert f"`{root.hex()}`" in TEXT


def test_the_sm2_line_verifies_and_others_skip_it() -> None:
    vkey, line = SM2.decode().splitlines()
    text = parse_note(NOTE).text
    Sm2Verifier.parse(vkey).verify(text, line)
    both = parse_note(format_note(text, [*parse_note(NOTE).lines, line]))
    assert satisfied(parse_policy(POLICY), both)
    assert sm2_line(parse_policy(POLICY + f"#: sm2 {vkey}\n".encode()), both) == "sm2_signed"


def test_the_bundle_is_true() -> None:
    bundle = parse_bundle(BUNDLE)
    assert [record.leaf for record in bundle.records] == [SECOND] and NOTE in BUNDLE
    assert verify_bundle(bundle, parse_policy(POLICY), check_body).ok


def test_a_page_of_disclosures() -> None:
    data = format_disclosures([Disclosed(NONE), Disclosed(PRESENT, DISCLOSURE)])
    assert PAGE.decode().strip() == data[:24].hex(" ")
    assert parse_disclosures(data, 2)[1].data == DISCLOSURE
    assert page(DOCS, "disclosures", 0, 2).relative_to(DOCS).as_posix() == "disclosures/000.p/2"
