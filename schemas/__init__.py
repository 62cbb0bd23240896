"""The shared schema 共享数据标准: what may cross a border, and nothing of ours below it.

Plain readers of the field's own values (``identifiers``, ``text``, ``dates``, ``money``), one module per
family of bodies (``finding``, ``relief``, ``restriction``, ``feedback``, ``acts``, ``organisation``), and
``registry``, which checks a body by the kind of its entry. ``published/`` holds the same as JSON Schema.
"""
