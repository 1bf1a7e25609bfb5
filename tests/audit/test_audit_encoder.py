"""The feature map that needs no download, from the definition of scattering, one picture and wavelet at a time."""

import math

import numpy as np
import pytest
import torch

from skmm_core.encoders.offline import OfflineMap

_SIZE, _PAD, _ANGLES = 32, 4, 6


def morlet(size, scale, angle):
    """A Gabor wavelet less its envelope, so that its mean is 0, on the frequencies of the discrete transform."""
    line = 2 * math.pi * np.fft.fftfreq(size)
    spread, turn, frequency = 0.8 * 2**scale, math.pi * angle / _ANGLES, 3 * math.pi / 4 / 2**scale

    def gabor(centre):
        total = np.zeros((size, size))
        for down in (-2 * math.pi, 0, 2 * math.pi):
            for right in (-2 * math.pi, 0, 2 * math.pi):
                v, u = np.meshgrid(line + down, line + right, indexing="ij")
                along = u * math.cos(turn) + v * math.sin(turn) - centre
                across = v * math.cos(turn) - u * math.sin(turn)
                total += np.exp(-0.5 * spread**2 * (along**2 + (across * _ANGLES / 4) ** 2))
        return total

    wave, envelope = gabor(frequency), gabor(0.0)
    return wave - envelope * wave[0, 0] / envelope[0, 0]


def cells(picture, count, pad=0):
    inner = picture[pad : picture.shape[0] - pad, pad : picture.shape[1] - pad]
    step = len(inner) // count
    return inner.reshape(count, step, count, step).mean(axis=(1, 3)).ravel()


def modulus(channel, wavelet):
    return np.abs(np.fft.ifft2(np.fft.fft2(channel) * wavelet))


def scattering(channel):
    """Square roots of first-order averages, and second-order averages over first-order ones."""
    padded = np.pad(channel, _PAD, mode="reflect")
    first = [[modulus(padded, morlet(40, j, a)) for a in range(_ANGLES)] for j in range(3)]
    texture = np.concatenate([cells(each, 4, _PAD) for scale in first for each in scale]) ** 0.5
    second = []
    for j in (0, 1):
        for a in range(_ANGLES):
            coarse = first[j][a].reshape(40 >> j, 1 << j, 40 >> j, 1 << j).mean(axis=(1, 3))
            energy = cells(first[j][a], 2, _PAD) + 1e-3
            for scale in range(1, 3 - j):
                for b in range(_ANGLES):
                    again = modulus(coarse, morlet(40 >> j, scale, b))
                    second.append(cells(again, 2, _PAD >> j) / energy)
    return texture, np.concatenate(second)


def chroma(channel):
    padded = np.pad(channel, _PAD, mode="reflect")
    return (
        np.concatenate([cells(modulus(padded, morlet(40, j, a)), 2, _PAD) for j in range(3) for a in range(_ANGLES)])
        ** 0.5
    )


def histogram(opponent):
    """Shares of colours; every pixel counts for its nearest two levels of each channel, in linear proportion."""
    levels = (np.linspace(0, 1, 4), np.linspace(-0.5, 0.5, 5), np.linspace(-0.6, 0.6, 5))
    total = np.zeros((4, 5, 5))
    for pixel in opponent.reshape(3, -1).T:
        parts = []
        for value, level in zip(pixel, levels, strict=True):
            inside = min(max(value, level[0]), level[-1])
            parts.append(np.maximum(0, 1 - np.abs(inside - level) / (level[1] - level[0])))
        total += parts[0][:, None, None] * parts[1][:, None] * parts[2]
    return np.sqrt(total / opponent[0].size).ravel()


def by_definition(picture):
    red, green, blue = picture.astype(np.float64) / 255
    opponent = np.stack([(red + green + blue) / 3, (red - green) / 2**0.5, (red + green - 2 * blue) / 6**0.5])
    texture, second = scattering(opponent[0])
    colour = []
    for count in (1, 2, 4):
        mean = np.concatenate([cells(channel, count) for channel in opponent])
        square = np.concatenate([cells(channel**2, count) for channel in opponent])
        colour += [mean, np.sqrt(np.maximum(0, square - mean**2))]
    parts = [texture / 0.9, second / 1.5, np.concatenate([chroma(opponent[1]), chroma(opponent[2])]) / 0.35]
    return np.concatenate([*parts, np.concatenate(colour) / 1.1, histogram(opponent) / 0.5])


@pytest.mark.parametrize("kind", ["noise", "smooth", "flat"])
def test_the_offline_map(kind, audit):
    """Each block of features against its definition, in float64."""
    rng = np.random.default_rng(0)
    pictures = {
        "noise": rng.integers(0, 256, (2, 3, _SIZE, _SIZE)),
        "smooth": np.add.outer(
            np.arange(2) * 60, 2 * np.add.outer(np.arange(3) * 9, np.add.outer(np.arange(_SIZE), np.arange(_SIZE)))
        )
        % 256,
        "flat": np.full((2, 3, _SIZE, _SIZE), 90),
    }[kind].astype(np.uint8)
    found = OfflineMap(torch.device("cpu"))(torch.tensor(pictures))
    expected = np.stack([by_definition(picture) for picture in pictures])
    # spreads and square roots of what is nearly 0 lose half the digits of float32
    within = 8 * math.sqrt(1.2e-7)
    audit.same("encoder offline", "features", found, expected, within=within)
