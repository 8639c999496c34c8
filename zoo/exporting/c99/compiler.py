"""Compiles C code with the compiler of this machine, and runs it."""

import os
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.exporting.c99.source import SOURCE, TEST, Array, Function, Network, native
from zoo.files import temporary_folder

NO_COMPILER = "not compared with Keras: no C compiler found; install gcc or clang, or set CC to one"

_SECONDS = 300

OPTIONS = ("-std=c99", "-O3")
"""Options of the compiler."""

FAST = (*OPTIONS, "-march=native", "-ffp-contract=fast")
"""Options for the processor of this machine, whose instructions may round a product and a sum once."""


def find() -> list[str] | None:
    """Returns the command of the C compiler: that in the environment variable CC, or cc, gcc or clang. None without."""
    named = (command := os.environ.get("CC", "")).split()
    if named:
        if shutil.which(named[0]) is None:
            raise ZooError(f"CC is {command!r}, which is not installed; expected the name of a C compiler")
        return named
    return next(([name] for name in ("cc", "gcc", "clang") if shutil.which(name)), None)


def run(
    network: Network, folder: Path, inputs: Mapping[str, Mapping[str, NDArray[Any]]], options: Sequence[str] = OPTIONS
) -> dict[str, dict[str, NDArray[Any]]] | None:
    """Compiles the code of a network in a folder, and runs its test program and its functions on inputs `(N, ...)`.

    Returns:
        Outputs `(N, ...)` by the names of signature and output, and for each signature the `seconds` of each call,
        `(N,)`. None if there is no compiler.
    """
    command = find()
    if command is None:
        return None
    compiler, outputs = [*command, *options], dict[str, dict[str, NDArray[Any]]]()
    with temporary_folder() as scratch:
        compile_c(compiler, ["-c", folder / SOURCE], scratch / "model.o")
        compile_c(compiler, [folder / TEST, scratch / "model.o", "-lm"], scratch / "test")
        _execute([scratch / "test"], f"{folder.name}/{TEST}")
        for name, function in network.functions.items():
            runner, program = scratch / f"{name}.c", scratch / name
            runner.write_text(_runner(function), encoding="utf-8")
            compile_c(compiler, [f"-I{folder}", runner, scratch / "model.o", "-lm"], program)
            rows = np.zeros(len(next(iter(inputs[name].values()))), _layout(function.inputs))
            for part in rows.dtype.names or ():
                rows[part] = inputs[name][part]
            content = _execute([program], f"the compiled {name}", rows.tobytes())
            found = np.frombuffer(content, [*_layout(function.outputs), ("seconds", "=f8")])
            outputs[name] = {part: found[part] for part in found.dtype.names or ()}
    return outputs


def _layout(arguments: Mapping[str, Array]) -> list[tuple[str, str, tuple[int, ...]]]:
    """The arguments of a function as they follow each other in memory."""
    return [part for name, array in arguments.items() for part in array.parts(name)]


def compile_c(compiler: Sequence[str], arguments: Sequence[str | Path], program: Path) -> None:
    """Compiles or links C code."""
    _execute([*compiler, *arguments, "-o", program], compiler[0])


def _runner(function: Function) -> str:
    """Returns a program that runs a function on each row that it reads."""
    declared = {
        name: f"{array.kind} {name}" + (f"[{int(np.prod(array.shape))}]" if array.shape else "")
        for name, array in (*function.inputs.items(), *function.outputs.items())
    }
    return native(
        "c99_runner.c", call=function.call, declarations="\n".join(f"    static {text};" for text in declared.values()),
        reads=" && ".join(f"fread(&{name}, sizeof {name}, 1, stdin) == 1" for name in function.inputs),
        writes="\n".join(f"        fwrite(&{name}, sizeof {name}, 1, stdout);" for name in function.outputs),
    )  # fmt: skip


def _execute(command: Sequence[str | Path], what: str, content: bytes = b"") -> bytes:
    """Returns what a command writes. The message of a failure is its first error, or else its last line."""
    try:
        child = subprocess.run(
            [*map(str, command)], input=content, capture_output=True, check=False, timeout=_SECONDS
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise ZooError(f"{what} took more than {_SECONDS} s and was stopped") from None
    except OSError as error:
        raise ZooError(f"{what} cannot be run: {error.strerror}") from error
    if child.returncode:
        said = (child.stdout + child.stderr).decode(errors="replace").strip().splitlines() or ["no message"]
        reason = next((line for line in said if "error:" in line or "undefined" in line), said[-1])
        raise ZooError(f"{what} fails with status {child.returncode}: {reason}")
    return child.stdout
