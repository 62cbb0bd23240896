"""The agreement 协议 as data, and what follows from it: pure functions over bytes, rows and days.

``load`` reads the folder's bytes into ``model``; ``mapping`` judges a finding for a region; ``relief``
folds what lifts it; ``force`` says what is in force on a day; ``workdays`` counts deadlines. Nothing here
opens a file or asks the time.
"""
