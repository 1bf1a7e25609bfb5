"""What every image encoder is: how a picture is prepared, how it becomes a row of features, and where all is from."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn

from skmm_core.errors import InputError

Preprocess = Callable[[Image.Image], Tensor]


@dataclass(frozen=True)
class Encoder:
    """An image encoder on a device.

    Attributes:
        name: with its library, such as "openclip:ViT-B-32".
        dim: d, features of one image.
        preprocess: RGB picture to a tensor; all pictures give the same shape. Safe to call from several threads.
        forward: (B, …) prepared pictures on `device` to (B, d) floats on `device`.
        provenance: JSON values that decide the features (model, pretrained tag or file, sha256 of the weights,
            preprocessing, library versions), `warnings`, one line each for pages and exports, and, where known, the
            `licence` and `origin` of the weights.
        device: where `forward` computes.
        half: whether half precision is accurate enough on a GPU.
        side_by_side: whether on a CPU each core should take a batch of its own: many small operations lose more to
            waiting for each other than all cores on one batch win.
        network: the module that `forward` runs, whose layers can be finetuned; None where there is none.
    """

    name: str
    dim: int
    preprocess: Preprocess
    forward: Callable[[Tensor], Tensor]
    provenance: Mapping[str, Any]
    device: torch.device
    half: bool
    side_by_side: bool = False
    network: nn.Module | None = None

    @torch.inference_mode()
    def __call__(self, batch: Tensor) -> Tensor:
        """Encode prepared pictures.

        On CUDA, networks run in bfloat16, or float16 where the card is older; float32 elsewhere.

        Args:
            batch: (B, …) stack of what `preprocess` returned, on any device.

        Returns:
            (B, d) float32 on the CPU.
        """
        with torch.autocast(self.device.type, dtype=self.half_type, enabled=self.half_type is not None):
            return self.forward(batch.to(self.device, non_blocking=True)).float().cpu()

    @property
    def half_type(self) -> torch.dtype | None:
        """The reduced precision that is used, or None for float32."""
        if not self.half or self.device.type != "cuda":
            return None
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16

    @property
    def key(self) -> str:
        """32 hex digits that change with everything that changes the features of a picture."""
        return facts_key(provenance=dict(self.provenance), device=self.device.type, half=str(self.half_type))


def facts_key(**facts: Any) -> str:
    """32 hex digits that change with any of these JSON values."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:32]


def feature_size(forward: Callable[[Tensor], Tensor], preprocess: Preprocess, device: torch.device) -> int:
    """Features of one image, found by encoding a grey one.

    Raises:
        InputError: the network does not give one row an image.
    """
    with torch.inference_mode():
        row = forward(preprocess(Image.new("RGB", (64, 64), (128, 128, 128)))[None].to(device))
    if not isinstance(row, Tensor) or row.ndim != 2 or len(row) != 1:
        raise InputError("this network does not give one row of features an image; choose another --model")
    return row.shape[1]


def versions(*libraries: str) -> dict[str, str]:
    """Installed versions of the libraries, those that are there."""
    found = {}
    for library in libraries:
        try:
            found[library] = version(library)
        except PackageNotFoundError:
            continue
    return found
