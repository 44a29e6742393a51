"""``bam export`` and ``bam check-export``: formats, choices and messages."""

from pathlib import Path

import pandas as pd
import pytest

from bam_engine.cli.main import main
from bam_engine.workspace import Workspace


@pytest.fixture
def home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    for name in ("media_watercolor", "content_cat"):
        workspace.attributes.add(name, "own", "Is it?")
    return workspace


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    code = main([str(argument) for argument in arguments])
    out, err = capsys.readouterr()
    return code, out, err


def test_the_end_of_the_name_gives_the_format_and_options_choose_the_content(
    home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "set.parquet"
    code, out, err = run(capsys, "export", target, "--attribute", "content_cat", "--splits", "2,1,1", "--seed", 4)
    assert code == 0
    names = ["set.parquet", "set.README.md", "set.croissant.json", "set.manifest.json"]
    assert [Path(line).name for line in out.splitlines()] == names
    assert "content_cat is not ready. Nothing is trained" in err
    assert "media_watercolor" not in err
    table = pd.read_parquet(target)
    assert len(table) == 120
    assert [name for name in table.columns if name.endswith("_label")] == ["content_cat_label"]
    assert set(table["split"]) == {"train", "validation", "test"}


def test_a_changed_export_is_found_by_its_folder_its_file_and_its_manifest(
    home: Workspace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "set"
    assert run(capsys, "export", folder, "--format", "imagefolder", "--images", "link")[1].strip() == str(folder)
    for export in (folder, folder / "manifest.json"):
        assert run(capsys, "check-export", export)[:2] == (
            0,
            f"Every file is as it was written: {folder / 'manifest.json'}\n",
        )
    with (folder / "README.md").open("a") as file:
        file.write("x")
    code, out, err = run(capsys, "check-export", folder)
    assert code == 1
    assert out.startswith("README.md has ")
    assert "1 file of the export differs from its manifest." in err


@pytest.mark.parametrize("shares", ["1,2", "set.parquet", "0,0,0", "1,-1,1", "nan,1,1", "inf,1,1"])
def test_shares_that_are_none_are_refused_in_words(shares: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["export", "set.parquet", f"--splits={shares}"])
    assert ended.value.code == 2
    assert f"{shares} is not three shares, such as 80,10,10" in capsys.readouterr().err
