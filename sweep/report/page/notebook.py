"""A study in a notebook: the answer and the top of the leaderboard as a small piece of HTML."""

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup, escape

from sweep.results.wording.leaderboard import board_rows
from sweep.results.wording.study import answer_text, heading_text, status_text

ROWS = 10  # of the leaderboard
HEAD = ("", "rollout error", "valid steps", "symptom", "configuration")


def notebook_html(document: Mapping[str, Any]) -> str:
    """Return the study's name, verdict, status, answer and next steps, and the best rows of its leaderboard.

    Everything is escaped.

    Args:
        document: from `report_document`.
    """
    answer = [] if document["best"] is None else [answer_text(document)]
    lines = [
        Markup("<h3>{}</h3>").format(document["study"]["name"]),
        *(
            Markup("<p>{}</p>").format(text)
            for text in (document["verdict"]["text"], status_text(document), heading_text(document), *answer)
        ),
        *(
            Markup("<p>{}<br><code>{}</code></p>").format(step["reason"], step["command"])
            for step in document["next"]
        ),
        Markup("<table><thead>{}</thead><tbody>").format(_row("th", HEAD)),
    ]
    for row in board_rows(document)[:ROWS]:
        cells = (row.name, row.texts["rollout_error"], row.texts["valid_steps"], row.symptom, row.what)
        lines.append(_row("td", cells))
    return str(Markup("\n").join([*lines, Markup("</tbody></table>")]))


def _row(tag: str, cells: tuple[str, ...]) -> Markup:
    return Markup("<tr>{}</tr>").format(
        Markup("").join(Markup(f"<{tag}>") + escape(cell) + Markup(f"</{tag}>") for cell in cells)
    )
