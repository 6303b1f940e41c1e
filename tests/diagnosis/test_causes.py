"""The cause level: its table, its features, its model by hand, and what a finding of it says."""

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from sweep.config.data_section import DataConfig
from sweep.config.records import Evaluation, Scores, TrialRecord
from sweep.config.sections import ModelConfig, ScoreConfig, TrainingConfig
from sweep.config.trial import TrialConfig
from sweep.data import load
from sweep.diagnosis import facts
from sweep.diagnosis.causes import Case, curves_of
from sweep.diagnosis.causes.cause_model import CauseModel, cause_model_from_json, shipped_model
from sweep.diagnosis.causes.features import FEATURES, PROBED
from sweep.diagnosis.causes.findings import cause_findings, inapplicable, likely, prescribed
from sweep.diagnosis.causes.known_causes import CAUSES, HEALTHY
from sweep.diagnosis.causes.prescriptions import fitting_window
from sweep.diagnosis.facts import facts_of
from sweep.diagnosis.probes import PROBES, Subject, measured
from sweep.diagnosis.symptoms import SYMPTOMS
from sweep.trial import setup_facts
from tests.support.probed import lorenz_task, network_of, sine_task

DOCS = Path(__file__).resolve().parents[2] / "docs" / "diagnosis" / "causes.md"


def config_of(**changes: Any) -> TrialConfig:
    document: dict[str, Any] = {
        "data": DataConfig(source="sine", options={"T": 2, "length": 400, "series": 7}),
        "score": ScoreConfig(warmup=40, horizon=60, starts=5),
        "model": ModelConfig(hidden=5, layers=1, **changes.pop("model", {})),
        "training": TrainingConfig(
            **{
                "budget": 40_000,
                "window": 32,
                "optimizer": {"name": "adam", "lr": 0.01, "momentum": 0.9},
                **changes,
            }
        ),
        "seed": 1,
    }
    return TrialConfig.model_validate(
        {key: value if key == "seed" else value.model_dump() for key, value in document.items()}
    )


def test_where_nothing_is_better_than_a_trivial_forecast_no_training_is_at_fault():
    case = case_of(shuffle=False)
    named = [f.code for f in cause_findings(case, failing=True) if f.severity in ("issue", "tip")]
    assert named  # control
    findings = cause_findings(case, failing=True, hopeless="persistence is as good as anything")
    left = {finding.code for finding in findings if finding.severity != "not applicable"}
    assert left == {"C13", "C14"}
    text = next(finding.text for finding in findings if finding.code == named[0])
    assert text == "Cannot be decided here: persistence is as good as anything."


def pooled_case(scaling: str = "global", **facts: float) -> Case:
    case = case_of()
    data = case.config.data.model_copy(update={"scaling": scaling})
    config = case.config.model_copy(update={"data": data})
    return replace(case, config=config, facts=replace(case.facts, **{"series": 7, **facts}))


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        (
            {"series_scales": 1e6},
            "The standard deviations of the 7 training series differ by a factor of up to 1e+06",
        ),
        ({"series_levels": 40.0}, "The means of the 7 training series lie up to 40 standard deviations"),
    ],
)
def test_series_that_one_scaling_does_not_fit_are_the_cause_of_a_failure(facts: dict[str, float], text: str):
    case = pooled_case(**facts)
    found = next(f for f in cause_findings(case, failing=True) if f.severity == "issue")
    assert found.code == "C11" and found.text.startswith(text)
    assert [(change.path, change.value) for change in found.prescriptions[0]] == [("data.scaling", "series")]
    assert {key: found.evidence[key] for key in facts} == facts
    # where no baseline has skill, they may suffer from the scaling, too
    hopeless = {f.code: f.severity for f in cause_findings(case, hopeless="nothing has skill")}
    assert hopeless["C11"] == "issue" and hopeless["C05"] == "not applicable"


def test_such_series_are_no_cause_where_nothing_fails_or_each_is_scaled():
    def severity(case: Case, failing: bool) -> str:
        return {f.code: f.severity for f in cause_findings(case, failing)}["C11"]

    assert severity(pooled_case(series_scales=1e6), failing=False) == "ok"
    assert severity(pooled_case("series", series_scales=1e6), failing=True) == "ok"
    assert severity(pooled_case(series_scales=9.0, series_levels=9.0), failing=True) == "ok"


def test_facts_know_how_series_differ(tmp_path: Path):
    time = np.arange(300.0)
    np.save(tmp_path / "two.npy", np.stack([np.sin(time), 500 * np.sin(time)])[..., None])
    score = ScoreConfig(warmup=10, horizon=10, starts=4)
    for scaling in ("global", "none"):
        facts = facts_of(load(DataConfig(path="two.npy", scaling=scaling), score, tmp_path))
        assert facts.series == 2
        assert facts.series_scales == pytest.approx(500) and facts.series_levels < 1
    each = facts_of(load(DataConfig(path="two.npy", scaling="series"), score, tmp_path))
    assert each.series_scales == pytest.approx(1)


def test_one_series_is_not_scaled_by_itself_instead():
    alone = replace(pooled_case(), facts=replace(pooled_case().facts, series=1))
    assert prescribed(alone, CAUSES["C11"]) == ()
    assert prescribed(pooled_case(), CAUSES["C11"]) != ()


def evaluation(point: int, error: float, **evidence: Any) -> Evaluation:
    scores = Scores(error, (error,) * 4, error, 30.0, 20.0, 40.0, 0.0, error / 10, error / 10)
    lags = {"1": 1.0, "2": 0.5, "4": 0.1, "8": 1e-2, "16": 1e-5}
    measured_evidence = {"gate_saturation": [0.1], "input_gradient_by_lag": lags, **evidence}
    return Evaluation(point, 1000 * (point + 1), 10 * (point + 1), scores, 0.1, 0.01, measured_evidence)


def curves(bins: int = 100, **columns: Any) -> dict[str, np.ndarray]:
    share = np.linspace(0.01, 1, bins)
    plain: dict[str, Any] = {
        "share": share,
        "updates": np.arange(1, bins + 1) * 10.0,
        "loss": 10.0 ** (-2 * share),
        "loss_max": 2 * 10.0 ** (-2 * share),
        "gradient_norm": np.full(bins, 0.1),
        "gradient_norm_max": np.full(bins, 1.0),
        "update_ratio": np.full(bins, 0.004),
        "clip_fraction": np.zeros(bins),
        "lr": np.full(bins, 0.01),
        "gradient_cosine": np.full(bins, 0.5),
    }
    return {**plain, **columns}


def case_of(errors: tuple[float, ...] = (0.9, 0.5, 0.6), **changes: Any) -> Case:
    made = changes.pop("curves", None) or curves()
    config = config_of(**changes)
    task = sine_task()
    network = network_of(1, cell=config.model.cell)
    subject = Subject(network, task)
    probes = {name: measured(PROBES[name], subject) for name in PROBED}
    evaluations = tuple(evaluation(i, error) for i, error in enumerate(errors))
    best = int(np.argmin(errors))
    record = TrialRecord(
        3,
        "complete",
        {},
        {},
        "sampled",
        evaluations,
        errors[best],
        best,
        best,
        updates=1000,
        sequence_steps=40_000,
    )
    facts = facts_of(task.data)
    return Case(config, record, made, probes, facts, setup_facts(config, facts.channels))


# --- the table --------------------------------------------------------------------------------------


def test_every_cause_has_a_code_a_section_and_one_answer():
    codes = [cause.name for cause in CAUSES.values()]
    assert codes == [f"C{number:02d}" for number in range(1, len(codes) + 1)] and len(codes) >= 20
    text = DOCS.read_text()
    for cause in CAUSES.values():
        section = text.split(f"## {cause.name} {cause.title}\n")[1].split("\n## ")[0]
        assert all(f"**{word}**" in section for word in ("Detected", "Matters", "Do", "Source")), cause.name
    assert not set(codes) & set(SYMPTOMS)
    planted = {cause.fault for cause in CAUSES.values() if cause.decided == "calibrated"}
    assert planted | {HEALTHY} == set(shipped_model().answers)


def test_the_benchmark_and_the_table_speak_of_the_same_faults():
    from benchmarks.diagnosis.faults import FAULTS

    assert set(FAULTS) <= {cause.fault for cause in CAUSES.values()}


# --- features ---------------------------------------------------------------------------------------


def test_every_feature_is_a_number_of_a_whole_case():
    case = case_of()
    values = {name: feature.read(case) for name, feature in FEATURES.items()}
    assert all(isinstance(value, float) for value in values.values())
    unknown = {name for name, value in values.items() if math.isnan(value)}
    assert unknown <= {
        "rollout_slope_end",
        "rollout_jumps",
        "ringing",
    }  # three checkpoints, and a loss without scatter
    assert all(feature.meaning and feature.name == name for name, feature in FEATURES.items())


def test_features_of_a_case_without_probes_curves_and_checkpoints():
    case = case_of()
    bare = replace(
        case, curves={}, probes={}, record=replace(case.record, evaluations=(), best=None, rollout_error=None)
    )
    values = {name: feature.read(bare) for name, feature in FEATURES.items()}
    assert values["rollout"] == 0 and math.isnan(values["loss_fall"]) and math.isnan(values["washout"])
    assert cause_findings(bare)


def test_features_worked_by_hand():
    share = np.linspace(0.01, 1, 100)
    read = {name: feature.read for name, feature in FEATURES.items()}
    case = case_of()
    assert read["loss_fall"](case) == pytest.approx(2 * (np.median(share[95:]) - np.median(share[:3])))
    assert read["update_ratio"](case) == pytest.approx(math.log10(0.004))
    assert read["gradient_peak"](case) == pytest.approx(1.0)
    assert read["travel"](case) == pytest.approx(math.log10(1000 * 0.004))
    assert read["averaging"](case) == pytest.approx(1.0)
    assert read["averaging_share"](case) == pytest.approx(1.0 - 3.0)
    assert read["last_regret"](case) == pytest.approx(math.log10(0.6 / 0.5))
    assert read["gradient_lag"](case) == pytest.approx(math.log10(0.5 / 1e-5))
    stepped = np.where(share > 0.2, 1e-4, 1e-2)
    assert read["rate_spent"](case_of(curves=curves(lr=stepped))) == pytest.approx(0.8)
    zigzag = 10.0 ** (np.arange(100) % 2 * 0.2)
    assert read["ringing"](case_of(curves=curves(loss=zigzag))) < -0.9
    clipped = case_of(clip=0.01, curves=curves(clip_fraction=np.ones(100)))
    assert read["clip_depth"](clipped) == pytest.approx(1.0) and read["clipped"](clipped) == 1.0


def test_no_feature_reads_a_switch_that_plants_a_fault():
    plain, switched = case_of(), case_of(model={"init_gain": 5.0, "forget_bias": 3.0})
    for name, feature in FEATURES.items():
        assert feature.read(plain) == pytest.approx(feature.read(switched), nan_ok=True), name


# --- facts of the data ------------------------------------------------------------------------------


def series_file(folder: Path, values: np.ndarray) -> Any:
    np.save(folder / "series.npy", values)
    config = DataConfig(path="series.npy", split=(0.6, 0.2, 0.2))
    return load(config, ScoreConfig(warmup=20, horizon=40, starts=6), folder)


def test_a_leak_is_counted_by_exact_stretches(tmp_path: Path):
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((2, 500, 1))
    assert facts_of(series_file(tmp_path, noise)).leaked == 0
    leaky = noise.copy()
    leaky[1, :300] = noise[0, 200:]  # the second series trains on what the first is validated on
    assert 0.3 < facts_of(series_file(tmp_path, leaky)).leaked < 0.7
    rounded = np.round(noise)  # single numbers repeat, stretches of eight do not
    assert facts_of(series_file(tmp_path, rounded)).leaked < 0.05


def test_what_a_series_repeats_itself_is_no_leak(tmp_path: Path):
    rng = np.random.default_rng(0)
    nights = rng.standard_normal((1, 500, 1)) * (np.arange(500) % 48 < 24)[:, None]  # half of it is zeros
    assert facts_of(series_file(tmp_path, nights)).leaked == 0
    days = np.tile(rng.standard_normal((1, 25, 1)), (1, 20, 1))  # exactly periodic
    assert facts_of(series_file(tmp_path, days)).leaked == 0
    twins = np.repeat(rng.standard_normal((1, 500, 1)), 2, axis=0)
    twins[1, :300] = twins[0, 200:]  # a second series that holds the first one's validation part is a leak
    assert facts_of(series_file(tmp_path, twins)).leaked > 0.3


def test_a_leak_is_counted_in_blocks_of_a_series_and_over_thousands_of_them(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(1)
    series = tuple(rng.integers(0, 2, (length, 2)).astype(float) for length in (90, 7, 64, 8, 200))
    series[0][20:28] = series[4][50:58] = 7.0  # once in each of two series
    series[2][10:18] = series[2][40:48] = 8.0  # twice in one
    every: list[list[bytes]] = [
        [np.ascontiguousarray(values[begin : begin + 8]).tobytes() for begin in range(len(values) - 7)]
        for values in series
    ]
    rows = {row for one in every for row in one}
    slow = {row for row in rows if max(one.count(row) for one in every) == 1}
    once, twice = (np.full((8, 2), value).tobytes() for value in (7.0, 8.0))
    monkeypatch.setattr(facts, "BLOCK", 10)
    assert facts._once_in_a_series(series, 8, rows) == slow and once in slow and twice in rows - slow
    assert facts._once_in_a_series(series, 8, {once, twice, b"none"}) == {once}


def test_stretches_are_every_nth_of_all_series(monkeypatch: pytest.MonkeyPatch):
    rng = np.random.default_rng(2)
    series = [rng.standard_normal((length, 2)) for length in (90, 7, 64, 8, 9, 200)]
    spread = np.array([2.0, 0.5])
    every = [(values[i : i + 8] / spread).ravel() for values in series for i in range(len(values) - 7)]
    for most, stride in ((10_000, 1), (100, 4), (10, 34)):
        monkeypatch.setattr(facts, "REFERENCES", most)
        assert np.array_equal(facts._stretches(series, 8, spread), np.array(every)[::stride])


def test_a_leak_is_told_from_a_twentieth_on_whatever_the_weights_say():
    model = shipped_model()
    values = dict(zip(model.features, model.centre, strict=True))

    def leak_of(share: float) -> tuple[bool, float]:
        case = replace(case_of(), facts=replace(case_of().facts, leaked=share))
        alarm, possible = likely(case, model, {**values, "leaked": share})
        return alarm, possible["leak"]

    assert leak_of(0.05) == leak_of(0.5) == (True, 1.0)
    assert leak_of(0.049)[1] == leak_of(0.0)[1] == 0.0
    leaky = replace(case_of(), facts=replace(case_of().facts, leaked=0.06))
    first = cause_findings(leaky)[0]
    assert (first.code, first.severity, first.confidence) == ("C14", "issue", 1.0)


def test_a_gap_shows_in_the_distance_and_in_the_linear_forecast(tmp_path: Path):
    time = np.arange(1000)
    same = np.sin(2 * np.pi * time / 25)[:, None]
    other = np.concatenate([same[:600], np.sin(2 * np.pi * time / 19)[600:, None]])
    alike, apart = (facts_of(series_file(tmp_path, values)) for values in (same, other))
    assert alike.period == pytest.approx(25, rel=0.01) and alike.memory == pytest.approx(25 / 4, abs=1)
    assert apart.nearest_validation > 10 * alike.nearest_validation
    assert apart.linear_validation > 1e3 * max(apart.linear_training, 1e-9)
    assert alike.linear_validation < 1e-6


def test_facts_of_several_channels():
    facts = facts_of(lorenz_task().data)
    assert facts.channels == 3 and facts.samples == 900 and facts.period is None
    assert 0.9 < facts.input_spread < 1.1 and facts.input_mean < 0.1 and facts.leaked == 0


# --- the model --------------------------------------------------------------------------------------


def small_model() -> CauseModel:
    return CauseModel(
        features=("one", "two"),
        answers=("a", "b", HEALTHY),
        low=np.array([-9.0, -9.0]),
        high=np.array([9.0, 9.0]),
        centre=np.array([1.0, 0.0]),
        spread=np.array([2.0, 1.0]),
        weights=np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 0.0]]),
        bias=np.array([0.0, 0.0, math.log(2)]),
        healthy_low=np.zeros(2),
        healthy_high=np.ones(2),
        alarm=0.5,
    )


def test_probabilities_by_hand():
    model = small_model()
    probabilities = model.probabilities({"one": 3.0, "two": 0.0})  # scores 1, 0, log 2
    total = math.e + 1 + 2
    assert probabilities == pytest.approx({"a": math.e / total, "b": 1 / total, HEALTHY: 2 / total})
    assert model.probabilities({"one": math.nan}) == pytest.approx({"a": 0.25, "b": 0.25, HEALTHY: 0.5})
    far = model.probabilities({"one": 1e9, "two": 0.0})
    assert far["a"] == pytest.approx(math.exp(4) / (math.exp(4) + 3))
    assert model.reasons({"one": 3.0, "two": 0.0}, "a")[0] == ("one", pytest.approx(1 - 1 / 3))


def test_a_model_goes_to_json_and_back():
    model = small_model()
    back = cause_model_from_json(json.loads(json.dumps(model.json())))
    assert back.probabilities({"one": 2.5, "two": -1.0}) == pytest.approx(
        model.probabilities({"one": 2.5, "two": -1.0}), rel=1e-5
    )
    broken = {**model.json(), "bias": [0.0]}
    with pytest.raises(ValueError, match="bias has shape"):
        cause_model_from_json(broken)


def test_the_shipped_model_knows_its_features():
    model = shipped_model()
    assert set(model.features) <= set(FEATURES) and 0 < model.alarm < 1
    assert (model.spread > 0).all() and np.isfinite(model.weights).all()


# --- findings ---------------------------------------------------------------------------------------


def test_one_finding_per_cause_issues_first():
    findings = cause_findings(case_of())
    assert sorted(one.code for one in findings) == sorted(CAUSES)
    order = ["issue", "tip", "ok", "not applicable"]
    places = [order.index(one.severity) for one in findings]
    assert places == sorted(places) and sum(one.severity == "issue" for one in findings) <= 1
    for one in findings:
        json.dumps(one.evidence)
        if one.severity == "not applicable":
            assert one.text.startswith("Cannot be decided here: ")


def test_a_rollout_that_fails_without_an_alarm_names_only_what_has_a_twentieth(monkeypatch):
    faults = [cause.fault for cause in CAUSES.values() if cause.decided == "calibrated"]
    case = case_of()

    def severity(probability: float, failing: bool) -> str:
        probabilities = {**dict.fromkeys(faults, 0.001), "overfit": probability}
        monkeypatch.setattr("sweep.diagnosis.causes.findings.likely", lambda *_: (False, probabilities))
        return next(finding.severity for finding in cause_findings(case, failing) if finding.code == "C12")

    assert severity(0.05, failing=True) == "tip"
    assert severity(0.049, failing=True) == severity(0.05, failing=False) == "ok"


def test_what_cannot_be_is_not_applicable():
    momentum = next(cause for cause in CAUSES.values() if cause.fault == "momentum_high")
    clip = next(cause for cause in CAUSES.values() if cause.fault == "clip_tight")
    lbfgs = case_of(optimizer={"name": "lbfgs"})
    assert "no momentum" in inapplicable(lbfgs, momentum) and not inapplicable(case_of(), momentum)
    assert "no gradient clip" in inapplicable(case_of(), clip) and not inapplicable(case_of(clip=1.0), clip)


def test_prescriptions_make_valid_configurations():
    case = case_of(
        clip=0.5, input_noise=0.5, weight_decay=0.1, model={"output_activation": "relu", "init_gain": 5.0}
    )
    for cause in CAUSES.values():
        for changes in cause.prescribe(case):
            document = json.loads(case.config.model_dump_json())
            for change in changes:
                *parents, key = change.path.split(".")
                target = document
                for parent in parents:
                    target = target[parent]
                target[key] = change.value
            changed = TrialConfig.model_validate_json(json.dumps(document))
            assert changed.seed == case.config.seed
    beyond = [cause.fault for cause in CAUSES.values() if not cause.prescribe(case)]
    assert beyond == ["distribution_gap", "leak"]


def test_a_window_keeps_the_size_of_an_update():
    config = config_of(window=8, batch_size=64)
    made = {change.path: change.value for change in fitting_window(config, 60.0, 400)}
    assert made == {"training.window": 64, "training.burn_in": 16, "training.batch_size": 8}
    assert fitting_window(config, 1e6, 100)[0].value == 99


def test_rates_are_set_by_the_update_ratio():
    lower = next(cause for cause in CAUSES.values() if cause.fault == "lr_high")
    raised = next(cause for cause in CAUSES.values() if cause.fault == "lr_low")
    fast, slow = (case_of(curves=curves(update_ratio=np.full(100, ratio))) for ratio in (0.4, 0.00004))
    assert lower.prescribe(fast)[0][0].value == pytest.approx(0.01 * 10**-2.4 / 0.4, rel=1e-2)
    assert raised.prescribe(slow)[0][0].value == pytest.approx(0.01 * 10**-2.4 / 0.00004, rel=1e-2)
    assert lower.prescribe(slow)[0][0].value == pytest.approx(0.001)  # at most a tenth
    wild = case_of(curves=curves(update_ratio=np.full(100, 40.0)))
    assert lower.prescribe(wild)[0][0].value == pytest.approx(0.0001)  # at least a hundredth


def test_rules_say_what_they_saw():
    findings = {one.code: one for one in cause_findings(case_of((0.9, 0.2, 0.9)))}
    assert findings["C23"].severity == "tip" and "4.5 times worse" in findings["C23"].text
    assert findings["C24"].severity == "ok"
    unshuffled = {one.code: one for one in cause_findings(case_of(shuffle=False))}
    assert (
        unshuffled["C24"].severity == "tip"
        and unshuffled["C24"].prescriptions[0][0].path == "training.shuffle"
    )
    assert findings["C26"].severity == "not applicable" and "sweep diagnose" in findings["C26"].text


def test_a_readout_in_closed_form_is_advised_where_it_was_seen_to_help():
    def finding_with(**probe: Any):
        case = case_of()
        (finding,) = (
            one
            for one in cause_findings(replace(case, probes={**case.probes, "readout_refit": probe}))
            if one.code == "C27"
        )
        return finding

    good = finding_with(raw=0.6, refit=0.01)
    assert good.severity == "tip" and "0.01 instead of 0.6" in good.text
    assert [(change.path, change.value) for change in good.prescriptions[0]] == [
        ("training.readout_refit", "end")
    ]
    assert finding_with(raw=0.6, refit=0.4).severity == "ok"  # 0.18 decades
    assert finding_with(raw=0.04, refit=1e-6).severity == "ok"  # good enough as it is
    reason = finding_with(reason="the last layer has a ReLU")
    assert reason.severity == "not applicable" and "ReLU" in reason.text
    (untaken,) = (one for one in cause_findings(case_of()) if one.code == "C27")
    assert untaken.severity == "not applicable" and "sweep diagnose" in untaken.text


def test_what_diverged_did_not_stop_too_early():
    case = case_of()
    diverged = replace(case, record=replace(case.record, state="diverged", diverged_at=500))
    severities = {one.code: one.severity for one in cause_findings(diverged)}
    assert severities["C05"] == severities["C02"] == "not applicable" != severities["C01"]
    assert {one.code: one.severity for one in cause_findings(case)}["C05"] != "not applicable"


def test_memory_is_judged_where_training_could_show_it():
    lags = {str(2**k): 10.0 ** (-4 * k) for k in range(6)}
    case = case_of()
    forgetful = tuple(evaluation(i, 0.9, input_gradient_by_lag=lags) for i in range(3))
    record = replace(case.record, evaluations=forgetful, rollout_error=0.9)

    def severity(change: Callable[[TrialRecord], TrialRecord]) -> str:
        findings = cause_findings(replace(case, record=change(record)))
        return next(one for one in findings if one.code == "C08").severity

    assert severity(lambda record: record) == "tip"
    assert severity(lambda record: replace(record, state="pruned")) == "not applicable"
    assert severity(lambda record: replace(record, state="diverged", diverged_at=500)) == "not applicable"

    def blown_up(record: TrialRecord) -> TrialRecord:
        scores = [replace(one.scores, diverged_fraction=0.75) for one in record.evaluations]
        evaluations = zip(record.evaluations, scores, strict=True)
        return replace(record, evaluations=tuple(replace(one, scores=of) for one, of in evaluations))

    assert severity(blown_up) == "not applicable"


def test_a_text_names_features_with_their_healthy_range():
    issues = [
        one
        for noise in (0.5, 2.0)
        for one in cause_findings(case_of((1.0, 1.0, 1.0), input_noise=noise))
        if one.severity == "issue"
    ]
    assert issues and all(re.search(r"healthy runs: .+\)", one.text) for one in issues)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("window", math.log10(128), "128"),  # before: 1.3e+02
        ("window", math.log10(32), "32"),
        ("weight_decay", -7.0, "none"),  # what the logarithm takes for 0; before: 1e-07
        ("weight_decay", -4.0, "0.0001"),
        ("input_noise", -4.0, "none"),
        ("input_noise", math.log10(0.1), "0.1"),
        ("leaked", 0.0, "0"),
    ],
)
def test_a_value_is_told_without_needless_powers_of_ten(name, value, text):
    assert FEATURES[name].value_text(value) == text


def test_a_pruned_trial_is_not_said_to_have_few_checkpoints():
    # it was stopped after 3 of its 12: that says nothing of how many were asked for
    complete = case_of(evaluations=12)
    pruned = replace(complete, record=replace(complete.record, state="pruned"))
    assert FEATURES["evaluations"].read(complete) == pytest.approx(math.log10(3))
    assert FEATURES["evaluations"].read(pruned) == pytest.approx(math.log10(12))


def test_what_stands_for_none_is_what_is_read_where_there_is_none():
    case = case_of(input_noise=0.0, weight_decay=0.0)
    for name in ("input_noise", "weight_decay"):
        assert FEATURES[name].value_text(FEATURES[name].read(case)) == "none"


def test_curves_are_read_as_they_are_stored():
    curves = curves_of(b"bin,loss,gradient_cosine\n0,0.5,nan\n3,0.25,-0.5\n")
    assert curves["bin"].tolist() == [0, 3] and curves["loss"].tolist() == [0.5, 0.25]
    assert math.isnan(curves["gradient_cosine"][0])
    assert curves_of(b"bin,loss\n")["loss"].size == 0


def test_what_a_trial_has_already_is_not_prescribed():
    memory = next(cause for cause in CAUSES.values() if cause.fault == "short_memory")
    paths = [[change.path for change in changes] for changes in prescribed(case_of(), memory)]
    assert paths == [["model.forget_bias"], ["model.cell"]]
    gru = case_of(model={"cell": "gru", "forget_bias": 1.0})
    assert prescribed(gru, memory) == ()
