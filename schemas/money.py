"""Money: sources write 万元 (10 000 CNY) with up to six decimals; we keep CNY as a string with two."""

import re
from functools import lru_cache

from schemas.fault import Fault
from schemas.text import half_width

_CACHED = 16_384
_WAN = re.compile(r"(0|[1-9][0-9]*)?(?:\.([0-9]+))?", re.ASCII)
_WHOLE_DIGITS, _DECIMALS = 12, 6  # the columns are decimal(18, 6)


class InvalidMoney(Fault):
    """The text is no amount. Reasons: ``empty``, ``negative``, ``format``, ``decimals``, ``too_large``."""


@lru_cache(_CACHED)
def from_wan(text: str) -> str:
    """An amount in 万元 as CNY, e.g. ``"0.2"`` → ``"2000.00"``.

    Six decimals of 万元 are exactly one fen 分, so a seventh would be a fraction of it. Signs, exponents,
    units and thousands separators are refused rather than guessed. Raises ``InvalidMoney``.
    """
    plain = half_width(text).strip()
    if not plain:
        raise InvalidMoney("empty", "The amount is empty; the source must fill it in.")
    if plain[0] in "-−":
        raise InvalidMoney("negative", "The amount is negative; the source must correct it.")
    found = _WAN.fullmatch(plain)
    if not found:
        raise InvalidMoney("format", "The amount is no plain decimal number in 万元; the source must correct it.")
    whole, decimals = found.group(1) or "0", found.group(2) or ""
    if len(decimals) > _DECIMALS:
        raise InvalidMoney("decimals", "The amount has more than six decimals of 万元, less than one fen 分.")
    if len(whole) > _WHOLE_DIGITS:
        raise InvalidMoney("too_large", "The amount has more than twelve digits of 万元; is it in 元?")
    fen = int(whole + decimals.ljust(_DECIMALS, "0"))
    return f"{fen // 100}.{fen % 100:02d}"
