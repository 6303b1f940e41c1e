"""The case of training series of different scale or level that are scaled together: the data decide, not the model."""

from typing import Any

from sweep.data.spread import APART
from sweep.diagnosis.causes.case import Case

POOLED = "data_scale"  # the fault of which this is a case


def pooled_apart(case: Case) -> bool:
    """Return whether one scaling for all series is used, and does not fit them."""
    facts = case.facts
    return case.config.data.scaling == "global" and (
        facts.series_scales > APART or facts.series_levels > APART
    )


def pooled_text(case: Case) -> str:
    """Return by how much the series differ, and the consequence."""
    facts = case.facts
    if facts.series_scales > APART:
        differ = f"The standard deviations of the {facts.series} training series differ by a factor of up to "
        differ += f"{facts.series_scales:.3g}"
    else:
        differ = (
            f"The means of the {facts.series} training series lie up to {facts.series_levels:.3g} standard "
        )
        differ += "deviations within the series apart"
    return (
        f"{differ}, and all of them are scaled together: the network hardly sees what happens in some, and a small "
        "error in the others is larger than their whole movement."
    )


def pooled_evidence(case: Case) -> dict[str, Any]:
    """Return the numbers behind the text."""
    return {"series_scales": case.facts.series_scales, "series_levels": case.facts.series_levels}
