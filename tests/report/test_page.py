"""The page in a browser. Skipped where there is none, but on CI."""

import io
import json
import re
from pathlib import Path

import numpy as np
import pytest

from sweep.report.page.page import Pictures, page_html
from sweep.report.plots.trial import draw_trial
from sweep.report.write import write_report
from sweep.results.document import report_document
from sweep.results.study import read_study
from sweep.results.study_tables import StudyTables
from sweep.store.folder import StudyFolder
from tests.support.browser import browser

__all__ = ["browser"]
needs_browser = pytest.mark.usefixtures("browser")
HOSTILE = "<script>window.hacked=1</script><img src=x onerror='window.hacked=2'>\"'>{{7*7}}"


@pytest.fixture(scope="module")
def page(study) -> Path:
    picture = draw_trial(study, 0)  # the same of all: it takes half a second
    for number in (*range(14), 24, 38):
        study.write_files(number, {"rollout.png": picture})
    return write_report(study).page


@pytest.fixture
def opened(browser, page):
    """Return a function that opens a page and the list of what went wrong in it."""
    contexts = []

    def open_page(path=page, width=1280, scheme="light", **options):
        context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, **options
        )
        contexts.append(context)
        tab, problems = context.new_page(), []
        tab.on("console", lambda message: problems.append(f"{message.type}: {message.text}"))
        tab.on("pageerror", lambda error: problems.append(str(error)))
        tab.on(
            "request", lambda asked: asked.url.startswith(("file://", "data:")) or problems.append(asked.url)
        )
        tab.on("requestfailed", lambda asked: problems.append(f"failed: {asked.url[:200]}"))
        tab.goto(path.as_uri())
        return tab, problems

    yield open_page
    for context in contexts:
        context.close()


def column(tab, index):
    return tab.eval_on_selector_all(
        "#board tbody tr", f"rows => rows.map(row => row.cells[{index}].textContent)"
    )


# Elements of the page that end beyond the window, or beyond a box that scrolls sideways.
BEYOND = """() => Array.from(document.querySelectorAll("main *"))
  .filter((node) => node.getClientRects().length && node.getBoundingClientRect().right > innerWidth + 1)
  .map((node) => `${node.tagName} ${node.className} ${node.textContent.slice(0, 40)}`)"""
LONG = "a name that is longer than anybody wants to read on a phone, "


@pytest.fixture(scope="module")
def grouped(tmp_path_factory, writer) -> Path:
    """The page of a study of three series and two channels with long names and dates."""
    _, write_trial, study_document, sines, rollout_files = writer
    folder = StudyFolder(tmp_path_factory.mktemp("grouped") / "heat")
    document = study_document()
    document["record"] |= {"channels": [f"{LONG}x", "y [kW]"], "targets": [0, 1]}
    folder.write_study(document)
    made = sines(channels=2, starts=12)
    error = np.array([[0.1, 0.2], [0.3, 0.9], [0.5, 0.4]])[np.arange(12) % 3]
    content = rollout_files(made, made.truth + error[:, None, :], made.truth, targets=(0, 1))["rollout.npz"]
    with np.load(io.BytesIO(content)) as stored:
        arrays = dict(stored)
    steps = arrays["past"].shape[1] + 400
    hours = np.datetime64("2024-02-01T00:00", "ns") + np.arange(steps) * np.timedelta64(1, "h")
    arrays |= {
        "series_names": np.array([f"{LONG}a", "b", "c"])[np.arange(12) % 3],
        "times": np.tile(hours, (12, 1)),
    }
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    baseline = {"name": np.array("ar"), "forecast": made.truth + 0.1, "last": arrays["past"][:, -1]}
    folder.write_baseline_forecast(baseline)
    entry = {"rollout_error": 0.9, "nrmse": 1, "valid_steps": 3, "diverged_fraction": 0, "settings": {}}
    folder.write_document("baselines", {"baselines": {"mean": entry}})
    for number in range(3):
        write_trial(folder, number, {"cell": "gru"}, "drift", 0.05 + 0.01 * number, 0.01)
        folder.write_files(number, {"rollout.npz": buffer.getvalue()})
        folder.write_files(number, {"rollout.png": draw_trial(folder, number)})
    return write_report(folder).page


@needs_browser
def test_any_series_channel_and_start_can_be_chosen_by_keyboard(opened, grouped):
    tab, problems = opened(grouped, width=390)
    box = tab.locator(".explorer")
    status, drawing = box.locator("[role=status]"), box.locator(".drawing svg")
    assert status.text_content().startswith("b · y [kW], rollout error")  # the worst one first
    assert drawing.locator("path").count() == 3  # truth, rollout and baseline
    assert "02-" in drawing.locator("text").last.text_content()
    first = drawing.locator("path.rollout").get_attribute("d")
    tab.locator("select[data-choose=series]").focus()
    tab.keyboard.press("ArrowDown")
    assert status.text_content().startswith("c · y [kW], rollout error")
    assert drawing.locator("path.rollout").get_attribute("d") != first
    tab.keyboard.press("Tab")
    tab.keyboard.press("ArrowDown")
    assert status.text_content().startswith(f"c · {LONG}x, rollout error")
    before = status.text_content()
    tab.locator(".explorer .drawing").focus()
    tab.keyboard.press("ArrowRight")
    assert status.text_content() != before and "worst start" in status.text_content()
    assert tab.locator("select[data-choose=start] option").count() == 4
    assert problems == []


@needs_browser
def test_the_three_questions_come_first_and_pictures_fold(opened, page, study):
    tab, _ = opened()
    assert tab.locator("main h2").all_text_contents()[:3] == ["What to use", "How sure", "What next"]
    commands = tab.locator(".steps code").all_text_contents()
    assert commands == [step["command"] for step in report_document(study)["next"]]
    assert tab.locator("#rollouts details").count() >= 3
    assert tab.locator("#rollouts details[open]").count() == 0
    tab.locator("#rollouts summary").first.focus()
    tab.keyboard.press("Enter")
    assert tab.locator("#rollouts details[open] img").is_visible()


@needs_browser
def test_skill_is_shown_against_the_best_baseline_first(opened, study):
    tab, _ = opened()
    baselines = report_document(study)["baselines"]
    best = min(baselines, key=lambda name: baselines[name]["rollout_error"])
    assert tab.locator("#against option[selected]").text_content() == best


@needs_browser
def test_nothing_is_asked_for_and_nothing_goes_wrong(opened):
    tab, problems = opened()
    assert problems == []
    assert tab.title() == "sine · sweep report"


@needs_browser
def test_that_test_can_fail(opened, tmp_path, page):
    broken = tmp_path / "broken.html"
    broken.write_text(
        page.read_text(encoding="utf-8").replace("</main>", '<img src="missing.png"></main>'),
        encoding="utf-8",
    )
    _, problems = opened(broken)
    assert [problem for problem in problems if "missing.png" in problem or "ERR_FILE_NOT_FOUND" in problem]


@needs_browser
def test_every_picture_loads(opened):
    tab, _ = opened()
    widths = tab.eval_on_selector_all("main img", "images => images.map(image => image.naturalWidth)")
    assert len(widths) >= 12
    assert min(widths) > 0


@needs_browser
def test_columns_sort_by_value_both_ways(opened):
    tab, problems = opened()
    numbers = lambda cells: [float(cell) for cell in cells if cell not in ("–", "exact", "∞")]  # noqa: E731
    tab.get_by_role("button", name="valid steps").click()
    rising = numbers(column(tab, 4))
    assert rising == sorted(rising)
    assert len(set(rising)) > 10
    tab.get_by_role("button", name="valid steps").click()
    falling = column(tab, 4)
    assert numbers(falling) == sorted(rising, reverse=True)
    assert falling[-1] == "–"  # those without a value stay last
    tab.get_by_role("button", name="name").click()
    trials = [int(name.split()[1]) for name in column(tab, 1) if name.startswith("trial")]
    assert trials == sorted(trials)  # trial 9 before trial 10
    assert tab.locator("th[aria-sort]").count() == 1
    assert problems == []


@needs_browser
def test_rows_are_filtered_by_words_and_state(opened):
    tab, _ = opened()
    tab.fill("#words", "gru adam")
    shown = tab.locator("#board tbody tr:visible")
    texts = shown.all_text_contents()
    assert 0 < len(texts) < 40
    assert all("gru" in text and "adam" in text for text in texts)
    assert tab.locator("#shown").text_content() == f"{len(texts)} of 44 rows"
    tab.fill("#words", "")
    tab.select_option("#state", "baseline")
    assert shown.count() == 4


@needs_browser
def test_skill_follows_the_chosen_baseline(opened):
    tab, _ = opened()
    tab.select_option("#against", label="persistence")
    row = tab.locator("#board tbody tr", has=tab.get_by_text("ar", exact=True)).first
    assert float(row.locator("[data-skill]").text_content()) == pytest.approx(1 - 0.31 / 0.91, abs=1e-3)
    tab.select_option("#against", label="seasonal")
    assert set(tab.locator("[data-skill]").all_text_contents()) == {"exact"}


@needs_browser
def test_the_viewer_walks_through_the_plots(opened, study):
    tab, problems = opened()
    tab.get_by_role("link", name="trial 0", exact=True).click()
    picture = tab.locator("dialog img")
    title = tab.locator("dialog b").first
    assert title.text_content() == "trial 0"
    symptom = json.loads((study.trial(0) / "diagnosis.json").read_text())["symptom"]
    details = tab.locator("dialog .details")
    line = details.locator(".lines li").first
    assert line.text_content() == f"{symptom['code']} {symptom['title']}: {symptom['text']}"
    assert not details.locator("details").get_attribute("open")  # findings and probes are folded
    seen = set()
    for _ in range(12):  # inlined ones first, then those that come from the trials' folders
        picture.evaluate("image => image.decode()")
        assert picture.evaluate("image => image.naturalWidth") == 1200
        seen.add(picture.get_attribute("src")[:5])
        tab.keyboard.press("ArrowRight")
    assert seen == {"data:", "file:"}
    assert title.text_content() != "trial 0"
    tab.get_by_role("button", name="close").click()
    assert not tab.locator("dialog").is_visible()
    assert problems == []


@needs_browser
def test_on_a_phone_a_picture_opens_at_a_size_that_can_be_read(opened):
    tab, problems = opened(width=390, has_touch=True)
    tab.locator("#rollouts summary").first.click()
    small = tab.locator("#rollouts details[open] .plot img").first
    hint = small.evaluate("image => getComputedStyle(image.closest('.plot'), '::after').content")
    assert hint == '"Tap the picture to enlarge it"'
    small.tap()
    big, box = tab.locator("dialog img"), tab.locator("dialog .plot")
    assert big.evaluate("image => image.naturalWidth") == 1200 and big.bounding_box()["width"] >= 1100
    assert box.evaluate("box => box.scrollWidth > box.clientWidth")
    assert tab.locator("dialog").bounding_box()["width"] <= 390
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.keyboard.press("Escape")

    scatter = tab.locator("main .plot img[alt^='one-step error against']")  # of no trial
    scatter.focus()
    tab.keyboard.press("Enter")
    assert big.get_attribute("src") == scatter.get_attribute("src")
    assert not tab.get_by_role("button", name="next").is_visible()
    tab.keyboard.press("ArrowRight")
    assert tab.locator("dialog b").first.text_content() == scatter.get_attribute("alt")
    assert problems == []


@needs_browser
@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_phones_and_screens_in_light_and_dark(opened, grouped, width, scheme):
    tab, problems = opened(grouped, width=width, scheme=scheme)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    if width == 390:  # on a phone nothing is cut off, not even in a box that scrolls sideways
        assert tab.evaluate(BEYOND) == []
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    ink = tab.evaluate("getComputedStyle(document.body).color")
    brightness = [sum(map(int, re.findall(r"\d+", color)[:3])) / 3 for color in (paper, ink)]
    assert (
        (brightness[0] > brightness[1] + 120) if scheme == "light" else (brightness[1] > brightness[0] + 120)
    )
    assert problems == []


@needs_browser
def test_it_can_be_read_without_scripts(opened):
    tab, _ = opened(java_script_enabled=False)
    assert tab.locator("#board tbody tr").count() == 44


@pytest.fixture
def hostile(tmp_path) -> StudyFolder:
    return StudyFolder(tmp_path / "sine")


@needs_browser
def test_hostile_names_are_shown_and_never_run(opened, hostile, writer):
    _, write_trial, study_document, *_ = writer
    document = study_document(
        name=HOSTILE, description=HOSTILE, space={"cell": [HOSTILE, "gru"], "hidden": [1, 2]}
    )
    document["record"] |= {"channels": [HOSTILE], "overrides": [HOSTILE], "source": HOSTILE}
    hostile.write_study(document)
    entry = {
        "rollout_error": 0.5,
        "nrmse": 1,
        "valid_steps": 3,
        "diverged_fraction": 0,
        "settings": {HOSTILE: HOSTILE},
    }
    hostile.write_document("baselines", {"baselines": {HOSTILE: entry, "esn" + HOSTILE: {"reason": HOSTILE}}})
    for number in range(3):
        write_trial(
            hostile,
            number,
            {"cell": HOSTILE, HOSTILE: HOSTILE},
            "drift",
            0.1,
            0.01,
            reason=HOSTILE,
            state=["complete", "pruned", "diverged"][number],
            document=document,
        )
        hostile.write_files(number, {"rollout.png": draw_trial(hostile, number)})
    tab, problems = opened(write_report(hostile).page)
    assert tab.evaluate("window.hacked") is None
    assert problems == []
    assert tab.locator("h1").text_content() == HOSTILE
    assert HOSTILE in tab.locator("#board").text_content()
    assert tab.locator("script").count() == 1
    assert "{{7*7}}" in tab.content()
    assert tab.evaluate("document.documentElement.scrollWidth") <= 1280


@needs_browser
def test_even_an_injected_script_would_not_run(opened, page, tmp_path):
    # the policy allows our own script by its digest and nothing else
    injected = tmp_path / "injected.html"
    text = page.read_text(encoding="utf-8").replace("<main>", "<main><script>window.hacked = 1</script>")
    injected.write_text(text, encoding="utf-8")
    tab, problems = opened(injected)
    assert tab.evaluate("window.hacked") is None
    assert any("Content Security Policy" in problem for problem in problems)
    injected.write_text(
        re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text), encoding="utf-8"
    )
    tab, _ = opened(injected)
    assert tab.evaluate("window.hacked") == 1  # control: without the policy it does


def test_the_page_stays_below_its_bytes(page):
    assert page.stat().st_size < 2_000_000


def test_pictures_stop_at_the_byte_budget(study):
    pictures = Pictures(read_study(study), budget=100_000)
    inlined = [pictures.inline(number) is not None for number in (0, 2, 3, 4)]
    assert inlined[0]
    assert not all(inlined)
    assert pictures.left >= 0


def test_selected_scores_are_not_called_results(study):
    html = page_html(StudyTables(read_study(study)), report_document(study))
    answer = re.search(r'<p class="lead">(.*?)</p>', html, re.DOTALL).group(1)
    assert "on locked test data (a trivial forecast: 6), with a rollout error of" in answer
    assert "On validation data it was selected with" in answer
    (study.path / "winner.json").rename(study.path / "aside.json")
    try:
        html = page_html(StudyTables(read_study(study)), report_document(study))
    finally:
        (study.path / "aside.json").rename(study.path / "winner.json")
    answer = re.search(r'<p class="lead">(.*?)</p>', html, re.DOTALL).group(1)
    assert "It has not been scored on test data yet" in answer
    assert "locked test" not in answer
