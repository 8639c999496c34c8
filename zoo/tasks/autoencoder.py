"""Sparse autoencoders from end to end: a file of patches in, a trained, measured and exported model out."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray
from scipy.special import logit

import zoo
from zoo import training
from zoo.data import dead_leaves, patches, photographs, pipeline
from zoo.data.examples import Examples, Sliceable
from zoo.data.patches import LUMINANCE, PatchData, Scale
from zoo.errors import ZooError
from zoo.evaluation import autoencoder as metrics
from zoo.export import parity, signatures
from zoo.export.parity import Tolerance
from zoo.files import sha256
from zoo.layers import kl_sparsity
from zoo.metadata import AutoencoderMetadata
from zoo.models.autoencoder import SparseAutoencoder
from zoo.presets import FAMILIES
from zoo.recipes import Recipe
from zoo.tasks.exporting import Exportable
from zoo.tasks.loading import Loaded
from zoo.tasks.provenance import origin
from zoo.tasks.running import Plan, Run
from zoo.training import Fitted

KIND = "autoencoder"
DATA = "data1.h5"
"""What a data file is called where nobody says otherwise."""

COURSE = {"sparsity_target": 0.04, "sparsity_weight": 1.0, "weight_decay": 5e-4}
"""rho, beta and lambda of the course's cost."""

_GOLDEN, _TERMS = 512, 2048
"""Patches that artifacts are compared on, and that the terms of the cost are shown for."""


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
    kept, aside = data.hold_out(recipe.validation, recipe.split_by_seed)
    return _named(data, kept), _named(data, aside)


def _named(data: PatchData, rows: NDArray[np.int64]) -> _Part:
    names = () if data.photographs is None else tuple(sorted(set(data.photographs[rows].tolist())))
    return _Part(rows, names)


@dataclass(frozen=True)
class Prepared:
    """A file of patches, read, preprocessed and split once, for any number of trainings.

    Args:
        data: The checked file.
        kept: What is learned from.
        aside: What is held out.
        scale: The constants of the preprocessing, fitted on what is learned from.
        vectors: All patches, preprocessed.
        sha256: Of the file.
    """

    data: PatchData
    kept: _Part
    aside: _Part
    scale: Scale
    vectors: Sliceable
    sha256: str

    def build(self, plan: Plan) -> SparseAutoencoder:
        """Makes the model of a plan."""
        known = {"pixels": self.data.pixels, "scale": self.scale.constants, "seed": plan.recipe.seed, "name": plan.name}
        model: SparseAutoencoder = getattr(zoo, FAMILIES[plan.family])(**known | plan.arguments)
        _check_size(model.get_config()["pixels"], self.data, plan.name)
        return model

    def learned(self, recipe: Recipe) -> tuple[Callable[[int, int], tf.data.Dataset], int]:
        """Endless training batches, from an epoch and of a size, as `training.fit` asks for them; and rows an epoch.

        Raises:
            ZooError: If the augmentation is not one of patches.
        """
        examples, wanted = _examples(self.vectors, self.kept.rows), _Symmetries.of(recipe)
        batches = partial(pipeline.training_batches, seed=recipe.seed)
        if not wanted.symmetries:
            return lambda epoch, size: batches(examples, size, first_epoch=epoch), len(examples)
        vectors = np.concatenate([block for block, _ in examples.blocks()])
        turned, repeated = (Examples.all(x, x) for x in (patches.symmetric(vectors), np.tile(vectors, (8, 1))))
        first_plain = recipe.epochs - round(wanted.plain * recipe.epochs)

        def train(epoch: int, size: int) -> tf.data.Dataset:
            before = max(0, first_plain - epoch) * (len(turned) // size)
            plain = batches(repeated, size, first_epoch=max(epoch, first_plain))
            return batches(turned, size, first_epoch=epoch).take(before).concatenate(plain)

        return train, len(turned)

    def fit(
        self, recipe: Recipe, model: SparseAutoencoder, *, callbacks: Sequence[keras.callbacks.Callback] = (),
        **options: Any,
    ) -> Fitted:  # fmt: skip
        """Trains a model; options are those of `training.fit`."""
        held = _examples(self.vectors, self.aside.rows)
        shown = _examples(self.vectors, _sample(self.kept.rows, _TERMS))
        terms = _Terms(np.concatenate([block for block, _ in shown.blocks()]))
        return training.fit(
            model, recipe, *self.learned(recipe),
            # The sparsity term is on a batch's mean, so validation is one batch, or a few of equal size.
            pipeline.batches(held, -(-len(held) // -(-len(held) // 4096))) if len(held) else None,
            callbacks=[terms, *callbacks],
            **options,
        )  # fmt: skip

    def scores(self, model: SparseAutoencoder) -> dict[str, float]:
        """`cost` and `mse` of a trained model on the photographs held out.

        The cost is J with the course's constants, whatever the model was trained with, so that models whose sparsity
        and decay weigh differently are compared by the same number.

        Raises:
            ZooError: If nothing is held out.
        """
        if not len(self.aside.rows):
            raise ZooError(f"{self.data.path}: nothing is held out to score on: set validation above 0")
        held = np.concatenate([block for block, _ in _examples(self.vectors, self.aside.rows).blocks()])
        error, weights, sparsity = _cost(model, held, COURSE)
        return {"cost": error + weights + sparsity, "mse": 2 * error / self.data.pixels}

    def metadata(self, plan: Plan, model: SparseAutoencoder) -> AutoencoderMetadata:
        """What a model that learned from these patches says of itself."""
        arguments, data = model.get_config(), self.data
        return AutoencoderMetadata(
            **origin(model, plan.name, data, self.sha256), size=round(data.pixels**0.5),
            hidden_units=arguments["hidden_units"], sparsity_target=arguments["sparsity_target"],
            scale=tuple(self.scale.constants), held_out=self.aside.photographs,
        )  # fmt: skip


def prepare(path: Path, recipe: Recipe, *, levels: float = 1.0) -> Prepared:
    """Reads a file of patches, splits it as a recipe says, and preprocesses it.

    Args:
        path: A file in the course's layout.
        recipe: Share and seed of the validation.
        levels: What white is in the file: 1, or 255.
    """
    data = patches.read(path, levels)
    kept, aside = _split(data, recipe)
    scale = Scale.fit(data.patches, kept.rows)
    return Prepared(data, kept, aside, scale, data.vectors(scale), sha256(path))


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
    prepared = prepare(path, plan.recipe, levels=levels)
    model = prepared.build(plan)
    with run.options(model, prepared.sha256) as options:
        fitted = prepared.fit(plan.recipe, model, **options)
    last, aside = fitted.history[fitted.best_epoch - 1], prepared.aside
    details = {
        "train_patches": len(prepared.kept.rows), "held_out": list(aside.photographs),
        "held_out_patches": len(aside.rows),
        "validation": {name[4:]: value for name, value in last.items() if name.startswith("val_")} or None,
    }  # fmt: skip
    return run.save(plan, model, fitted, prepared.metadata(plan, model), path, details)


class _Terms(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Adds the three terms of the cost, on training patches as one batch, to the numbers of each epoch."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        super().__init__()
        self.vectors = vectors

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        assert logs is not None
        logs["error"], logs["weights"], logs["sparsity"] = _cost(self.model, self.vectors, self.model.get_config())


def _cost(
    model: SparseAutoencoder, vectors: NDArray[np.float32], constants: Mapping[str, Any]
) -> tuple[float, float, float]:
    """The three terms of J on patches as one batch: error, weights, sparsity."""
    codes = model.encode(vectors)
    difference = vectors - np.asarray(model.decode(codes))
    kernel = model.get_layer("tied").kernel.numpy()
    return (
        float(0.5 * (difference**2).sum(axis=1).mean()),
        constants["weight_decay"] * float((kernel**2).sum()),
        float(kl_sparsity(codes, constants["sparsity_target"], constants["sparsity_weight"])),
    )


def _examples(vectors: Any, rows: NDArray[np.int64]) -> Examples:
    """An autoencoder wants its own input back."""
    return Examples(vectors, vectors, rows)


@dataclass(frozen=True)
class _Symmetries:
    """Augmentation of patches.

    Args:
        symmetries: Whether an epoch shows each patch in all eight symmetries of the square.
        plain: Share of the epochs, the last ones, that show it eight times as it was cut in their place. What patches
            have in the mean, such as the activity of a unit, is then that of the patches themselves.
    """

    symmetries: bool = False
    plain: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.plain <= 1:
            raise ZooError(f"augmentation: plain is {self.plain!r}; expected a share from 0 to 1")

    @classmethod
    def of(cls, recipe: Recipe) -> "_Symmetries":
        """What a recipe wants."""
        wanted = recipe.augmentation or {}
        known = [field.name for field in fields(cls)]
        if set(wanted) - set(known):
            raise ZooError(f"augmentation {', '.join(wanted)}: patches know {' and '.join(known)} alone")
        return cls(**wanted)


def metadata_of(loaded: Loaded) -> AutoencoderMetadata:
    """What an autoencoder says of itself.

    Raises:
        ZooError: If the model is no autoencoder.
    """
    if not isinstance(loaded.metadata, AutoencoderMetadata):
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
        The numbers of `metrics.report`, those of `metrics.by_photograph` where the file names its
        photographs, and `model`, `data`, `split`, `photographs`, `simulated`, `notes`.

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
    apart = {} if data.photographs is None else metrics.by_photograph(
        vectors, found, data.photographs[measured.rows]
    )  # fmt: skip
    return {
        "model": loaded.name, "data": str(path), "split": name, "data_sha256": digest,
        "photographs": list(measured.photographs), "simulated": data.simulated,
        "sparsity_target": metadata.sparsity_target,
        **metrics.report(vectors, codes, found, metadata.sparsity_target, train_vectors, kernel(loaded)),
        **apart, "notes": notes,
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
        path: A file whose held-out patches artifacts are compared on; simulated leaves without.
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
        score=lambda outputs: {"r2": metrics.r2(wanted, outputs["reconstruct"]["patch"])},
    )


def _golden(loaded: Loaded, path: Path | None, split: str, levels: float) -> NDArray[np.float32]:
    size = metadata_of(loaded).size
    if path is None:
        random = np.random.default_rng([7, 2])
        pictures = [dead_leaves.draw(f"dead leaves {number}", 12 * size, random) for number in range(4)]
        return np.concatenate([photographs.cut(picture, _GOLDEN // 4, size, random)[0] for picture in pictures])
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
