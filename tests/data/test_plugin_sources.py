"""Sources of plug-ins: found by name, and one line that names source and plug-in where they fail."""

from dataclasses import replace

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.errors import DataError
from sweep.config.plugins import PluginError, using
from sweep.config.sections import ScoreConfig
from sweep.data import SOURCES, load

SCORE = ScoreConfig(warmup=5, horizon=10, starts=2)
SPEC = """
import numpy as np
from sweep.data.recording import Recording, Series
from sweep.data.sources import SourceSpec

def generate(options, need):
    time = np.arange(options["length"])
    values = np.sin(time / 3)[:, None]
    {body}
    return Recording("waves", ("y",), (Series("source 'waves'", values, (50, 75)),))

WAVES = SourceSpec("waves", {{"length": 100}}, generate, {more})
"""


@pytest.fixture
def plugin(tmp_path):
    """Return a function that writes a plug-in file with a line in `generate` and more arguments of the spec."""

    def write(body: str = "pass", more: str = "") -> str:
        path = tmp_path / "waves.py"
        path.write_text(SPEC.format(body=body, more=more))
        return str(path)

    return write


def test_a_plugin_source_is_found_loaded_and_reproduces(plugin):
    config = DataConfig(source="waves", options={"length": 120})
    with using([plugin()]):
        data = load(config, SCORE)
        assert data.train_raw[0].shape == (50, 1) and data.lyapunov_time is None
        assert load(config, SCORE).fingerprint == data.fingerprint
        assert dict(SOURCES["waves"].settable().defaults) == {"length": 100}
    assert "waves" not in SOURCES


def test_other_numbers_than_float64_are_converted(plugin):
    with using([plugin("values = np.round(100 * values).astype(int)")]):
        assert load(DataConfig(source="waves"), SCORE).train_raw[0].dtype == float


NONSENSE = {
    "raise KeyError('phase')": "generate raised KeyError: 'phase'",
    "raise ValueError('two\\nlines')": "generate raised ValueError: two lines",
    "return None": "generate returned a NoneType, wanted a Recording",
    "return Recording('waves', (), ())": r"wanted different names of one or more channels, got \(\)",
    "return Recording('waves', ('y', 'y'), ())": "wanted different names",
    "return Recording('waves', ('y',), ())": "generate returned no series",
    "return Recording('waves', ('y',), (values,))": "other things than Series",
    "values[7, 0] = np.nan": r"channel 'y', sample 7 \(from 0\): nan is not a finite number",
    "values[0, 0] = np.inf": "sample 0 .* inf is not a finite number",
    "values = values[:, 0]": r"wanted values of the shape \(time, 1 channels\), got \(100,\)",
    "values = np.hstack([values, values])": r"\(time, 1 channels\), got \(100, 2\)",
    "values = values[:0]": r"got \(0, 1\)",
    "values = values.tolist()": "array of real numbers, got list",
    "values = values.astype(complex)": "array of real numbers, got complex128",
    "values = values[:60]": r"two rising sample numbers from 0 to 60, got \(50, 75\)",
    "return Recording('waves', ('y',), (Series('x', values),))": "x: ends must be set if makes_parts is True",
    "return Recording('waves', ('y',), (Series('x', values, (1, 2), values),))": r"stamps of the shape \(100,\)",
}

INPUTS = "return Recording('waves', ('y',), (Series('x', values, (50, 75), known={known}),), known={names})"
NONSENSE_OF_INPUTS = [
    ("values", "()", r"x: wanted known of the shape \(time, 0 inputs\), got \(100, 1\)"),
    ("None", "('u',)", "x: wanted known as an array of real numbers, got NoneType"),
    ("values[:, 0]", "('u',)", r"known of the shape \(time, 1 inputs\), got \(100,\)"),
    ("values[:60]", "('u',)", "x: wanted known of 100 samples, as values, got 60"),
    ("values / 0", "('u',)", r"x, input 'u', sample 0 \(from 0\): nan is not a finite number"),
    ("values", "('y',)", "names of inputs that differ from each other and from the channels"),
    ("np.hstack([values, values])", "('u', 'u')", "names of inputs that differ from each other"),
    ("values", "(1,)", "names of inputs"),
]


def test_inputs_of_a_plugin_source_are_known_inputs(plugin):
    with using([plugin(INPUTS.format(known="time[:, None]", names="('u',)"))]):
        data = load(DataConfig(source="waves"), SCORE)
    assert data.channels == ("y",) and data.known == ("u",) and data.inputs == 2
    # the input is the sample number; the training part has the numbers 0 to 49
    wanted = (np.arange(50) - 24.5) / np.arange(50).std()
    np.testing.assert_allclose(data.train_known[0][:, 0], wanted)
    first = data.validation.position[0]
    assert data.validation.known[0, 5, 0] == pytest.approx((first - 24.5) / np.arange(50).std())


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning", "ignore:divide by zero:RuntimeWarning")
@pytest.mark.parametrize(("known", "names", "message"), NONSENSE_OF_INPUTS)
def test_nonsense_inputs_are_named(plugin, known, names, message):
    with (
        using([plugin(INPUTS.format(known=known, names=names))]),
        pytest.raises(DataError, match=rf"source 'waves' of plug-in waves.py .*{message}"),
    ):
        load(DataConfig(source="waves"), SCORE)


@pytest.mark.parametrize("body", NONSENSE)
def test_nonsense_is_one_line_that_names_the_source_and_the_plugin(plugin, body):
    with using([plugin(body)]):
        with pytest.raises(DataError, match=NONSENSE[body]) as caught:
            load(DataConfig(source="waves"), SCORE)
        text = str(caught.value)
        assert text.startswith("source 'waves' of plug-in waves.py sha256:") and len(text.splitlines()) == 1


@pytest.mark.parametrize("time", ["0.0", "float('nan')", "float('inf')", "'long'", "True"])
def test_a_lyapunov_time_is_a_positive_number_of_steps(plugin, time):
    file = plugin(more=f"lyapunov_time=lambda options: {time}")
    with using([file]), pytest.raises(DataError, match=r"plug-in waves.py .* lyapunov_time returned"):
        load(DataConfig(source="waves"), SCORE)


def test_ends_without_parts_are_refused(plugin):
    file = plugin(more="makes_parts=False")
    with (
        using([file]),
        pytest.raises(DataError, match="ends must be set if makes_parts is True, and only then"),
    ):
        load(DataConfig(source="waves"), SCORE)


def test_a_check_that_raises_is_named(plugin):
    file = plugin(more="check=lambda options: options['size']")
    with using([file]), pytest.raises(DataError, match="source 'waves': KeyError: 'size'"):
        load(DataConfig(source="waves"), SCORE)


def test_a_message_of_the_plugin_itself_is_passed_on(plugin):
    body = "from sweep.config.errors import DataError; raise DataError('waves.dat: no such file')"
    with using([plugin(body)]), pytest.raises(DataError, match=r"^waves.dat: no such file$"):
        load(DataConfig(source="waves"), SCORE)


def test_errors_of_own_sources_pass_through(monkeypatch):
    def broken(options, need):
        raise KeyError("phase")

    monkeypatch.setattr(SOURCES, "_entries", {"sine": replace(SOURCES["sine"], generate=broken)})
    with pytest.raises(KeyError, match="phase"):
        load(DataConfig(source="sine"), SCORE)


def test_defaults_that_no_study_file_can_hold_are_refused(tmp_path):
    path = tmp_path / "bad.py"
    path.write_text(SPEC.format(body="pass", more="").replace('{"length": 100}', '{"length": None}'))
    match = "default of option 'length' must be a bool, int, float or str"
    with pytest.raises(PluginError, match=match), using([path]):
        pass
