"""What an encoder is called when people are told of it."""

from bam_engine.embedding.encoder import parse_spec
from bam_engine.errors import EmbeddingError

_NAMES = {
    "combined": "Standard (network and descriptors)",
    "builtin": "Fast preview (descriptors)",
    "network": "Network alone",
    "timm": "timm",
    "openclip": "OpenCLIP",
}


def display_name(spec: str) -> str:
    """Return the name of the encoder given by ``spec``; a spec that this program does not know is its own name.

    Examples
    --------
    >>> display_name("combined")
    'Standard (network and descriptors)'
    >>> display_name("timm:resnet18")
    'timm resnet18'
    """
    try:
        parsed = parse_spec(spec)
    except EmbeddingError:
        return spec
    of_the_model = parsed.text.partition(":")[2]
    return f"{_NAMES[parsed.kind]} {of_the_model}".rstrip()
