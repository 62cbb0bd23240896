"""The sentences of a verdict 验证结论, in Chinese and English: codes come from the pure rooms, words stand here."""

from typing import Literal

Language = Literal["zh", "en"]

STEPS = {
    "form": ("格式符合公开规范", "the records have the public forms"),
    "signed": ("检查点由该账本密钥签名", "each checkpoint is signed by its log's own key"),
    "countersigned": ("会签齐全", "the countersignatures asked for are there"),
    "one_tree": ("同一账本无分叉", "the checkpoints of a log do not contradict one another"),
    "included": ("条目在所签账本之中", "each entry stands in the signed log at its index"),
    "leaf": ("条目为规范形式", "each leaf is an entry in canonical form"),
    "disclosure": ("披露件与承诺值相符", "each disclosure opens its commitment and has the form of its kind"),
    "chain": ("所指条目均在包内", "what each entry speaks of is in the bundle"),
    "erased": ("已删除者均有删除指令", "what is erased was ordered to be"),
}
CODES = {
    "malformed": ("格式错误", "malformed"),
    "bad_signature": ("签名不符", "a signature does not verify"),
    "not_included": ("不在所签账本之中，或条目已被改动", "not in the signed log, or the entry was altered"),
    "unknown_log": ("信任策略中无此账本", "a log that the policy does not name"),
    "not_signed": ("缺该账本当时有效密钥的签名", "not signed by a key of the log that is good at this size"),
    "sm2_signed": ("国密 SM2 签名亦成立", "its SM2 signature verifies too"),
    "sm2_not_checked": (
        "国密签名未核验（未安装 gm 组件）",
        "its SM2 line was not checked: no extra gm here",
    ),
    "sm2_missing": ("无国密 SM2 签名行", "it has no SM2 line"),
    "sealed_below": ("该账本已在此前封存", "the log was sealed below this size"),
    "not_final": ("尚未定局，缺会签", "not final yet, lines missing"),
    "line_missing": ("缺会签", "line missing"),
    "line_too_late": ("会签时间晚于所问时点", "countersigned after the moment asked about"),
    "fork": ("账本分叉：同一规模两个根", "fork: two roots at one size"),
    "not_in_bundle": ("所指条目不在包内", "the entry it speaks of is not in the bundle"),
    "names_another": ("所指条目与包内不符", "the entry it speaks of is another one in the bundle"),
    "missing": ("披露件缺失", "the disclosure is missing"),
    "no_erasure_entry": ("称已删除而无删除指令", "said to be erased, but no entry orders it"),
    "state_does_not_fit": ("披露件状态与条目不符", "the state of the disclosure does not fit the leaf"),
    "invalid_body": ("披露内容不符合数据结构", "the body has not the form of its kind"),
    "unknown_kind": ("本版本未知的条目种类", "a kind that this version does not know"),
    "present": ("已披露", "opened"),
    "opened": ("已披露", "opened"),
    "partial": ("部分披露", "opened in part, the other items withheld"),
    "withheld": ("未向审计人披露", "withheld"),
    "erased": ("已删除", "erased"),
    "absent": ("披露件未到", "not received"),
    "none": ("无披露件", "nothing to disclose"),
    "not_canonical": ("条目不是规范形式", "the leaf is not canonical"),
    "fields": ("条目字段不符", "the leaf has other fields"),
    "version": ("条目版本未知", "the leaf is of another version"),
    "leaf_too_large": ("条目过长", "the leaf is too long"),
    "disclosure_does_not_open": ("披露件与承诺值不符", "the disclosure does not open the commitment"),
    "disclosure_not_canonical": ("披露件不是规范形式", "the disclosure is not canonical"),
    "disclosure_too_large": ("披露件过大", "the disclosure is too large"),
}
KINDS = {
    "finding.issued": "认定",
    "finding.amended": "变更",
    "finding.upheld": "维持",
    "finding.resumed": "恢复",
    "finding.held": "暂缓",
    "relief.disputed": "异议",
    "relief.suspended": "中止",
    "relief.repaired": "修复",
    "relief.revoked": "撤销",
    "relief.expired": "到期",
    "objection.received": "异议申请",
    "restriction.imposed": "受限",
    "restriction.lifted": "解除",
    "restriction.declined": "不予",
    "notice.served": "告知",
    "feedback.reported": "反馈",
    "erasure.ordered": "删除指令",
    "erasure.done": "删除办结",
    "operator.acted": "操作",
    "honour.granted": "守信荣誉",
    "honour.withdrawn": "撤销荣誉",
    "delivery.missing": "披露缺失",
    "agreement.adopted": "协议生效",
    "key.changed": "换钥",
    "log.sealed": "封存",
}
SAYINGS = {
    "verdict": ("结论", "verdict"),
    "true": ("属实：以上各步均成立", "TRUE: every step holds"),
    "false": ("不实：见标明的步骤和记录", "FALSE: see the steps and records named"),
    "step_ok": ("成立", "ok"),
    "step_false": ("不成立", "NOT SO"),
    "record": ("记录", "record"),
    "about": ("事由", "about"),
    "made": ("出具时间（自述）", "made (its own word)"),
    "policy": ("信任策略指纹", "fingerprint of the policy"),
    "countersigned_by": ("会签", "countersigned by"),
    "known": ("成员在此时点之前所知", "what the member had countersigned before"),
    "bundle": ("证据包", "proof bundle"),
    "unreadable": ("无法作为证据包读取", "cannot be read as a proof bundle"),
}


def say(table: dict[str, tuple[str, str]], code: str, language: Language) -> str:
    """The words for a code; the code itself where there are none."""
    pair = table.get(code)
    return code if pair is None else pair[language == "en"]


def kind(code: str, language: Language) -> str:
    """A kind of entry: ``受限 restriction.imposed``, or the code alone in English."""
    return code if language == "en" else f"{KINDS.get(code, '')} {code}".strip()
