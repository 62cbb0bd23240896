"""The agreement 协议 as data, and what follows from it: pure functions over bytes, rows and days.

``load`` reads the folder's bytes into ``model``, ``law`` and ``local``, and ``checks`` refuses what contradicts itself;
``objections`` and ``cases`` say whether it may be signed. ``outcome`` says what a record is by its own bureau's code
(``conditions`` over ``names``, ``samples`` to prove them), ``aggregates`` what several facts make; ``mapping`` judges a
finding for a region by ``bases`` and ``publicity``. ``relief`` folds what lifts it; ``force`` and ``history`` say what
is in force on a day; ``workdays`` and ``dates`` count terms. Nothing here opens a file or asks the time.
"""
