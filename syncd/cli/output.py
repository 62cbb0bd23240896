"""How commands speak: JSON for programs, tables for people, one line on standard error when something is wrong.

Codes never wrap, since a broken USCC cannot be copied; words do. Where the output goes into a file or a pipe, no line
is cut or wrapped at all.
"""

import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from rich.console import Console

Json = dict[str, Any]
_UNLIMITED = 100_000


def give(value: Any, as_json: bool, draw: Callable[["Console", Any], None]) -> None:
    """Print a result: as JSON (UTF-8, two blanks of indent), or drawn for a person."""
    if as_json:
        data = orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    else:
        draw(console(), value)


def console() -> "Console":
    """Standard output; as wide as the terminal, without limit elsewhere."""
    from rich.console import Console  # takes longer to import than `--help` may take

    width = None if sys.stdout.isatty() else _UNLIMITED
    return Console(width=width, highlight=False, markup=False, emoji=False, soft_wrap=False)


def table(to: "Console", title: str, heads: Sequence[str], rows: Sequence[Sequence[Any]], words: str = "") -> None:
    """A table under its title. ``words`` names the columns that may wrap (their heads' first word); others never do."""
    from rich.table import Table
    from rich.text import Text

    if not rows:
        return
    to.print()
    drawn = Table(title=title, title_justify="left", title_style="bold", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    wrapping = words.split()
    for head in heads:
        drawn.add_column(Text(head), no_wrap=head.split()[0] not in wrapping, overflow="fold")
    for row in rows:
        drawn.add_row(*[Text("" if cell is None else str(cell)) for cell in row])
    to.print(drawn)


def say(to: "Console", text: str, style: str = "") -> None:
    """One line of text, wrapped at words on a terminal."""
    to.print(text, style=style or None)
