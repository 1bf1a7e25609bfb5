"""The two ways in which a task ends early on purpose."""


class InputError(ValueError):
    """The input cannot be used.

    The message is one line for the person who gave the input: what is wrong, where, and what to do.
    """


class OnlyTexts(InputError):
    """A table has nothing that is a feature, but texts, of which an encoder makes features."""


class Cancelled(Exception):
    """The person asked to stop; raised out of a progress report, so it ends any loop that reports."""
