"""What a notebook shows of a study and of a plot, whatever backend it has set."""

import os
import subprocess
import sys

import pytest

import sweep
from sweep.report.page.notebook import notebook_html
from sweep.report.plots.picture import Picture
from sweep.report.plots.trial import draw_trial
from sweep.results.document import report_document

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def loaded(study):
    return sweep.load_study(str(study.path))


def test_a_study_shows_its_answer_and_the_top_of_its_leaderboard(loaded, study):
    html = loaded._repr_html_()
    document = report_document(study)
    assert html.startswith(f"<h3>sine</h3>\n<p>{document['verdict']['text']}</p>")
    assert f"Best network: trial {document['best']}" in html and "on locked test data" in html
    assert html.count("<tr>") == 11 and f"<td>trial {document['best']}</td>" in html
    assert "<td>seasonal</td><td>exact</td>" in html


def test_names_are_escaped(one, writer):
    _, write_trial, *_ = writer
    one.write_study({**one.read_study(), "name": NASTY})
    write_trial(one, 1, {"cell": NASTY}, "drift", 0.01, 0.01)
    html = notebook_html(report_document(one))
    assert NASTY not in html and html.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2


def test_a_study_without_a_trial_shows_what_to_do(empty):
    html = notebook_html(report_document(empty))
    assert "The study has not ended; this resumes it, up to 40 trials." in html
    assert f"<code>sweep run sine --results {empty.path.parent}</code>" in html


def test_the_names_that_completion_offers(loaded):
    assert [name for name in dir(loaded) if not name.startswith("_")] == [
        "breakdown",
        "document",
        "errors",
        "evaluations",
        "folder",
        "forecast",
        "leaderboard",
        "name",
        "plot",
        "rollout",
        "steps",
        "trials",
    ]


def test_a_plot_shows_and_saves_itself(loaded, study, tmp_path):
    picture = loaded.plot(0)
    assert isinstance(picture, Picture) and picture == draw_trial(study, 0)
    assert picture._repr_png_() == draw_trial(study, 0)
    assert picture.save(tmp_path / "0.png").read_bytes() == draw_trial(study, 0)
    assert repr(picture) == f"<PNG picture of {len(picture):,} bytes>"


def drawn(code: str, backend: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "MPLBACKEND": backend, "PYTHONPATH": ":".join(sys.path)}
    return subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=False)


DRAW = """
import os, sys
from pathlib import Path
from sweep.report.plots.trial import draw_trial
from sweep.report.write import write_report
from sweep.store.folder import StudyFolder
folder = StudyFolder(Path(sys.argv[1]))
assert draw_trial(folder, 0).startswith(b"\\x89PNG") and write_report(folder).page.is_file()
import matplotlib
print(os.environ["MPLBACKEND"], matplotlib.rcParams["backend"])
"""


@pytest.mark.parametrize("backend", ["module://matplotlib_inline.backend_inline", "svg", "no_such_backend"])
def test_the_backend_of_the_environment_never_matters(one, backend):
    shown = drawn(DRAW.replace("sys.argv[1]", repr(str(one.path))), backend)
    assert shown.returncode == 0, shown.stderr
    variable, used = shown.stdout.split()
    assert variable == backend  # left as it was
    if backend == "svg":
        assert used == "svg"  # pyplot of the same process gets a backend that exists
    if backend == "no_such_backend":
        assert drawn("import matplotlib", backend).returncode == 1  # control: without our care it fails
