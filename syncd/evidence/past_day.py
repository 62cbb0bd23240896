"""A node's books opened for a question about a day, by the version of the agreement that stood on it.

For a day that has passed, what stood by then is read back from the entries (``then.py``), which opens the vault and so
reads the node's key; for today and later the register is enough.
"""

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from syncd.evidence.books import open_evidence
from syncd.evidence.then import Then
from syncd.reading import SHANGHAI, OpenBooks, open_books
from syncd.settings import Settings


@contextmanager
def open_on(settings: Settings, day: dt.date) -> Iterator[tuple[OpenBooks, Then | None]]:
    """The books as they are to be asked about ``day`` (Asia/Shanghai), and what stood by then if it has passed."""
    with open_books(settings) as now:
        books = replace(now, agreement=now.timeline.acting(day, now.code))
        if day >= dt.datetime.now(SHANGHAI).date():
            yield books, None
            return
        with open_evidence(settings) as evidence:
            yield books, Then(evidence, day)
