"""Extreme study files: each ends with one line, and nothing of an endless size is begun."""

import re

import pytest

from sweep.config.bounds import MOST_EVALUATIONS, MOST_TRIALS
from sweep.config.errors import StudyFileError, UsageError
from sweep.config.study import SECTIONS
from sweep.config.study_file import overridden, study_from_file
from sweep.search.execution import Execution
from sweep.study.components import known_names
from sweep.study.find import chosen_study, stored_study
from sweep.study.open_study import open_study
from tests.support.command_line import invoke


def integers(schema, path=()):
    """Yield the key path of each integer of a JSON schema, with its limits."""
    if schema.get("type") == "integer":
        yield ".".join(path), schema
    for name, entry in schema.get("properties", {}).items():
        yield from integers(entry, (*path, name))
    for key in ("items", "anyOf", "prefixItems"):
        entries = schema.get(key, [])
        for entry in entries if isinstance(entries, list) else [entries]:
            if isinstance(entry, dict):
                yield from integers(entry, path)


ALL = [
    (f"{name}.{path}", limits)
    for name, section in SECTIONS.items()
    for path, limits in integers(section.model_json_schema(), ())
    if not path.startswith("options")
]


def test_the_list_of_integers_is_not_empty():
    assert {"score.horizon", "model.hidden", "training.budget", "search.trials", "run.workers"} <= {
        p for p, _ in ALL
    }


@pytest.mark.parametrize(("path", "limits"), ALL, ids=[path for path, _ in ALL])
def test_every_integer_of_a_study_file_has_bounds(path, limits):
    assert {"maximum", "minimum"} <= {key.removeprefix("exclusive").lower() for key in limits} or {
        "maximum",
        "exclusiveMinimum",
    } <= set(limits)


DEEP = "x = " + "[" * 1000 + "]" * 1000
DOTTED = ".".join(["a"] * 1000) + " = 1"
EXTREME = {
    "nested lists": (DEEP, "nested more than 20 deep"),
    "nested tables": (DOTTED, "nested more than 20 deep"),
    "5,000 digits": ("[search]\nseed = " + "9" * 5000, "not valid TOML: .*digits"),
    "4,000 digits": ("[search]\nseed = " + "9" * 4000, "beyond the 64 bits of TOML"),
    "5,000 hexadecimal digits": ("[search]\nseed = 0x" + "f" * 5000, "beyond the 64 bits of TOML"),
    "a path with NUL": ('[data]\npath = "a\\u0000.csv"', "data: path has a character of code 0"),
    "a test path with NUL": (
        '[data]\npath = "a.csv"\ntest_path = "\\u0000"',
        "data: test_path has a character",
    ),
    "a billion evaluations": (
        "[training]\nevaluations = 1_000_000_000",
        f"less than or equal to {MOST_EVALUATIONS}",
    ),
    "a billion workers": ("[run]\nworkers = 1_000_000_000", "run.workers: wanted less than or equal to 1024"),
    "a billion units": (
        "[model]\nhidden = 1_000_000_000",
        "model.hidden: wanted less than or equal to 16384",
    ),
    "a head of a billion": (
        "[model]\nhead = [1_000_000_000]",
        "model.head.0: wanted less than or equal to 16384",
    ),
    "a billion steps": (
        "[score]\nwarmup = 1_000_000_000",
        "score.warmup: wanted less than or equal to 10000000",
    ),
    "burn-in": (
        "[training]\nburn_in = 1_000_000_000",
        "training.burn_in: wanted a number of steps up to 10000000",
    ),
    "long series": (
        '[data]\nsource = "sine"\noptions = { length = 1_000_000_000 }',
        "data.options.length: wanted",
    ),
    "many series": (
        '[data]\nsource = "sine"\noptions = { length = 9_000_000, series = 9_000_000 }',
        "length times series must not exceed 100000000",
    ),
    "a billion in a range": ("[space]\nhidden = { int = [1, 1_000_000_000] }", "space.hidden.*16384"),
    "a value of 10,000 letters": (f'[model]\nreadout = "{"y" * 10_000}"', r"model.readout: wanted .*y\.\.\."),
}


@pytest.mark.parametrize("case", EXTREME)
def test_an_extreme_study_file_is_one_line_and_exit_code_2(tmp_path, case):
    text, wanted = EXTREME[case]
    path = tmp_path / "extreme.toml"
    path.write_text(text if "[data]" in text else f'{text}\n[data]\nsource = "sine"\n')
    with pytest.raises(StudyFileError, match=wanted) as raised:
        study_from_file(path, (), known_names())
    assert len(str(raised.value)) < 1000
    done = invoke("run", str(path), "--dry-run", "--results", str(tmp_path))
    assert (done.exit_code, re.search(wanted, done.stderr) is not None) == (2, True)


@pytest.mark.parametrize("value", ["9" * 5000, "[" * 1000 + "]" * 1000, "0x" + "f" * 5000])
def test_an_extreme_override_is_one_line(tmp_path, value):
    done = invoke("run", "sine", "--dry-run", "--set", f"search.seed={value}", "--results", str(tmp_path))
    assert done.exit_code == 2
    assert len(done.stderr) < 1000
    with pytest.raises(StudyFileError, match="nested more than 20 deep"):
        overridden({}, [f"{DOTTED.replace(' ', '')}"])


LONG = "n" * 300
NAMES = (LONG, f"{LONG}.toml", f"{LONG}.csv", "n" * 5000, "a\0b", "a\0b.toml", "a\0.csv", f"~{LONG}.csv")


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
@pytest.mark.parametrize("command", ["run", "report", "confirm"])
def test_names_that_no_file_can_have_are_one_line(tmp_path, name, command):
    done = invoke(command, name, "--results", str(tmp_path))
    assert done.exit_code in (1, 2)
    assert done.stderr.count("\n") <= 4
    assert "error" in done.stderr.lower()


def test_a_study_of_an_impossible_name_does_not_exist(tmp_path):
    with pytest.raises(UsageError, match="no study named 'nnn"):
        chosen_study(LONG, None, tmp_path)
    with pytest.raises(UsageError, match="has 300 bytes, 255 are allowed"):
        chosen_study("sine", LONG, tmp_path)
    with pytest.raises(UsageError, match="has no results"):
        stored_study(LONG, tmp_path)


@pytest.mark.parametrize("value", ["~" + LONG, "\0", LONG * 20])
def test_an_impossible_path_of_data_is_an_error_of_the_data(tmp_path, value):
    from sweep.config.errors import SweepError

    with pytest.raises(SweepError, match=r"path|read|exist|name"):
        _ = open_study("sine", tmp_path, overrides=[f"data={{path='{value}.csv'}}"]).data


def test_a_billion_trials_or_workers_are_refused(tmp_path):
    import sweep

    with pytest.raises(UsageError, match=f"at most {MOST_TRIALS} trials, got 1000000000"):
        sweep.run("sine", trials=10**9, results=tmp_path, executor="inline")
    for option in ("--trials", "--workers"):
        done = invoke("run", "sine", option, "1000000000", "--results", str(tmp_path))
        assert done.exit_code == 2
    with pytest.raises(UsageError, match="at most 1024 workers"):
        Execution(workers=10**9).settings(open_study("sine", tmp_path).config.run)
