"""The one exception that is meant for the person at the keyboard."""


class ZooError(Exception):
    """A mistake that the user can mend.

    Its message is one line that names the file, the key, what was expected, what was found and what to do.
    The command line prints it without a traceback and ends with a status that is not 0.

    Example:
        >>> raise ZooError("data3.h5: no key 'trX'; found trx: rename it")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: data3.h5: no key 'trX'; found trx: rename it
    """

    status = 1
    """What the command line ends with."""
