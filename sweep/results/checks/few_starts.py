"""Are there enough starts?"""

from sweep.config.text import plural
from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.selection import FEW_STARTS

NO_CLAIM = f"With fewer than {FEW_STARTS} starts that do not overlap,"  # begins a sentence of other checks


def few_starts(n_eff: int | None, whole_records: bool = False) -> Finding:
    """Are there enough starts that do not overlap to claim that one setting beats another?

    Args:
        n_eff: their number; None: not recorded.
        whole_records: whether each start is a whole record.
    """
    if n_eff is None:
        return CHECK.finding("not applicable", "The number of starts that do not overlap is not recorded.")
    evidence = {"n_eff": n_eff, "least": FEW_STARTS}
    if n_eff < FEW_STARTS:
        few = (
            f"Only {plural(n_eff, 'record is', 'records are')} scored, each by one rollout"
            if whole_records
            else f"Only {plural(n_eff, 'start does', 'starts do')} not overlap"
        )
        change = "Give more records." if whole_records else "Shorten the horizon, or give more data."
        text = f"{few}; below {FEW_STARTS}, the report never claims that one setting beats another. {change}"
        return CHECK.finding("issue", text, evidence)
    return CHECK.finding("ok", f"{n_eff} starts do not overlap.", evidence)


CHECK = CheckSpec(
    name="few_starts",
    titles=("Too few starts", "Enough starts"),
    check=lambda tables: few_starts(tables.study.n_eff, tables.study.from_start is True),
    source="our choice, docs/metrics.md",
)
