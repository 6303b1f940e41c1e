"""The checks of a whole study, one file each, and their table."""

from sweep.diagnosis.check import CheckSpec
from sweep.results.checks.known_checks import CHECKS, check_findings

__all__ = ["CHECKS", "CheckSpec", "check_findings"]
