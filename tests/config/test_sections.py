"""Fields for plug-ins: left out of documents, keys and seeds while they have their defaults, and only then."""

from typing import Any

import pytest

from sweep.config.data_section import DataConfig
from sweep.config.section import Section
from sweep.config.sections import RECURRENT, DiagnosisConfig, ModelConfig, ScoreConfig
from sweep.config.study import SECTIONS
from sweep.config.trial import TrialConfig, trial_config_from_json

# Section, field, its default, another value and that value in a document.
FIELDS: list[tuple[type[Section], str, Any, Any, Any]] = [
    *(
        (
            DataConfig,
            name,
            DataConfig.model_fields[name].default,
            value,
            list(value) if isinstance(value, tuple) else value,
        )
        for name, value in {
            "validation_path": "v.csv",
            "test_path": "t.csv",
            "key": "y",
            "encoding": "latin-1",
            "separator": ";",
            "decimal": ",",
            "thousands": ".",
            "comment": "#",
            "header": False,
            "time_format": "%d/%m/%Y",
            "time_zone": "Europe/Berlin",
            "channels": ("y",),
            "known": ("u",),
            "static": ("size",),
            "resample": "10s",
            "missing": "cut",
            "fill_limit": 3,
            "split_by": "series",
            "validation_series": ("a",),
            "test_series": ("b",),
        }.items()
    ),
    (DataConfig, "calibration", 0.0, 0.5, 0.5),
    (ScoreConfig, "objective", "rollout_error", "median", "median"),
    (ScoreConfig, "from_start", False, True, True),
    (ScoreConfig, "baselines", (), ("mine",), ["mine"]),
    (ModelConfig, "kind", RECURRENT, "mlp", "mlp"),
    (ModelConfig, "options", {}, {"width": 8}, {"width": 8}),
    (ModelConfig, "feedback", True, False, False),
    (DiagnosisConfig, "probes", (), ("mine",), ["mine"]),
    (DiagnosisConfig, "checks", (), ("mine",), ["mine"]),
]
# What a section, or a field of it, needs to be valid.
NEEDED: dict[Any, dict[str, Any]] = {
    DataConfig: {"path": "data.csv"},
    "validation_series": {"split_by": "series"},
    "test_series": {"split_by": "series"},
}


def test_every_such_field_is_tested():
    declared = {(section, name) for section in SECTIONS.values() for name in section.only_if_set}
    assert declared == {(section, name) for section, name, *_ in FIELDS}


@pytest.mark.parametrize(("section", "name", "default", "value", "document"), FIELDS)
def test_a_field_is_in_the_document_only_if_it_is_set(section, name, default, value, document):
    needed = NEEDED.get(section, {}) | NEEDED.get(name, {})
    for made in (section.model_validate(needed), section.model_validate({**needed, name: default})):
        assert getattr(made, name) == default
        assert name not in made.model_dump() and name not in made.model_dump(mode="json")
    made = section.model_validate({**needed, name: value})
    assert made.model_dump(mode="json")[name] == document
    assert section.model_validate(made.model_dump(mode="json")) == made
    others = set(section.model_fields) - set(section.only_if_set)
    assert others <= set(section.model_validate(needed).model_dump())  # every other field is always there


def config(**settings: Any) -> TrialConfig:
    sections = {"data": {"source": "sine"}, "score": {}, "model": {}, "training": {}}
    return TrialConfig.model_validate({**sections, "seed": 1, **settings})


def test_the_key_of_a_configuration_depends_on_plugins_only_if_it_has_some():
    plain = config()
    assert config(plugins=[]).key == plain.key
    assert "plugins" not in plain.model_dump()
    used = config(plugins=["optimizer lion = lion-sweep 0.2"])
    newer = config(plugins=["optimizer lion = lion-sweep 0.3"])
    assert len({plain.key, used.key, newer.key, config(model={"kind": "mlp"}).key}) == 4
    assert trial_config_from_json(used.model_dump(mode="json")) == used


def test_sweeps_own_model_is_recurrent_whatever_its_settings():
    assert ModelConfig().recurrent and ModelConfig(cell="gru", layers=1).recurrent
    assert not ModelConfig(kind="mlp").recurrent
