"""The first ``syncd.toml`` of a node 配置文件, as ``syncd init`` writes it: short, with comments, no defaults."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from syncd.settings import SourceSettings

SETTINGS_FILE = "syncd.toml"
_HTTPS_PORT = 443


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the person who founds a node has said: who it is, where peers reach it, and what it reads.

    ``store_url`` None means SQLite in the node's folder; ``source`` None a node that only receives.
    """

    code: str
    url: str
    agreement: Path
    source: SourceSettings | None = None
    store_url: str | None = None
    allow_candidates: bool = False
    sm2: bool = False


def settings_text(folder: Path, wishes: Wishes) -> str:
    """The file's text. Relative paths, given as seen from the working folder, are written as seen from ``folder``."""
    address = urlsplit(wishes.url)
    return "\n".join([
        "# Settings of one node. Relative paths start at this file; SYNCD_<SECTION>__<NAME> in the environment wins.",
        "",
        "[node]",
        f"code = {_toml(wishes.code)}  # 区划代码 GB/T 2260",
        f"agreement = {_toml(_seen_from(folder, wishes.agreement))}  # folder of the agreement 协议",
        *(["sm2 = true  # second signature 国密 SM2/SM3, by keys/sm2.key"] if wishes.sm2 else []),
        *(["allow_candidates = true  # demonstration only 演示"] if wishes.allow_candidates else []),
        "",
        "[store]",
        f"url = {_toml(wishes.store_url)}"
        if wishes.store_url
        else '# url = "sqlite:///syncd.db"  # or postgresql://user@host/database',
        "",
        "[server]",
        f"host = {_toml(address.hostname or '')}  # where this node listens for its peers",
        f"port = {address.port or _HTTPS_PORT}",
        "",
        *_source_lines(folder, wishes.source),
        "",
    ])  # fmt: skip


def _source_lines(folder: Path, source: SourceSettings | None) -> list[str]:
    if source is None:
        return [
            "# The bureau's own system 前置系统; without it this node only receives.",
            "# [source]",
            '# facts = ""  # its facts page, from `syncd adapter new`',
        ]
    lines = ["[source]  # the bureau's own system 前置系统"]
    for name, value in source.model_dump(exclude_unset=True, exclude_none=True).items():
        lines.append(f"{name} = {_toml(_seen_from(folder, value) if isinstance(value, Path) else value)}")
    return lines


def _seen_from(folder: Path, path: Path) -> str:
    return str(path) if path.is_absolute() else os.path.relpath(path, folder)


def _toml(value: str | float) -> str:
    """A JSON string is a TOML basic string, but for DEL, which neither a path nor a URL has."""
    return json.dumps(value, ensure_ascii=False)
