"""``adapter quality`` 数据质量: a source's monthly figures, from the node's store."""

from typing import Annotated, Any

import typer

from syncd.cli.adapter import family
from syncd.cli.intake_shown import draw_quality
from syncd.cli.options import CONFIG, AsJson, Config, settings_of
from syncd.cli.output import give

Json = dict[str, Any]


def add_to(app: typer.Typer) -> None:
    """Put these commands beside the others about a source."""
    family.command("quality")(quality)


def quality(
    name: Annotated[str, typer.Argument(metavar="[NAME]", help="One source; all if left out.")] = "",
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show the data quality 数据质量 of this node's source by month, against the aim of 95 %.

    Completeness 完整率, validity 合规率, and timeliness 及时率: published within seven working days of the decision.

    \b
    Example:
      syncd adapter quality -c kunshan/syncd.toml
    """
    from syncd.reading import open_books
    from syncd.store import quality as figures

    with open_books(settings_of(config)) as books, books.store.read() as conn:
        months = figures.months(conn, name or None)
    give({"target": figures.TARGET, "months": months}, as_json, draw_quality)
