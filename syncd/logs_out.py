"""Log lines 日志: structlog JSON on standard output, one canonical line a unit of work.

A line holds codes, counts, sizes and hashes, never a name, a row's text or a person's number.
"""

import logging
import sys
from collections.abc import Callable
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
        logger.info(event, **facts)

    return write
