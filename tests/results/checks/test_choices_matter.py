from sweep.results.checks.choices_matter import choices_matter
from sweep.results.effects import Claim


def test_claims_are_told_only_with_enough_starts():
    claim = Claim("cell", "gru", 0.3, 0.6, 0.1, 0.4, 12, "rung")
    finding = choices_matter([claim], 1, True, "the error at 11%")
    assert finding.severity == "issue"
    assert "cell = gru: median 0.3 against 0.6" in finding.text
    end = Claim("scheduler", "one_cycle", 0.13, 0.23, 0.032, 0.15, 12, "end")
    text = choices_matter([end], 1, True, "the error at 11%").text
    assert "11%" not in text and text.startswith(
        "By the final scores of the trials that trained to the end, "
    )
    both = choices_matter([claim, end], 2, True, "the error at 11%").text
    assert both.index("cell = gru") < both.index("By the final scores") < both.index("scheduler = one_cycle")
    few = choices_matter([claim], 1, False, "x")
    assert few.severity == "not applicable"
    assert "no value of a choice" in few.text  # a sentence of its own: what is open is named
    assert choices_matter([], 1, True, "x").severity == "ok"
    assert choices_matter([], 0, True, "x").severity == "not applicable"
