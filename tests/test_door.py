"""What the command line says about exceptions."""

import errno

import pytest

from zoo.cli import explain
from zoo.errors import ZooError


class NotFoundError(Exception):
    __module__ = "tensorflow.errors"


@pytest.mark.parametrize(
    ("error", "words", "status"),
    [
        (ZooError("a.h5: no key 'trX'"), "a.h5: no key 'trX'", 1),
        (PermissionError(errno.EACCES, "Permission denied", "a.h5"), "a.h5: permission denied", 1),
        (OSError(errno.ENOSPC, "No space left on device"), "the disk is full", 1),
        (RuntimeError("write failed: No space left on device"), "the disk is full", 1),
        (NotFoundError("a.tfrecord; No such file\nat line 7"), "a.tfrecord; No such file: check", 1),
        (MemoryError("Unable to allocate 8 GiB"), "out of memory (Unable to allocate 8 GiB)", 1),
        (
            ValueError("shapes differ\nsomewhere"),
            "unexpected ValueError: shapes differ; this is a bug: please report",
            70,
        ),
        (OSError(), "unexpected OSError: OSError; this is a bug", 70),
    ],
)
def test_an_exception_is_one_line_and_only_a_bug_has_status_70(error, words, status):
    line, found = explain(error)
    assert found == status
    assert line.startswith(words)
    assert "\n" not in line
