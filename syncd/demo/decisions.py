"""One bureau's clerk: writes decisions 处罚决定 as rows, in the mixed styles that real rows have.

Styles are chosen by the seeded random source and change nothing of the meaning: brackets of names and numbers
in full and half width, four ways to write a day, ends that say "long-term" in two ways.
"""

from calendar import monthrange
from datetime import date, timedelta
from random import Random

from syncd.demo.formats import SOURCE_COLUMNS, Row
from syncd.demo.places import Bureau, LocalCode, Places
from syncd.demo.scenario import Company, ExpectedFinding

ORGANISATION = "法人及非法人组织"
BRACKETS = ("〔〕", "[]", "()", "【】", "（）")
DAY_STYLES = ("{d:%Y/%m/%d}", "{d:%Y-%m-%d}", "{d:%Y%m%d}", "{d.year}年{d.month}月{d.day}日")
FRIDAY = 4


def later(day: date, months: int) -> date:
    """The same day so many months later, or the last of that month where it has none."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class Clerk:
    """Writes one bureau's rows; keeps the numbers of decisions and rows apart."""

    def __init__(self, bureau: Bureau, places: Places, today: date, random: Random) -> None:
        self.bureau, self._places, self._today, self.random = bureau, places, today, random
        self._rows = self._numbers = 0

    def decide(self, company: Company, code: LocalCode, days_ago: int | None = None) -> tuple[Row, ExpectedFinding]:
        """A clean row about a company, and the finding it must become; dated within the month unless said."""
        ago = self.random.randrange(1, self._places.plan["days"] + 1) if days_ago is None else days_ago
        decided = self._today - timedelta(days=ago)
        decided -= timedelta(days=max(decided.weekday() - FRIDAY, 0))
        self._numbers += 1
        organ, template = self.bureau.decides[self._numbers % len(self.bureau.decides)]
        number = template.format(year=decided.year, n=self._numbers + 10)
        row = dict.fromkeys(SOURCE_COLUMNS, "")
        row |= self._subject(company) | self._texts(code.criterion)
        row |= {
            "ID": self.next_row(decided.year),
            "CF_WSH": number,
            "CF_CFJG": organ.name,
            "CF_CFJGDM": organ.code,
            "CF_SJLY": self.bureau.unit.name,
            "CF_SJLYDM": self.bureau.unit.code,
            "RDDM": code.code,
            "SSQH": self.bureau.code,
        }
        row |= self._days(decided)
        finding = ExpectedFinding(
            self.bureau.code, row["ID"], company, organ.code, number, code.code, code.criterion, decided
        )
        return self.restyled(row), finding

    def next_row(self, year: int) -> str:
        """A new row key in the bureau's own form."""
        self._rows += 1
        return self.bureau.row.format(year=year, n=self._rows)

    def restyled(self, row: Row) -> Row:
        """The same row, written once more by somebody with other habits of brackets."""
        brackets = self.random.choice(BRACKETS)
        left, right = brackets[0], brackets[1]
        number = row["CF_WSH"].translate({ord(b): left for b in "〔[(【（"} | {ord(b): right for b in "〕])】）"})
        name = row["CF_XDR_MC"]
        if self.random.random() < 0.5:
            name = name.replace("（", "(").replace("）", ")")
        return {**row, "CF_WSH": number, "CF_XDR_MC": name}

    def person(self) -> str:
        """The name of a person who does not exist."""
        return str(self.random.choice(self._places.names["persons"]))

    def _subject(self, company: Company) -> Row:
        names = self._places.names
        return {
            "CF_XDR_MC": company.name,
            "CF_XDR_LB": ORGANISATION,
            "CF_XDR_SHXYM": company.uscc,
            "CF_FRDB": self.person(),
            "CF_FR_ZJLX": names["person_document"],
            "CF_FR_ZJHM": names["person_number"],
        }

    def _texts(self, criterion: str) -> Row:
        violation, texts = self._places.violations[criterion], self._places.texts
        fine = self.random.randint(*violation.fine) if violation.fine else 0
        person, telephone = self.person(), self._places.names["telephone"]
        taken = any(kind.startswith("没收") for kind in violation.kinds)
        return {
            "CF_WFXW": violation.act,
            "CF_SY": texts["facts"].format(act=violation.act, person=person, telephone=telephone),
            "CF_YJ": violation.basis,
            "CF_CFLB": ";".join(violation.kinds),
            "CF_NR": texts["content"].format(kinds="、".join(violation.kinds), person=person),
            "CF_NR_FK": self.random.choice((f"{fine}", f"{fine}.00", f"{fine}.5", f"{fine}.000000")) if fine else "",
            "CF_NR_WFFF": f"{fine / 8:.4f}" if taken else "",
            "BZ": "" if self.random.random() < 0.7 else texts["remark"].format(person=person),
        }

    def _days(self, decided: date) -> Row:
        """Decided, published within the 7 working days of 424号, and ends that lie well ahead."""
        published = min(decided + timedelta(days=self.random.randrange(1, 8)), self._today)
        publicity = self._style(later(decided, self.random.choice((24, 36))))
        return {
            "CF_JDRQ": self._style(decided),
            "CF_YXQ": self.random.choice((self._style(later(decided, 36)), "2099/12/31")),
            "CF_GSJZQ": publicity if self.random.random() < 0.9 else "",
            "GSRQ": self._style(published),
        }

    def _style(self, day: date) -> str:
        return self.random.choice(DAY_STYLES).format(d=day)
