"""A reproduction in words: what agrees, and why not more."""

from sweep.config.text import shortened
from sweep.results.reproduction import Differing, Reproduction
from sweep.results.wording.numbers import count_text, number_text, percent_text

DIGITS = 6  # of two scores that may differ little
VALUE_MOST = 40  # characters of a fact


def agreement_text(result: Reproduction) -> str:
    """Return what agrees, in a sentence with both scores."""
    trial = f"Trial {result.number}"
    stored, now = (number_text(error, DIGITS) for error in (result.rollout_error, result.rollout_error_again))
    until = f" up to where it was pruned ({count_text(result.compared_until)} sequence-steps)"
    where = until if result.state == "pruned" else ""
    errors = f"rollout error {stored} in the record, {now} now"
    within = percent_text(result.tolerance) if result.tolerance >= 0.01 else f"{100 * result.tolerance:g} %"
    return {
        "bits and scores": f"{trial} is reproduced{where}: bits and scores agree (rollout error {stored}).",
        "scores": f"{trial} is reproduced{where} within {within}, but not bit for bit: {errors}.",
        "bits": f"{trial} trains to the same bits{where}, but its scores differ: {errors}.",
        "neither": f"{trial} is not reproduced{where}: neither bits nor scores agree; {errors}.",
    }[result.agreement]


def reason_texts(result: Reproduction) -> list[str]:
    """Return where the trainings part, and each fact that differs from the record."""
    texts = []
    if result.first_difference is not None:
        texts.append(
            f"The trainings differ from {count_text(result.first_difference)} sequence-steps on, at the latest."
        )
    if result.state not in ("pruned", result.state_again):
        texts.append(f"The trial was {result.state} and is {result.state_again} now.")
    texts += [differing_text(entry) for entry in result.differing]
    if not result.differing:
        same = "Machine, versions, engine, threads and data are as recorded."
        texts.append(same if result.bits else f"{same} {UNRECORDED}")
    return texts


UNRECORDED = (
    "So the difference has a cause that is not recorded: another model of processor, a changed file of the trial, or "
    "changed code."
)


def differing_text(entry: Differing) -> str:
    """Return one fact in a line: `versions.torch: 2.12.0 in the record, 2.13.0 now`."""
    stored, now = (
        "not recorded" if value is None else shortened(str(value), VALUE_MOST)
        for value in (entry.stored, entry.now)
    )
    return f"{entry.path}: {stored} in the record, {now} now"
