import numpy as np
import pytest

from sweep.config.errors import DataError
from sweep.data.readers import Columns, read_file

CUBE = np.random.default_rng(0).normal(size=(3, 40, 2))


@pytest.fixture
def read(tmp_path):
    def written(name, save):
        with (tmp_path / name).open("wb") as file:
            save(file)
        return read_file(name, tmp_path, Columns())

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
            r"^a.npz: wanted exactly one array, got 2 \(x, z\)",
        ),
        ("a.npy", lambda file: file.write(b"\x93NUMPY\x01\x00" + b"v" * 9), r"^a.npy: not a readable array"),
        ("a.npz", lambda file: np.savez(file), r"^a.npz: wanted exactly one array, got 0 \(none\)"),
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
        (
            "a.npz",
            lambda file: np.savez(file, x=hole(np.nan)),
            r"^a.npz, array 'x', index \[1, 7, 0\] .*nan is not a finite number \(1 in all",
        ),
        ("a.npy", lambda file: np.save(file, hole(np.inf)), r"^a.npy, index \[1, 7, 0\] .*inf is not"),
    ],
)
def test_mistakes(read, name, save, message):
    with pytest.raises(DataError, match=message) as caught:
        read(name, save)
    assert "\n" not in str(caught.value)
