"""The one error that a user can cause."""


class UserError(ValueError):
    """Bad input, said in one sentence: the thing, its value, the limit and the way out.

    Every command prints it and exits with 1; all three packages raise it (or a subclass) for
    whatever comes from outside: files, options, drawings.
    """
