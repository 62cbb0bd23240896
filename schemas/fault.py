"""Why a value cannot be taken: a code for machines, a sentence for who must act, never the value."""


class Fault(ValueError):
    """A value that is not what its field asks for.

    ``reason`` is a stable code (``[a-z_]+``) for the desk and for counting; ``sentence`` says what is wrong
    and what to do. Neither ever repeats the value: it may be somebody's name or number.
    """

    def __init__(self, reason: str, sentence: str = "") -> None:
        super().__init__(sentence or reason)
        self.reason = reason
        self.sentence = sentence or reason
