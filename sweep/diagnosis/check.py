"""A check of a whole study: a question with two titles, and the function that answers it.

The table of sweep's own checks is in `sweep.results.checks`, a room above; the names of plug-ins are known here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sweep.config.registry import Registry
from sweep.diagnosis.finding import Finding, Severity


@dataclass(frozen=True)
class CheckSpec:
    """A check: a pure function of the stored study that returns a finding with this name as its code.

    "not applicable" is a severity too, so that silence is never taken for health.
    """

    name: str  # code of its findings
    titles: tuple[str, str]  # of an issue or a tip, and of an ok
    check: Callable[[Any], Finding]  # of a `sweep.results.study_tables.StudyTables`
    source: str  # author, year; or "our choice" and the reason

    def title(self, severity: Severity) -> str:
        """Return the title of a finding; where the check is not applicable it is a question."""
        found, clear = self.titles
        return {"ok": clear, "not applicable": f"{found}?"}.get(severity, found)

    def finding(self, severity: Severity, text: str, evidence: Mapping[str, Any] | None = None) -> Finding:
        """Return a finding of this check.

        Args:
            severity: "issue", "tip", "ok" or "not applicable".
            text: one or two sentences with the numbers.
            evidence: the numbers, plain JSON values.
        """
        return Finding(self.name, severity, text, evidence or {}, self.title(severity))


CHECKS_OF_PLUGINS: Registry[CheckSpec] = Registry("check", (), spec=CheckSpec)
