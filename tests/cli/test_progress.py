"""The progress bar of the command line."""

import pytest

from bam_engine.cli.progress import bar


def test_work_in_several_parts_never_shows_a_negative_rate(capsys: pytest.CaptureFixture[str]) -> None:
    with bar("layout", "steps") as report:
        for done, total in ((0, 500), (500, 500), (0, 3), (3, 3), (1, 1)):
            report(done, total, "working")
    shown = capsys.readouterr().err
    assert "1/1" in shown
    assert "-" not in shown
