"""What every text encoder is: how texts become rows of features, where it cuts them, and where all is from."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from skmm_core.encoders.encoder import facts_key
from skmm_core.errors import InputError


@dataclass(frozen=True)
class TextEncoder:
    """A text encoder on a device.

    Attributes:
        name: such as "all-minilm-l6-v2", or the name of a folder.
        dim: d, features of one text.
        forward: B texts to (B, d) float32 features; what the others are changes none of them by more than rounding.
            Safe to call from several threads.
        limit: pieces of a text (of words, as the model's tokenizer makes them) that are read; None for all.
        is_cut: B texts to (B,) bool, those that have more pieces.
        provenance: JSON values that decide the features, as for pictures.
        device: where `forward` computes.
    """

    name: str
    dim: int
    forward: Callable[[Sequence[str]], np.ndarray]
    limit: int | None
    is_cut: Callable[[Sequence[str]], np.ndarray]
    provenance: Mapping[str, Any]
    device: torch.device

    @property
    def key(self) -> str:
        """32 hex digits that change with everything that changes the features of a text."""
        return facts_key(provenance=dict(self.provenance), device=self.device.type)

    def encode(self, texts: Sequence[str]) -> np.ndarray:
        """Encode texts at once.

        Args:
            texts: B texts.

        Returns:
            (B, d) float32.

        Raises:
            InputError: the model fails on them.
        """
        try:
            found = np.asarray(self.forward(texts), np.float32)
        except (RuntimeError, ValueError, IndexError, TypeError) as error:
            reason = " ".join(str(error).split())[:160] or type(error).__name__
            raise InputError(f"{self.name} cannot encode these texts ({reason}); choose another --model") from None
        if found.shape != (len(texts), self.dim):
            raise InputError(f"{self.name} does not give one row of features a text; choose another --model")
        return found


def uncut(texts: Sequence[str]) -> np.ndarray:
    """(B,) bool for a model that reads all of a text."""
    return np.zeros(len(texts), bool)
