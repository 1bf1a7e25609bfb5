"""The last block of a network and all that comes after it, so that the rest runs once for every picture.

Networks of many libraries end in a row of like blocks, a norm, a pooling and perhaps a projection. What comes after the
block is put together from its later neighbours and tried out on a sample: only a tail that gives what the whole
network gives is taken.
"""

import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from skmm_core.errors import InputError
from skmm_core.probes.network_split import Until

_TOLERANCE = 1e-4  # relative to the largest output


class _Apply(nn.Module):
    """A function without parameters as a module."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self._function = function

    def forward(self, rows: Tensor) -> Tensor:
        """The function of the rows."""
        return self._function(rows)


class _Project(nn.Module):
    """Rows times a matrix, as CLIP models end."""

    def __init__(self, matrix: Tensor) -> None:
        super().__init__()
        self.register_buffer("matrix", matrix.detach())

    def forward(self, rows: Tensor) -> Tensor:
        """The projected rows."""
        return rows @ self.get_buffer("matrix")


_POOLINGS: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda rows: rows.flatten(1),
    lambda rows: rows[:, 0],
    lambda rows: rows.mean(1),
    lambda rows: rows.mean((-2, -1)),
    lambda rows: rows[:, 1:].mean(1),
)


def last_block(network: nn.Module) -> str:
    """Name of the last of the like blocks in a row that a network ends in.

    Raises:
        InputError: it has no such row.
    """
    found = ""
    for name, part in network.named_modules():
        children = list(part.named_children()) if isinstance(part, nn.Sequential | nn.ModuleList) else []
        if len(children) < 2:
            continue
        (_, before), (own, last) = children[-2:]
        if type(before) is type(last) and list(last.children()) and any(True for _ in last.parameters()):
            found = f"{name}.{own}" if name else own
    if not found:
        raise InputError("this network has no row of like blocks, so its last one is not known; finetune 1 layer")
    return found


def cut_before(network: nn.Module, block: str, sample: Tensor) -> tuple[nn.Module, nn.Sequential]:
    """Cut a network before one of its blocks.

    Args:
        network: in evaluation mode, giving one row of features an input.
        block: name of the module where the second part begins.
        sample: (B, …) inputs, B >= 2, on which the second part is tried out.

    Returns:
        What gives the input of the block, and what gives the network's output from it: "block", then "rest".

    Raises:
        InputError: what comes after the block is not known.
    """
    trunk = Until(network, network.get_submodule(block))
    with torch.no_grad():
        wanted, start = network(sample), trunk(sample)
        for rest in _endings(network, block):
            try:
                found = rest(network.get_submodule(block)(start))
            except (RuntimeError, TypeError, IndexError, ValueError, AttributeError):  # these do not fit each other
                continue
            close = _TOLERANCE * float(wanted.abs().max())
            if (
                isinstance(found, Tensor)
                and found.shape == wanted.shape
                and bool((found - wanted).abs().max() <= close)
            ):
                tail = nn.Sequential()
                tail.add_module("block", network.get_submodule(block))
                tail.add_module("rest", rest)
                return trunk, tail
    raise InputError("what comes after the last block of this network is not known; finetune 1 layer, or another model")


def _endings(network: nn.Module, block: str) -> Iterator[nn.Sequential]:
    """What may come after a block: its later neighbours on every level, one pooling among them, and a projection."""
    parts = [part for part in _later(network, block) if not isinstance(part, nn.Identity | nn.Dropout)]
    matrix = getattr(network, "proj", None)
    lasts: list[list[nn.Module]] = [[]]
    if isinstance(matrix, Tensor):
        lasts.append([_Project(matrix)])
    for last in lasts:
        yield nn.Sequential(*parts, *last)
        for place, pooling in itertools.product(range(len(parts) + 1), _POOLINGS):
            yield nn.Sequential(*parts[:place], _Apply(pooling), *parts[place:], *last)


def _later(network: nn.Module, block: str) -> Iterator[nn.Module]:
    names = block.split(".")
    for depth in range(len(names), 0, -1):
        parent = network.get_submodule(".".join(names[: depth - 1])) if depth > 1 else network
        children = list(parent.named_children())
        place = next(number for number, (name, _) in enumerate(children) if name == names[depth - 1])
        yield from (part for _, part in children[place + 1 :])
