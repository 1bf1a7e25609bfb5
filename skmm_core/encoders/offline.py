"""The feature map that needs no download: wavelet scattering of the luminance, and colour.

No learning and no random numbers. Scattering (Bruna & Mallat, 2013; colour as in Oyallon & Mallat, 2015) takes the
modulus of oriented wavelets, and wavelets of that modulus again, averaged over cells of the picture; colour is
described by means, spreads and a soft histogram in an opponent space. How it compares with other maps of this size is
measured in `assets/docs/offline-features.md`. Pretrained encoders do better, such as EfficientNet-Lite0, the default.
"""

import math

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from skmm_core.encoders.encoder import Encoder, feature_size
from skmm_core.encoders.untrained import OFFLINE_WARNING

SIZE = 32  # pixels a side; 48 and 64 cost two and four times as much and scored no better
_PAD = 4
_ANGLES, _SCALES = 6, 3
_SPREAD, _FREQUENCY, _SLANT = 0.8, 3 * math.pi / 4, 4 / _ANGLES  # of the finest Morlet wavelet (Kymatio's choice)
_FINE, _COARSE = 4, 2  # cells a side for first-order and for second-order or colour averages
_FLOOR = 1e-3  # of a modulus in 0..1, so that flat cells do not blow up
_LEVELS = (torch.linspace(0, 1, 4), torch.linspace(-0.5, 0.5, 5), torch.linspace(-0.6, 0.6, 5))
# Spread of each block over Fashion-MNIST, CIFAR-10 and flower pictures: after division all blocks weigh about the same.
_BLOCK_SCALES = {"texture": 0.9, "second order": 1.5, "chroma": 0.35, "colour": 1.1, "histogram": 0.5}
VERSION = "scattering-colour-1"


def load_offline(device: torch.device) -> Encoder:
    """Build the feature map.

    Args:
        device: where it computes.
    """
    map_ = OfflineMap(device)
    return Encoder(
        name="offline",
        dim=feature_size(map_, prepare, device),
        preprocess=prepare,
        forward=map_,
        provenance={
            "model": "offline",
            "pretrained": None,
            "weights_sha256": None,
            "preprocessing": f"resized to {SIZE} × {SIZE} pixels, bicubic",
            "versions": {"offline": VERSION},
            "warnings": [OFFLINE_WARNING],
        },
        device=device,
        half=False,
        side_by_side=device.type == "cpu",
    )


def prepare(picture: Image.Image) -> Tensor:
    """(3, 32, 32) uint8 of an RGB picture; its sides are scaled apart, so that all of it is seen."""
    small = picture.resize((SIZE, SIZE), Image.Resampling.BICUBIC, reducing_gap=3.0)
    return torch.from_numpy(np.array(small, np.uint8)).permute(2, 0, 1).contiguous()


class OfflineMap:
    """Maps (B, 3, 32, 32) uint8 pictures to (B, d) float32 rows."""

    def __init__(self, device: torch.device) -> None:
        whole = SIZE + 2 * _PAD
        self._first = _wavelets(whole, range(_SCALES)).to(device)
        # Second wavelets of the modulus at scale j: only coarser ones see anything. It is halved once when j = 1.
        self._second = tuple(
            _wavelets(whole >> scale, range(1, _SCALES - scale)).flatten(0, 1).to(device)
            for scale in range(_SCALES - 1)
        )
        self._levels = tuple(level.to(device) for level in _LEVELS)

    def __call__(self, pictures: Tensor) -> Tensor:
        """Encode pictures."""
        opponent = _opponent(pictures.float() / 255)
        texture, second = self._scattering(opponent[:, 0])
        chroma = [_means(self._modulus(opponent[:, channel]), _COARSE).sqrt() for channel in (1, 2)]
        blocks = {
            "texture": texture,
            "second order": second,
            "chroma": torch.cat(chroma, dim=1),
            "colour": _colour(opponent),
            "histogram": self._histogram(opponent),
        }
        return torch.cat([block / _BLOCK_SCALES[name] for name, block in blocks.items()], dim=1)

    def _modulus(self, channel: Tensor) -> Tensor:
        """(B, scales · angles, 40, 40) first-order moduli of one (B, 32, 32) channel."""
        padded = functional.pad(channel[:, None], (_PAD,) * 4, mode="reflect")
        moduli: Tensor = torch.fft.ifft2(torch.fft.fft2(padded) * self._first.flatten(0, 1)).abs()
        return moduli

    def _scattering(self, channel: Tensor) -> tuple[Tensor, Tensor]:
        """First-order averages (B, 288), and second-order ones relative to them (B, 432)."""
        first = self._modulus(channel)
        moduli = first.unflatten(1, (_SCALES, _ANGLES))
        second = []
        for scale, wavelets in enumerate(self._second):
            step = 1 << scale
            modulus = moduli[:, scale]
            coarse = functional.avg_pool2d(modulus, step) if step > 1 else modulus
            again = torch.fft.ifft2(torch.fft.fft2(coarse)[:, :, None] * wavelets).abs()
            energy = _means(modulus, _COARSE).unflatten(1, (_ANGLES, 1, -1))
            averages = _means(again.flatten(1, 2), _COARSE, pad=_PAD >> scale)
            second.append((averages.unflatten(1, (*again.shape[1:3], -1)) / (energy + _FLOOR)).flatten(1))
        return _means(first, _FINE).sqrt(), torch.cat(second, dim=1)

    def _histogram(self, opponent: Tensor) -> Tensor:
        """(B, 100) square roots of the shares of 4 × 5 × 5 colours; a pixel counts for its two nearest levels."""
        light, red, blue = (_nearness(opponent[:, i], levels) for i, levels in enumerate(self._levels))
        joint = light[:, :, None, None] * red[:, None, :, None] * blue[:, None, None]
        return joint.mean((-2, -1)).flatten(1).sqrt()


def _opponent(rgb: Tensor) -> Tensor:
    """Luminance, red against green, blue against both."""
    red, green, blue = rgb.unbind(1)
    return torch.stack([rgb.mean(1), (red - green) / 2**0.5, (red + green - 2 * blue) / 6**0.5], dim=1)


def _colour(opponent: Tensor) -> Tensor:
    """(B, 126) means and standard deviations of the channels over 1, 4 and 16 cells."""
    found = []
    for cells in (1, 2, 4):
        mean = functional.adaptive_avg_pool2d(opponent, cells)
        square = functional.adaptive_avg_pool2d(opponent.square(), cells)
        found += [mean.flatten(1), (square - mean.square()).clamp(min=0).sqrt().flatten(1)]
    return torch.cat(found, dim=1)


def _means(maps: Tensor, cells: int, pad: int = _PAD) -> Tensor:
    """(B, C · cells²) averages over the cells of the picture, its padding cut off."""
    inner = maps[..., pad:-pad, pad:-pad]
    return functional.adaptive_avg_pool2d(inner, cells).flatten(1)


def _nearness(channel: Tensor, levels: Tensor) -> Tensor:
    """(B, levels, 32, 32) weights of the two nearest levels of each pixel; they add up to 1."""
    width = levels[1] - levels[0]
    inside = channel.clamp(float(levels[0]), float(levels[-1]))
    return (1 - (inside[:, None] - levels[:, None, None]).abs() / width).clamp(min=0)


def _wavelets(size: int, scales: range) -> Tensor:
    """(scales, angles, size, size) Morlet wavelets in the frequency domain, each with zero mean."""
    line = torch.fft.fftfreq(size, dtype=torch.float64) * 2 * math.pi
    found = []
    for scale in scales:
        for angle in range(_ANGLES):
            gabor = _gabor(line, scale, angle, _FREQUENCY / 2**scale)
            envelope = _gabor(line, scale, angle, 0.0)
            found.append(gabor - envelope * (gabor[0, 0] / envelope[0, 0]))
    wavelets: Tensor = torch.stack(found).unflatten(0, (len(scales), _ANGLES))
    return wavelets.float()


def _gabor(line: Tensor, scale: int, angle: int, frequency: float) -> Tensor:
    """A Gaussian around one frequency, repeated with the period of the discrete Fourier transform."""
    spread, turn = _SPREAD * 2**scale, angle * math.pi / _ANGLES
    shifted = (line[:, None] + 2 * math.pi * torch.tensor([-1.0, 0.0, 1.0], dtype=torch.float64)).flatten()
    down, right = torch.meshgrid(shifted, shifted, indexing="ij")
    along = right * math.cos(turn) + down * math.sin(turn) - frequency
    across = down * math.cos(turn) - right * math.sin(turn)
    bump = torch.exp(-0.5 * spread**2 * (along.square() + (across / _SLANT).square()))
    folded: Tensor = bump.unflatten(0, (-1, 3)).unflatten(2, (-1, 3))
    return folded.sum((1, 3))
