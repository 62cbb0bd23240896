"""One small tree of errors, sorted by whose turn it is.

Every error here is a sentence for the reader who must act: what happened, what was kept, what to do next.
Code below the command line raises these; the command line turns them into one line and an exit code.
"""


class SyncdError(Exception):
    """Base of all; ``exit_code`` is what the command line leaves with."""

    exit_code = 1


class Retry(SyncdError):
    """Nobody needs to act: the same step will be tried again by itself (peer down, source busy)."""

    exit_code = 75


class Refuse(SyncdError):
    """The other side must act: what it sent cannot be taken, and nothing of it was kept."""

    exit_code = 65


class NeedsPerson(SyncdError):
    """A person at this bureau must look: the thing is kept, on the desk or in the settings."""

    exit_code = 3


class Stop(SyncdError):
    """The state is not known, so nothing more may be written or signed until a person has looked."""

    exit_code = 70
