"""The page of an examination of forecasts from elsewhere, in the style of a study's report."""

from collections.abc import Mapping
from typing import Any

from sweep.report.page.rendering import data_uri, rendered
from sweep.results.wording.breakdown import shown_breakdown
from sweep.results.wording.examination import baseline_table, examined_facts, starts_table, symptom_lines


def examination_page(document: Mapping[str, Any], picture: bytes | None) -> str:
    """Return the page; everything from the data is escaped.

    Args:
        document: of the examination (docs/doctor.md).
        picture: PNG; None: there is none.
    """
    scored = document["scores"] is not None
    return rendered(
        "examination.html.j2",
        verdict=document["verdict"],
        lines=symptom_lines(document),
        facts=examined_facts(document),
        notes=document["notes"],
        picture=None if picture is None else data_uri(picture),
        baselines=baseline_table(document) if scored else None,
        starts=starts_table(document) if scored else None,
        groups=shown_breakdown(document["breakdown"]) if document["breakdown"] else [],
    )
