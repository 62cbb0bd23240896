"""The report of an audit 审计报告 as JSON, Markdown and HTML: the same facts, levels and records in each."""

from collections.abc import Sequence
from html import escape
from typing import Any, Final

import orjson

from syncd.evidence.audit import Report
from syncd.ledger.pairing import FAULTS

Json = dict[str, Any]
LEVELS: Final = {
    1: "回执：最新检查点会签齐全 receipt: the newest checkpoint has all lines",
    2: "检查点：均已签名且一致 checkpoints: signed and on one tree",
    3: "条目：逐条重算至所签根 entries: lead to every tile and root",
    4: "形式：规范、时序、协议 form: canonical, in order, of the agreement",
    5: "披露件：均已开启或有据 disclosures: opened, or gone for a reason",
    6: "对账：认定、受限、解除 pairing: findings, restrictions, liftings",
}
_STYLE = (
    "body{font-family:sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}td,th{border:1px solid #999;padding:.3rem .5rem;text-align:left}"
    ".ok{color:#060}.wrong{color:#a00;font-weight:bold}@media print{body{margin:0}}"
)


def as_json(report: Report) -> Json:
    """The whole report for programs."""
    return {
        "ok": report.ok,
        "level": report.level,
        "policy": report.policy,
        "as_of": report.now or None,
        "logs": [
            {
                "log": log.origin,
                "size": log.size,
                "checkpoints": log.checkpoints,
                "lines": log.lines,
                "lacking": list(log.lacking),
                "sm2": dict(sorted(log.sm2.items())),
                "kinds": dict(sorted(log.kinds.items())),
                "disclosures": dict(sorted(log.disclosures.items())),
                "faults": [
                    {"level": level, "place": one.place, "code": one.code, "detail": one.detail}
                    for level, found in sorted(log.faults.items())
                    for one in found
                ],
                "fault_counts": {str(level): count for level, count in sorted(log.counts.items())},
            }
            for log in report.logs
        ],
        "pairing": {
            "counts": dict(sorted(report.counts.items())),
            "issues": [
                {"place": one.place, "code": one.code, "fault": one.code in FAULTS, "region": one.region,
                 "detail": one.detail}
                for one in report.issues
            ],
        },
    }  # fmt: skip


def as_text(content: Json) -> bytes:
    """``as_json`` as a file."""
    return orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def as_markdown(content: Json) -> bytes:
    """A page for people, from ``as_json``."""
    lines = [f"# 审计报告 Audit: {_verdict(content)}", ""]
    lines += [f"- {label}: {value}" for label, value in _head(content)]
    for title, heads, rows in _tables(content):
        lines += ["", f"## {title}", "", _row(heads), _row(["---"] * len(heads)), *map(_row, rows)]
    return "\n".join([*lines, ""]).encode()


def as_html(content: Json) -> bytes:
    """The same page for a browser or a printer; it loads nothing."""
    colour = "ok" if content["ok"] else "wrong"
    parts = [
        f"<!doctype html><html lang=zh><meta charset=utf-8><title>审计报告 Audit</title><style>{_STYLE}</style>",
        f"<h1 class={colour}>审计报告 Audit: {escape(_verdict(content))}</h1><ul>",
        *[f"<li>{escape(label)}: {escape(str(value))}</li>" for label, value in _head(content)],
        "</ul>",
    ]
    for title, heads, rows in _tables(content):
        cells = "".join(f"<th>{escape(head)}</th>" for head in heads)
        parts.append(f"<h2>{escape(title)}</h2><table><tr>{cells}</tr>")
        parts += ["<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in row) + "</tr>" for row in rows]
        parts.append("</table>")
    return ("\n".join(parts) + "</html>\n").encode()


def _verdict(content: Json) -> str:
    return "无误 nothing wrong" if content["ok"] else "有误 something is wrong"


def _head(content: Json) -> list[tuple[str, Any]]:
    return [
        ("级别 level", f"L1 to L{content['level']}"),
        ("信任策略指纹 fingerprint of the policy", content["policy"]),
        ("截至 as of", content["as_of"] or "-"),
    ]


def _tables(content: Json) -> list[tuple[str, Sequence[str], list[Sequence[Any]]]]:
    logs, pairing = content["logs"], content["pairing"]
    tables: list[tuple[str, Sequence[str], list[Sequence[Any]]]] = [
        ("账本 Logs", ("log", "entries", "checkpoints", "lines", "lacking"),
         [(one["log"], one["size"], one["checkpoints"], one["lines"], " ".join(one["lacking"])) for one in logs]),
        ("国密签名 SM2 lines", ("log", "state", "count"),
         [(one["log"], state, count) for one in logs for state, count in one["sm2"].items()]),
        ("级别 Levels", ("level", "what", "faults"),
         [(f"L{level}", LEVELS[level], faults_at(content, level)) for level in range(1, content["level"] + 1)]),
        ("披露件 Disclosures", ("log", "state", "count"),
         [(one["log"], state, count) for one in logs for state, count in one["disclosures"].items()]),
        ("差错 Faults", ("level", "record", "code", "detail"),
         [(f"L{fault['level']}", fault["place"], fault["code"], fault["detail"])
          for one in logs for fault in one["faults"]]),
        ("对账 Pairing", ("record", "code", "fault", "region", "detail"),
         [(one["place"], one["code"], "yes" if one["fault"] else "no", one["region"], one["detail"])
          for one in pairing["issues"]]),
    ]  # fmt: skip
    return [table for table in tables if table[2]]


def faults_at(content: Json, level: int) -> int:
    """How many faults a level found, in all logs."""
    if level == 6:
        return sum(count for code, count in content["pairing"]["counts"].items() if code in FAULTS)
    return sum(one["fault_counts"].get(str(level), 0) for one in content["logs"])


def _row(cells: Sequence[Any]) -> str:
    return "| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |"
