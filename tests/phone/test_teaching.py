"""What was recorded on a phone comes back as recordings for a model."""

import numpy as np
import pytest
from phone.pages import HERTZ, SYSTEMS, play, standing, stop

from zoo.activity.columns import CsvColumns
from zoo.activity.importing import read_csv
from zoo.activity.simulate import walk_through

SIX = CsvColumns(gyroscope=True)


@SYSTEMS
def test_a_recorded_minute_comes_back_as_a_recording(phone, sign, open_page, tmp_path):
    rows = walk_through(["jogging"], 64.0, HERTZ, 1)[0].tolist()
    sent = [[i / HERTZ, *row] for i, row in enumerate(rows)]
    page = open_page(**phone)
    play(page, sent[:HERTZ], 0, sign)
    page.fill("#subject", 'Ann, "A"')
    page.fill("#activity", "jogging")
    with page.expect_download() as download:
        page.click("#record")
        play(page, sent[HERTZ:], 0, sign)
    assert download.value.suggested_filename.startswith("jogging-")
    download.value.save_as(tmp_path / "minute.csv")
    (recording,) = read_csv([tmp_path / "minute.csv"], CsvColumns())
    assert (recording.subject, recording.activity) == ('Ann, "A"', "jogging")
    assert recording.rate == pytest.approx(HERTZ, rel=0.01)
    assert len(recording.acceleration) / recording.rate == pytest.approx(60, abs=0.1)
    assert recording.acceleration[0] == pytest.approx(rows[HERTZ], abs=1e-3)


def begin_recording(page):
    play(page, standing(0, 1), 0)
    page.fill("#subject", "me")
    page.fill("#activity", "standing")
    page.click("#record")


# What ends it, how many rows it has then, and what is said.
BROKEN = "#recorded:has-text('{} s of standing, cut where the signal broke off')"
ENDS = {
    "stop": (lambda page: stop(page), 540, "#hint:has-text('8 s of standing')"),
    "a gap": (lambda page: play(page, standing(80, 90), 0), 540, BROKEN.format(8)),
    "silence": (lambda page: page.clock.run_for(1100), 540, BROKEN.format(8)),
}


@pytest.mark.parametrize("way", ENDS)
def test_a_recording_that_ends_early_is_kept(way, open_page, tmp_path):
    end, rows, said = ENDS[way]
    page = open_page(patient=way != "silence")
    begin_recording(page)
    with page.expect_download() as download:
        play(page, standing(1, 10), 0)
        end(page)
    download.value.save_as(tmp_path / "early.csv")
    (recording,) = read_csv([tmp_path / "early.csv"], CsvColumns())
    assert len(recording.acceleration) == rows
    page.wait_for_selector(said)


@pytest.mark.parametrize(("rows", "seconds"), [(101, 1), (300, 4)])
def test_a_recording_of_less_than_five_seconds_is_discarded(rows, seconds, open_page):
    page = open_page()
    saved = []
    page.on("download", lambda download: saved.append(download))
    begin_recording(page)
    # And a last one more than a minute later.
    play(page, [*standing(1, 1 + rows / HERTZ), *standing(68, 69)], 0)
    page.wait_for_selector(f"#recorded:has-text('Discarded: {seconds} s of signal is too short to keep.')")
    assert page.is_enabled("#record")
    assert not saved


def test_a_recording_without_a_signal_says_so(open_page):
    page = open_page(patient=False)
    play(page, standing(0, 3), 10)
    page.clock.run_for(1100)
    page.wait_for_selector("#label:text-is('No signal')")
    page.fill("#subject", "me")
    page.fill("#activity", "standing")
    page.click("#record")
    page.clock.run_for(2100)
    page.wait_for_selector("#recorded:text-is('Nothing was recorded: the sensor sends nothing.')")


def test_a_model_of_six_channels_records_six(run, inertial_address, tmp_path):
    rows = walk_through(["walking"], 10.0, HERTZ, seed=0, gyroscope=True)[0]
    sent = [[i / HERTZ, *row] for i, row in enumerate(rows.tolist())]
    page = run(sent[:HERTZ], 0, inertial_address)
    page.fill("#subject", "me")
    # `zoo data import csv` reads no comma in a label.
    page.fill("#activity", "bike, uphill")
    page.click("#record")
    assert page.inner_text("#record") == "Record"
    assert page.locator("#activity:invalid").count() == 1
    page.fill("#activity", "bike uphill")
    page.click("#record")
    play(page, sent[HERTZ:], 0)
    with page.expect_download() as download:
        stop(page)
    download.value.save_as(tmp_path / "turning.csv")
    (recording,) = read_csv([tmp_path / "turning.csv"], SIX)
    assert (recording.subject, recording.activity, recording.rate) == ("me", "bike uphill", 60.0)
    assert recording.rows.shape == rows[HERTZ:].shape
    values = np.loadtxt(tmp_path / "turning.csv", delimiter=",", skiprows=1, usecols=range(1, 7))
    np.testing.assert_allclose(values, rows[HERTZ:], atol=1e-4)
