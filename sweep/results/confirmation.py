"""The confirmation as the report's document holds it: fresh seeds beside selected scores, and the locked test."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sweep.results.selection import confirmed_trial
from sweep.results.study import StoredStudy
from sweep.results.wording.numbers import config_words
from sweep.stats.ranking import iqm_with_interval

TEST_KEYS = ("rollout_error", "nrmse", "rmse", "valid_steps")
KEPT = ("top", "seeds", "verdict", "reason", "leader", "equals", "optimism", "seed_noise")


def confirmation_section(study: StoredStudy) -> dict[str, Any] | None:
    """Return `confirmation` of the document (docs/report.md); None without a confirmation of today's best trials.

    `test` holds the scores of the named configuration's networks on the locked test, and the network to use: the
    one with the lowest error on validation.
    """
    stored = study.confirmation
    if stored is None:
        return None
    words = {r.number: " · ".join(config_words(r.config, r.params)) for r in study.records}
    arms = [
        {**{key: value for key, value in arm.items() if key != "key"}, "configuration": words[arm["number"]]}
        for arm in stored["arms"]
    ]
    section = {**{key: stored[key] for key in KEPT}, "arms": arms, "test": _test_section(study, stored)}
    number, reason = confirmed_trial(stored, study.baselines)
    return section if number is not None else section | {"verdict": "none", "reason": reason, "leader": None}


def _test_section(study: StoredStudy, stored: Mapping[str, Any]) -> dict[str, Any] | None:
    winner = study.winner or {}
    networks = winner.get("networks") or []
    if winner.get("number") != stored["leader"] or winner.get("basis") != "confirmed" or not networks:
        return None
    rows = [
        {
            "seed": network["seed"],
            "replication": network["replication"],
            "validation": network["validation"],
            **{key: network["test"].get(key) for key in TEST_KEYS},
        }
        for network in networks
    ]
    errors = np.array([row["rollout_error"] for row in rows])
    mean = iqm_with_interval(errors, np.random.default_rng(0))
    use = min(rows, key=lambda row: (row["validation"], row["seed"]))
    return {
        "networks": rows,
        "median_seed": winner["median_seed"],
        "iqm": {"value": mean.value, "low": mean.low, "high": mean.high},
        "looks": len(winner["looks"]),
        "use": {**use, "checkpoint": f"confirm/trials/{use['replication']:04d}/checkpoint.pt"},
    }
