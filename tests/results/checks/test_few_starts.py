from sweep.results.checks.few_starts import few_starts


def test_eight_starts_are_enough_and_seven_are_not():
    assert few_starts(7).severity == "issue"
    assert few_starts(7).text.count("do not overlap") == 1
    assert few_starts(8).severity == "ok"
    assert few_starts(None).severity == "not applicable"
