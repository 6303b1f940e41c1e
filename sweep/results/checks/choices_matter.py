"""Which choices are better?"""

from collections.abc import Sequence

from sweep.diagnosis.check import CheckSpec
from sweep.diagnosis.finding import Finding
from sweep.results.checks.few_starts import NO_CLAIM
from sweep.results.effects import Claim
from sweep.results.wording.numbers import number_text


def choices_matter(claims: Sequence[Claim], tested: int, enough_starts: bool, rung_words: str) -> Finding:
    """Which choices does the study show to be better, and by how much?

    Args:
        claims: from `effect_claims`.
        tested: choices with enough trials to test.
        enough_starts: whether there are enough starts to claim that one setting beats another.
        rung_words: the scores that were compared, in words.
    """
    if not enough_starts:
        return CHECK.finding(
            "not applicable", f"{NO_CLAIM} no value of a choice is claimed to be better than the others."
        )
    if not tested:
        return CHECK.finding("not applicable", "Too few trials to compare the values of a choice.")
    if not claims:
        text = (
            "No value of a choice is shown to be better than the others: "
            "the trials are too few, or the choices do not matter."
        )
        return CHECK.finding("ok", text, {"tested": tested})
    leads = (
        ("rung", f"By {rung_words}, better than the rest:"),
        ("end", "By the final scores of the trials that trained to the end, better than the rest:"),
    )
    text = " ".join(
        " ".join([lead, *(_claim_text(claim) for claim in claims if claim.basis == basis)])
        for basis, lead in leads
        if any(claim.basis == basis for claim in claims)
    )
    return CHECK.finding("issue", text, {"tested": tested, "claims": [vars(claim) for claim in claims]})


def _claim_text(claim: Claim) -> str:
    among = (
        "" if claim.readout_refit is None else f" (among trials with readout_refit = {claim.readout_refit})"
    )
    return (
        f"{claim.param} = {claim.value}{among}: median {number_text(claim.median, 2)} against "
        f"{number_text(claim.others, 2)} for the others "
        f"(difference {number_text(claim.low, 2)} to {number_text(claim.high, 2)})."
    )


CHECK = CheckSpec(
    name="choices_matter",
    titles=("Some choices are better than others", "No choice stands out"),
    check=lambda tables: choices_matter(
        tables.claims, len(tables.comparisons), tables.study.enough_starts, tables.rung.words
    ),
    source="permutation test and bootstrap, see `effect_claims`",
)
