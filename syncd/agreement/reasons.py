"""Why nothing follows, or no longer 原因: each reason code as one sentence in Chinese and one in English.

Codes are what stands in the ledger; these sentences are for the official, the company and the court.
"""

from typing import NamedTuple


class Said(NamedTuple):
    """The same thing in two languages."""

    zh: str
    en: str


REASONS = {
    "candidate": Said(
        "该标准或措施为候选，未经各方确认，不生效",
        "the criterion or measure is a candidate that the parties have not confirmed, so it takes no effect",
    ),
    "ended": Said("按其自身期限已届满", "by its own terms it has ended already"),
    "exception": Said(
        "判断时程序出错，暂缓并交人工处理", "judging it failed in the program; it is held for a person to look"
    ),
    "expired": Said("期限已届满", "its term has ended"),
    "left": Said(
        "作出认定的成员或本地区已退出协议，自退出之日起不再受限",
        "the member that determined it, or this region, has left the agreement; from that day nothing follows",
    ),
    "linked": Said(
        "属地为他地，此为他地决定之副本，不据副本实施",
        "its place is another bureau's: this is a copy of that bureau's decision, and a copy restricts nobody",
    ),
    "mapping_differs": Said(
        "所报标准与协议对应表不一致，待人工核对",
        "the criterion it names is not the one that the agreement's table gives; a person must compare them",
    ),
    "no_basis": Said("当日无有效法律依据，不实施", "no legal basis was in force for it on that day"),
    "no_rule": Said("本地区对该标准无互认规则", "this region has no rule for the criterion"),
    "not_applicable": Said("不适用于该主体类型或本地区", "it does not reach this type of organisation, or this region"),
    "not_severe": Said(
        "未达严重失信，仅作为一般记录共享，不受限",
        "it is not severe: shared as a plain record, and nobody is restricted by it",
    ),
    "nothing_in_force": Said("无任何措施可以生效", "none of its measures could take effect"),
    "other_agreement": Said("属另一协议", "it belongs to another agreement"),
    "repaired": Said("信用修复，自修复之日起解除", "it was repaired, and is lifted from that day"),
    "review": Said("规则要求人工复核，待经办人放行", "the rule asks for review: it waits for a person to release it"),
    "revoked": Said("认定已被撤销，自始无效", "the finding was revoked, from the beginning"),
    "subject_type": Said("该标准不适用于此类主体", "the criterion does not reach this type of organisation"),
    "suspended": Said(
        "认定中止，或已变更而未重新互认，期间不受限",
        "the finding is suspended, or was amended and not recognised anew; meanwhile nothing is in force",
    ),
    "twin": Said(
        "同一决定由两地发布，待人工核定后方可实施",
        "two logs issued one decision; nothing new is imposed before a person has looked",
    ),
    "twin_relieved": Said(
        "同一决定的另一份已解除，两份均停止", "the other copy of the same decision was relieved, so both are off"
    ),
    "undetermined": Said(
        "仅由规则提出，尚未由认定单位人工认定",
        "a rule only proposes it; a person of the determining bureau has not determined it",
    ),
    "unmapped": Said("本地认定代码不在协议对应表内", "the local code is not in the agreement's table"),
    "version": Said(
        "所用协议版本在本地尚未生效，暂缓；解除不受影响",
        "it names a version of the agreement that is not in force here; it is held, relief is not",
    ),
}
_LATER = Said("经人工放行，改按协议第{n}版，不再受限", "released by a person for version {n}, by which it is off")


def said_of(reason: str) -> Said:
    """The sentences of a reason; a code that this version does not know is shown as it is."""
    if reason.startswith("version_"):
        number = reason.removeprefix("version_")
        return Said(_LATER.zh.format(n=number), _LATER.en.format(n=number))
    return REASONS.get(reason, Said(reason, reason))
