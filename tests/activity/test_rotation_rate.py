"""A gyroscope next to the accelerometer: read from CSV, stored, cut and disturbed along with it."""

import numpy as np
import pandas
import pytest
from running import data_of, message, refused, write_h5

from zoo.activity import data as activity
from zoo.activity import recordings, simulate
from zoo.activity.augmentation import DISTURBANCES
from zoo.activity.columns import CsvColumns, columns_of, read_samples
from zoo.activity.importing import read_csv
from zoo.activity.recordings import Recording
from zoo.data import hdf5
from zoo.runtime.metadata import AXES, INERTIAL

SIX = "ax,ay,az,gx,gy,gz"
ANN = CsvColumns(subject="=ann", activity="=walking")
GYROSCOPE = ANN.replace(gyroscope=True)


def named(channels, **columns):
    """The columns of ANN, of which `channels` names three or six."""
    known = {"rotation_unit": "rad/s" if channels == SIX else None}
    known |= {name: columns.pop(name) for name in list(columns) if name in ("x", "rotation_unit")}
    return columns_of({"channels": channels, **known}, subject="=ann", activity="=walking", **columns)


TIMES = np.arange(200) / 50
RATE = np.stack([2 * np.sin(2 * np.pi * TIMES), 0.1 + 0 * TIMES, np.cos(5 * TIMES)], axis=1)
ROWS = np.hstack([np.stack([np.sin(TIMES), 9.8 + 0 * TIMES, np.cos(TIMES)], axis=1), RATE])


def csv(path, header, rows=ROWS, times=TIMES):
    lines = [header, *(",".join(f"{value:.6f}" for value in row) for row in np.column_stack([times, rows]))]
    path.write_text("\n".join(lines))
    return path


def imported(path, columns=ANN):
    (recording,) = read_csv(path, columns)
    return recording


def recording(who="ann", rows=200, rotation=True, what="walking", rate=50.0):
    random = np.random.default_rng(list(who.encode()))
    acceleration = random.normal([0, 9.8, 0], 1, (rows, 3)).astype(np.float32)
    turning = random.normal(0, 1, (rows, 3)).astype(np.float32) if rotation else None
    return Recording(f"{who}.csv", who, what, rate, acceleration, rotation=turning)


def stored(path, *several):
    recordings.write_recordings(path, several, source="a test")
    return recordings.read_recordings(path)


def test_six_named_columns_are_acceleration_and_rotation_rate_which_is_left_out_if_nobody_asks(tmp_path):
    path = csv(tmp_path / "a.csv", f"time,{SIX}")
    found = imported(path, named(SIX))
    np.testing.assert_allclose(found.acceleration, ROWS[:, :3], atol=1e-4)
    np.testing.assert_allclose(found.rotation, RATE, atol=1e-4)
    assert (found.axes, found.rows.shape) == (INERTIAL, (200, 6))
    assert imported(path).rotation is imported(path, named("ax,ay,az")).rotation is None


@pytest.mark.parametrize(
    ("header", "factor"),
    [
        ("Time (s),Acceleration x (m/s^2),Acceleration y (m/s^2),Acceleration z (m/s^2),"
         "Gyroscope x (rad/s),Gyroscope y (rad/s),Gyroscope z (rad/s)", 1),
        ("time,gFx,gFy,gFz,wx,wy,wz", 1),
        ("loggingTime(txt),accelerometerAccelerationX(G),accelerometerAccelerationY(G),accelerometerAccelerationZ(G),"
         "gyroRotationX(rad/s),gyroRotationY(rad/s),gyroRotationZ(rad/s)", 1),
        ("time,x,y,z,rotationRate.x,rotationRate.y,rotationRate.z", 1),
        ("time,x,y,z,gyro_x (deg/s),gyro_y (deg/s),gyro_z (deg/s)", np.pi / 180),
        ("time,x,y,z,gyro_x (°/s),gyro_y (°/s),gyro_z (°/s)", np.pi / 180),
    ],
)  # fmt: skip
def test_columns_of_known_apps_are_found(header, factor, tmp_path):
    rows = np.hstack([ROWS[:, :3] / (9.80665 if "gF" in header or "(G)" in header else 1), RATE / factor])
    found = imported(csv(tmp_path / "a.csv", header, rows), GYROSCOPE)
    # The sense of rotation is the same on iOS, whose acceleration has the other sign.
    np.testing.assert_allclose(found.acceleration, ROWS[:, :3] * (-1 if "(G)" in header else 1), atol=1e-4)
    np.testing.assert_allclose(found.rotation, RATE, atol=1e-4)


def test_a_table_in_memory_has_no_file_next_to_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    csv(tmp_path / "Gyroscope", "time,x,y,z", RATE)
    table = pandas.DataFrame(ROWS[:, :3], columns=["x", "y", "z"]).assign(time=np.arange(len(ROWS)) / 50)
    refused("^DataFrame: no columns of rotation rate", imported, table, GYROSCOPE)


def test_degrees_are_converted_and_noticed_as_gravity_is(tmp_path):
    path = csv(tmp_path / "a.csv", f"time,{SIX}", np.hstack([ROWS[:, :3], np.degrees(RATE)]))
    apart = named("ax,ay,az", rotation_unit="deg/s", rotation=("gx", "gy", "gz"))
    for columns in (named(SIX, rotation_unit="deg/s"), apart):
        np.testing.assert_allclose(imported(path, columns).rotation, RATE, atol=1e-4)
    alone = named("ax,ay,az", rotation_unit="deg/s")
    refused("rotation_unit=deg/s: no rotation rate is read", imported, path, alone)
    words = rf"^{path}: rotation rate has a mean magnitude of .*, as in deg/s; expected rad/s \(below 20\)"
    refused(words + ".*: pass rotation_unit=deg/s, or divide by 57.3$", imported, path, named(SIX))
    path = csv(tmp_path / "b.csv", f"time,{SIX}", np.hstack([ROWS[:, :3], ROWS[:, :3]]))
    refused("as gravity or deg/s are: pass rotation_unit=deg/s, or choose other", imported, path, named(SIX))


def test_sensor_logger_keeps_the_gyroscope_in_a_file_of_its_own(tmp_path):
    path = csv(tmp_path / "TotalAcceleration.csv", "seconds_elapsed,x,y,z", ROWS[:, :3])
    assert message(imported, path, GYROSCOPE) == f"{tmp_path / 'Gyroscope.csv'}: no such file"
    csv(tmp_path / "Gyroscope.csv", "seconds_elapsed,x,y,z", 2 * RATE, TIMES)
    np.testing.assert_allclose(imported(path, GYROSCOPE).rotation, 2 * RATE, atol=1e-4)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: named("ax,ay,az,gx"), "channels=ax,ay,az,gx: expected three or six different columns"),
        (lambda: named("ax,ay,az,gx,gy,gy"), "channels=ax,ay,az,gx,gy,gy: expected three or six different columns"),
        (lambda: named(SIX, x="ax"), "channels names the columns of x, too: leave out x"),
        (lambda: named(SIX, rotation=tuple("uvw")), "channels names the columns of rotation, too: leave out rotation"),
        (lambda: columns_of({"time": "t"}, 50.0), "time: does not apply with rate"),
        (lambda: CsvColumns(rotation=("a", "b")), "columns a,b: expected different ones, three of a sensor"),
        (lambda: CsvColumns(rotation_unit="rpm"), "columns: rotation_unit is 'rpm'; expected rad/s or deg/s"),
    ],
)
def test_other_channels_are_refused(make, words):
    assert message(make).startswith(words)


def test_missing_columns_are_named(tmp_path):
    path = csv(tmp_path / "a.csv", "time,ax,ay,az", ROWS[:, :3])
    found = f"{path}: no columns of rotation rate; found time, ax, ay, az: pass all six with channels, such as {SIX}"
    assert message(imported, path, GYROSCOPE) == found
    refused(rf"^{path}: no column 'gx' \(channels\), 'gy' .*, 'gz' .*; found time, ", imported, path, named(SIX))


def test_recordings_come_back_as_they_were_written(tmp_path):
    before = [recording("ann"), recording("ben", 130)]
    index = stored(tmp_path / "a.h5", *before)
    assert index.axes == INERTIAL
    for old, new in zip(before, index, strict=True):
        np.testing.assert_array_equal(new.rows, old.rows)
    found = hdf5.attributes(tmp_path / "a.h5")
    assert (found["axes"], found["unit"]) == ("x,y,z,gyro_x,gyro_y,gyro_z", "m/s^2,rad/s")


@pytest.mark.parametrize("first", [True, False])
def test_recordings_of_other_channels_are_not_added(first, tmp_path):
    path = tmp_path / "a.h5"
    stored(path, recording("ann", rotation=first))
    before = path.read_bytes()
    held, given = (",".join(axes) for axes in ((INERTIAL, AXES) if first else (AXES, INERTIAL)))
    words = f"^ben.csv: holds {given}, and what {path} holds .* is {held}: "
    more = [recording("ben", rotation=not first)]
    refused(words, recordings.append_recordings, path, more, source="a test")
    assert path.read_bytes() == before


def test_files_of_other_channels_are_joined_by_what_both_hold(tmp_path):
    six, three = stored(tmp_path / "six.h5", recording()), stored(tmp_path / "3.h5", recording("ben", rotation=False))
    words = f"^{six.path} holds x,y,z,gyro_x,gyro_y,gyro_z; {three.path} holds x,y,z: choose .* channels=x,y,z$"
    refused(words, recordings.join, six, three)
    joined = recordings.join(six, three, axes=("x", "y", "z"))
    assert joined.axes == AXES
    assert [each.rows.shape[1] for each in joined] == [3, 3]
    assert recordings.join(six, stored(tmp_path / "b.h5", recording("ben"))).axes == INERTIAL
    refused("no rotation rate: import it with gyroscope", three.selected, INERTIAL)
    refused("^channels=gyro_x: expected x,y,z or x,y,z,gyro_x,gyro_y,gyro_z$", six.selected, ["gyro_x"])


def test_all_channels_are_resampled_together():
    both = recording(rows=400, rate=100.0)
    parts = (Recording("a", "ann", "walking", 100.0, rows) for rows in (both.acceleration, both.rotation))
    np.testing.assert_allclose(both.resampled(50.0), np.hstack([part.resampled(50.0) for part in parts]), atol=1e-6)


@pytest.mark.parametrize(
    ("axes", "channels", "words"),
    [
        (None, 6, "attribute 'axes' is None; expected x,y,z,gyro_x,gyro_y,gyro_z: import it again"),
        ("x,y,z", 6, "attribute 'axes' is 'x,y,z'; expected x,y,z,gyro_x,gyro_y,gyro_z: import it again"),
        (None, 4, "key 'trX' has 4 channels; expected x,y,z, or x,y,z,gyro_x,gyro_y,gyro_z: make it with"),
    ],
)
def test_a_file_must_say_what_its_channels_are(axes, channels, words, tmp_path):
    keys = {"trX": np.full((6, 10, channels), 5.0, np.float32), "trY": np.eye(6, dtype=np.float32)}
    path = write_h5(tmp_path / "a.h5", axes and {"axes": axes}, **keys)
    assert message(lambda: activity.from_file(path)).startswith(f"{path}: {words}")


def test_arrays_may_have_six_channels():
    x = np.random.default_rng(0).normal([0, 0, 9.8, 0, 0, 0], 1, (4, 50, 6))
    others = [0, 1, 1, 0], ("run", "sit"), 50.0
    assert data_of(x, *others).axes == INERTIAL
    for wrong, words in (
        (x * [1, 1, 1, 57, 57, 57], "as in deg/s"),
        (x[..., :4], r"^x: has shape \(4, 50, 4\); expected \(windows, rows, 3\), or 6 with a gyroscope$"),
        # The unit of the acceleration is checked whatever the gyroscope measures.
        (x / [9.8] * [1, 1, 1, 90, 90, 90], "as in g"),
    ):
        refused(words, data_of, wrong, *others)
    refused("^test x: windows of 3 channels; x has 6$", data_of, x, *others, test=(x[..., :3], [0] * 4))


def test_simulated_acceleration_is_the_same_with_a_gyroscope():
    plain, both = (list(simulate.simulate(2, seed=3, seconds=4, gyroscope=known)) for known in (False, True))
    for without, recorded in zip(plain, both, strict=True):
        np.testing.assert_array_equal(recorded.acceleration, without.acceleration)
        turning = np.linalg.norm(recorded.rotation, axis=1).mean()
        assert (turning < 0.1) == (recorded.activity in ("sitting", "standing"))


@pytest.mark.parametrize("disturbance", DISTURBANCES, ids=lambda d: d.name)
def test_a_disturbance_does_to_acceleration_what_it_does_without_a_gyroscope(disturbance):
    windows = np.random.default_rng(0).normal(0, 3, (3, 60, 6))
    found = disturbance.apply(windows, 50.0, np.random.default_rng(1))
    alone = disturbance.apply(windows[..., :3], 50.0, np.random.default_rng(1))
    np.testing.assert_array_equal(found[..., :3], alone)
    turning = disturbance.apply(windows[..., 3:], 50.0, np.random.default_rng(1))
    of_accelerometer = disturbance.name in ("noise", "scaled_up", "scaled_down")
    np.testing.assert_array_equal(found[..., 3:], windows[..., 3:] if of_accelerometer else turning)


def test_samples_of_a_pipe_hold_six_values():
    lines = [f"time,{SIX}", "# a comment", *(f"{i / 50},0,0,1,90,0,{i}" for i in range(20))]
    columns = CsvColumns(unit="g", gyroscope=True, rotation_unit="deg/s")
    found = list(read_samples(lines, "here", columns))
    assert found[2] == pytest.approx((0.04, 0, 0, 9.80665, np.pi / 2, 0, np.radians(2)))
    three = read_samples(["time,x,y,z", "0,0,0,9.8"], "here", CsvColumns(gyroscope=True))
    refused("^here: no columns of rotation rate; found time, x, y, z: pass all six with channels, ", list, three)
    fixed = list(read_samples(lines, "here", columns_of({"channels": SIX, "rotation_unit": "rad/s"}, 4.0)))
    assert fixed[1] == (0.25, 0, 0, 1, 90, 0, 1)
