"""`sweep reproduce`: what agrees and why not, that the study stays as it is, and that a killed one resumes."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import sweep
from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.followup.reproduce import compared_with_record
from sweep.results.reproduction import Differing
from sweep.results.wording.reproduction import agreement_text, reason_texts
from sweep.search import Interrupts
from sweep.search.tasks import Functions
from sweep.store import DriverLock, StudyFolder
from sweep.store.folder import StoreError
from tests.support.command_line import TINY_TRIALS, invoke
from tests.support.documentation import undocumented


def record(errors=(0.5, 0.3, 0.4), losses=(1.0, 0.5, 0.2), state="complete") -> TrialRecord:
    evaluations = tuple(
        Evaluation(
            k, 100 * (k + 1), k, Scores(error, (error,) * 4, 1.0, 1.0, 1.0, 1.0, 0.0, 0.1, 0.1), loss, 0.01
        )
        for k, (error, loss) in enumerate(zip(errors, losses, strict=True))
    )
    best = min(range(len(errors)), key=lambda k: errors[k])
    return TrialRecord(
        7, state, {}, {}, "sampled", evaluations, errors[best], best, sequence_steps=100 * len(errors)
    )  # fmt: skip


def agreement(old, new, same_weights=True, tolerance=0.01):
    return compared_with_record(old, new, same_weights, (), tolerance).agreement


def test_what_agrees():
    assert agreement(record(), record()) == "bits and scores"
    assert agreement(record(), record(errors=(0.5, 0.302, 0.4)), same_weights=False) == "scores"
    assert (
        agreement(record(), record(errors=(0.5, 0.304, 0.4)), same_weights=False) == "neither"
    )  # 1.3 % more
    assert agreement(record(), record(errors=(0.5, 0.304, 0.4)), False, tolerance=0.02) == "scores"
    assert (
        agreement(record(), record(errors=(0.5, 0.33, 0.4))) == "bits"
    )  # the same weights, scored otherwise
    assert agreement(record(), record(losses=(1.0, 0.5, 0.21))) == "scores"
    assert (
        agreement(record(errors=(1e-12,), losses=(1.0,)), record(errors=(9e-11,), losses=(1.0,)))
        == "bits and scores"
    )
    assert agreement(record(), record(state="diverged")) == "scores"


def test_a_pruned_trial_is_compared_up_to_where_it_was_pruned():
    pruned = record(errors=(0.5, 0.3), losses=(1.0, 0.5), state="pruned")
    whole = record(errors=(0.5, 0.3, 0.1), losses=(1.0, 0.5, 0.1))
    result = compared_with_record(pruned, whole, None, (), 0.01)
    assert (result.agreement, result.rollout_error_again, result.compared_until) == (
        "bits and scores",
        0.3,
        200,
    )
    assert agreement(pruned, record(errors=(0.2, 0.3, 0.1)), None) == "bits"
    assert agreement(pruned, record(errors=(0.2, 0.3, 0.1), losses=(1.0, 0.4, 0.1)), None) == "neither"


def test_the_words_name_the_first_difference_and_the_surroundings():
    other = record(errors=(0.5, 0.33, 0.4), losses=(1.0, 0.51, 0.2))
    torch = Differing("versions", "versions.torch", "2.12.0", "2.13.0")
    result = compared_with_record(record(), other, False, (torch,), 0.01)
    assert agreement_text(result) == (
        "Trial 7 is not reproduced: neither bits nor scores agree; rollout error 0.3 in the record, 0.33 now."
    )
    assert reason_texts(result) == [
        "The trainings differ from 200 sequence-steps on, at the latest.",
        "versions.torch: 2.12.0 in the record, 2.13.0 now",
    ]
    unknown = reason_texts(compared_with_record(record(), other, False, (), 0.01))
    assert "a cause that is not recorded" in unknown[-1]


@pytest.fixture(scope="module")
def results(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    done = invoke(
        "run", "sine", "--trials", "8", "--executor", "inline", *TINY_TRIALS, "--set", "data.options.length=100",
        "--set", "data.options.series=10", "--set", "space.readout_refit=['never']", "--set", "pruning.startup=2",
        "--set", "search.width=1", "--no-confirm", "--results", str(folder),
    )  # fmt: skip
    assert done.exit_code == 0, done.stderr
    return folder


def content(folder: Path) -> dict[str, bytes]:
    files = [
        path for path in (folder / "sine").rglob("*") if path.is_file() and not path.name.startswith(".lock")
    ]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def number_of(results: Path, state: str) -> int:
    return next(one.number for one in StudyFolder(results / "sine").records() if one.state == state)


def reproduce(results, number, *options):
    return invoke(
        "reproduce", str(number), "sine", "--executor", "inline", "--results", str(results), *options
    )


@pytest.mark.parametrize("state", ["complete", "pruned"])
def test_a_trial_is_the_same_again_and_the_study_stays_as_it_is(results, state):
    before, number = content(results), number_of(results, state)
    shown = reproduce(results, number, "--json")
    assert shown.exit_code == 0, shown.stderr
    document = json.loads(shown.stdout)
    assert (document["agreement"], document["differing"]) == ("bits and scores", [])
    assert document["rollout_error"] == document["rollout_error_again"]
    assert content(results) == before
    own = {*document, "kind", "path", "stored", "now"}
    assert undocumented(own, "reproduce.md", "The JSON document") == []


@pytest.fixture
def changed(results):
    """Return a function that changes files of the shared study; they are restored at the end."""
    kept: dict[Path, bytes] = {}

    def change(path: Path, old: str, new: str) -> None:
        kept.setdefault(path, path.read_bytes())
        text, count = re.subn(old, new, path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        assert count
        path.write_text(text, encoding="utf-8")

    yield change
    for path, before in kept.items():
        path.write_bytes(before)


def test_another_machine_and_other_data_are_named(results, changed):
    number = number_of(results, "complete")
    changed(results / f"sine/trials/{number:04d}/trial.json", r'"torch": "[^"]+"', '"torch": "1.0"')
    changed(results / "sine/study.toml", r'data_fingerprint = "[^"]+"', 'data_fingerprint = "abc"')
    shown = reproduce(results, number)
    assert shown.exit_code == 0, shown.stderr  # the scores agree all the same
    assert "versions.torch: 1.0 in the record" in shown.stdout
    assert "data_fingerprint: abc in the record" in shown.stdout


def test_a_study_of_instructions_that_are_not_here_is_trained_with_those_that_are(results, changed):
    number = number_of(results, "complete")
    changed(
        results / f"sine/trials/{number:04d}/trial.json", r'"engine": "[^"]+"', '"engine": "native-future"'
    )
    changed(results / "sine/study.toml", r'instructions = "[^"]+"', 'instructions = "future"')
    shown = reproduce(results, number)
    assert "engine: native-future in the record" in shown.stdout, shown.stderr


def test_other_scores_exit_with_1(results, changed):
    number = number_of(results, "complete")
    path = results / f"sine/trials/{number:04d}/trial.json"
    error = StudyFolder(results / "sine").record(number).rollout_error
    changed(path, re.escape(repr(error)), repr(error / 2))
    shown = reproduce(results, number)
    assert (shown.exit_code, "but its scores differ" in " ".join(shown.stdout.split())) == (1, True)


def test_a_stopped_reproduction_resumes(results):
    number, interrupts, computed = number_of(results, "complete"), Interrupts(), []
    real = Functions()

    def segment(config, checkpoint, point):
        computed.append(point)
        interrupts.requests = int(len(computed) == 2)
        return real.segment(config, checkpoint, point)

    before = content(results)
    where = {"results": results, "executor": "inline"}
    functions = replace(real, segment=segment)
    stopped = sweep.reproduce(number, "sine", functions=functions, interrupts=interrupts, **where)
    assert stopped.interrupted and stopped.reproduction is None
    assert (results / f"sine/reproduce/{number:04d}/trials/0000/resume.bin").is_file()
    done = sweep.reproduce(number, "sine", functions=functions, **where)
    assert done.reproduction.agreement == "bits and scores"
    assert computed == sorted(set(computed))  # no segment twice
    assert content(results) == before


def test_a_training_that_fails_is_not_the_same(results):
    def broken(config, checkpoint, point):
        raise RuntimeError("made up")

    number, functions = number_of(results, "complete"), Functions(segment=broken)
    done = sweep.reproduce(number, "sine", results=results, executor="inline", functions=functions)
    assert (done.reproduction.agreement, done.reproduction.state_again) == ("neither", "failed")
    assert done.reproduction.rollout_error_again is None
    assert "The trial was complete and is failed now." in reason_texts(done.reproduction)


def test_what_cannot_be_reproduced_says_why(results, changed):
    assert "no trial 99" in reproduce(results, 99).stderr
    path = results / "sine/trials/0000/trial.json"
    changed(path, r'"state": "[a-z]+"', '"state": "failed"')
    changed(path, r'^ "rollout_error": [^,]+', ' "rollout_error": null')
    shown = reproduce(results, 0)
    assert (shown.exit_code, "trial 0 of sine has no score to reproduce: it is failed" in shown.stderr) == (
        1,
        True,
    )
    with DriverLock(results / "sine/.lock"):
        assert "is being run by process" in reproduce(results, 1).stderr
    with pytest.raises(ValueError, match="tolerance of at least 0"):
        sweep.reproduce(1, "sine", results=results, tolerance=-1)


def test_a_study_is_never_removed(results):
    with pytest.raises(StoreError, match="is a study: it is not removed"):
        StudyFolder(results / "sine").remove()
