"""Are there enough starts?"""

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.selection import FEW_STARTS

NO_CLAIM = f"With fewer than {FEW_STARTS} starts that do not overlap,"  # begins a sentence of other checks


def few_starts(n_eff: int | None) -> Finding:
    """Are there enough starts that do not overlap to claim that one setting beats another?"""
    if n_eff is None:
        return CHECK.finding("not applicable", "The number of starts that do not overlap is not recorded.")
    evidence = {"n_eff": n_eff, "least": FEW_STARTS}
    if n_eff < FEW_STARTS:
        text = (
            f"Only {n_eff} starts do not overlap; below {FEW_STARTS}, the report never claims that one setting beats "
            "another. Shorten the horizon, or give more data."
        )
        return CHECK.finding("issue", text, evidence)
    return CHECK.finding("ok", f"{n_eff} starts do not overlap.", evidence)


CHECK = CheckSpec(
    name="few_starts",
    titles=("Too few starts", "Enough starts"),
    check=lambda tables: few_starts(tables.study.n_eff),
    source="our choice, docs/metrics.md",
)
