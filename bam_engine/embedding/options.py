"""The options that the spec of an encoder may give, and their values.

In:  a parsed spec. Out: nothing, or an error in words. timm and open_clip hand every option to the constructor of a
model, which also takes where weights are read from and whether code among them may run. So only these are handed on.
"""

from collections.abc import Callable
from typing import Any

from bam_engine.embedding.base import Spec
from bam_engine.errors import EmbeddingError

MAX_SIZE = 4096
"""Pixels."""

Allowed = tuple[Callable[[Any], bool], str]
"""Whether a value is valid, and what a valid one is."""


def check_options(spec: Spec) -> None:
    """Check the options of a spec.

    Raises
    ------
    EmbeddingError
        An option is not one of the encoder's, or has no valid value.
    """
    known = _OPTIONS[spec.kind]
    for name, value in spec.options.items():
        if name not in known:
            raise EmbeddingError(
                f"{spec.text} has the option {name!r}, which encoders of {spec.kind} do not take. Their options are "
                f"{', '.join(known)}."
            )
        valid, words = known[name]
        if not valid(value):
            raise EmbeddingError(f"The option {name}={value!r} of {spec.text} must be {words}.")


def _one_of(*values: str | bool) -> Allowed:
    # 1 == True, and a table is not hashable
    return lambda value: any(value is one or (isinstance(one, str) and value == one) for one in values), (
        f"one of {', '.join(map(str, values))}"
    )


def _is_channels(value: Any) -> bool:
    numbers = value if isinstance(value, tuple) else (value,) * 3
    return len(numbers) == 3 and all(type(number) in (int, float) for number in numbers)


def _is_size(value: Any) -> bool:
    return type(value) is int and 0 < value <= MAX_SIZE


_CHANNELS: Allowed = (_is_channels, "one number, or three separated by commas")
_SIZE: Allowed = (_is_size, f"a number of pixels from 1 to {MAX_SIZE:,}")
_INPUT = {"mean": _CHANNELS, "std": _CHANNELS, "size": _SIZE}
_OPTIONS: dict[str, dict[str, Allowed]] = {
    "combined": {},
    "network": {},
    "builtin": {},
    "timm": _INPUT
    | {
        "img_size": _SIZE,
        "dynamic_img_size": _one_of(True, False),
        "global_pool": _one_of("avg", "max", "avgmax", "catavgmax", "token", "map"),
        "pad_type": _one_of("same", "valid"),
    },
    "openclip": _INPUT
    | {
        "force_quick_gelu": _one_of(True, False),
        "image_interpolation": _one_of("bicubic", "bilinear"),
        "image_resize_mode": _one_of("shortest", "longest", "squash"),
    },
}
