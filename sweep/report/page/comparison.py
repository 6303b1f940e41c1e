"""The page of a comparison: compare.html, one self-contained file in the style of the report."""

from sweep.report.page.rendering import data_uri, rendered
from sweep.report.plots.comparison import best_so_far_plot, distribution_plot
from sweep.results.comparison.compared import Comparison, Pair
from sweep.results.wording.comparison import (
    COMPARISON_LEGEND,
    NOTHING_DIFFERS,
    basis_text,
    differences_table,
    heading_text,
    scores_table,
    verdict_text,
)

SEVERITY = {"worse": "issue", "better": "ok"}  # of a verdict; of all others "not applicable"


def comparison_html(comparison: Comparison) -> str:
    """Return the page. Everything from the studies is escaped."""
    names = [comparison.pairs[0].first.name, *(pair.second.name for pair in comparison.pairs)]
    return rendered(
        "compare.html.j2",
        names=names,
        pairs=[_values(pair) for pair in comparison.pairs],
        legend=COMPARISON_LEGEND,
        nothing=NOTHING_DIFFERS,
    )


def _values(pair: Pair) -> dict[str, object]:
    names = (pair.first.name, pair.second.name)
    return {
        "heading": heading_text(pair),
        "verdict": verdict_text(pair),
        "severity": "issue" if pair.alarm else SEVERITY.get(pair.verdict, "not applicable"),
        "basis": basis_text(pair),
        "scores": scores_table(pair),
        "differences": differences_table(pair),
        "plots": [
            (data_uri(best_so_far_plot(pair)), f"Lowest rollout error so far of {names[0]} and {names[1]}"),
            (data_uri(distribution_plot(pair)), f"Distribution of the errors of {names[0]} and {names[1]}"),
        ],
    }
