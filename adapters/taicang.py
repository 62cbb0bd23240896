"""Taicang 太仓 (320585): the database mode, with the names of its tables.

``xzcf`` penalties, ``xyxf`` relief, ``cjd`` orders with the key (CJD_RDBH, CJD_CS), ``cjd_hz``
acknowledgements. Illustrative: the bureau's real front database was not found.
"""

from adapters.database import DatabaseAdapter


class TaicangAdapter(DatabaseAdapter):
    """苏州市太仓生态环境局, through its front database 前置库."""

    penalties = "xzcf"
    relief = "xyxf"
    orders = "cjd"
    feedback = "cjd_hz"
