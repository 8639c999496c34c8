"""Autoencoders from a file of patches to files that answer."""

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from PIL import Image
from running import refused
from scipy.special import expit

import zoo
from zoo import Recipe, SparseAutoencoder, loading
from zoo.patches import data as patches
from zoo.patches import simulate
from zoo.patches.data import LUMINANCE, Scale, hold_out
from zoo.patches.task import TASK as AUTOENCODER
from zoo.patches.task import kernel
from zoo.report import for_task
from zoo.report.drawing import save_all
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


@pytest.fixture(scope="module")
def kept(trained, leaves):
    """The patches that were trained on, and those of the photographs held out."""
    return hold_out(patches.from_file(leaves), 0.25, trained.config["recipe"]["seed"])


def test_photographs_of_the_validation_are_not_called_a_test(trained, leaves):
    report = AUTOENCODER.evaluate(trained, leaves)
    assert report["split"] == "validation"
    assert any("validation photographs" in note for note in report["notes"])
    assert AUTOENCODER.evaluate(trained, leaves, split="validation")["mse"] == report["mse"]
    assert {"mse", "r2", "pca_mse", "mean_activation", "max_activation_error", "dead_units", "gabor_share"} <= {*report}
    assert report["photographs"] == list(trained.metadata.held_out)
    assert report["simulated"] is True
    assert "simulated pictures: these patches are synthetic" in report["notes"]
    assert len(report["mean_activation"]) == 12
    assert json.dumps(report, allow_nan=False)
    found = [AUTOENCODER.pictures(trained, leaves, split, count=600)["rgb"] for split in ("test", "train")]
    assert [len(part) for part in found] == [120, 480]


def test_training_holds_whole_photographs_out_and_keeps_the_constants_of_the_others(trained, kept):
    training, aside = kept
    assert set(trained.metadata.held_out) == set(aside.names("photograph"))
    scale = Scale.fit(training)
    assert tuple(trained.metadata.scale) == scale == tuple(trained.model.get_config()["scale"])


def test_the_history_has_the_three_terms_of_the_cost_of_the_training_patches(trained, kept):
    last = trained.history[-1]
    x = Scale(*trained.metadata.scale).apply(kept[0].arrays()[0]).astype(np.float64)
    W, b, c = (weight.numpy().astype(np.float64) for weight in trained.model.get_layer("tied").weights)
    h = expit(x @ W + b)
    y = expit(h @ W.T + c)
    r = h.mean(axis=0)
    assert last["error"] == pytest.approx(((x - y) ** 2).sum() / (2 * len(x)), rel=1e-5)
    assert last["weights"] == pytest.approx(5e-4 * (W**2).sum(), rel=1e-5)
    term = 0.04 * np.log(0.04 / r) + 0.96 * np.log(0.96 / (1 - r))
    assert last["sparsity"] == pytest.approx(term.sum(), rel=1e-4, abs=1e-5)


def test_a_whole_recipe_does_not_change_what_is_minimized(leaves):
    recipe = Recipe(epochs=1, validation=0.25)
    own, named = (zoo.train("sparse_autoencoder", leaves, each, verbose=False).history[0]
                  for each in (recipe, {"epochs": 1, "validation": 0.25}))  # fmt: skip
    assert own.keys() == named.keys() >= {"loss", "mse", "val_mse"}


@pytest.mark.slow
def test_another_file_is_measured_whole_and_says_that_the_score_of_pca_is_too_good(trained, tmp_path):
    simulate.write_simulated(tmp_path / "other.h5", count=100, size=8, pictures=2, seed=1)
    report = AUTOENCODER.evaluate(trained, tmp_path / "other.h5")
    assert (report["patches"], report["split"]) == (100, "whole file")
    assert any("its score is too good" in note for note in report["notes"])


def test_the_patches_of_a_photograph_are_encoded_row_by_row(autoencoder, trained, zoo_json, tmp_path):
    # 2 x 3 patches of 8 x 8, and a rest at the right and at the bottom.
    pixels = np.random.default_rng(0).integers(0, 256, (21, 29, 3)).astype(np.uint8)
    Image.fromarray(pixels).save(tmp_path / "photo.png")
    summary = zoo_json("predict", autoencoder, tmp_path / "photo.png", "--out", tmp_path / "codes.npz")
    codes = np.load(tmp_path / "codes.npz")["codes"]
    assert (summary["patches"], codes.shape) == (6, (6, 12))
    # A patch is (channel, column, row).
    fifth = np.float32(pixels[8:16, 8:16].transpose(2, 1, 0) / 255)
    np.testing.assert_allclose(codes[4], zoo.predict(autoencoder, fifth[None]).codes[0], atol=1e-5)
    found = zoo.predict(autoencoder, tmp_path / "photo.png")
    np.testing.assert_allclose(found.codes, codes, atol=1e-6)
    strongest = str(codes.mean(axis=0).argmax())
    assert found.to_json()["strongest_units"][strongest] == pytest.approx(codes.mean(axis=0).max(), abs=5e-4)
    Image.fromarray(pixels[:7]).save(tmp_path / "low.png")
    refused("^low.png: 29 x 7 pixels; a patch needs 8 x 8", zoo.predict, autoencoder, str(tmp_path / "low.png"))
    refused(
        "^photo.png: expected a name that ends in .npz|out photo.png",
        zoo.predict,
        autoencoder,
        tmp_path / "photo.png",
        out="photo.png",
    )


def test_a_model_that_reconstructs_worse_than_its_baselines_is_noted(trained, leaves):
    untrained = SparseAutoencoder(pixels=64, hidden_units=12, scale=trained.metadata.scale)
    report = AUTOENCODER.evaluate(loading.load(untrained), leaves)
    assert report["r2"] < 0
    assert f"R² {report['r2']:.3f} is below 0: the mean of each pixel has a lower error" in report["notes"][-1]


@pytest.mark.slow
def test_patches_that_training_has_seen_are_not_called_test(leaves, tmp_path):
    replace(plan(validation=0.0), out=tmp_path / "model").run(leaves)
    report = AUTOENCODER.evaluate(loading.load(str(tmp_path / "model")), leaves)
    assert report["split"] == "train"
    assert "training patches: the model was trained on them" in report["notes"]


@pytest.mark.slow
def test_a_file_of_hundreds_of_pictures_names_as_many_as_the_metadata_holds(tmp_path):
    names = (f"picture {number} of a long walk" for number in range(60))
    pictures = [simulate.draw(name, 20, np.random.default_rng(number)) for number, name in enumerate(names)]
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


def test_a_tflite_file_takes_any_batch_and_gives_luminance_of_the_picture(exported_autoencoder, trained, leaves):
    interpreter = Interpreter(exported_autoencoder / "model.float32.tflite")
    rgb, scale = patches.from_file(leaves).train.inputs[0:5], Scale(*trained.metadata.scale)
    found = interpreter.run("reconstruct", rgb=rgb)
    code = interpreter.run("encode", rgb=rgb)["code"]
    np.testing.assert_allclose(code, trained.model.encode(scale.apply(rgb)), atol=1e-5)
    np.testing.assert_allclose(interpreter.run("decode", code=code)["patch"], found["patch"], atol=1e-6)
    own = scale.low + (found["patch"].reshape(5, 8, 8) - 0.1) / 0.8 * (scale.high - scale.low)
    own += np.tensordot(rgb, LUMINANCE, axes=(1, 0)).mean(axis=(1, 2), keepdims=True)
    np.testing.assert_allclose(found["luminance"], own, atol=1e-5)
    assert interpreter.run("encode", rgb=rgb[:1])["code"].shape == (1, 12)


@pytest.mark.slow
def test_an_exported_file_is_measured_like_its_model_and_shows_its_filters(exported_autoencoder, trained, leaves):
    loaded = loading.load(str(exported_autoencoder / "model.float32.tflite"))
    np.testing.assert_allclose(kernel(loaded), kernel(trained), atol=2e-3)
    theirs, own = AUTOENCODER.evaluate(loaded, leaves), AUTOENCODER.evaluate(trained, leaves)
    assert theirs["photographs"] == own["photographs"]
    assert theirs["mse"] == pytest.approx(own["mse"], rel=1e-4)
    assert theirs["gabor_share"] == pytest.approx(own["gabor_share"], abs=0.1)


@pytest.mark.slow
def test_figures_are_drawn_for_any_number_of_units(trained, leaves, tmp_path):
    pictures = AUTOENCODER.pictures(trained, leaves, count=50)
    report = AUTOENCODER.evaluate(trained, leaves)
    drawn = for_task("patches", "figures").evaluation(report, trained.history, pictures)
    assert set(drawn) == {"patches", "reconstruction", "features", "sparsity", "cost"}
    assert all(file.stat().st_size > 5000 for file in save_all(drawn, tmp_path))


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
    out = tmp_path / "out"
    for setting, says in (
        ({"pixels": 256}, r"patches of 8 x 8; .* reads 16 x 16: .* settings=.'pixels': 64"),
        ({"sparsity_target": 1.5}, r"sparsity_target is 1.5; expected"),
        ({"validation": 0.99}, r"5 photographs, of which 5 cannot be held out"),
    ):
        refused(says, lambda setting=setting: replace(plan(**setting), out=out).run(leaves))
    says = r"split 'dev': expected test, validation or train"
    refused(says, AUTOENCODER.evaluate, trained, leaves, split="dev")
    assert not out.exists()


@pytest.mark.slow
def test_levels_of_255_are_read_when_they_are_said(leaves, tmp_path):
    bright, out = tmp_path / "bright.h5", tmp_path / "my model"
    bright.write_bytes(leaves.read_bytes())
    with h5py.File(bright, "r+") as file:
        file["data"][:] = file["data"][:] * 255
    refused(r"expected about \[0, 1\]: .* with levels=255", replace(plan(), out=tmp_path / "none").run, bright)
    data = zoo.load_data(bright, levels=255)
    result = zoo.train("sparse_autoencoder", data, {"epochs": 1}, out=out, hidden_units=4, verbose=False)
    assert result.summary["train_patches"] > 0
    assert result.next == f"zoo evaluate '{out}' --data {bright} --levels 255"
    assert AUTOENCODER.evaluate(loading.load(str(out)), data)["mse"] < 0.1


@pytest.mark.slow
def test_scores_of_a_split_file_are_of_the_photographs_held_out_at_the_constants_of_the_course(trained, leaves):
    split = AUTOENCODER.split(leaves, plan().recipe)
    scores = AUTOENCODER.scores(trained.keras_model, split)
    assert scores["mse"] == pytest.approx(AUTOENCODER.evaluate(trained, leaves)["mse"], rel=1e-5)
    # The model has the course's constants itself, so its own cost is the same number.
    assert scores["cost"] == pytest.approx(trained.config["training"]["validation"]["loss"], rel=1e-4)


def test_the_codes_and_reconstructions_of_a_file_are_written(zoo_cli, zoo_json, autoencoder, leaves, tmp_path):
    out = tmp_path / "codes.npz"
    summary = zoo_json("predict", autoencoder, "--data", leaves, "--out", out)
    found = np.load(out)
    assert (found["codes"].shape, found["reconstructions"].shape) == ((600, 12), (600, 64))
    assert summary["mse"] == pytest.approx(np.square(found["reconstructions"] - found["patches"]).mean())
    loaded = loading.load(autoencoder)
    np.testing.assert_allclose(loaded.keras_model.encode(found["patches"]), found["codes"], atol=1e-5)
    for arguments, words in (
        (("--data", leaves, "--out", out), "exists already"),
        (("in the right",), "in the right: no such file"),
        ((), "expected one of: a photograph such as photo.jpg, --data FILE, or patches (in Python)"),
    ):
        status, _, error = zoo_cli("predict", autoencoder, *arguments)
        assert (status, words in error) == (1, True)
    rgb = patches.from_file(leaves).train.inputs[0:2]
    np.testing.assert_allclose(found["codes"][1], zoo.predict(autoencoder, rgb).to_json()[1]["code"], atol=1e-5)
    refused(
        r"expected one of: a photograph such as photo.jpg, data=FILE, or", zoo.predict, autoencoder, rgb, data=leaves
    )
