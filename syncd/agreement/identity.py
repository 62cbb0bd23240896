"""Who is who 主体识别: what a text names, and which names are alike. A name never decides; it only suggests.

In this order, the first that fits: a USCC 统一社会信用代码 with both check characters right; an organisation code
组织机构代码, which stands inside the USCC; a registration number 工商注册号; else a name. Only a person may say that a
name or a registration number belongs to a code, and nothing that restricts anybody ever asks for it.
"""

import re
from collections.abc import Iterable
from typing import Literal, NamedTuple

from schemas.fault import Fault
from schemas.identifiers import canonical_uscc, holds_person_id, is_organisation_code, is_sole_proprietor
from schemas.text import half_width, normalise_name
from syncd.errors import Refuse

Kind = Literal["uscc", "organisation_code", "registration", "name"]
BEST = 10
_FORMS = ("有限责任公司", "股份有限公司", "分公司", "集团")
_ALIKE = 60.0
_SHORTEST_NAME = 5
_REGISTRATION = re.compile(r"[0-9]{13}|[0-9]{15}", re.ASCII)
_BRANCH = re.compile(r"(分公司|分厂|分店|分行|分所|分校|办事处|营业部|项目部)$")
# What a registered name says of its bearer's form 组织形式; a person's name, however long, has nothing of the kind.
_FORM = re.compile(
    r"公司|工厂|集团|企业|合作社|中心|(?:[厂站所院社局场店部园会馆校矿库])(?=\(|$)"
    r"|\b(?:co|ltd|company|inc|corp|corporation|limited|gmbh|factory|group|institute|laboratory)\b",
    re.IGNORECASE,
)


class Named(NamedTuple):
    """A name that an organisation bore in decisions of these days; ``by`` says whether a person linked it."""

    uscc: str
    name: str
    first: str
    last: str


class Candidate(NamedTuple):
    """An organisation whose name is like the one asked about; ``score`` 0 to 100, 100 = the same."""

    uscc: str
    name: str
    score: float
    last: str


def read_query(text: str) -> tuple[Kind, str]:
    """What a text is, and its one form. Raises ``Refuse``, never with the text, for a person's number or name."""
    plain = half_width(text).strip()
    code = plain.replace("-", "")
    if is_organisation_code(code):
        return "organisation_code", code
    try:
        found = canonical_uscc(text)
    except Fault as fault:
        if fault.reason == "person_id" or holds_person_id(plain):
            raise Refuse("This is a person's number; persons are not looked up, and nothing was kept.") from None
        if plain.isascii() and len(plain) == 18 and plain.isalnum():
            raise Refuse(f"This looks like a code and is none. {fault.sentence}") from None
    else:
        if is_sole_proprietor(found):
            raise Refuse(
                "This is a sole proprietor 个体工商户; only organisations are taken in, so nothing is held here."
            )
        return "uscc", found
    if _REGISTRATION.fullmatch(plain):
        return "registration", plain
    name = normalise_name(text)
    if len(name) < _SHORTEST_NAME or holds_person_id(name):
        raise Refuse("This is too short for an organisation's name, and may be a person's; nothing was kept.")
    return "name", name


def read_question(text: str) -> tuple[Kind, str]:
    """As ``read_query``, for a text that is to be kept: a name must say that it is an organisation's. Raises Refuse."""
    kind, form = read_query(text)
    if kind == "name" and not _FORM.search(form):
        raise Refuse(
            "Nothing in this name says that it is an organisation's, and it may be a person's; nothing was kept. Give "
            "the whole registered name 登记名称, with 公司, 厂, 中心 or whatever form 组织形式 it has."
        )
    return kind, form


def neighbours(name: str) -> list[str]:
    """The pairs of neighbouring characters of a name, each once; those of forms 组织形式 last, nearly all have them."""
    pairs = list(dict.fromkeys(name[at : at + 2] for at in range(len(name) - 1)))
    return sorted(pairs, key=lambda pair: any(pair in form for form in _FORMS))


def beginnings(branch: str) -> list[str]:
    """The names that a branch's parent may bear: every beginning of its own."""
    name = normalise_name(branch)
    return [name[:end] for end in range(2, len(name))]


def candidates(name: str, known: Iterable[Named]) -> list[Candidate]:
    """The organisations whose names are most alike, the best first; each organisation once, with its nearest name."""
    from rapidfuzz import fuzz, process  # a daemon that is asked for no name needs it not

    rows = list(known)
    found = process.extract(
        name, [normalise_name(row.name) for row in rows], scorer=fuzz.WRatio, limit=BEST * 5, score_cutoff=_ALIKE
    )
    best: dict[str, Candidate] = {}
    for _, score, at in found:
        row = rows[at]
        best.setdefault(row.uscc, Candidate(row.uscc, row.name, round(score, 1), row.last))
    ranked = sorted(best.values(), key=lambda one: (-one.score, one.uscc))
    return ranked[:BEST]


def is_branch(name: str) -> bool:
    """Whether a name says that it is a branch's 分支机构."""
    return _BRANCH.search(normalise_name(name)) is not None


def parents(name: str, known: Iterable[Named]) -> list[Candidate]:
    """The organisations with whose name the branch's begins, the longest first; linked by a person, never merged."""
    branch = normalise_name(name)
    found = [row for row in known if branch.startswith(normalise_name(row.name)) and normalise_name(row.name) != branch]
    best = {row.uscc: Candidate(row.uscc, row.name, 100.0, row.last) for row in found}
    return sorted(best.values(), key=lambda one: (-len(one.name), one.uscc))[:BEST]
