"""Sparse autoencoders from end to end: a file of patches in, a trained, measured and exported model out."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray
from scipy.special import logit

import zoo
from zoo import training
from zoo.data import patches, pipeline
from zoo.data.examples import Examples
from zoo.data.patches import LUMINANCE, PatchData, Scale
from zoo.errors import ZooError
from zoo.evaluation import reconstruction
from zoo.export import parity, signatures
from zoo.export.parity import Tolerance
from zoo.files import sha256
from zoo.layers import kl_sparsity
from zoo.metadata import PatchMetadata
from zoo.models.autoencoder import SparseAutoencoder
from zoo.presets import FAMILIES
from zoo.recipes import Recipe
from zoo.tasks.exporting import Exportable
from zoo.tasks.loading import Loaded
from zoo.tasks.running import Plan, Run

KIND = "patches"
DATA = "data1.h5"
"""What a data file is called where nobody says otherwise."""

_GOLDEN, _TERMS = 512, 2048
"""Patches that artefacts are compared on, and that the terms of the cost are shown for."""


@dataclass(frozen=True)
class _Part:
    """Rows of a file, for training or held out.

    Args:
        rows: Row numbers.
        photographs: Names of the photographs they were cut from; empty where they are not known.
    """

    rows: NDArray[np.int64]
    photographs: tuple[str, ...]


def _split(data: PatchData, recipe: Recipe) -> tuple[_Part, _Part]:
    """Training rows and rows held out, whole photographs where they are known."""
    if not recipe.validation:
        everything = np.arange(len(data.patches))
        return _named(data, everything), _named(data, everything[:0])
    kept, aside = data.hold_out(recipe.validation, recipe.seed)
    return _named(data, kept), _named(data, aside)


def _named(data: PatchData, rows: NDArray[np.int64]) -> _Part:
    names = () if data.photographs is None else tuple(sorted(set(data.photographs[rows].tolist())))
    return _Part(rows, names)


def train(plan: Plan, path: Path, run: Run, *, levels: float = 1.0) -> dict[str, Any]:
    """Trains an autoencoder on a file of patches and writes it to a folder.

    Args:
        plan: What and how.
        path: A file in the course's layout.
        run: Where to, and how it is run.
        levels: What white is in the file: 1, or 255.

    Returns:
        A summary: `epochs`, `best_epoch`, `seconds`, `parameters`, `train_patches`, `held_out`, `validation`.

    Raises:
        ZooError: If the data, the recipe or the folder is not as it should be, or the loss stops being finite.
    """
    run.check()
    recipe = plan.recipe
    data, digest = patches.read(path, levels), sha256(path)
    kept, aside = _split(data, recipe)
    scale = Scale.fit(data.patches, kept.rows)
    vectors = data.vectors(scale)
    known = {"pixels": data.pixels, "scale": scale.constants, "seed": recipe.seed, "name": plan.name}
    model: SparseAutoencoder = getattr(zoo, FAMILIES[plan.family])(**known | plan.arguments)
    _check_size(model.get_config()["pixels"], data, plan.name)
    batches, learned = _examples(vectors, aside.rows), _learned(vectors, kept.rows, recipe)
    sample = _sample(kept.rows, _TERMS)
    terms = _Terms(np.concatenate([scale.apply(block) for block in data.blocks(sample)]))
    with replace(run, callbacks=[terms, *run.callbacks]).options(model, digest) as options:
        fitted = training.fit(
            model, recipe,
            lambda epoch, size: pipeline.training_batches(
                learned, size, seed=recipe.seed, first_epoch=epoch
            ),
            len(learned),
            # The sparsity term is on a batch's mean, so validation is one batch, or a few of equal size.
            pipeline.batches(batches, -(-len(batches) // -(-len(batches) // 4096))) if len(batches) else None,
            **options,
        )  # fmt: skip
    arguments = model.get_config()
    metadata = PatchMetadata(
        family=type(model).__name__, preset=plan.name, simulated=data.simulated, source=data.source,
        data_sha256=digest, version=zoo.__version__, size=round(data.pixels**0.5),
        hidden_units=arguments["hidden_units"], sparsity_target=arguments["sparsity_target"],
        scale=tuple(scale.constants), held_out=aside.photographs,
    )  # fmt: skip
    last = fitted.history[fitted.best_epoch - 1]
    details = {
        "train_patches": len(kept.rows), "held_out": list(aside.photographs), "held_out_patches": len(aside.rows),
        "validation": {name[4:]: value for name, value in last.items() if name.startswith("val_")} or None,
    }  # fmt: skip
    return run.save(plan, model, fitted, metadata, path, details)


class _Terms(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Adds the three terms of the cost, on training patches as one batch, to the numbers of each epoch."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        super().__init__()
        self.vectors = vectors

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        arguments, tied = self.model.get_config(), self.model.get_layer("tied")
        codes = tied(self.vectors)
        difference = self.vectors - np.asarray(tied(codes, transpose=True))
        target, weight = arguments["sparsity_target"], arguments["sparsity_weight"]
        logs["error"] = float(0.5 * (difference**2).sum(axis=1).mean())
        logs["weights"] = arguments["weight_decay"] * float((tied.kernel.numpy() ** 2).sum())
        logs["sparsity"] = float(kl_sparsity(codes, target, weight))


def _examples(vectors: Any, rows: NDArray[np.int64]) -> Examples:
    """An autoencoder wants its own input back."""
    return Examples(vectors, vectors, rows)


def _learned(vectors: Any, rows: NDArray[np.int64], recipe: Recipe) -> Examples:
    """What training sees: the rows, in all eight symmetries of the square where the recipe wants them."""
    wanted = recipe.augmentation or {}
    if set(wanted) - {"symmetries"}:
        raise ZooError(f"augmentation {', '.join(wanted)}: patches know symmetries alone")
    if not wanted.get("symmetries"):
        return _examples(vectors, rows)
    turned = patches.symmetric(np.concatenate([block for block, _ in _examples(vectors, rows).blocks()]))
    return Examples.all(turned, turned)


def metadata_of(loaded: Loaded) -> PatchMetadata:
    """What an autoencoder says of itself.

    Raises:
        ZooError: If the model is no autoencoder.
    """
    if not isinstance(loaded.metadata, PatchMetadata):
        raise ZooError(f"{loaded.name}: is a {loaded.metadata.family}; expected an autoencoder of patches")
    return loaded.metadata


def evaluate(loaded: Loaded, path: Path, *, split: str = "test", levels: float = 1.0) -> dict[str, Any]:
    """Measures a model on a file of patches.

    Args:
        loaded: The model.
        path: A file in the course's layout: the one it was trained on, of which the photographs held out are
            measured, or another one, which is measured whole.
        split: `test` for those, or `train` for the training patches.
        levels: What white is in the file: 1, or 255.

    Returns:
        The numbers of `reconstruction.report`, and `model`, `data`, `split`, `photographs`, `simulated`, `notes`.

    Raises:
        ZooError: If the patches are not of the model's size.
    """
    metadata = metadata_of(loaded)
    data, digest = patches.read(path, levels), sha256(path)
    _check_size(metadata.size**2, data, loaded.name)
    name, measured, reference = _parts(loaded, data, digest == metadata.data_sha256, split)
    notes = [*data.notes, *(["simulated pictures: no camera took them"] if data.simulated else [])]
    if measured is reference:
        notes.append("PCA is fitted on the patches that it is measured on, which flatters it")
    if digest == metadata.data_sha256 and name != "test":
        notes.append("training patches: the model has seen them")
    scale = Scale(*metadata.scale)
    vectors = np.concatenate([scale.apply(block) for block in data.blocks(measured.rows)])
    if not np.ptp(vectors, axis=0).any():
        raise ZooError(f"{path}: {len(vectors)} patches, all equal: nothing to measure; expected different ones")
    train_vectors = np.concatenate([scale.apply(block) for block in data.blocks(reference.rows)])
    codes, found = _codes(loaded, data, measured.rows)
    return {
        "model": loaded.name, "data": str(path), "split": name, "data_sha256": digest,
        "photographs": list(measured.photographs), "simulated": data.simulated,
        "sparsity_target": metadata.sparsity_target,
        **reconstruction.report(vectors, codes, found, metadata.sparsity_target, train_vectors, kernel(loaded)),
        "notes": notes,
    }  # fmt: skip


def _check_size(pixels: int, data: PatchData, name: str) -> None:
    if data.pixels != pixels:
        size, wanted = round(data.pixels**0.5), round(pixels**0.5)
        raise ZooError(
            f"{data.path}: patches of {size} x {size}; {name} reads {wanted} x {wanted}: cut others with `zoo data "
            f"make patches --size {wanted}`, or train with --set pixels={data.pixels}"
        )


def _parts(loaded: Loaded, data: PatchData, own: bool, split: str) -> tuple[str, _Part, _Part]:
    """What the measured rows are called, those rows, and the ones to fit PCA on."""
    if split not in ("test", "train"):
        raise ZooError(f"split {split!r}: expected test or train")
    everything = _named(data, np.arange(len(data.patches)))
    if not own:
        if split == "train":
            raise ZooError(f"{data.path}: is not the file that {loaded.name} was trained on, so it has no train part")
        return "whole file", everything, everything
    if "recipe" not in loaded.config:
        aside = np.isin(data.photographs, metadata_of(loaded).held_out) if data.photographs is not None else None
        if aside is None or not aside.any():
            return "whole file", everything, everything
        kept, held = _named(data, np.flatnonzero(~aside)), _named(data, np.flatnonzero(aside))
    else:
        kept, held = _split(data, Recipe.from_json(loaded.config["recipe"]))
    if split == "train" or not len(held.rows):
        return "train", kept, kept
    return "test", held, kept


def _codes(loaded: Loaded, data: PatchData, rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Codes and reconstructions of patches, whatever the model is kept in."""
    codes, found = [], []
    scale = Scale(*metadata_of(loaded).scale)
    for block in data.blocks(rows):
        if loaded.interpreter is not None:
            codes.append(loaded.interpreter.run("encode", rgb=block)["code"])
            found.append(loaded.interpreter.run("reconstruct", rgb=block)["patch"])
        else:
            model = loaded.keras_model
            codes.append(np.asarray(model.encode(scale.apply(block))))
            found.append(np.asarray(model.decode(codes[-1])))
    return np.concatenate(codes), np.concatenate(found)


def exportable(loaded: Loaded, path: Path | None, *, levels: float = 1.0) -> Exportable:
    """What export must know of an autoencoder.

    Args:
        loaded: The model.
        path: A file whose held-out patches artefacts are compared on; simulated leaves without.
        levels: What white is in the file: 1, or 255.
    """
    metadata = metadata_of(loaded)
    scale = Scale(*metadata.scale)

    def inputs(split: str) -> dict[str, dict[str, NDArray[np.float32]]]:
        rgb = _golden(loaded, path, split, levels)
        code = np.asarray(loaded.keras_model.encode(scale.apply(rgb)))
        return {"encode": {"rgb": rgb}, "decode": {"code": code}, "reconstruct": {"rgb": rgb}}

    golden = inputs("test")
    wanted = scale.apply(golden["encode"]["rgb"])
    return Exportable(
        lambda model: signatures.patches(model, metadata.size, metadata.scale, LUMINANCE.tolist()),
        golden,
        # Rounded weights and activations move single numbers; the score tells what that costs.
        parity.EXACT | {"float16": Tolerance(0.01), "dynamic": Tolerance(0.2), "int8": Tolerance(0.3)},
        calibration=inputs("train"),
        score=lambda outputs: {"r2": reconstruction.r2(wanted, outputs["reconstruct"]["patch"])},
    )


def _golden(loaded: Loaded, path: Path | None, split: str, levels: float) -> NDArray[np.float32]:
    size = metadata_of(loaded).size
    if path is None:
        random = np.random.default_rng([7, 2])
        leaves = [patches.dead_leaves(f"dead leaves {number}", 12 * size, random) for number in range(4)]
        return np.concatenate([patches.cut(leaf, _GOLDEN // 4, size, random)[0] for leaf in leaves])
    data = patches.read(path, levels)
    _check_size(size**2, data, loaded.name)
    _, held, kept = _parts(loaded, data, sha256(path) == loaded.metadata.data_sha256, "test")
    rows = (held if split == "test" else kept).rows
    return np.concatenate(list(data.blocks(_sample(rows, _GOLDEN))))


def _sample(rows: NDArray[np.int64], count: int) -> NDArray[np.int64]:
    """Row numbers evenly spaced among some, at most `count`."""
    return np.asarray(rows[np.unique(np.linspace(0, len(rows) - 1, min(count, len(rows))).astype(int))])


def kernel(loaded: Loaded) -> NDArray[np.float32]:
    """W `(D, H)`; of an exported file, what `decode` makes of single units tells it."""
    if loaded.interpreter is None:
        return np.asarray(loaded.keras_model.get_layer("tied").kernel.numpy())
    units = metadata_of(loaded).hidden_units
    code = np.concatenate([np.zeros((1, units), np.float32), np.eye(units, dtype=np.float32)])
    before = logit(np.clip(loaded.interpreter.run("decode", code=code)["patch"].astype(np.float64), 1e-6, 1 - 1e-6))
    return np.asarray((before[1:] - before[0]).T, np.float32)


def pictures(loaded: Loaded, path: Path, *, levels: float = 1.0, count: int = 200) -> dict[str, Any]:
    """What figures show beside the report: patches, their reconstructions, the filters.

    Args:
        loaded: The model.
        path: The file that was measured.
        levels: What white is in the file: 1, or 255.
        count: Patches to draw at random.

    Returns:
        `rgb (count, 3, S, S)`, `patches` and `reconstructions` `(count, S * S)`, `kernel (S * S, H)`.
    """
    data = patches.read(path, levels)
    rows = _parts(loaded, data, sha256(path) == loaded.metadata.data_sha256, "test")[1].rows
    chosen = np.sort(np.random.default_rng(0).choice(rows, min(count, len(rows)), replace=False))
    rgb = np.concatenate(list(data.blocks(chosen)))
    # The rows of a file are those of one photograph after another.
    mixed = np.random.default_rng(1).permutation(len(chosen))
    return {
        "rgb": rgb[mixed],
        "patches": Scale(*metadata_of(loaded).scale).apply(rgb[mixed]),
        "reconstructions": _codes(loaded, data, chosen)[1][mixed],
        "kernel": kernel(loaded),
    }
