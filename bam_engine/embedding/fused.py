"""Convolutions of a network on a processor: each runs with what follows it as one step of oneDNN.

In:  a network whose batch normalisations are folded into its convolutions. Out: the same network, whose convolutions
clip their outputs themselves (ReLU6) and hold their weights in the order in which oneDNN reads them. Those of torch
reorder the weights at every call, write the outputs once more to clip them, and copy the inputs to pad them.
"""

import itertools
from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from torch import nn
from torch.nn import functional


def available() -> bool:
    """Return whether this build of torch has the steps."""
    found: Any = torch.backends.mkldnn
    return bool(found.is_available()) and hasattr(torch.ops.mkldnn, "_convolution_pointwise")


def fused(network: Any) -> Any:
    """Replace the convolutions of ``network``, whose inputs have an even number of pixels wherever one has stride 2."""
    for parent in list(network.modules()):
        for (name, convolution), (after, activation) in itertools.pairwise(list(parent.named_children())):
            if isinstance(convolution, nn.Conv2d):
                setattr(parent, name, _Step(convolution, clips=isinstance(activation, nn.ReLU6)))
                setattr(parent, after, nn.Identity())
    return network


class _Step(nn.Module):
    """A convolution with its activation."""

    def __init__(self, convolution: nn.Conv2d, *, clips: bool) -> None:
        super().__init__()
        weight, padding = convolution.weight.detach(), [*convolution.padding]
        if isinstance(convolution, Conv2dSame):
            # It pads one more behind than in front; a kernel with zeros in front sees the same with equal padding.
            padding = [length // 2 for length in weight.shape[2:]]
            weight = functional.pad(weight, (1, 0, 1, 0))
        self._weight = weight.contiguous(memory_format=torch.channels_last)
        self._bias = convolution.bias
        self._how: tuple[Any, ...] = (padding, [*convolution.stride], [*convolution.dilation], convolution.groups)
        self._then: tuple[Any, ...] = ("hardtanh", [0.0, 6.0], "") if clips else ("none", [], "")
        self._ordered: torch.Tensor | None = None

    def forward(self, block: torch.Tensor) -> torch.Tensor:
        """Return the outputs for a batch; its size is what the weights are ordered for at the first call."""
        steps = torch.ops.mkldnn
        if self._ordered is None:
            self._ordered = steps._reorder_convolution_weight(self._weight, *self._how, [*block.shape])
        result: torch.Tensor = steps._convolution_pointwise(block, self._ordered, self._bias, *self._how, *self._then)
        return result
