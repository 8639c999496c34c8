"""The exceptions for errors that users can fix."""


class ZooError(Exception):
    """An error that the user can fix.

    The message is one line that names the file, the key, what was expected, what was found, and what to do. The command
    line prints it without a traceback and exits with a nonzero status.

    Example:
        >>> raise ZooError("data3.h5: no key 'trX'; found trx: rename it")
        Traceback (most recent call last):
        ...
        zoo.errors.ZooError: data3.h5: no key 'trX'; found trx: rename it
    """

    status = 1
    """Exit status of the command line."""


class StorageError(ZooError):
    """A file cannot be read or written: the disk is full, permission is missing, the file is damaged."""


class UsageError(ZooError):
    """An option or argument of the command line that no command could accept."""

    status = 2
