"""The field's words 术语 as the commands print them: the code, and the Chinese term beside it.

A code without a word here is printed as it is: a newer member may send reasons this version does not know.
"""

STANDING = {"restricted": "受限 restricted", "noted": "关注 noted", "clear": "无 clear"}
DEMONSTRATION = "演示 demonstration"
KIND = {"binding": "约束 binding", "discretionary": "裁量 discretionary", "advisory": "建议 advisory"}
ANSWER = {
    "restriction.imposed": "受限 imposed",
    "restriction.lifted": "解除 lifted",
    "restriction.declined": "不予 declined",
    "finding.held": "暂缓 held",
    "waiting": "待互认 waiting",
}
DELIVERY = {"pending": "待送达 pending", "delivered": "已送达 delivered", "acknowledged": "已回执 acknowledged"}
MARK = {"disputed": "异议 disputed", "suspended": "中止 suspended"}
RELIEF = {
    "repaired": "修复 repaired",
    "revoked": "撤销 revoked",
    "expired": "到期 expired",
    "erased": "删除 erased",
    "erasure.ordered": "删除指令 erasure.ordered",
    "relief.disputed": "异议 relief.disputed",
    "relief.suspended": "中止 relief.suspended",
    "relief.repaired": "修复 relief.repaired",
    "relief.revoked": "撤销 relief.revoked",
    "relief.expired": "到期 relief.expired",
    "finding.upheld": "维持 finding.upheld",
    "finding.resumed": "恢复 finding.resumed",
}
STANDING_IN_LAW = {
    "carried": "有依据 carried",
    "doubtful": "存疑 doubtful",
    "without_basis": "无依据 without_basis",
    "advised": "建议 advised",
}
SEVERITY = {"minor": "轻微 minor", "general": "一般 general", "severe": "严重 severe"}
STATUS = {"confirmed": "已确认 confirmed", "candidate": "候选 candidate", "illustrative": "示例 illustrative"}
OFFER = {
    "offered": "可享 offered",
    "suspended": "暂停 suspended",
    "candidate": "候选 candidate",
    "not_applicable": "不适用 not_applicable",
    "ended": "已过期 ended",
}
JOB = {"queued": "待办 queued", "done": "已办 done", "failed": "未成 failed"}
ROLE = {"handling": "经办 handling", "approving": "审批 approving", "supervising": "监督 supervising"}
REASON = {
    "candidate": "候选 candidate",
    "ended": "已过期 ended",
    "erased": "已删除 erased",
    "exception": "判断出错 exception",
    "expired": "到期 expired",
    "linked": "他地决定之副本 linked",
    "mapping_differs": "对应不一致 mapping_differs",
    "no_basis": "无法律依据 no_basis",
    "no_rule": "无规则 no_rule",
    "not_applicable": "不适用 not_applicable",
    "not_severe": "未达严重 not_severe",
    "nothing_in_force": "无可行措施 nothing_in_force",
    "review": "待复核 review",
    "subject_type": "主体类型不符 subject_type",
    "suspended": "中止 suspended",
    "twin": "一案两发 twin",
    "twin_relieved": "同一决定已解除 twin_relieved",
    "undetermined": "未作认定 undetermined",
    "unmapped": "未对应 unmapped",
    "left": "成员退出 left",
    "version": "协议版本不一 version",
}
DESK = {
    "branch": "分支机构 branch",
    "who": "主体识别 who",
    "copy_at_peer": "对方来源中之副本 copy_at_peer",
    "custody": "状态存疑 custody",
    "erased": "已删除之行仍在来源 erased",
    "exception": "判断出错 exception",
    "fork": "账本分叉 fork",
    "identity_changed": "行已改作他案 identity_changed",
    "linked": "他地决定 linked",
    "mapping_differs": "对应不一致 mapping_differs",
    "no_rule": "无规则 no_rule",
    "misbehaviour": "违规 misbehaviour",
    "objection": "异议申请 objection",
    "grounds_gone": "认定依据已解除 grounds_gone",
    "proposed": "待认定 proposed",
    "peer_restored": "对方恢复旧库 peer_restored",
    "quarantine": "隔离 quarantine",
    "mark_unreadable": "中止无法读出 mark_unreadable",
    "relief_fault": "修复行有误 relief_fault",
    "relief_waiting": "修复待认定 relief_waiting",
    "returned": "已撤销之行重现 returned",
    "review": "待复核 review",
    "schema_drift": "表结构变化 schema_drift",
    "subject_type": "主体类型不符 subject_type",
    "twin": "一案两发 twin",
    "twin_relieved": "同一决定已解除 twin_relieved",
    "under_review": "复核再启 under_review",
    "unmapped": "未对应 unmapped",
    "unreadable": "未能读懂 unreadable",
    "unreadable_at_peer": "对方未能读懂 unreadable_at_peer",
    "vanished": "来源行消失 vanished",
    "rejudge": "按新版重新判断 rejudge",
    "version": "协议版本不一 version",
    "version_at_peer": "对方尚无本版本 version_at_peer",
}
ALARM = {
    "certificate_ends": "证书将到期 certificate_ends",
    "imbalance": "收数不平 imbalance",
    "schema_drift": "表结构变化 schema_drift",
    "silence": "漏报 silence",
    "source_unreached": "来源不通 source_unreached",
    "too_few_rows": "报送过少 too_few_rows",
    "too_many_rows": "报送过多 too_many_rows",
    "custody": "状态存疑 custody",
    "erasure_late": "删除逾期 erasure_late",
    "fork": "账本分叉 fork",
    "misbehaviour": "违规 misbehaviour",
    "outside_witness": "外部见证缺失 outside_witness",
    "peer_restored": "对方恢复旧库 peer_restored",
    "provisional": "久未定局 provisional",
    "store_damaged": "存储受损 store_damaged",
    "unchecked": "未能比对 unchecked",
    "version": "协议版本不一 version",
}
MISBEHAVIOUR = {
    "two_roots": "同规模两根 two_roots",
    "split_view": "分裂视图 split_view",
    "shrinking": "规模倒退 shrinking",
    "inconsistent": "不一致 inconsistent",
    "beyond_seal": "封存后续写 beyond_seal",
}
STEP = {
    "finding": "认定 finding",
    "outcome": "判定结果 outcome",
    "criterion": "标准 criterion",
    "rule": "规则 rule",
    "released": "放行 release",
    "measure": "措施 measure",
    "measure_not": "措施 measure",
    "amended": "变更 amendment",
    "answer": "互认 answer",
    "relief": "修复 relief",
    "waits": "待办 waiting",
    "conclusion": "结论 conclusion",
}
VERSION_STATE = {
    "in_force": "现行 in force",
    "superseded": "已被取代 superseded",
    "waits_for_adoption": "待各成员签署 waits for adoption",
    "waits_for_its_day": "待生效日 waits for its day",
}
EFFECT = {
    "newly_restricted": "新受限 newly restricted",
    "released": "解除 released",
    "changed": "变更 changed",
}
SIGNATURE = {
    "signed": "已签 signed",
    "missing": "未见 missing",
    "wrong": "不符 does not verify",
    "unknown_key": "无该成员名片 key not held",
}
ITEM_STATE = {
    "open": "待办 open",
    "released": "已放行 released",
    "refused": "已驳回 refused",
    "cleared": "已消除 cleared",
}
TURN = {"source": "来源 source", "page": "来源说明 page", "maintainer": "维护 maintainer"}


def word(words: dict[str, str], code: str | None) -> str:
    """The word for a code; the code itself where there is none, nothing for None."""
    return "" if code is None else words.get(code, code)


def short(text: str | None) -> str:
    """A UTC time to the second, as people read it; the milliseconds stand in the JSON."""
    return "never" if text is None else text[:19].replace("T", " ") + "Z"
