"""What ``erase`` refuses before anything is asked of a node."""

import pytest

from syncd.cli.main import run

pytestmark = pytest.mark.fast
FINDING = "a/320583/1:1"


@pytest.mark.parametrize(("ground", "order"), [
    ("revoked", "11010519491231002X"), ("revoked", "KS-110105194912310021-7"), ("110105491231002", "KS-2026-0007"),
    ("revoked", "110105-19491231-002X"),
])  # fmt: skip
def test_a_persons_number_never_stands_in_an_order(ground: str, order: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["erase", FINDING, "--ground", ground, "--order", order, "-c", "nowhere.toml"]) == 2
    said = capsys.readouterr()
    assert "nothing was ordered" in " ".join((said.out + said.err).split())
    assert order not in said.out + said.err or order == "KS-2026-0007"


def test_an_orders_own_number_is_taken(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["erase", FINDING, "--ground", "revoked", "--order", "KS-20261126-0007", "-c", "nowhere.toml"])
    said = capsys.readouterr()
    assert code != 0 and "nowhere.toml" in said.out + said.err, "it is the node that is not there, not the number"
