"""How an API function runs its trials by default: as the study file says, with a rollout plot of each trial."""

from collections.abc import Callable
from dataclasses import replace

from sweep.search import Message, Progress, Settled, Watch
from sweep.search.execution import Execution, ExecutionSettings
from sweep.store import StudyFolder


def plot(folder: StudyFolder, number: int) -> bytes:
    """Return a trial's rollout plot as PNG. Only the process that draws imports matplotlib."""
    from sweep.report.plots.trial import draw_trial

    return draw_trial(folder, number)


def with_plots(settings: ExecutionSettings) -> Execution:
    """Return an execution with these settings that draws rollout plots, unless they say otherwise."""
    execution = Execution(**settings)
    functions = execution.functions
    return execution if functions.draw else replace(execution, functions=replace(functions, draw=plot))


class Utilisation:
    """A watcher that passes events on and measures which share of the workers' time went into tasks."""

    def __init__(self, watch: Watch) -> None:
        self.watch = watch
        self.latest: dict[str, Progress] = {}  # by stage

    def __call__(self, event: Settled | Message | Progress) -> None:
        """Take in an event and pass it on."""
        if isinstance(event, Progress):
            self.latest[event.stage] = event
        self.watch(event)

    def share(self, workers: int) -> float:
        """Return the share, in [0, 1], of this number of workers."""
        elapsed = sum(progress.elapsed for progress in self.latest.values())
        busy = sum(progress.busy for progress in self.latest.values())
        return busy / (elapsed * workers) if elapsed > 0 else 0.0


def measured(execution: Execution) -> tuple[Execution, Callable[[int], float]]:
    """Return an execution whose workers' time is measured, and the function that returns the share by workers."""
    utilisation = Utilisation(execution.watch)
    return replace(execution, watch=utilisation), utilisation.share
