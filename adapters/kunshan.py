"""Kunshan 昆山 (320583): the files mode, with the names of its files.

``in/XZCF_*.csv`` penalties, ``in/XF_*.csv`` relief, ``out/CJ_<time>_<n>.csv`` orders, ``ack/HZ_*.csv``
acknowledgements. Illustrative: the bureau's real files were not found.
"""

from adapters.files import FilesAdapter


class KunshanAdapter(FilesAdapter):
    """苏州市昆山生态环境局, through a shared folder."""

    penalties = "XZCF_*.csv"
    relief = "XF_*.csv"
    feedback = "HZ_*.csv"
    orders = "CJ_{time}_{n}.csv"
