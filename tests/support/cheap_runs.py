"""What tests of commands and pages need not wait for: searches of baselines and pictures of trials."""

import io
from collections.abc import Iterator

import pytest
from PIL import Image

from sweep.report.page import page
from sweep.report.plots import trial as trial_plot
from sweep.score.baselines import analogues, arx, echo_state, fir, narx_polynomial, random_readout


def _pixel() -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (1, 1)).save(content, "PNG")
    return content.getvalue()


PIXEL = _pixel()


@pytest.fixture(scope="module", autouse=True)
def cheap_runs() -> Iterator[None]:
    """In this process, search few and small networks for a baseline and draw one pixel for a trial.

    A study then takes a third of its time. Real searches are tested in tests/score, real pictures in tests/report
    and in the commands that tests start as processes of their own.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(echo_state, "RESERVOIRS", 2)
        patch.setattr(echo_state, "UNITS", 20)
        patch.setattr(random_readout, "NETWORKS", (("gru", 0),))
        patch.setattr(random_readout, "HIDDEN", 16)
        patch.setattr(analogues, "DIMENSIONS", (1, 2))
        patch.setattr(analogues, "LAGS", (1,))
        patch.setattr(analogues, "NEIGHBOURS", (8,))
        patch.setattr(arx, "ORDERS", (1, 2))
        patch.setattr(arx, "INPUT_ORDERS", (1, 2))
        patch.setattr(fir, "LENGTHS", (1, 4))
        patch.setattr(narx_polynomial, "ORDERS", (1,))
        patch.setattr(narx_polynomial, "INPUT_ORDERS", (1, 2))
        patch.setattr(narx_polynomial, "REFINED_TERMS", ())
        patch.setattr(trial_plot, "draw_trial", lambda *which, **what: PIXEL)
        yield


@pytest.fixture(autouse=True)
def cheap_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a page, draw one pixel for a trial without a stored picture."""
    monkeypatch.setattr(page, "draw_trial", lambda *which, **what: PIXEL)
