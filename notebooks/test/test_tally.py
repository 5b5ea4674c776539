"""The closing line must count what happened: a package that does not build and a
process that died are failures too."""

import json

import tally

JUNIT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="no">because</failure></testcase>
<testcase classname="a" name="broken"><error message="set-up">because</error></testcase>
<testcase classname="a" name="left"><skipped message="no device"/></testcase>
</testsuite></testsuites>"""


def go_json(path, *events):
    path.write_text("\n".join(json.dumps(e) for e in events))


def closing(folder, capsys):
    failed = tally.add_up(folder)
    return failed, capsys.readouterr().out.splitlines()[-1]


def test_adds_all_sources(tmp_path, capsys):
    (tmp_path / "checks.tsv").write_text("passed\tgofmt\nfailed\tvet\n")
    (tmp_path / "clients.xml").write_text(JUNIT)
    go_json(
        tmp_path / "go.json",
        {"Action": "pass", "Package": "p", "Test": "TestA"},
        {"Action": "skip", "Package": "p", "Test": "TestB"},
        {"Action": "pass", "Package": "p"},
    )
    assert closing(tmp_path, capsys) == (True, "3 passed, 3 failed, 2 skipped")


def test_counts_a_package_that_does_not_build(tmp_path, capsys):
    go_json(
        tmp_path / "go.json",
        {"Action": "pass", "Package": "p", "Test": "TestA"},
        {"Action": "fail", "Package": "q", "FailedBuild": "q"},
    )
    assert closing(tmp_path, capsys) == (True, "1 passed, 1 failed, 0 skipped")


def test_counts_a_failing_test_once(tmp_path, capsys):
    go_json(
        tmp_path / "go.json",
        {"Action": "fail", "Package": "p", "Test": "TestA"},
        {"Action": "fail", "Package": "p"},
    )
    assert closing(tmp_path, capsys) == (True, "0 passed, 1 failed, 0 skipped")


def test_nothing_run_is_a_failure(tmp_path, capsys):
    assert closing(tmp_path, capsys) == (True, "0 passed, 0 failed, 0 skipped")


def test_passes(tmp_path, capsys):
    (tmp_path / "checks.tsv").write_text("passed\tgofmt\n")
    assert closing(tmp_path, capsys) == (False, "1 passed, 0 failed, 0 skipped")
