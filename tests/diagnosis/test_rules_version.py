"""The digest of the rules: every change of code or weights shows, nothing else does."""

import shutil

from sweep.diagnosis.version import HOME, rules_version


def copied(tmp_path):
    return shutil.copytree(HOME, tmp_path / "diagnosis")


def test_it_is_that_of_the_files_wherever_they_lie(tmp_path):
    assert rules_version() == rules_version(copied(tmp_path))
    assert len(rules_version()) == 12


def test_every_change_of_code_or_weights_shows(tmp_path):
    home = copied(tmp_path)
    seen = {rules_version()}
    changes = [
        ("symptoms/rules.py", lambda text: text + "\n# a comment is a change, too\n"),
        ("causes/calibration.json", lambda text: text.replace("1", "2", 1)),
    ]
    for name, change in changes:
        path = home / name
        path.write_text(change(path.read_text()))
        rules_version.cache_clear()
        seen.add(rules_version(home))
    (home / "causes/rules.py").rename(home / "causes/rules_of_old.py")
    rules_version.cache_clear()
    seen.add(rules_version(home))
    assert len(seen) == 4


def test_line_ends_and_leftovers_of_running_do_not_show(tmp_path):
    home, plain = copied(tmp_path), rules_version()
    path = home / "symptoms/rules.py"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    (home / "__pycache__").mkdir(exist_ok=True)
    (home / "__pycache__/rules.cpython-311.pyc").write_bytes(b"compiled")
    rules_version.cache_clear()
    assert rules_version(home) == plain
