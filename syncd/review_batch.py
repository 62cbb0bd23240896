"""A batch review 批量审查: a list in, a table of answers out, and a signed, dated statement beside it.

A crash before the end leaves no file half written: answers and statement are written whole, the statement last. The
review stands in the book before either is there.
"""

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from syncd import statements
from syncd.agreement.member import Member
from syncd.code_lists import Listed, ask_form, read_codes, table_bytes
from syncd.errors import NeedsPerson, Refuse
from syncd.flows.books import Books
from syncd.flows.past import Past
from syncd.flows.review import Question, Review
from syncd.flows.review_book import Asker, attest, log_review
from syncd.ledger.entry import format_time

Json = dict[str, Any]
Sign = Callable[[Json], bytes]
HEADS = (
    "行号 line", "统一社会信用代码 USCC", "名称 name", "用途 for", "结论 standing", "有效至 until", "记录文号 records",
    "措施 measures", "执行部门 departments", "异议 disputed", "激励措施 incentives", "说明 note",
)  # fmt: skip
STANDS = {"restricted": "受限", "noted": "关注", "clear": "无"}
OFFERS = {"offered": "可享", "suspended": "暂停"}
DEMONSTRATION = "演示"


def review_list(
    books: Books, sign: Sign, who: Asker, question: Question, file: Path, out: Path, past: Past | None = None
) -> Json:
    """Review every code of ``file`` and write ``out`` and its statement; returns where they are and what was said.

    ``sign`` signs the statement with this node's statement key (``statements.sign``); ``past`` where the day asked
    about has passed.
    """
    ask_form(file), ask_form(out)
    data = read_file(file)
    _ask_place(file, out)
    listed = read_codes(file, data)
    review = Review(books, question, past)
    codes = [one.uscc for one in listed if one.uscc is not None]
    sizes, answers = review.many(codes)
    now = dt.datetime.now(dt.UTC)
    head = review.head()
    head["demonstration"] |= any(answer["demonstration"] for answer in answers)
    result = table_bytes(ask_form(out), HEADS, _rows(head, listed, answers))
    number = log_review(books, who, question, answers, now)
    statement = {
        "schema": "statement/1.0",
        "bureau": books.code,
        "at": format_time(now),
        "review": number,
        "unit": who.unit,
        **{name: head[name] for name in ("agreement", "purpose", "on", "lookback_months", "demonstration")},
        "organisations": len(answers),
        "refused": len(listed) - len(answers),
        "counts": {**dict.fromkeys(STANDS, 0), **Counter(answer["standing"] for answer in answers)},
        "list_sha256": sha256(data).hexdigest(),
        "result_sha256": sha256(result).hexdigest(),
        "logs": [{"log": origin, "size": size} for origin, size in sorted(sizes.items())],
    }
    signed = sign(statement)
    beside = out.with_name(out.name + ".statement")
    _write(out, result)
    _write(beside, signed)
    attest(books, number, sha256(signed).hexdigest())
    return {"result": str(out), "signed": str(beside), "statement": statement}


def _ask_place(file: Path, out: Path) -> None:
    """The answers never take the place of the list that was asked, and lie where files can be written."""
    if out.exists() and out.samefile(file):
        raise Refuse(f"The answers would replace the list {file}. Nothing was asked; give --out another name.")
    if not out.parent.is_dir():
        raise NeedsPerson(
            f"There is no folder {out.parent} for the answers. Nothing was asked, and nothing was logged."
        )


def _rows(head: Json, listed: Sequence[Listed], answers: Sequence[Json]) -> Iterator[Sequence[str]]:
    found = iter(answers)
    for one in listed:
        if one.uscc is None:
            yield (str(one.line), "", "", head["purpose"], "未审查", *[""] * 6, f"代码不可用 {one.fault}")
            continue
        answer = next(found)
        yield _row(one.line, head["purpose"], answer, DEMONSTRATION if answer["demonstration"] else "")


def _row(line: int, purpose: str, answer: Json, note: str) -> Sequence[str]:
    offers = "；".join(f"{one['name_zh']}（{OFFERS[one['state']]}）" for one in answer["incentives"])
    if answer["standing"] == "clear":
        return (str(line), answer["uscc"], "", purpose, STANDS["clear"], "", "", "", "", "", offers, note)
    disputed = any(record["disputed"] for record in answer["records"])
    return (
        str(line), answer["uscc"], answer["name"] or "", purpose, STANDS[answer["standing"]], answer["until"] or "",
        " ".join(record["number"] for record in answer["records"]),
        " ".join(f"{one['id']} {one['name_zh']}" for one in answer["measures"]),
        " ".join(dict.fromkeys(one["responder"] for one in answer["measures"])),
        "异议" if disputed else "", offers, note,
    )  # fmt: skip


def verified(
    statement: Path, result: Path | None, asked: Path | None, member: Member | Callable[[str], Member]
) -> Json:
    """The statement, if it is true and the files are the ones it is about; raises ``Refuse`` with what is not so."""
    data = read_file(statement)
    code = statements.bureau_of(data)
    known = member if isinstance(member, Member) else member(code)
    if known.code != code:
        raise Refuse(f"The statement is of {code}, the member file of {known.code}; nothing was verified.")
    said = statements.verify(data, known.tls_ca_pem)
    for path, name, words in ((result, "result_sha256", "answers"), (asked, "list_sha256", "list")):
        if path is not None and sha256(read_file(path)).hexdigest() != said[name]:
            raise Refuse(f"The statement is true, but it is not about these {words}: they were changed, or are others.")
    return {"statement": said, "result": result is not None, "list": asked is not None}


def read_file(path: Path) -> bytes:
    """A file that a person named. Raises ``NeedsPerson`` where it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise NeedsPerson(f"The file {path} cannot be read ({error.strerror}). Nothing was done.") from None


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all: a crash leaves what was there before."""
    fresh = path.with_name(path.name + ".new")
    fresh.write_bytes(data)
    fresh.replace(path)
