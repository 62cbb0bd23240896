"""The store (存储): everything a node keeps, in one database, with the record keys in a vault beside it.

The log part: ``engine`` opens the database, ``bulk`` moves rows, ``instance`` keeps a second daemon out, ``schema``
and ``migrations`` make the ``tables``; ``state``, ``append``, ``mirror``, ``reading``, ``checkpoints`` and
``cursors`` are the verbs over logs, with ``logs`` as their one face; ``vault`` holds the keys of disclosures and
``sizes`` what was signed, both outside the database.
"""
