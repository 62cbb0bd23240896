"""Clean rows in number, for the benchmark: each another decision about another company.

Everything but key, company, number and day is the same for all rows of one local code, so a row costs little
more than its code's check characters; the generator must not be what the benchmark measures.
"""

from collections.abc import Iterator
from datetime import date, timedelta
from random import Random

from schemas.identifiers import make_uscc
from syncd.demo.decisions import Clerk
from syncd.demo.formats import Row
from syncd.demo.month import SPECIAL
from syncd.demo.places import Places, load_places
from syncd.demo.scenario import Company

DAYS = 28
LARGEST = 1_000_000


def generate_bulk(region: str, count: int, today: date, start: int = 0, places: Places | None = None) -> Iterator[Row]:
    """``count`` rows for a bureau's own system, numbered from ``start``; equal arguments give equal rows.

    All codes of the bureau whose criterion the agreement has are used in turn; the writer sets ``GXSJ``.
    Raises ``KeyError`` for a region that ``config/demo`` does not have, ``ValueError`` past a million.
    """
    if start + count > LARGEST:
        raise ValueError(f"Bulk rows are numbered below {LARGEST}.")
    places = places or load_places()
    bureau = places.bureaus[region]
    clerk = Clerk(bureau, places, today, Random(places.plan["seed"]))
    templates = []
    for code in bureau.local_codes:
        if code.criterion not in SPECIAL:
            row, finding = clerk.decide(Company("", "", code.subject_type), code)
            templates.append((row, finding.decided_on))
    mark, days = places.names["mark"], [today - timedelta(days=n) for n in range(1, DAYS + 1)]
    written = [f"{day:%Y/%m/%d}" for day in days]
    prefix = bureau.registered[0]
    for n in range(start, start + count):
        template, _ = templates[n % len(templates)]
        row = template.copy()
        row["ID"] = f"B{n:07d}"
        row["CF_XDR_MC"] = f"{mark}第{n}号厂"
        row["CF_XDR_SHXYM"] = make_uscc(prefix, f"MB{n:06d}")
        row["CF_WSH"] = f"{mark}环罚〔{days[n % DAYS].year}〕{n}号"
        row["CF_JDRQ"] = row["GSRQ"] = written[n % DAYS]
        yield row
