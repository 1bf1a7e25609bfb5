"""Which device computes, and where random numbers come from."""

import hashlib

import torch
from torch import Tensor

from skmm_core.errors import InputError

_LITTLE = 2**18  # numbers: some milliseconds more a pass


def resolve_device(name: str = "auto") -> torch.device:
    """Turn a device name into a device that exists here.

    Args:
        name: "auto" (CUDA, then MPS, then CPU), "cpu", "cuda", "cuda:1", "mps".

    Raises:
        InputError: the name is unknown or the device is not there; the message says what is.
    """
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(f"device {name!r} is unknown; choose auto, cpu, cuda, cuda:0 or mps") from None
    present = {
        "cpu": True,
        "cuda": torch.cuda.is_available() and (device.index or 0) < torch.cuda.device_count(),
        "mps": torch.backends.mps.is_available(),
    }
    if not present.get(device.type, False):
        raise InputError(f"device {name!r} is not available on this machine; choose auto or cpu")
    return device


def generator(seed: int, purpose: str) -> torch.Generator:
    """Make a CPU generator that belongs to one (seed, purpose) pair.

    Numbers are drawn on the CPU and moved, so that one seed picks the same points on every device. Naming the purpose
    keeps two uses of one seed independent of each other and of the order in which they run.
    """
    digest = hashlib.sha256(f"{seed}:{purpose}".encode()).digest()
    return torch.Generator(device="cpu").manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def widest(device: torch.device) -> torch.dtype:
    """Type to add up in: float64, or float32 on MPS, which has no other."""
    return torch.float32 if device.type == "mps" else torch.float64


def with_more_digits(rows: Tensor) -> Tensor:
    """The same rows in the widest type where there are few, at most 2**18 numbers, so that this costs next to nothing.

    Distances within a far-off cluster are small differences of large numbers. In float32 their last digits decide
    which row is best; in the widest type those of the features themselves do not.
    """
    return rows.to(widest(rows.device)) if rows.numel() <= _LITTLE else rows
