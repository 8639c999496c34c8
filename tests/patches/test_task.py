"""Autoencoders from a file of patches to files that answer."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest

import zoo
from zoo import SparseAutoencoder, ZooError, loading
from zoo.patches import data as patches
from zoo.patches import simulate
from zoo.patches.data import LUMINANCE, Scale, hold_out
from zoo.patches.task import TASK as AUTOENCODER
from zoo.patches.task import kernel
from zoo.report import for_task
from zoo.runtime import Interpreter
from zoo.training import Training


def plan(**changes):
    return Training.of("sparse_autoencoder_course", {"pixels": 64, "hidden_units": 12, "epochs": 4} | changes)


@pytest.fixture(scope="module")
def leaves(simulated_patches):
    return simulated_patches


@pytest.fixture(scope="module")
def trained(autoencoder):
    return loading.load(str(autoencoder))


def test_photographs_of_the_validation_are_not_called_a_test(trained, leaves):
    report = AUTOENCODER.evaluate(trained, leaves)
    assert report["split"] == "validation"
    assert any("validation photographs" in note for note in report["notes"])
    assert AUTOENCODER.evaluate(trained, leaves, split="validation")["mse"] == report["mse"]


def test_training_holds_whole_photographs_out_and_keeps_the_constants_of_the_others(trained, leaves):
    data = patches.from_file(leaves)
    kept, aside = hold_out(data, 0.25, trained.config["recipe"]["seed"])
    assert set(trained.metadata.held_out) == set(aside.names("photograph"))
    scale = Scale.fit(kept)
    assert tuple(trained.metadata.scale) == scale == tuple(trained.model.get_config()["scale"])


def test_the_history_has_the_three_terms_of_the_cost_of_the_training_patches(trained, leaves):
    last = trained.history[-1]
    data = patches.from_file(leaves)
    kept, _ = hold_out(data, 0.25, trained.config["recipe"]["seed"])
    x = Scale(*trained.metadata.scale).apply(kept.arrays()[0]).astype(np.float64)
    W, b, c = (weight.numpy().astype(np.float64) for weight in trained.model.get_layer("tied").weights)
    h = 1 / (1 + np.exp(-(x @ W + b)))
    y = 1 / (1 + np.exp(-(h @ W.T + c)))
    r = h.mean(axis=0)
    assert last["error"] == pytest.approx(((x - y) ** 2).sum() / (2 * len(x)), rel=1e-5)
    assert last["weights"] == pytest.approx(5e-4 * (W**2).sum(), rel=1e-5)
    term = 0.04 * np.log(0.04 / r) + 0.96 * np.log(0.96 / (1 - r))
    assert last["sparsity"] == pytest.approx(term.sum(), rel=1e-4, abs=1e-5)


@pytest.mark.slow
def test_evaluation_measures_the_photographs_held_out_beside_pca(trained, leaves):
    report = AUTOENCODER.evaluate(trained, leaves)
    assert {"mse", "r2", "pca_mse", "mean_activation", "max_activation_error", "dead_units", "gabor_share"} <= set(
        report
    )
    assert report["photographs"] == list(trained.metadata.held_out)
    assert report["simulated"] is True
    assert "simulated pictures: these patches are synthetic" in report["notes"]
    assert len(report["mean_activation"]) == 12
    assert json.dumps(report, allow_nan=False)


@pytest.mark.slow
def test_another_file_is_measured_whole_and_says_that_the_score_of_pca_is_too_good(trained, tmp_path):
    other = tmp_path / "other.h5"
    simulate.write_simulated(other, count=100, size=8, pictures=2, seed=1)
    report = AUTOENCODER.evaluate(trained, other)
    assert (report["patches"], report["split"]) == (100, "whole file")
    assert any("its score is too good" in note for note in report["notes"])


def test_a_model_that_reconstructs_worse_than_its_baselines_is_noted(trained, leaves):
    untrained = SparseAutoencoder(pixels=64, hidden_units=12, scale=trained.metadata.scale)
    report = AUTOENCODER.evaluate(loading.load(untrained), leaves)
    assert report["r2"] < 0
    assert report["notes"][-1] == (
        f"R² {report['r2']:.3f} is below 0: the mean of each pixel has a lower error than the reconstructions"
    )


@pytest.mark.slow
def test_patches_that_training_has_seen_are_not_called_test(leaves, tmp_path):
    replace(plan(validation=0.0), out=tmp_path / "model").run(leaves)
    report = AUTOENCODER.evaluate(loading.load(str(tmp_path / "model")), leaves)
    assert report["split"] == "train"
    assert "training patches: the model was trained on them" in report["notes"]


@pytest.mark.slow
def test_a_file_of_hundreds_of_pictures_names_as_many_as_the_metadata_holds(tmp_path):
    pictures = [
        simulate.draw(f"picture {number} of a long walk", 20, np.random.default_rng(number)) for number in range(60)
    ]
    patches.write_patches(tmp_path / "data1.h5", pictures, 120, 8, seed=0)
    replace(plan(epochs=1), out=tmp_path / "model").run(tmp_path / "data1.h5")
    source = loading.load(str(tmp_path / "model")).metadata.source
    assert 900 < len(source) <= 1000
    assert source.startswith("picture 0 of a long walk: simulated by pocket-zoo; picture 1 ")


def test_every_artifact_reconstructs_from_rgb_and_says_its_r2(exported_autoencoder):
    records = json.loads(exported_autoencoder.with_suffix(".json").read_text())["artifacts"]
    assert [r["format"] for r in records] == ["keras", "saved_model", "float32", "float16", "dynamic", "int8"]
    assert all(abs(r["r2"] - records[0]["r2"]) < 0.05 for r in records)
    assert all((exported_autoencoder / r["file"]).exists() for r in records)


def test_a_tflite_file_takes_any_batch_and_gives_luminance_in_the_pictures_own_units(
    exported_autoencoder, trained, leaves
):  # fmt: skip
    interpreter = Interpreter(exported_autoencoder / "model.float32.tflite")
    rgb = patches.from_file(leaves).train.inputs[0:5]
    scale = Scale(*trained.metadata.scale)
    found = interpreter.run("reconstruct", rgb=rgb)
    code = interpreter.run("encode", rgb=rgb)["code"]
    np.testing.assert_allclose(code, trained.model.encode(scale.apply(rgb)), atol=1e-5)
    np.testing.assert_allclose(interpreter.run("decode", code=code)["patch"], found["patch"], atol=1e-6)
    grey = np.tensordot(rgb, LUMINANCE, axes=(1, 0))
    own = scale.low + (found["patch"].reshape(5, 8, 8) - 0.1) / 0.8 * (scale.high - scale.low)
    own += grey.mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found["luminance"], own, atol=1e-5)
    assert interpreter.run("encode", rgb=rgb[:1])["code"].shape == (1, 12)
    assert interpreter.run("encode", rgb=rgb[:1])["code"].shape == (1, 12)


@pytest.mark.slow
def test_an_exported_file_is_measured_like_its_model_and_shows_its_filters(
    exported_autoencoder, trained, leaves
):  # fmt: skip
    loaded = loading.load(str(exported_autoencoder / "model.float32.tflite"))
    np.testing.assert_allclose(kernel(loaded), kernel(trained), atol=2e-3)
    theirs, own = AUTOENCODER.evaluate(loaded, leaves), AUTOENCODER.evaluate(trained, leaves)
    assert theirs["photographs"] == own["photographs"]
    assert theirs["mse"] == pytest.approx(own["mse"], rel=1e-4)
    assert theirs["gabor_share"] == pytest.approx(own["gabor_share"], abs=0.1)


@pytest.mark.slow
def test_figures_are_drawn_for_any_number_of_units(trained, leaves, tmp_path):
    report = AUTOENCODER.evaluate(trained, leaves)
    pictures = AUTOENCODER.pictures(trained, leaves, count=50)
    files = for_task("patches", "figures").evaluation(report, trained.history, pictures, tmp_path)
    assert {file.name for file in files} == {
        "patches.png", "reconstruction.png", "features.png", "sparsity.png", "cost.png"
    }  # fmt: skip
    assert all(file.stat().st_size > 5000 for file in files)


def test_pictures_are_of_the_part_that_is_evaluated(trained, leaves):
    found = [AUTOENCODER.pictures(trained, leaves, split, count=600)["rgb"] for split in ("test", "train")]
    assert [len(part) for part in found] == [120, 480]


def test_symmetries_are_eight_and_different():
    patch = np.random.default_rng(0).uniform(size=(1, 16)).astype("float32")
    turned = patches.symmetric(patch)
    assert len(np.unique(turned, axis=0)) == 8
    np.testing.assert_allclose(turned.sum(axis=1), patch.sum(), rtol=1e-6)


def test_the_last_epochs_show_patches_as_they_were_cut(leaves):
    recipe = plan(augmentation={"symmetries": True, "plain": 0.25}, epochs=4).recipe
    split = AUTOENCODER.split(leaves, recipe)
    vectors, _ = split.train.arrays()
    feed = AUTOENCODER.feed(plan().task.build(plan(), split), split, recipe)
    rows = feed.rows
    assert rows == 8 * len(vectors)

    def shown(epoch):
        """A row of patches for each epoch from this one to the last."""
        taken = feed.batches([rows // 2] * 2, first_epoch=epoch).take(2 * (4 - epoch)).as_numpy_iterator()
        return np.concatenate([inputs for inputs, _ in taken]).reshape(4 - epoch, rows, -1)

    as_cut = {row.tobytes() for row in vectors}
    kept = np.array([[row.tobytes() in as_cut for row in epoch] for epoch in shown(0)])
    assert (kept[:3].mean(axis=1) < 0.2).all()
    assert kept[3].all()
    np.testing.assert_array_equal(shown(0)[2:], shown(2))


def test_a_bad_request_is_one_line_and_leaves_nothing(leaves, trained, tmp_path):
    small = tmp_path / "small.h5"
    simulate.write_simulated(small, count=20, size=4, pictures=2, seed=1)

    def trained_as(training):
        return replace(training, out=tmp_path / "out").run(leaves)

    requests = {
        r"patches of 4 x 4; .* reads 8 x 8": lambda: AUTOENCODER.evaluate(trained, small),
        r"patches of 8 x 8; .* reads 16 x 16: .* settings=.'pixels': 64": lambda: trained_as(plan(pixels=256)),
        r"sparsity_target is 1.5; expected": lambda: trained_as(plan(sparsity_target=1.5)),
        r"5 photographs, of which 5 cannot be held out": lambda: trained_as(plan(validation=0.99)),
        r"split 'dev': expected test, validation or train": lambda: AUTOENCODER.evaluate(trained, leaves, split="dev"),
    }  # fmt: skip
    for words, request in requests.items():
        with pytest.raises(ZooError, match=words):
            request()
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_levels_of_255_are_read_when_they_are_said(leaves, tmp_path):
    bright = tmp_path / "bright.h5"
    bright.write_bytes(leaves.read_bytes())
    with h5py.File(bright, "r+") as file:
        file["data"][:] = file["data"][:] * 255
    with pytest.raises(ZooError, match=r"expected about \[0, 1\]: .* with levels=255"):
        replace(plan(), out=tmp_path / "none").run(bright)
    summary = replace(plan(epochs=1), out=tmp_path / "out").run(AUTOENCODER.load_data(bright, levels=255.0)).summary
    assert summary["train_patches"] > 0
    replaced = replace(loading.load(str(tmp_path / "out")), name="bright")
    assert AUTOENCODER.evaluate(replaced, AUTOENCODER.load_data(bright, levels=255.0))["mse"] < 0.1
    out = tmp_path / "my model"
    result = zoo.train(
        "sparse_autoencoder", zoo.load_data(bright, levels=255), {"epochs": 1}, out=out, hidden_units=4, verbose=False
    )
    assert result.next == f"zoo evaluate '{out}' --data {bright} --levels 255"


@pytest.mark.slow
def test_scores_of_a_split_file_are_of_the_photographs_held_out_at_the_constants_of_the_course(trained, leaves):
    split = AUTOENCODER.split(leaves, plan().recipe)
    scores = AUTOENCODER.scores(trained.keras_model, split)
    assert scores["mse"] == pytest.approx(AUTOENCODER.evaluate(trained, leaves)["mse"], rel=1e-5)
    # The model has the course's constants itself, so its own cost is the same number.
    assert scores["cost"] == pytest.approx(trained.config["training"]["validation"]["loss"], rel=1e-4)


def test_the_codes_and_reconstructions_of_a_file_are_written(zoo_cli, autoencoder, leaves, tmp_path):
    out = tmp_path / "codes.npz"
    status, printed, error = zoo_cli("predict", autoencoder, "--data", leaves, "--out", out, "--json")
    assert status == 0, error
    found, summary = np.load(out), json.loads(printed)
    assert (found["codes"].shape, found["reconstructions"].shape) == ((600, 12), (600, 64))
    assert summary["mse"] == pytest.approx(np.square(found["reconstructions"] - found["patches"]).mean())
    loaded = loading.load(autoencoder)
    np.testing.assert_allclose(loaded.keras_model.encode(found["patches"]), found["codes"], atol=1e-5)
    status, _, error = zoo_cli("predict", autoencoder, "--data", leaves, "--out", out)
    assert (status, "exists already" in error) == (1, True)
    status, _, error = zoo_cli("predict", autoencoder, "in the right")
    assert (status, "reads patches: pass them (in Python), or --data FILE" in error) == (1, True)
    rgb = patches.from_file(leaves).train.inputs[0:2]
    np.testing.assert_allclose(found["codes"][1], zoo.predict(autoencoder, rgb).to_json()[1]["code"], atol=1e-5)
    with pytest.raises(ZooError, match=r"reads patches: pass them \(in Python\), or data=FILE"):
        zoo.predict(autoencoder, rgb, data=leaves)
