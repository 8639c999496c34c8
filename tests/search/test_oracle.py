"""Which trials a search begins: the same ones, however often it is killed, by one process or several."""

import pytest

from zoo.search.run import Oracle
from zoo.search.spaces import Study
from zoo.search.trials import Trials

from .conftest import SETTINGS

FREE = {name: value for name, value in SETTINGS.items() if name not in ("hidden_units", "sparsity_weight")}


def ended(record):
    """A record with a score that follows from its values. Some trials fail, and some are refused."""
    status = {2: "failed", 4: "refused"}.get(record["trial"], "scored")
    score = sum(value for value in record["values"].values() if isinstance(value, int | float))
    return record | {"status": status, "score": score if status == "scored" else None}


def play(study, folder, processes, killed):
    """The trials of a search. Where it is killed, every step has a new oracle, which knows the records alone."""
    oracle, step = Oracle(Trials(study, folder), folder / "scratch", processes), 0
    while running := oracle.running():
        assert len(running) <= processes
        assert len({record["process"] for record in running}) == len(running)
        # Those that began later sometimes end first.
        oracle.trials.write(ended(running[step % len(running)]))
        step += 1
        if killed:
            oracle = Oracle(Trials(study, folder), folder / "scratch", processes)
    return [(record["trial"], record["values"], record["recipe"]) for record in oracle.trials.all()]


@pytest.mark.slow
@pytest.mark.parametrize("processes", [1, 2])
@pytest.mark.parametrize("strategy", ["random", "hyperband", "bayesian", "grid"])
def test_a_search_that_is_killed_after_every_trial_has_the_trials_of_one_that_is_not(strategy, processes, tmp_path):
    study = Study("sparse_autoencoder", tmp_path, strategy, trials=6, epochs=9, settings=FREE)
    whole = play(study, tmp_path / "whole", processes, killed=False)
    assert play(study, tmp_path / "killed", processes, killed=True) == whole
    # The refused trial does not count.
    assert [number for number, _, _ in whole] == list(range(7))
    assert len({str(sorted(values.items())) for _, values, _ in whole}) == 7
    # The first trial has the values of the space, at the epochs that the strategy gives it.
    defaults = Study("sparse_autoencoder", tmp_path, settings=FREE).outline.arguments
    assert {whole[0][1][name] for name in ("hidden_units", "weight_decay")} == {
        defaults["hidden_units"], defaults["weight_decay"],
    }  # fmt: skip


def test_recorded_values_count_even_if_other_ones_would_be_drawn_now(tmp_path):
    study = Study("sparse_autoencoder", tmp_path, "random", trials=3, settings=FREE)
    first = Oracle(Trials(study, tmp_path), tmp_path / "a")
    (record,) = first.running()
    # As version 0.3 wrote it.
    record["values"]["hidden_units"] = 144
    del record["after"], record["process"]
    first.trials.write(ended(record))
    again = Oracle(Trials(study, tmp_path), tmp_path / "b")
    assert [one["trial"] for one in again.running()] == [1]
    assert again.trials.read("0")["values"]["hidden_units"] == 144
