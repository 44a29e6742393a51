"""Files that cannot be the weights of an encoder: each is refused in a sentence, unread, and nothing is stored."""

import importlib.util
import io
import os
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from bam_engine.cli import main
from bam_engine.embedding import network, open_encoder
from bam_engine.errors import EmbeddingError
from bam_engine.workspace import Workspace

TIMM, CLIP = "timm:mobilenetv2_035", "openclip:small-test"
CHOOSE = "Choose a file of this model, or the model of this file."
AGAIN = "Fetch it again, or choose another file."
NO_WEIGHTS = "is not a file of weights. Choose a .safetensors file, or a PyTorch file of tensors."
CODE = "is never run: of a checkpoint, only tensors are read."


class Gun:
    """Writes a file when its pickle is executed."""

    def __init__(self, shot: Path) -> None:
        self.shot = shot

    def __reduce__(self):
        return os.mkdir, (str(self.shot),)


def tensors(spec: str) -> dict[str, torch.Tensor]:
    """The tensors of a model that learned nothing."""
    import open_clip
    import timm

    kind, _, name = spec.partition(":")
    return (timm.create_model(name) if kind == "timm" else open_clip.create_model(name)).state_dict()


def saved(given: object, *, legacy: bool = False) -> bytes:
    file = io.BytesIO()
    torch.save(given, file, _use_new_zipfile_serialization=not legacy)
    return file.getvalue()


def as_safetensors(given: dict[str, torch.Tensor]) -> bytes:
    from safetensors.torch import save

    return save(given)


def archive(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        for name, content in members.items():
            written.writestr(name, content)
    return file.getvalue()


def narrowed(spec: str) -> dict[str, torch.Tensor]:
    """The tensors of ``spec`` with two of another shape."""
    changed = tensors(spec)
    for name in [name for name, tensor in changed.items() if tensor.ndim >= 2][:2]:
        changed[name] = changed[name][:1].clone()
    return changed


def without_first(spec: str) -> dict[str, torch.Tensor]:
    first, *others = (given := tensors(spec))
    return {name: given[name] for name in others} | {"another": given[first]}


def not_finite(spec: str) -> dict[str, torch.Tensor]:
    return {
        name: tensor * float("nan") if tensor.is_floating_point() else tensor for name, tensor in tensors(spec).items()
    }


Make = Callable[[str, Path], bytes]
FILES: dict[str, tuple[str, Make, str]] = {
    "empty": ("pt", lambda *_: b"", f"is empty. {AGAIN}"),
    "an empty .safetensors": ("safetensors", lambda *_: b"", f"is empty. {AGAIN}"),
    "a table": ("csv", lambda *_: b"path,answer\na.png,yes\n", NO_WEIGHTS),
    "a word": ("pt", lambda *_: b"hello", NO_WEIGHTS),
    "a text called .safetensors": ("safetensors", lambda *_: b"these are no weights" * 50, NO_WEIGHTS),
    "a text called .npz": ("npz", lambda *_: b"these are no weights" * 50, "not"),
    "another archive": ("pt", lambda *_: archive(**{"word/document.xml": "<w/>"}), NO_WEIGHTS),
    "a list": ("pt", lambda *_: saved([1, 2]), NO_WEIGHTS),
    "no tensor at all": ("pt", lambda *_: saved({}), ""),
    "cut off": ("pt", lambda spec, _: saved(tensors(spec))[:-5000], f"is cut off or damaged. {AGAIN}"),
    "a damaged list of members": (
        "pt",
        lambda spec, _: saved(tensors(spec)).replace(b"PK\1\2", b"PK\0\0", 1),
        f"is cut off or damaged. {AGAIN}",
    ),
    "cut off, old form": ("pt", lambda spec, _: saved(tensors(spec), legacy=True)[:-5000], AGAIN),
    "cut off .safetensors": (
        "safetensors",
        lambda spec, _: as_safetensors(tensors(spec))[:-5000],
        "is cut off: 5 kB of 6.",
    ),
    "cut off early": (
        "safetensors",
        lambda spec, _: as_safetensors(tensors(spec))[:99],
        "is cut off within its list of tensors.",
    ),
    "a damaged list of tensors": (
        "safetensors",
        lambda spec, _: as_safetensors(tensors(spec)).replace(b'"dtype"', b'"dtyqe', 1).replace(b"{", b"{]", 1),
        f"is damaged: its list of tensors cannot be read. {AGAIN}",
    ),
    "one of PyTorch": ("safetensors", lambda spec, _: saved(tensors(spec)), "Rename it to end in .pt."),
    "code": ("pt", lambda _, shot: saved({"state_dict": Gun(shot)}), f"holds code (posix.mkdir), which {CODE}"),
    "code, old form": (
        "pth",
        lambda _, shot: saved({"a": Gun(shot)}, legacy=True),
        f"holds code (posix.mkdir), which {CODE}",
    ),
    "a bare pickle": (
        "bin",
        lambda _, shot: pickle.dumps(Gun(shot), protocol=2),
        f"holds code (posix.mkdir), which {CODE}",
    ),
    "other shapes": (
        "pt",
        lambda spec, _: saved(narrowed(spec)),
        " of another shape than the model's (",
    ),
    "other tensors": ("pt", lambda spec, _: saved(without_first(spec)), "It lacks 1 tensor of the model ("),
    "numbers that are none": ("pt", lambda spec, _: saved(not_finite(spec)), "has numbers that are not finite"),
    "another architecture": ("pt", lambda spec, _: saved(tensors(CLIP if spec == TIMM else TIMM)), CHOOSE),
    "another of the kind": (
        "safetensors",
        lambda spec, _: as_safetensors(tensors("timm:mobilenetv2_050" if spec == TIMM else TIMM)),
        CHOOSE,
    ),
}
"""Of each file: how its name ends, its bytes for an encoder and a file that its code would make, and what is said."""


@pytest.fixture(params=FILES)
def odd(request: pytest.FixtureRequest) -> tuple[str, Make, str]:
    return FILES[request.param]


@pytest.mark.parametrize("spec", [TIMM, CLIP])
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(
    spec: str, odd: tuple[str, Make, str], tmp_path: Path, clip_checkpoint: Path
) -> None:
    ending, make, expected = odd
    file, shot = tmp_path / f"weights.{ending}", tmp_path / "shot"
    file.write_bytes(make(spec, shot))
    with pytest.raises(EmbeddingError) as caught:
        open_encoder(spec, checkpoint=file)
    message = str(caught.value)
    assert message.startswith(f"The checkpoint {file} ")
    assert expected in message
    assert len(message) < 600
    assert not shot.exists()
    for library in ("state_dict", "weights_only", "Traceback", "PytorchStreamReader", "Header"):
        assert library not in message


def test_a_checkpoint_that_may_not_be_read_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "weights.pt").write_bytes(b"1")
    monkeypatch.setattr("bam_engine.embedding.encoder.open_ordinary", refuse)
    with pytest.raises(EmbeddingError, match=r"Cannot read the checkpoint .*weights\.pt: Permission denied\."):
        open_encoder(TIMM, checkpoint=tmp_path / "weights.pt")


@pytest.fixture
def home(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    monkeypatch.setenv("BAM_WORKSPACE", str(workspace.folder))
    monkeypatch.setenv("BAM_CACHE", str(workspace.cache.parent))
    return workspace


def stored(workspace: Workspace) -> tuple[object, list[str]]:
    return workspace.choice, sorted(path.name for path in (workspace.cache / "vectors").rglob("*"))


@pytest.mark.parametrize("name", ["another architecture", "cut off", "a table", "code"])
def test_the_command_line_says_it_and_stores_nothing(
    name: str, home: Workspace, tmp_path: Path, clip_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ending, make, expected = FILES[name]
    file, before = tmp_path / f"weights.{ending}", stored(home)
    for spec in (TIMM, CLIP):
        file.write_bytes(make(spec, tmp_path / "shot"))
        assert main(["embed", "--encoder", spec, "--checkpoint", str(file)]) == 1
        *_, last = capsys.readouterr().err.splitlines()
        assert last.startswith(f"error: The checkpoint {file} ")
        assert expected in last
        assert stored(home) == before
    assert not (tmp_path / "shot").exists()


@pytest.mark.parametrize("damage", ["missing", "cut off"])
def test_without_the_weights_in_the_box_the_command_line_says_so_and_the_descriptors_go_on(
    damage: str,
    home: Workspace,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    package = tmp_path / "package"
    (package / network._FILE).parent.mkdir(parents=True)
    if damage == "cut off":
        (package / network._FILE).write_bytes(network._checked_file().read_bytes()[:1000])
    found, there = importlib.util.find_spec, importlib.util.spec_from_file_location("p", package / "__init__.py")
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name, *more: there if name == network._PACKAGE else found(name, *more)
    )
    before = stored(home)
    for encoder in ("combined", "network"):
        assert main(["embed", "--encoder", encoder]) == 1
        *_, last = capsys.readouterr().err.splitlines()
        assert "is missing" in last if damage == "missing" else "are damaged" in last
        assert last.endswith("or choose the encoder builtin, which needs no weights.")
        assert stored(home) == before
    assert main(["embed", "--encoder", "builtin"]) == 0
