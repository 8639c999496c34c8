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
from zoo.exporting.c99.network import Array, Function, Network, native
from zoo.exporting.c99.source import SOURCE, TEST
from zoo.files import temporary_folder

NO_COMPILER = "not compared with Keras: no C compiler found; install gcc or clang, or set CC to one"

_SECONDS = 300

OPTIONS = ("-std=c99", "-O3")
"""Options of the compiler."""

FAST = (*OPTIONS, "-march=native", "-ffp-contract=fast")
"""Options for the processor of this machine, whose instructions may round a product and a sum once."""

_LOOP = """
static void run_{name}(void)
{{
{declarations}
    while ({reads}) {{
        double seconds = now();
        {call};
        seconds = now() - seconds;
{writes}
        fwrite(&seconds, sizeof seconds, 1, stdout);
    }}
}}
""".strip()


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
    found = find()
    if found is None:
        return None
    compiler = [*found, *options]
    with temporary_folder() as scratch:
        runner = scratch / "runner.c"
        runner.write_text(_runner(network), encoding="utf-8")
        compile_c(compiler, ["-c", str(folder / SOURCE)], scratch / "model.o")
        compile_c(compiler, [str(folder / TEST), str(scratch / "model.o"), "-lm"], scratch / "test")
        compile_c(compiler, [f"-I{folder}", str(runner), str(scratch / "model.o"), "-lm"], scratch / "runner")
        _output([scratch / "test"], b"", f"{folder.name}/{TEST}")
        return {name: _run(scratch / "runner", name, function, inputs[name])
                for name, function in network.functions.items()}  # fmt: skip


def compile_c(compiler: Sequence[str], arguments: Sequence[str], program: Path) -> None:
    """Compiles or links C code. The message of a failure is the first error of the compiler."""
    child = _execute([*compiler, *arguments, "-o", program], b"", compiler[0])
    if child.returncode:
        said = child.stderr.decode(errors="replace").splitlines() or ["no message"]
        reason = next((line for line in said if "error:" in line or "undefined" in line), said[0])
        raise ZooError(f"{compiler[0]} fails with status {child.returncode}: {reason}")


def _runner(network: Network) -> str:
    """Returns a program that runs the function that its argument names on each row that it reads."""
    loops, choices = [], []
    for name, function in network.functions.items():
        arguments = dict(function.inputs) | dict(function.outputs)
        loops.append(_LOOP.format(
            name=name, call=function.call,
            declarations="\n".join(f"    static {_declaration(*each)};" for each in arguments.items()),
            reads=" && ".join(f"fread(&{each}, sizeof {each}, 1, stdin) == 1" for each in function.inputs),
            writes="\n".join(f"        fwrite(&{each}, sizeof {each}, 1, stdout);" for each in function.outputs),
        ))  # fmt: skip
        choices.append(f'    if (!strcmp(arguments[1], "{name}"))\n        run_{name}();')
    main = ["int main(int count, char **arguments)", "{", "    if (count != 2)", "        return 2;", *choices]
    return "\n\n".join([native("c99_runner.c"), *loops, "\n".join([*main, "    return 0;", "}"])]) + "\n"


def _declaration(name: str, array: Array) -> str:
    return f"{array.kind} {name}[{int(np.prod(array.shape))}]" if array.shape else f"{array.kind} {name}"


def _run(
    program: Path, name: str, function: Function, inputs: Mapping[str, NDArray[Any]]
) -> dict[str, NDArray[Any]]:  # fmt: skip
    rows = pack(function, inputs)
    return unpack(function, _output([program, name], rows.tobytes(), f"the compiled {name}"), len(rows), name)


def pack(function: Function, inputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Arranges inputs `(N, ...)` by name as rows, as the arguments of a function lie in memory."""
    rows = np.zeros(len(next(iter(inputs.values()))), [(each, array.dtype) for each, array in function.inputs.items()])
    for each, array in function.inputs.items():
        for member in array.members:
            rows[each][member] = inputs[member]
        if not array.members:
            rows[each] = inputs[each]
    return rows


def unpack(function: Function, content: bytes, count: int, what: str) -> dict[str, NDArray[Any]]:
    """Reads the outputs of a function by name, `(N, ...)`, from rows of them with the `seconds` of each call."""
    written = np.dtype([*((each, array.dtype) for each, array in function.outputs.items()), ("seconds", "=f8")])
    if len(content) != count * written.itemsize:
        raise ZooError(f"the compiled {what} wrote {len(content)} bytes; expected {count * written.itemsize}")
    found, outputs = np.frombuffer(content, written), dict[str, NDArray[Any]]()
    for each, array in function.outputs.items():
        outputs |= {member: found[each][member] for member in array.members} or {each: found[each]}
    return outputs | {"seconds": found["seconds"]}


def _execute(command: Sequence[Any], content: bytes, what: str) -> subprocess.CompletedProcess[bytes]:
    try:
        return subprocess.run([*map(str, command)], input=content, capture_output=True, check=False, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        raise ZooError(f"{what} took more than {_SECONDS} s and was stopped") from None
    except OSError as error:
        raise ZooError(f"{what} cannot be run: {error.strerror}") from error


def _output(command: Sequence[Any], content: bytes, what: str) -> bytes:
    child = _execute(command, content, what)
    if child.returncode:
        said = (child.stdout + child.stderr).decode(errors="replace").strip().splitlines()
        raise ZooError(f"{what} fails with status {child.returncode}: {said[-1] if said else 'no message'}")
    return child.stdout
