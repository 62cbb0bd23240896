"""How reviews are counted in a yearly assessment 考核: the items as data, and what so many reviews come to.

Points are decimal, never binary: the smallest step of the tables is 0.01. Nothing here is law; the tables stand in
``config/scoring/`` with their source.
"""

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

import orjson
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from syncd.agreement.kinds import STRICT, Code, Json, Words
from syncd.errors import NeedsPerson


@dataclass(frozen=True, slots=True)
class Item:
    """One item 考核项 that reviews meet: ``earn`` gives points once met, ``deduct`` takes them until then.

    ``needs``: what the rule asks for beside reviews, which this program does not count.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    code: Code
    table_zh: Words
    column_zh: Words
    rule_zh: Words
    kind: Literal["earn", "deduct"]
    points: Annotated[str, Field(pattern=r"^[0-9]+\.[0-9]{2}$")]
    at_least: Annotated[int, Field(ge=1)]
    units: Annotated[tuple[Words, ...], Field(min_length=1)]
    needs: tuple[Literal["incentives"], ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Scoring:
    """The tables of one assessor 考核单位, and where they were read."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT
    assessor_zh: Words
    source: Words
    items: tuple[Item, ...]

    @property
    def units(self) -> frozenset[str]:
        """All units that are assessed."""
        return frozenset(unit for item in self.items for unit in item.units)


_SCORING = TypeAdapter(Scoring)


def load_scoring(data: bytes) -> Scoring:
    """Read the tables. Raises ``NeedsPerson`` naming the field at fault."""
    try:
        return _SCORING.validate_json(orjson.dumps(tomllib.loads(data.decode("utf-8"))))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise NeedsPerson(f"The scoring tables are not valid TOML in UTF-8: {error}. Nothing was counted.") from None
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise NeedsPerson(f"The scoring tables cannot be used: {faults}. Nothing was counted.") from None


def scored(scoring: Scoring, counts: Mapping[str, int]) -> Iterator[Json]:
    """What each unit's reviews come to under each item; ``points`` is a decimal text, negative where it is taken."""
    for item in scoring.items:
        for unit in item.units:
            done = counts.get(unit, 0)
            met = done >= item.at_least
            points = Decimal(item.points)
            given = (points if met and not item.needs else Decimal(0)) if item.kind == "earn" else Decimal(0)
            taken = points if item.kind == "deduct" and not met else Decimal(0)
            yield {
                "item": item.code,
                "unit": unit,
                "reviews": done,
                "met": met,
                "also_needs": list(item.needs),
                "points": str(given - taken),
                "of": item.points,
            }
