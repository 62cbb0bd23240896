"""A stage's thread outlives whatever its step does to it, and says so once."""

import threading
import time
from collections.abc import Iterator

import pytest
from sqlalchemy.exc import InterfaceError

from adapters.base import SourceError
from syncd import worker
from syncd.errors import NeedsPerson, Retry, Stop
from syncd.worker import Worker, finish

pytestmark = pytest.mark.fast
NAME = "某某化工有限公司"


class Stage:
    """A stage that fails as it is told, each time it is asked, and then has nothing more to do."""

    def __init__(self, *faults: Exception) -> None:
        self._faults: Iterator[Exception] = iter(faults)
        self.lines: list[dict[str, str]] = []
        self.board: list[str | None] = []
        self.quiet = threading.Event()
        self.unwritable: Exception | None = None

    def step(self) -> bool:
        """One step."""
        for fault in self._faults:
            raise fault
        self.quiet.set()
        return False

    def failed(self, _name: str, sentence: str | None) -> None:
        """What would be put on the board."""
        if self.unwritable is not None:
            raise self.unwritable
        self.board.append(sentence)

    def run(self) -> None:
        """Let a worker do it until there is nothing more to do."""
        running = Worker("share:310114", self.step, lambda event, facts: self.lines.append(facts), self.failed)
        running.start()
        running.ring()
        assert self.quiet.wait(10)
        finish([running], 5)
        assert not running.is_alive()


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses of a moment."""
    monkeypatch.setattr(worker, "FIRST_PAUSE", 0.005)
    monkeypatch.setattr(worker, "LAST_PAUSE", 0.02)


@pytest.mark.parametrize(
    ("fault", "whose"),
    [
        (Retry("The peer is away."), "retry"),
        (SourceError("The home system is down.", transient=True), "retry"),
        (NeedsPerson("The peer refused."), "person"),
        (Stop("The tree is broken."), "person"),
        (KeyError("x"), "fault"),
    ],
)
def test_every_fault_is_said_once_and_tried_again(fault: Exception, whose: str) -> None:
    stage = Stage(*[fault] * 5)
    stage.run()
    assert [line["whose_turn"] for line in stage.lines] == [whose]
    assert len(stage.board) == 2 and stage.board[1] is None, "said once, and taken back once it goes on"


def test_another_sentence_is_news() -> None:
    stage = Stage(Retry("a"), Retry("a"), Retry("b"), Retry("b"))
    stage.run()
    assert stage.board == ["a", "b", None]


UNWRITABLE = [
    Retry("The database is full."),
    Stop("The store is damaged."),
    InterfaceError("INSERT", None, Exception("the connection is closed")),
]


@pytest.mark.parametrize("fault", [Retry("The disk is full."), KeyError("x")])
@pytest.mark.parametrize("unwritable", UNWRITABLE)
def test_a_store_that_cannot_be_written_ends_no_worker(fault: Exception, unwritable: Exception) -> None:
    stage = Stage(*[fault] * 3)
    stage.unwritable = unwritable
    running = Worker("collect", stage.step, lambda event, facts: stage.lines.append(facts), stage.failed)
    running.start()
    running.ring()
    assert stage.quiet.wait(10)
    stage.unwritable = None
    running.ring()
    deadline = threading.Event()
    while None not in stage.board and not deadline.wait(0.005):
        assert running.is_alive()
    finish([running], 5)


def test_a_log_line_that_cannot_be_written_ends_no_worker() -> None:
    stage = Stage(*[Retry("The peer is away.")] * 3)

    def report(event: str, facts: dict[str, str]) -> None:
        raise BrokenPipeError("nobody reads it")

    running = Worker("collect", stage.step, report, stage.failed)
    running.start()
    running.ring()
    assert stage.quiet.wait(10)
    finish([running], 5)
    assert stage.board == ["The peer is away.", None], "the board says it all the same"


def test_a_fault_of_ours_is_named_by_place_never_by_text() -> None:
    stage = Stage(ValueError(NAME))
    stage.run()
    sentence = stage.lines[0]["because"]
    assert "ValueError at test_daemon_worker.py:" in sentence and NAME not in sentence


def test_bells_do_not_lengthen_the_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "LAST_PAUSE", 30.0)
    stage = Stage(*[Retry("The peer is away.")] * 14)
    running = Worker("share:310114", stage.step, lambda event, facts: None, stage.failed)
    running.start()
    for _ in range(10):
        running.ring()
        time.sleep(0.004)
    assert stage.quiet.wait(2), "after a moment of failing the next try is a moment away, however often it was rung"
    finish([running], 5)
