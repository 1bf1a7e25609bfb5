"""Finetuning for the paper's tables: the head alone, or the head and the last block of a CLIP image tower."""

import contextlib
import copy
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from skmm_core.config import EmbedJob, PaperJob, RunConfig
from skmm_core.data.dataset import Dataset
from skmm_core.data.image_index import index_images
from skmm_core.device import resolve_device
from skmm_core.embedding import image_source
from skmm_core.encoders.encoder import Encoder
from skmm_core.encoders.registry import load_encoder
from skmm_core.errors import InputError
from skmm_core.finetune import FinetuneOptions, finetune
from skmm_core.paper.experiments import get_experiment
from skmm_core.probe import check_scorable
from skmm_core.progress import Progress, Report, ignore

_BATCH = 32
_OPTIONS = FinetuneOptions()
_TOLERANCE = 1e-4  # of the largest feature


def finetuned_layers(
    dataset: Dataset, config: RunConfig, job: PaperJob, folder: Path, *, device: str, report: Report = ignore
) -> list[Callable[[Tensor, int, Report], dict[str, float]]]:
    """What to train for each number of layers: takes chosen rows of the pool, a seed and a report, gives test scores.

    The new head starts at zero, so the seed only decides the order of the samples. With validation rows training
    stops early, else all epochs are trained.

    Args:
        dataset: features of the pictures, with the classes and the split.
        config: of the run; its dataset is the folder or zip file of pictures.
        job: encoder, and how many layers.
        folder: where what the frozen part puts out is kept, in a file that goes with the process.
        device: where to compute.
        report: told while pictures are read; raise Cancelled from it to stop.

    Raises:
        InputError: the encoder has no block that could be trained.
    """
    trained: list[Callable[[Tensor, int, Report], dict[str, float]]] = []
    for layers in job.finetune:
        if layers == 1:
            inputs: Tensor = dataset.features
            body: list[tuple[str, nn.Module]] = []
        else:
            inputs, body = _before_last_block(dataset, config, job, folder, device, report)
        trained.append(_Trained(dataset, inputs, body, f"_ft{layers}", device))
    return trained


class _Trained:
    """Trains on some rows and scores on the test rows."""

    def __init__(
        self, dataset: Dataset, inputs: Tensor, body: list[tuple[str, nn.Module]], ending: str, device: str
    ) -> None:
        self._dataset, self._inputs, self._body, self._ending, self._device = dataset, inputs, body, ending, device
        self._targets = check_scorable(dataset)

    def __call__(self, chosen: Tensor, seed: int, report: Report) -> dict[str, float]:
        split = self._dataset.split
        head = nn.Linear(self._dataset.features.shape[1], self._dataset.n_classes)
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
        model = nn.Sequential()
        for name, module in (*self._body, ("head", head)):
            model.add_module(name, module)
        score = finetune(
            model,
            ("block", "head") if self._body else ("head",),
            self._part(split.train[chosen.cpu()]),
            self._part(split.test),
            validation=self._part(split.validation) if len(split.validation) else None,
            options=_OPTIONS,
            seed=seed,
            device=self._device,
            report=report,
        )
        return {f"{name}{self._ending}": value for name, value in score.metrics.items()}

    def _part(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        return self._inputs[rows], self._targets[rows]


class _Rest(nn.Module):
    """What an image tower does after its last block: norm, pooling, projection."""

    def __init__(self, tower: nn.Module) -> None:
        super().__init__()
        # The tower without its blocks: it is copied for every training, and the blocks are most of it.
        self.shell = copy.copy(tower)
        self.shell._modules = {name: part for name, part in tower._modules.items() if name != "transformer"}

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, d) features of (B, L, width) tokens."""
        shell: Any = self.shell
        pooled: Tensor = shell._pool(tokens)[0]
        return pooled if shell.proj is None else pooled @ shell.proj


def _before_last_block(
    dataset: Dataset, config: RunConfig, job: PaperJob, folder: Path, device: str, report: Report
) -> tuple[Tensor, list[tuple[str, nn.Module]]]:
    """Tokens that enter the last block, for every row of the dataset, and the modules from there to the features."""
    asked = EmbedJob(model=job.model, pretrained=job.pretrained, architecture=job.architecture)
    encoder = load_encoder(asked, resolve_device(device))
    block, rest = _last_block(encoder)
    experiment = get_experiment(job.experiment)
    pattern = "utkface" if experiment.pattern else None
    found = index_images(image_source(config.dataset.source, report=report), pattern=pattern, report=report)
    with contextlib.closing(found) as index:
        place = {id_: row for row, id_ in enumerate(index.ids)}
        rows = [place[id_ if id_ in place else id_.partition(":")[2]] for id_ in dataset.ids]
        tokens: np.memmap | None = None
        for start in range(0, len(rows), _BATCH):
            report(Progress("Running the frozen layers", start, len(rows)))
            batch = torch.stack([encoder.preprocess(index.picture(row)) for row in rows[start : start + _BATCH]])
            part = _entering(encoder, block, batch)
            if start == 0:
                _check_tail(encoder, batch, part, nn.Sequential(block, rest))
                with tempfile.TemporaryFile(dir=folder) as file:
                    shape = (len(rows), *part.shape[1:])
                    tokens = np.memmap(file, dtype=np.float32, mode="w+", shape=shape)
            if tokens is not None:
                tokens[start : start + len(part)] = part.numpy()
    return torch.from_numpy(tokens), [("block", block), ("rest", rest)]


def _last_block(encoder: Encoder) -> tuple[nn.Module, nn.Module]:
    blocks = getattr(getattr(encoder.network, "transformer", None), "resblocks", None)
    if encoder.network is None or not blocks or not hasattr(encoder.network, "_pool"):
        raise InputError(f"{encoder.name} has no last block that can be trained; use --finetune 1, or ViT-B-32")
    return blocks[-1], _Rest(encoder.network)


def _entering(encoder: Encoder, block: nn.Module, batch: Tensor) -> Tensor:
    """What enters a block, (B, L, width) float32 on the CPU."""
    seen: list[Tensor] = []
    handle = block.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    try:
        encoder(batch)
    finally:
        handle.remove()
    return seen[0].float().cpu()


def _check_tail(encoder: Encoder, batch: Tensor, tokens: Tensor, tail: nn.Module) -> None:
    """Make sure that block and rest give the features of the encoder, whatever the version of its library does."""
    wanted = encoder(batch)
    scale = float(wanted.abs().max())
    with torch.inference_mode():
        try:
            found = tail(tokens.to(encoder.device)).float().cpu()
        except (RuntimeError, TypeError):
            found = torch.empty(0)
    tolerance = _TOLERANCE if encoder.half_type is None else 0.05
    if found.shape != wanted.shape or float((found - wanted).abs().max()) > tolerance * scale:
        raise InputError(f"the last block of {encoder.name} cannot be trained apart here; use --finetune 1")
