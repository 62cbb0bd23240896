"""Adapters 适配器: one for each bureau's own system, each in one of the exchange modes of GB/T 39443-2020.

``base`` is the narrow hole an adapter fills with three short methods. ``source`` stands around it and holds every
duty: the limits, the narrowing of errors and the border verdict on each row (``border``, ``persons``, ``penalty``,
``relief``). ``service`` 服务方式, ``files`` 文件方式 and ``database`` 数据库对接 are the modes. What a bureau's system
is like stands in ``config/sources/<bureau>.toml`` (``facts``), so that a bureau in one of the modes needs no code.
"""
