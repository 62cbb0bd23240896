"""Three founded nodes whose daemons run as processes with real HTTPS between them, shared by all tests here."""

import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from daemon_nodes import FAR, HOME, NEAR, Node, found_three


@pytest.fixture(scope="session")
def three() -> Iterator[dict[str, Node]]:
    """The nodes by code; each daemon is started when a test first wants it running."""
    with TemporaryDirectory(prefix="syncd-") as folder:  # pytest's own folders are too deep for a Unix socket's path
        nodes = found_three(Path(folder))
        try:
            yield nodes
        finally:
            for node in nodes.values():
                node.kill()
                if "books" in node.__dict__:
                    node.books.store.close()


@pytest.fixture
def far(three: dict[str, Node]) -> Node:
    """The third node, not running."""
    three[FAR].kill()
    return three[FAR]


@pytest.fixture
def home(three: dict[str, Node]) -> Node:
    """The node with a source of its own, running."""
    return three[HOME].running()


@pytest.fixture
def near(three: dict[str, Node]) -> Node:
    """A node that only receives, running."""
    return three[NEAR].running()
