"""The digest of the rules: every declared threshold, weight and table entry counts, comments do not."""

import copy
import dataclasses
import importlib
import re
import shutil
import sys
from pathlib import Path

import pytest

from sweep.config.registry import Registry
from sweep.diagnosis import version
from sweep.diagnosis.causes.cause_model import shipped_model
from sweep.diagnosis.symptoms import SYMPTOMS, limits, verdicts
from sweep.diagnosis.version import constants_of, declared_rules, digest_of, rules_version


@pytest.fixture
def before(monkeypatch):
    monkeypatch.setattr(version, "rules_version", version.rules_version.__wrapped__)  # without its cache
    return version.rules_version()


def test_it_has_twelve_digits_and_stays_the_same(before):
    assert re.fullmatch("[0-9a-f]{12}", rules_version())
    assert rules_version() == version.rules_version() == before == digest_of(declared_rules())


@pytest.mark.parametrize(
    ("module", "name", "value"),
    [
        (verdicts, "HALVED", 0.51),
        (limits, "LYAPUNOV_TIMES", 3.1),
        (importlib.import_module("sweep.diagnosis.causes.tip_rules"), "REGRET", 0.31),
        (importlib.import_module("sweep.diagnosis.causes.prescriptions"), "SAFE_MOMENTUM", 0.95),
        (importlib.import_module("sweep.diagnosis.causes.features.training"), "SMOOTH", 11),
        (importlib.import_module("sweep.diagnosis.facts"), "WORD", 9),
        (importlib.import_module("sweep.score.metrics"), "VALID_BELOW", 0.4),
        (version, "RULES", version.RULES + 1),
    ],
)
def test_a_changed_threshold_changes_it(before, monkeypatch, module, name, value):
    monkeypatch.setattr(module, name, value)
    assert version.rules_version() != before


def test_a_changed_weight_changes_it(before, monkeypatch):
    model = shipped_model()
    weights = model.weights.copy()
    weights[1, 2] += 0.01
    monkeypatch.setattr(version, "shipped_model", lambda: dataclasses.replace(model, weights=weights))
    assert version.rules_version() != before
    monkeypatch.setattr(version, "shipped_model", lambda: copy.deepcopy(model))
    assert version.rules_version() == before


def test_a_changed_entry_of_a_table_changes_it(before, monkeypatch):
    entries = list(SYMPTOMS.values())
    monkeypatch.setattr(version, "SYMPTOMS", Registry("symptom", entries))
    assert version.rules_version() == before
    entries[2] = dataclasses.replace(entries[2], meaning="It dies out.")
    monkeypatch.setattr(version, "SYMPTOMS", Registry("symptom", entries))
    assert version.rules_version() != before
    causes = list(version.CAUSES.values())
    causes[0] = dataclasses.replace(causes[0], prescribe=causes[1].prescribe)
    monkeypatch.undo()
    monkeypatch.setattr(version, "CAUSES", Registry("cause", causes))
    assert version.declared_rules()["causes"][0]["prescribe"] == "raise_rate"
    assert digest_of(version.declared_rules()) != before


def test_a_comment_and_a_renamed_module_do_not_change_it(tmp_path, monkeypatch):
    path = Path(str(verdicts.__file__))
    shutil.copy(path, tmp_path / "plain_rules.py")
    changed = re.sub(r"#.*", "# another comment", path.read_text())
    assert changed != path.read_text()
    (tmp_path / "commented_rules.py").write_text(changed + "\n# and one more\n")
    monkeypatch.syspath_prepend(tmp_path)
    modules = [importlib.import_module(name) for name in ("plain_rules", "commented_rules")]
    for module in modules:
        monkeypatch.delitem(sys.modules, module.__name__)
    plain, commented = (constants_of(vars(module)) for module in modules)
    assert plain == commented == constants_of(vars(verdicts)) and plain["HALVED"] == 0.5
    assert all(verdicts.__name__ not in entry for entry in declared_rules()["constants"])
