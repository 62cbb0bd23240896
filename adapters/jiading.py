"""Jiading 嘉定 (310114): the service mode, with the paths of its interface.

``GET /penalties`` and ``GET /relief`` with ``after=<更新时间>|<主键>``, ``POST /restrictions``, ``GET
/acknowledgements`` with ``after=<number>``. Illustrative: the bureau's real interface was not found.
"""

from adapters.service import ServiceAdapter


class JiadingAdapter(ServiceAdapter):
    """上海市嘉定区生态环境局, through its HTTPS service."""

    penalties = "penalties"
    relief = "relief"
    restrictions = "restrictions"
    feedback = "acknowledgements"
