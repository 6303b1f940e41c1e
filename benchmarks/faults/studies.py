"""The study that is attacked, the commands on it, and the oracle that compares what they leave."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.faults.children import command
from sweep.store import StudyFolder
from tests.support.attack import same_study, trainings

TOTAL = 8
SETTINGS = (
    "training.budget=12000", "training.evaluations=6", "training.window=32", "training.burn_in=4",
    "model.hidden=8", "model.layers=1", "score.warmup=60", "score.horizon=60", "score.starts=8",
    "data.options.length=200", "data.options.series=20", "pruning.startup=2", "search.width=4",
    "space.readout_refit=['never']",
)  # fmt: skip
SECONDS = 300.0  # longest time of a command that is not disturbed
VOLATILE = {"seconds", "host", "date", "time", "commands", "elapsed"}  # keys of what the clock decides

INLINE = ("--executor", "inline")
COMMANDS: dict[str, tuple[str, ...]] = {
    "run": (
        "run", "sine", "--trials", str(TOTAL), "--no-confirm", *INLINE,
        *(word for setting in SETTINGS for word in ("--set", setting)),
    ),
    "confirm": ("confirm", "sine", "--top", "2", "--seeds", "2", *INLINE),
    "treat": ("treat", "0", "sine", "--seeds", "2", "--change", "training.budget=9000", *INLINE),
    "audit": ("audit", "sine", "--trials", "2", *INLINE),
    "fit": ("fit", "sine", "--trial", "0", "--seeds", "2", *INLINE),
    "report": ("report", "sine", "--json"),
}  # fmt: skip
BELOW = {"confirm": "confirm", "treat": "treat/0000", "audit": "audit", "fit": "fit"}
DOCUMENTS = {  # and the command after which they are final
    "winner": "confirm", "confirmation": "confirm", "audit": "audit", "fit/fit": "fit",
    "treat/0000/treatment": "treat",
}  # fmt: skip


@dataclass(frozen=True)
class Place:
    """A folder with the results, and with everything that a command could write elsewhere."""

    path: Path

    @property
    def results(self) -> Path:
        """Return the folder of all studies."""
        return self.path / "results"

    @property
    def study(self) -> Path:
        """Return the folder of the study."""
        return self.results / "sine"

    @property
    def log(self) -> Path:
        """Return the file of what all commands print."""
        return self.path / "output.txt"

    def words(self, name: str) -> list[str]:
        """Return the words of a command."""
        return [*COMMANDS[name], "--results", str(self.results)]

    def prepare(self) -> "Place":
        """Make a run believe that the baselines have been scored: no part of what is attacked, and slow."""
        self.study.mkdir(parents=True)
        (self.study / "baselines.json").write_text('{"baselines": {}}')
        return self

    def copy(self, path: Path) -> "Place":
        """Return a copy."""
        shutil.copytree(self.path, path)
        (path / "output.txt").unlink(missing_ok=True)
        return Place(path)

    def finish(self, name: str) -> None:
        """Let a command end undisturbed; fail unless it does as it should."""
        child = command(self.words(name), self.log)
        code = child.wait(SECONDS)
        if code is None:
            child.kill()
        assert code == 0, f"{name} ended with {code}: {self.log.read_text()[-300:]}"
        assert not child.left, f"{name} left processes"

    @property
    def printed(self) -> str:
        """Return what the commands have printed."""
        return self.log.read_text(errors="replace") if self.log.exists() else ""


def steady(value: Any) -> Any:
    """Return a document without what the clock decides."""
    if isinstance(value, dict):
        return {key: steady(part) for key, part in value.items() if key not in VOLATILE}
    return [steady(part) for part in value] if isinstance(value, list) else value


def check(place: Place, reference: Place, done: tuple[str, ...] = tuple(COMMANDS)) -> None:
    """Fail unless a study equals the undisturbed one in all that the commands `done` leave.

    Raises:
        AssertionError: the text says in what it differs.
    """
    same_study(reference.study, place.study, TOTAL)
    for name, folder in BELOW.items():
        if name in done:
            one, other = (StudyFolder(p.study / folder, p.study) for p in (reference, place))
            assert trainings(one) == trainings(other), f"the trainings of {name} differ"
    for name, command_of in DOCUMENTS.items():
        texts = [p.study / f"{name}.json" for p in (reference, place)]
        if command_of in done and texts[0].exists():
            one_says, other_says = (steady(json.loads(text.read_text())) for text in texts)
            assert one_says == other_says, f"{name}.json differs"
    outside = sorted(p.name for p in place.path.iterdir()) + sorted(p.name for p in place.results.iterdir())
    assert outside == ["output.txt", "results", "sine"], f"written outside of the study: {outside}"
    assert "Traceback" not in place.printed, "a traceback was printed"
