import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.data.readers import read_file

CUBE = np.random.default_rng(0).normal(size=(3, 40, 2))


@pytest.fixture
def read(tmp_path):
    def written(name, save, **settings):
        with (tmp_path / name).open("wb") as file:
            save(file)
        return read_file(name, tmp_path, DataConfig(path=name, **settings))

    return written


@pytest.mark.parametrize(
    ("values", "shapes", "channels"),
    [
        (CUBE[0, :, 0], [(40, 1)], ("y",)),
        (CUBE[0, :, :1], [(40, 1)], ("y",)),
        (CUBE[0], [(40, 2)], ("x0", "x1")),
        (CUBE, [(40, 2)] * 3, ("x0", "x1")),
        (np.arange(10, dtype=np.int16) ** 2, [(10, 1)], ("y",)),
        (CUBE[0].astype(np.float32).T.copy().T, [(40, 2)], ("x0", "x1")),
    ],
)
def test_shapes(read, values, shapes, channels):
    npy = read("a.npy", lambda file: np.save(file, values))
    npz = read("a.npz", lambda file: np.savez(file, anything=values))
    for recording in (npy, npz):
        assert recording.channels == channels and recording.name == "a"
        assert [one.values.shape for one in recording.series] == shapes
        flat = np.concatenate([one.values.ravel() for one in recording.series])
        assert flat.dtype == np.float64
        np.testing.assert_array_equal(flat, np.ascontiguousarray(values).ravel().astype(float))


def hole(value):
    broken = CUBE.copy()
    broken[1, 7, 0] = value
    return broken


@pytest.mark.parametrize(
    ("name", "save", "message"),
    [
        ("a.npy", lambda file: None, r"^a.npy: the file is empty"),
        ("a.npz", lambda file: None, r"^a.npz: the file is empty"),
        ("a.npy", lambda file: file.write(b"1,2,3\n" * 20), r"^a.npy: not written by numpy"),
        ("a.npz", lambda file: file.write(b"PK\x03\x04" + b"\0" * 50), r"^a.npz: not a readable array"),
        (
            "a.npy",
            lambda file: np.save(file, np.array([{}, None]), allow_pickle=True),
            r"^a.npy: contains pickled objects, which could run code and are refused",
        ),
        (
            "a.npz",
            lambda file: np.savez(file, x=np.array([{}, None])),
            r"^a.npz: contains pickled objects, which could run code and are refused",
        ),
        (
            "a.npz",
            lambda file: np.savez(file, x=CUBE, z=CUBE),
            r'^a.npz: 2 arrays \(x \(3, 40, 2\), z .*: set data.key = "x" or data.key = "z"',
        ),
        ("a.npy", lambda file: file.write(b"\x93NUMPY\x01\x00" + b"v" * 9), r"^a.npy: not a readable array"),
        ("a.npz", lambda file: np.savez(file), r"^a.npz: contains no array"),
        ("a.npz", lambda file: np.save(file, CUBE), r"^a.npz: is one array.*rename it to .npy"),
        ("a.npy", lambda file: np.savez(file, CUBE), r"^a.npy: is an archive.*rename it to .npz"),
        (
            "a.npy",
            lambda file: np.save(file, CUBE.astype(complex)),
            r"^a.npy: wanted real numbers, got complex",
        ),
        ("a.npy", lambda file: np.save(file, np.array(["1"])), r"^a.npy: wanted real numbers, got <U1"),
        ("a.npy", lambda file: np.save(file, CUBE[None]), r"^a.npy: wanted the shape .*got \(1, 3, 40, 2\)"),
        ("a.npy", lambda file: np.save(file, CUBE[:, :0]), r"^a.npy: wanted the shape"),
        ("a.npy", lambda file: np.save(file, 3.0), r"^a.npy: wanted the shape"),
        ("a.npy", lambda file: np.save(file, hole(np.inf)), r"^a.npy, index \[1, 7, 0\] .*inf is not"),
    ],
)
def test_mistakes(read, name, save, message):
    with pytest.raises(DataError, match=message) as caught:
        read(name, save)
    assert "\n" not in str(caught.value)


def test_a_missing_value_is_kept_as_nan(read):
    recording = read("a.npz", lambda file: np.savez(file, x=hole(np.nan)))
    np.testing.assert_array_equal(recording.series[1].values, hole(np.nan)[1])


def test_one_of_several_arrays_by_its_key(read):
    def save(file):
        np.savez(file, x=CUBE, t=np.arange(40.0))

    assert read("a.npz", save, key="t").series[0].values[:, 0].tolist() == list(range(40))
    with pytest.raises(DataError, match=r"no array 'xx' \(data.key\)\. Did you mean 'x'\? Arrays: x \(3"):
        read("a.npz", save, key="xx")


def test_series_have_their_numbers_as_names_and_channels_can_be_chosen(read):
    recording = read("a.npy", lambda file: np.save(file, CUBE), channels=("x1",))
    assert [one.name for one in recording.series] == ["0", "1", "2"] and recording.channels == ("x1",)
    np.testing.assert_array_equal(recording.series[2].values, CUBE[2, :, 1:])
    with pytest.raises(DataError, match=r"no channel 'x2' \(data.channels\)"):
        read("a.npy", lambda file: np.save(file, CUBE), channels=("x2",))


def test_more_channels_than_times_is_said(read):
    assert "shape" in [fact.name for fact in read("a.npy", lambda file: np.save(file, CUBE[0].T)).facts]
    assert "shape" not in [fact.name for fact in read("a.npy", lambda file: np.save(file, CUBE[0])).facts]


def test_a_single_row_is_a_series(read):
    recording = read("a.npy", lambda file: np.save(file, np.arange(40.0)[None]))
    assert recording.channels == ("y",) and recording.series[0].values[3, 0] == 3


@pytest.mark.parametrize("shape", [(40,), (1, 40), (40, 1), (40, 2)])
def test_matlab_files(read, shape):
    from scipy.io import savemat

    values = np.arange(np.prod(shape), dtype=float).reshape(shape)
    recording = read("a.mat", lambda file: savemat(file, {"y": values}))
    assert recording.series[0].values.shape == ((40, 2) if shape == (40, 2) else (40, 1))
    np.testing.assert_array_equal(recording.series[0].values.ravel(), values.ravel())


def test_matlab_files_with_several_variables_or_of_another_format(read):
    from scipy.io import savemat

    arrays = {"u": np.arange(9.0), "y": np.arange(9.0) ** 2, "note": "text"}
    assert read("a.mat", lambda file: savemat(file, arrays), key="y").series[0].values[3, 0] == 9
    with pytest.raises(DataError, match=r'3 arrays .*set data.key = "u" or data.key = "y"'):
        read("a.mat", lambda file: savemat(file, arrays))
    with pytest.raises(DataError, match=r"wanted real numbers"):
        read("a.mat", lambda file: savemat(file, arrays), key="note")
    with pytest.raises(DataError, match=r"is a structure of u, y: save them as arrays"):
        read("a.mat", lambda file: savemat(file, {"d": {"u": np.arange(9.0), "y": np.arange(9.0)}}))
    beside = {"fs": 50.0, "note": "text", "y": np.arange(9.0)}  # only y can be a series
    assert read("a.mat", lambda file: savemat(file, beside)).series[0].values[3, 0] == 3
    with pytest.raises(DataError, match=r"of version 7.3: save it with save"):
        read("a.mat", lambda file: file.write(b"MATLAB 7.3" + b" " * 502 + b"\x89HDF\r\n" + b"x" * 50))
    with pytest.raises(DataError, match=r"cannot be read as a MATLAB file"):
        read("a.mat", lambda file: file.write(b"nonsense" * 40))
