"""Cut a network before the layers that are trained, so that the frozen part runs once."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

_CHAIN_TOLERANCE = 1e-5


@dataclass(frozen=True)
class NetworkSplit:
    """A network in two: what runs once, and what is trained.

    Attributes:
        trunk: the frozen part; the identity where the network could not be cut.
        tail: takes what the trunk puts out.
        cached: whether the trunk does any work, so that its output is worth keeping.
    """

    trunk: nn.Module
    tail: nn.Module
    cached: bool


def split_network(network: nn.Module, layers: Sequence[str], sample: Tensor) -> NetworkSplit:
    """Cut before the first trained layer where the rest of the network is known: a sequence, or just those layers.

    Whether a network of another class ends in those layers, one after the other, is tried out on a sample.

    Args:
        network: in evaluation mode.
        layers: names of the modules to train, in the order they run.
        sample: (B, …) inputs on the network's device.
    """
    if isinstance(network, nn.Sequential):
        names = [name for name, _ in network.named_children()]
        cut = min(names.index(layer.split(".")[0]) for layer in layers)
        return NetworkSplit(network[:cut], network[cut:], cut > 0)
    seen: list[Tensor] = []
    chain = nn.Sequential(*(network.get_submodule(name) for name in layers))
    handle = chain[0].register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    with torch.no_grad():
        output = network(sample)
        handle.remove()
        try:
            found = chain(seen[0]) if len(seen) == 1 else None
        except (RuntimeError, TypeError):  # the layers do not follow upon each other
            found = None
    if found is None or found.shape != output.shape or not torch.allclose(found, output, atol=_CHAIN_TOLERANCE):
        return NetworkSplit(nn.Identity(), network, False)
    return NetworkSplit(Until(network, chain[0]), chain, True)


class Until(nn.Module):
    """A network up to the input of one of its modules."""

    def __init__(self, network: nn.Module, module: nn.Module) -> None:
        super().__init__()
        self._network, self._module = network, module

    def forward(self, inputs: Tensor) -> Tensor:
        """Input of the module."""
        seen: list[Tensor] = []
        handle = self._module.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
        try:
            self._network(inputs)
        finally:
            handle.remove()
        return seen[0]
