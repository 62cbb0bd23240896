"""Log lines 日志: structlog JSON on standard output, one canonical line a unit of work.

A line holds codes, counts, sizes and hashes, never a name, a row's text or a person's number. So what libraries say
is let in by who said it and how grave it is, with the kind of the exception, never with its text. A log that cannot be
written stops nothing.
"""

import logging
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import orjson
import structlog

Json = dict[str, Any]


def start(level: str, code: str) -> Callable[[str, Json], None]:
    """Set structlog up once for the process; returns the function that writes one line."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.JSONRenderer(serializer=orjson.dumps),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(getattr(logging, level.upper())),
        logger_factory=structlog.BytesLoggerFactory(sys.stdout.buffer),
        cache_logger_on_first_use=True,
    )
    logger = structlog.get_logger(bureau=code)

    def write(event: str, facts: Json) -> None:
        with suppress(OSError, ValueError):  # nobody reads any more: the pipe is broken or closed
            logger.info(event, **facts)

    logging.basicConfig(level=logging.WARNING, handlers=[_Libraries(write)], force=True)
    return write


class _Libraries(logging.Handler):
    """What libraries log, as lines like all others."""

    def __init__(self, write: Callable[[str, Json], None]) -> None:
        super().__init__()
        self._write = write

    def emit(self, record: logging.LogRecord) -> None:
        """Write who has said something, how grave it is, and what kind of exception came with it."""
        kind = record.exc_info[0] if record.exc_info else None
        said = {"by": record.name, "grave": record.levelname.lower(), "at": f"{record.module}:{record.lineno}"}
        self._write("library", said | ({"exception": kind.__name__} if kind is not None else {}))
