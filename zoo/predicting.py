"""What `zoo.predict` does for each kind of model and input."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from zoo.errors import ZooError, refuse
from zoo.files import atomic_write, new_file
from zoo.loading import Loaded
from zoo.report import markdown
from zoo.report.document import Document, Records, Result
from zoo.task import Predictions


def predict(
    loaded: Loaded, x: Any, data: Any, *, csv: Any, read: Any, out: Any, rate: float | None, **options: Any
) -> Predictions | Result:
    """Predicts; arguments are those of `zoo.predict`.

    Args:
        loaded: Model.
        x: Input.
        data: Data of the model's task.
        csv: CSV file.
        read: Function that returns how a CSV file is read; None without options for it.
        out: File for codes.
        rate: Hz.
        options: The other options.
    """
    text = " ".join(x) if isinstance(x, list) and x and all(isinstance(word, str) for word in x) else x
    task, elsewhere = loaded.task.name, f"does not apply to {loaded.name}"
    of_words = {name: options.pop(name) for name in ("top", "temperature", "seed", "generate", "neighbors")}
    of_windows = {"rate": rate, "columns": read, **options}
    if task == "activity":
        refuse("reads acceleration, not words", generate=of_words.pop("generate"), neighbors=of_words.pop("neighbors"))
        refuse(elsewhere, **of_words)
        refuse(f"{loaded.name} has no codes to write", out=out)
        return _windows(loaded, text, data, csv, read, rate=rate, **options)
    refuse(elsewhere, **of_windows)
    if task not in ("patches", "text"):
        refuse(elsewhere, csv=csv, out=out, **of_words)
        if (x is None) == (data is None):
            raise ZooError(f"{loaded.name}: pass either inputs (in Python) or data=FILE, whose test set is predicted")
        return loaded.task.predict(loaded, data.test.arrays()[0] if x is None else x)
    if task == "patches":
        refuse(elsewhere, csv=csv, **of_words)
        if text is not None and not isinstance(text, str):
            return loaded.task.predict(loaded, text)
        if data is None or text is not None:
            raise ZooError(f"{loaded.name}: reads patches: pass data=FILE, such as data1.h5")
        return _codes(loaded, data, None if out is None else Path(out))
    refuse(f"{loaded.name} has no codes to write", out=out)
    return _words(loaded, text, data, csv, **of_words)


def _words(
    loaded: Loaded, text: Any, data: Any, csv: Any, top: int | None, temperature: float | None, seed: int | None,
    generate: int | None, neighbors: str | None,
) -> Predictions | Result:  # fmt: skip
    from zoo.text import completion

    render = loaded.task.report.predictions
    if csv is not None or sum(given is not None for given in (text, data, neighbors)) != 1:
        raise ZooError('a language model takes one of: TEXT such as "in the right", data=FILE, neighbors=WORD')
    if generate is not None:
        if text is None:
            raise ZooError('generate: needs a text to continue, such as "in the right"')
        refuse("does not apply with generate=COUNT", top=top)
        chosen = 1.0 if temperature is None else temperature
        return Document(completion.generate(loaded, text, generate, chosen, seed or 0), render)
    refuse("applies with generate=COUNT alone", temperature=temperature, seed=seed if data is None else None)
    if neighbors is not None:
        return Document(completion.neighbors(loaded, neighbors, top or 10), render)
    if data is not None:
        return Records(completion.examples(loaded, data, 5, top or 10, seed or 0), render)
    found = loaded.task.predict(loaded, text)
    if isinstance(text, str):
        return replace(found, document=completion.next_words(loaded, text, top or 10), render=render)
    return found


def _windows(
    loaded: Loaded, x: Any, data: Any, csv: Any, read: Any, *, rate: float | None, hop: int | None,
    threshold: float | None,
) -> Predictions | Result:  # fmt: skip
    from collections import Counter

    from zoo.activity.task import predictions_of

    task: Any = loaded.task
    render = task.report.predictions
    if isinstance(x, str | Path) or hasattr(x, "columns"):
        if csv is not None:
            raise ZooError("pass the CSV file once: csv=FILE")
        csv, x = x, None
    if sum(given is not None for given in (x, data, csv)) != 1:
        raise ZooError("pass one of data=FILE or csv=FILE")
    if csv is None:
        refuse("applies with csv=FILE alone", columns=read, hop=hop)
    if data is not None:
        refuse("applies with csv=FILE alone", rate=rate)
        return Records(predictions_of(loaded, data, threshold), render)
    if x is not None:
        found: Predictions = task.predict(loaded, x, rate=rate, threshold=threshold)
        return replace(found, render=render)
    dropped = Counter[str]()
    columns = read or _columns
    source = Path(csv) if isinstance(csv, str) else csv
    found = task.predict(
        loaded, source, columns=columns(rate, subject="=me", activity="=unknown"), hop=hop, dropped=dropped,
        threshold=threshold,
    )  # fmt: skip
    name = csv if isinstance(csv, str | Path) else "DataFrame"
    warnings = [f"{name}: left out: {reason} ({count})" for reason, count in dropped.items()]
    return replace(found, render=render, warnings=warnings)


def _columns(rate: float | None, **others: Any) -> Any:
    from zoo.activity.columns import CsvColumns

    return CsvColumns(rate=rate, **others)


def _codes(loaded: Loaded, data: Any, out: Path | None) -> Document:
    """Encodes and reconstructs all patches of a file, and writes the result."""
    if out is not None and out.suffix != ".npz":
        raise ZooError(f"out {out}: expected a name that ends in .npz")
    # What cannot be written to is refused before the work.
    with nullcontext() if out is None else new_file(out, False):
        arrays = _encoded(loaded, data)
        if out is not None:
            with atomic_write(out) as temporary, temporary.open("wb") as file:
                np.savez(
                    file, codes=arrays["codes"], reconstructions=arrays["reconstructions"], patches=arrays["patches"]
                )
    document = {
        "model": loaded.name, "data": str(data), "patches": len(arrays["codes"]),
        "units": arrays["codes"].shape[1], "mean_activation": float(arrays["codes"].mean()),
        "mse": float(np.square(arrays["reconstructions"] - arrays["patches"]).mean()),
        "out": None if out is None else str(out),
    }  # fmt: skip
    then = "" if out else "codes and reconstructions are not written; out=FILE.npz writes them"
    return Document(document, markdown.document, next=then)


def _encoded(loaded: Loaded, data: Any) -> dict[str, Any]:
    """The codes and reconstructions of all patches, and the patches as they were preprocessed."""
    from zoo.patches.data import Scale
    from zoo.patches.task import metadata_of

    parts: dict[str, list[Any]] = {"codes": [], "reconstructions": [], "patches": []}
    for rgb, _ in data.train.blocks():
        found = loaded.task.predict(loaded, rgb)
        parts["codes"].append(found.codes)
        parts["reconstructions"].append(found.reconstructions)
        parts["patches"].append(Scale(*metadata_of(loaded).scale).apply(rgb))
    return {name: np.concatenate(blocks) for name, blocks in parts.items()}
