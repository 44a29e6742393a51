"""timm and open_clip encoders against the libraries' own way of doing it, one image at a time."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from bam_engine.embedding import Encoder, TextEncoder, encoder_key, open_encoder
from bam_engine.embedding.encoder import parse_spec
from bam_engine.embedding.openclip_encoder import _settings
from bam_engine.errors import EmbeddingError
from tests.needs import needs_real_weights

CLOSE = 2e-3 if torch.cuda.is_available() else 2e-5  # an accelerator multiplies in fewer digits
NET = "mobilenetv2_035"
SPEC = f"timm:{NET}?pad_type=same&mean=0.5&std=0.5"


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checkpoint of a small network that learned nothing."""
    import timm
    from safetensors.torch import save_file

    file = tmp_path_factory.mktemp("weights") / f"{NET}.safetensors"
    with torch.random.fork_rng():
        torch.manual_seed(7)
        save_file(timm.create_model(NET, pad_type="same").state_dict(), file)
    return file


@pytest.fixture(scope="module")
def net(weights: Path) -> Encoder:
    return open_encoder(SPEC, checkpoint=weights)


@pytest.fixture(scope="module")
def clip(clip_checkpoint: Path) -> TextEncoder:
    encoder = open_encoder("openclip:small-test", checkpoint=clip_checkpoint)
    assert isinstance(encoder, TextEncoder)
    return encoder


def test_timm_encoder_gives_the_pooled_features_of_the_model_as_timm_loads_it(net, weights, pictures):
    made = check_against_timm(NET, net, weights, pictures)
    assert np.abs(made[1:] - made[0]).max(axis=1).min() > 3 * CLOSE, "each picture has a vector of its own"


def test_real_weights_are_read_as_timm_reads_them(pictures):
    file = needs_real_weights()
    encoder = open_encoder("timm:mobilenetv2_100?pad_type=same&mean=0.5&std=0.5", checkpoint=file)
    check_against_timm("mobilenetv2_100", encoder, file, pictures)


def check_against_timm(name: str, encoder: Encoder, weights: Path, pictures: list[Image.Image]) -> np.ndarray:
    """Compare with the pooled features that timm's own loading and preparing give; return the vectors."""
    import timm
    from timm.data import create_transform

    model = timm.create_model(name, pad_type="same", checkpoint_path=str(weights)).eval()
    whole = create_transform(224, mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bicubic", crop_pct=0.875)
    with torch.inference_mode():
        features = [model.forward_head(model.forward_features(whole(p)[None]), pre_logits=True) for p in pictures]
    made = encoder.encode([encoder.preprocess(picture) for picture in pictures])
    assert (encoder.dim, encoder.input_size, made.dtype) == (1280, 256, np.float32)
    np.testing.assert_allclose(made, unit(torch.cat(features).numpy()), atol=CLOSE)
    return made


def test_vectors_do_not_depend_on_the_company_in_the_batch(net, pictures):
    prepared = [net.preprocess(picture) for picture in pictures[:3]]
    alone = np.concatenate([net.encode([one]) for one in prepared])
    np.testing.assert_allclose(net.encode(prepared), alone, atol=CLOSE)


def test_an_accelerator_gives_the_vectors_of_the_processor(weights, clip_checkpoint, pictures, monkeypatch):
    if not torch.cuda.is_available():
        pytest.skip("this machine has no CUDA device")
    for spec, file in ((SPEC, weights), ("openclip:small-test", clip_checkpoint)):
        there = open_encoder(spec, checkpoint=file)
        with monkeypatch.context() as patch:
            patch.setattr("torch.cuda.is_available", lambda: False)
            here = open_encoder(spec, checkpoint=file)
        assert (there.model.device.type, here.model.device.type) == ("cuda", "cpu")
        prepared = [here.preprocess(picture) for picture in pictures]
        np.testing.assert_allclose(there.encode(prepared), here.encode(prepared), atol=CLOSE)


def test_a_checkpoint_with_another_classifier_fits(tmp_path, net, weights, pictures):
    from safetensors.torch import load_file, save_file

    tensors = load_file(weights)
    tensors["classifier.weight"], tensors["classifier.bias"] = (
        tensors["classifier.weight"][:7].clone(),
        tensors["classifier.bias"][:7].clone(),
    )
    save_file(tensors, tmp_path / "seven.safetensors")
    seven = open_encoder(SPEC, checkpoint=tmp_path / "seven.safetensors")
    one = [net.preprocess(pictures[0])]
    np.testing.assert_array_equal(seven.encode(one), net.encode(one))
    assert seven.key != net.key


def test_clip_encoder_gives_what_open_clip_gives_for_images_and_texts(clip, clip_checkpoint, pictures):
    import open_clip

    model, transform = open_clip.create_model_from_pretrained("small-test", str(clip_checkpoint))
    texts = ["a watercolour of a pear", "gloomy", ""]
    with torch.inference_mode():
        images = torch.cat([model.encode_image(transform(picture)[None], normalize=True) for picture in pictures])
        words = model.encode_text(open_clip.get_tokenizer("small-test")(texts), normalize=True)
    made = clip.encode([clip.preprocess(picture) for picture in pictures])
    assert (clip.dim, clip.input_size) == (24, 32)
    np.testing.assert_allclose(made, images.numpy(), atol=CLOSE)
    np.testing.assert_allclose(clip.encode_text(texts), words.numpy(), atol=CLOSE)
    assert clip.encode_text([]).shape == (0, 24)


def test_options_say_how_the_input_is_prepared(clip_checkpoint):
    encoder = open_encoder("openclip:small-test?mean=0.5&std=0.25,0.5,0.5&size=48", checkpoint=clip_checkpoint)
    assert encoder.model.preprocessing.mean == (0.5, 0.5, 0.5)
    assert encoder.model.preprocessing.std == (0.25, 0.5, 0.5)
    assert encoder.input_size == 48


def test_a_tag_beside_a_file_says_how_the_input_is_prepared():
    settings = _settings("ViT-B-16-SigLIP", "webli", parse_spec("openclip:ViT-B-16-SigLIP/webli"))
    assert settings["image_mean"] == (0.5, 0.5, 0.5)
    assert settings["image_resize_mode"] == "squash"
    assert _settings("ViT-B-32", "openai", parse_spec("openclip:ViT-B-32/openai"))["force_quick_gelu"]


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("timm:resnet81", "Did you mean resnet"),
        ("timm:mobilenetv2_10", "mobilenetv2_100"),
        ("timm:zzzzqqqq", "No known name is similar"),
        ("timm:resnet18.nobody", "timm has no pretrained weights for resnet18.nobody. Choose one of"),
        ("openclip:ViT-B32/openai", "Did you mean ViT-B-32"),
        ("openclip:ViT-B-32/opnai", "Choose one of openai"),
        ("openclip:ViT-B-32", "names no weights"),
        ("clip:ViT-B-32", "is not a valid encoder"),
        ("timm:", "is not a valid encoder"),
        ("builtin:large", "is not a valid encoder"),
        ("network:large", "is not a valid encoder"),
        ("combined?size=3", "is not a valid encoder"),
        ("", "is not a valid encoder"),
        ("timm:resnet18?pad_type", "Write them as key=value"),
    ],
)
def test_an_unknown_name_comes_with_suggestions(spec, message):
    with pytest.raises(EmbeddingError) as caught:
        open_encoder(spec)
    assert message in str(caught.value)


@pytest.mark.parametrize("spec", ["timm:resnet18", "openclip:ViT-B-32/laion2b_s34b_b79k"])
def test_unavailable_weights_are_reported_with_what_to_do(spec, monkeypatch, tmp_path):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(EmbeddingError) as caught:
        open_encoder(spec)
    assert f"Cannot download the weights of {spec}" in str(caught.value)
    assert "use a checkpoint file" in str(caught.value)
    assert "http" not in str(caught.value)


def test_options_that_a_model_does_not_accept_are_reported(weights):
    for options in ("colour=red", "size=large", "mean=1,2"):
        with pytest.raises(EmbeddingError, match=options.split("=")[0]):
            open_encoder(f"timm:{NET}?pad_type=same&{options}", checkpoint=weights)


@pytest.fixture
def loaded_gun(tmp_path):
    """A checkpoint file that writes another file when its pickle is executed, and that other file."""
    import torch

    shot = tmp_path / "shot"

    class Gun:
        def __reduce__(self):
            return Path.touch, (shot,)

    torch.save({"state_dict": Gun()}, tmp_path / "gun.pt")
    return tmp_path / "gun.pt", shot


@pytest.mark.parametrize("model", ["timm:resnet18", "openclip:small-test"])
@pytest.mark.parametrize(
    "option",
    [
        "weights_only=False",
        "pretrained_image=True",
        "checkpoint_path=gun.pt",
        "pretrained_cfg=x",
        "cache_dir=/tmp",
        "pretrained_hf=1",
        "require_pretrained=1",
        "load_weights=True",
        "in_chans=1",
        "Size=3",
        "size=-1",
        "size=True",
        "size=99999999",
        "mean=a,b,c",
        "std=True",
        "image_resize_mode=[]",
        "pad_type={}",
    ],
)
def test_no_option_opens_a_way_to_code_in_a_checkpoint(model, option, loaded_gun, clip_checkpoint):
    file, shot = loaded_gun
    with pytest.raises(EmbeddingError, match=rf"option '?{option.split('=')[0]}"):
        open_encoder(f"{model}?{option}", checkpoint=file)
    assert not shot.exists()


@pytest.mark.parametrize("spec", ["timm:resnet18", "openclip:small-test", "openclip:small-test?force_quick_gelu=True"])
@pytest.mark.parametrize("ending", ["pt", "pth", "bin", "npy", "npz", "safetensors", ""])
def test_code_in_a_checkpoint_never_runs(spec, ending, loaded_gun, clip_checkpoint, tmp_path):
    file, shot = loaded_gun
    renamed = file.rename(tmp_path / f"weights.{ending}")
    with pytest.raises(EmbeddingError, match=f"The checkpoint {renamed} (holds code|is not a|does not fit)"):
        open_encoder(spec, checkpoint=renamed)
    assert not shot.exists()


def test_an_option_that_is_not_known_comes_with_those_that_are():
    with pytest.raises(EmbeddingError, match="Their options are mean, std, size, force_quick_gelu"):
        open_encoder("openclip:ViT-B-32?weights_only=False")


def test_keys_name_folders_and_differ_where_vectors_differ(tmp_path, net, weights):
    other = tmp_path / "other.bin"
    other.write_bytes(b"1")
    keys = [
        encoder_key("builtin"),
        encoder_key("timm:resnet18"),
        encoder_key("timm:resnet18.a1_in1k"),
        encoder_key("timm:resnet18?size=224"),
        encoder_key("timm:resnet18?size=256"),
        encoder_key("timm:resnet18", other),
        encoder_key(SPEC, weights),
        encoder_key("openclip:ViT-B-32/openai"),
        encoder_key("openclip:ViT-B-32-openai"),
    ]
    assert len(set(keys)) == len(keys)
    assert all(Path(key).name == key and key.isascii() and len(key) < 200 for key in keys)
    assert net.key == keys[6]
    other.write_bytes(b"22")
    assert encoder_key("timm:resnet18", other) != keys[5]
    assert encoder_key("timm:resnet18?b=1&a=2") == encoder_key("timm:resnet18?a=2&b=1")


def test_a_missing_checkpoint_is_reported(tmp_path):
    for file, message in (
        (tmp_path / "none.pt", r"Cannot read the checkpoint .*none\.pt"),
        (tmp_path, "is not a file"),
    ):
        with pytest.raises(EmbeddingError, match=message):
            open_encoder("timm:resnet18", checkpoint=file)
    with pytest.raises(EmbeddingError, match="takes no weights"):
        open_encoder("builtin", checkpoint=tmp_path)


def test_a_grey_and_a_long_thin_image_are_encoded_too(clip):
    images = [Image.new("RGB", size, (9, 99, 199)) for size in ((1, 1), (3, 900), (900, 3))]
    made = clip.encode([clip.preprocess(image) for image in images])
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("encoder", ["net", "clip"])
@pytest.mark.parametrize("upright", [False, True])
def test_a_strip_costs_what_an_ordinary_image_costs_and_its_middle_is_seen(encoder, upright, request, monkeypatch):
    opened = request.getfixturevalue(encoder)
    shade = np.linspace(0, 255, 60_000).astype(np.uint8)
    strip = Image.fromarray(np.repeat(shade[None, :, None], 3, axis=2))
    strip = strip.transpose(Image.Transpose.ROTATE_90) if upright else strip
    resize, sizes = Image.Image.resize, []
    monkeypatch.setattr(
        Image.Image,
        "resize",
        lambda image, size, *rest, **more: sizes.append(size) or resize(image, size, *rest, **more),
    )
    seen = opened.preprocess(strip)
    assert seen.shape == opened.preprocess(Image.new("RGB", (640, 480))).shape
    assert max(width * height for width, height in sizes) <= 16 * 1.1 * (opened.input_size + 1) ** 2
    assert np.abs(seen.astype(int) - 127).max() <= 1


def test_a_long_image_is_prepared_as_the_library_prepares_it(net):
    pixels = np.random.default_rng(0).integers(0, 256, (40, 1_000, 3), dtype=np.uint8)
    whole = Image.fromarray(pixels)
    for step in net.model.preprocessing.geometry:
        whole = step(whole)
    assert np.abs(net.preprocess(Image.fromarray(pixels)).astype(int) - np.asarray(whole, int)).max() <= 1
