"""C code as WebAssembly: one file with code and weights, which needs no JavaScript but its call.

Its functions take addresses in its memory. The custom section `pocket_zoo` contains the metadata as JSON.
"""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from zoo.errors import ZooError
from zoo.exporting.c99 import compiler
from zoo.exporting.c99.network import Network
from zoo.exporting.c99.source import SOURCE
from zoo.runtime.metadata import Metadata, embed_wasm

NO_NODE = "not compared with Keras: node is not installed"

_STACK = 65536
_OPTIONS = (
    "--target=wasm32", "-msimd128", "-mbulk-memory", "-std=c99", "-O3", "-ffreestanding", "-fno-builtin", "-nostdlib",
    "-fuse-ld=lld", "-Wl,--no-entry", "-Wl,--strip-all", f"-Wl,-z,stack-size={_STACK}",
)  # fmt: skip

_RUNNER = """
const fs = require("fs");
const [, file, name, sizes] = process.argv;
const {exports} = new WebAssembly.Instance(new WebAssembly.Module(fs.readFileSync(file)), {});
const [rows, calls, written] = JSON.parse(sizes), all = fs.readFileSync(0), out = [];
const start = exports.memory.buffer.byteLength;
exports.memory.grow(4);
for (let at = 0; at < all.length; at += rows) {
  const memory = () => new Uint8Array(exports.memory.buffer);
  memory().set(all.subarray(at, at + rows), start);
  const begin = process.hrtime.bigint();
  exports[name](...calls.map((place) => start + place));
  const seconds = Number(process.hrtime.bigint() - begin) * 1e-9;
  for (const [from, to] of written) out.push(Buffer.from(memory().slice(start + from, start + to)));
  out.push(Buffer.from(new Float64Array([seconds]).buffer));
}
process.stdout.write(Buffer.concat(out));
""".strip()


def find() -> str:
    """Returns the name of a clang that comes with a linker for WebAssembly.

    Raises:
        ZooError: If there is none.
    """
    for version in ("", *(f"-{number}" for number in range(30, 13, -1))):
        if shutil.which(f"clang{version}") and shutil.which(f"wasm-ld{version}"):
            return f"clang{version}"
    raise ZooError("wasm needs clang with wasm-ld, which are not installed: apt-get install clang lld")


def build(network: Network, metadata: Metadata, folder: Path, file: Path) -> None:
    """Compiles the code of a network to WebAssembly.

    Args:
        network: The network.
        metadata: Metadata of the model, which the file will contain.
        folder: Folder with the code.
        file: File to write.

    Raises:
        ZooError: If there is no clang, or if it fails.
    """
    names = [function.call.split("(")[0] for function in network.functions.values()]
    exported = [f"-Wl,--export={name}" for name in (*names, *(["zoo_init"] if "step" in network.functions else []))]
    compiler.compile_c([find(), *_OPTIONS], [*exported, str(folder / SOURCE)], file)
    embed_wasm(file, metadata)


def run(
    network: Network, file: Path, inputs: Mapping[str, Mapping[str, NDArray[Any]]]
) -> dict[str, dict[str, NDArray[Any]]] | None:
    """Runs the functions of a file in Node, as `zoo.exporting.c99.compiler.run` does. None without Node.

    Args:
        network: The network.
        file: The file.
        inputs: Inputs `(N, ...)` by the names of signature and input.

    Raises:
        ZooError: If the file does not run.
    """
    node = shutil.which("node")
    if node is None:
        return None
    found = {}
    for name, function in network.functions.items():
        places, end = {}, 0
        for argument, array in (*function.inputs.items(), *function.outputs.items()):
            if argument not in places:
                places[argument] = (end, end + array.dtype.itemsize)
                end += array.dtype.itemsize
        arguments = function.call.partition("(")[2].rstrip(")").replace("&", "").split(", ")
        read = max(places[argument][1] for argument in function.inputs)
        sizes = [read, [places[each][0] for each in arguments], [places[each] for each in function.outputs]]
        command = [node, "-e", _RUNNER, "--", str(file), function.call.split("(")[0], json.dumps(sizes)]
        rows = compiler.pack(function, inputs[name])
        child = compiler.execute(command, rows.tobytes(), f"{file.name} in Node")
        if child.returncode:
            said = child.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
            raise ZooError(f"{file.name} fails in Node with status {child.returncode}: {said[-1]}")
        found[name] = compiler.unpack(function, child.stdout, len(rows), name)
    return found
