"""Study documents for the tests of study files."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from sweep.config.errors import StudyFileError
from sweep.config.known_names import KnownNames
from sweep.config.study import StudyConfig
from sweep.config.study_file import overridden, study_from_document
from sweep.study.components import known_names

DOCUMENT: dict[str, Any] = {
    "name": "small",
    "data": {"source": "sine"},
    "space": {
        "cell": ["lstm", "gru"],
        "batch_size": [8, 16],
        "optimizer": {
            "sgd": {"lr": {"log": [1e-3, 3.0]}, "momentum": {"log1m": [0.0, 0.99]}},
            "adam": {"lr": {"log": [1e-4, 1e-1]}, "beta2": 0.99},
            "lbfgs": {"lr": {"log": [0.1, 1.0]}, "history": [5, 10]},
        },
    },
}

Study = Callable[..., StudyConfig]
Problems = Callable[..., list[str]]


@pytest.fixture(scope="session")
def known() -> KnownNames:
    return known_names()


@pytest.fixture
def document() -> dict[str, Any]:
    return copy.deepcopy(DOCUMENT)


@pytest.fixture
def study(known: KnownNames) -> Study:
    """The study of the small document with overrides."""

    def make(*overrides: str, document: dict[str, Any] = DOCUMENT) -> StudyConfig:
        return study_from_document(overridden(document, overrides), known, "small.toml")

    return make


@pytest.fixture
def problems(study: Study) -> Problems:
    """The lines of the error that the small document with overrides gives."""

    def lines(*overrides: str, document: dict[str, Any] = DOCUMENT) -> list[str]:
        with pytest.raises(StudyFileError, match=r"^small.toml: ") as caught:
            study(*overrides, document=document)
        for line in caught.value.problems:
            assert line in str(caught.value)
        return caught.value.problems

    return lines
