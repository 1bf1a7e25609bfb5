"""Score a selection by finetuning the last one or two layers on it, as the paper's tables do beside the linear probe.

One layer is a linear head on the features of the dataset. Two layers are a head and the last block of an encoder: all
before the block is frozen, so what it puts out is computed once for every picture and kept on disk.
"""

import contextlib
import hashlib
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from skmm_core.config import FinetuneParams
from skmm_core.data import Dataset, ImageIndex, Task, image_source, index_images, one_form
from skmm_core.device import resolve_device
from skmm_core.encoders import Encoder, encode_rows, load_encoder
from skmm_core.errors import InputError
from skmm_core.probes.finetuning import FinetuneOptions, FinetuneScore, finetune
from skmm_core.probes.linear_probe import check_scorable
from skmm_core.probes.network_tail import cut_before, last_block
from skmm_core.progress import Report, ignore

_HEAD, _BLOCK = "head", "block"
_BATCH = 64
_HELD = ("validation", "test")


class _Standardise(nn.Module):
    """Columns with the mean and spread that those of the selection had before training; constant ones become 0."""

    def __init__(self, rows: Tensor) -> None:
        super().__init__()
        spread = rows.std(dim=0, correction=0)
        self.register_buffer("mean", rows.mean(dim=0))
        self.register_buffer("scale", torch.where(spread > 0, spread, torch.inf))

    def forward(self, rows: Tensor) -> Tensor:
        """Standardised rows."""
        return (rows - self.get_buffer("mean")) / self.get_buffer("scale")


@dataclass(frozen=True)
class FinetuneProbe:
    """Everything that the scores of all selections of one dataset share.

    Attributes:
        dataset: with targets and test rows.
        inputs: of the trained part by dataset row.
        tail: from these inputs to features; the identity where the inputs are features.
        layers: names of what is trained.
        options: how to train.
        device: where to compute.
    """

    dataset: Dataset
    inputs: Callable[[Tensor], Tensor]
    tail: nn.Sequential
    layers: tuple[str, ...]
    options: FinetuneOptions
    device: str

    def score(
        self, chosen: Tensor, *, seed: int = 0, folder: Path | None = None, report: Report = ignore
    ) -> FinetuneScore:
        """Train on the chosen points of the pool, stop early on the validation rows, score once on the test rows.

        Targets of a regression are standardised by those of the selection for training; scores are in their unit.

        Args:
            chosen: (n,) distinct positions in the pool, 0..N-1.
            seed: of the order of the samples.
            folder: where a checkpoint is kept after every epoch; called again, training continues there.
            report: told of every batch; raise Cancelled from it to stop.

        Raises:
            InputError: nothing is chosen, or the folder holds another training's checkpoint.
            Cancelled: raised by `report`; finished epochs stay in the folder.
        """
        targets, split = check_scorable(self.dataset), self.dataset.split
        rows = split.train[chosen.cpu()]
        if not len(rows):
            raise InputError("no points are chosen; finetuning needs at least 1")
        mean, spread = 0.0, 1.0
        if self.dataset.task is Task.REGRESSION:
            mean, spread = float(targets[rows].mean()), float(targets[rows].std(correction=0)) or 1.0
            targets = (targets - mean) / spread

        def part(some: Tensor) -> tuple[Tensor, Tensor]:
            return self.inputs(some), targets[some]

        train = part(rows)
        found = finetune(
            self._network(train[0]),
            self.layers,
            train,
            part(split.test),
            validation=part(split.validation) if len(split.validation) else None,
            options=self.options,
            seed=seed,
            folder=folder,
            device=self.device,
            report=report,
        )
        in_unit = {key: value * spread if key in ("mae", "rmse") else value for key, value in found.metrics.items()}
        predicted = found.predicted
        if self.dataset.task is Task.REGRESSION:
            predicted = predicted.astype(np.float64) * spread + mean
        return replace(found, metrics=in_unit, predicted=predicted)

    def score_cell(self, chosen: Tensor, *, seed: int, work: Path | None, report: Report = ignore) -> FinetuneScore:
        """Score one of many selections that are scored one after another.

        Args:
            chosen: (n,) distinct positions in the pool, 0..N-1.
            seed: of the order of the samples.
            work: where the checkpoint of the selection at work is kept, so that a stopped one goes on where it was;
                the folder goes once the selection is scored.
            report: told of every batch; raise Cancelled from it to stop.

        Raises:
            InputError: nothing is chosen.
            Cancelled: raised by `report`.
        """
        rows = self.dataset.split.train[chosen.cpu()]
        kept = None if work is None else work / hashlib.sha256(rows.numpy().tobytes()).hexdigest()[:16]
        found = self.score(chosen, seed=seed, folder=kept, report=report)
        if work is not None:
            shutil.rmtree(work, ignore_errors=True)  # with the checkpoints of selections that changed
        return found

    def _network(self, inputs: Tensor) -> nn.Sequential:
        """The tail with a head of zeros on top, which makes training start alike for every selection."""
        tail = self.tail.to("cpu")
        with torch.no_grad():
            features = torch.cat([tail(some) for some in inputs.split(_BATCH)])
        head = nn.Linear(features.shape[1], max(1, self.dataset.n_classes))
        for parameter in head.parameters():
            nn.init.zeros_(parameter)
        network = nn.Sequential()
        for name, part in (*tail.named_children(), ("scale", _Standardise(features)), (_HEAD, head)):
            network.add_module(name, part)
        return network


def finetune_probe(
    dataset: Dataset, params: FinetuneParams, *, device: str = "auto", report: Report = ignore
) -> FinetuneProbe:
    """Make ready to finetune on selections of a dataset.

    Args:
        dataset: with targets and test rows; for two layers made by `embed`, so that its ids are paths of pictures.
        params: how many layers, of which encoder, on which pictures, and how to train.
        device: where to compute.
        report: told of loading and encoding; raise Cancelled from it to stop.

    Raises:
        InputError: pictures or encoder are missing, do not fit the dataset, or the network cannot be cut.
        Cancelled: raised by `report`; finished blocks of encoded pictures stay in the cache.
    """
    check_scorable(dataset)
    options = FinetuneOptions(**params.model_dump(include=set(FinetuneOptions.__dataclass_fields__)))
    if params.layers == 1:
        features = dataset.features
        return FinetuneProbe(dataset, lambda rows: features[rows], nn.Sequential(), (_HEAD,), options, device)
    if params.images is None or params.encoder is None:
        raise InputError("finetuning 2 layers needs the pictures (--finetune images=FOLDER) and a network (model=NAME)")
    encoder = load_encoder(params.encoder, resolve_device(device))
    trunk, tail = _cut(encoder)
    pictures = image_source(params.images, report=report)
    with contextlib.closing(index_images(pictures, pattern=params.encoder.pattern, report=report)) as index:
        inputs = _Inputs(index, _rows_of(dataset, index), trunk, report)
    return FinetuneProbe(dataset, inputs, tail.to("cpu"), (_BLOCK, _HEAD), options, device)


@dataclass(frozen=True)
class _Trunk:
    """The frozen part of an encoder as an encoder of its own, and the shape of what it gives."""

    encoder: Encoder
    shape: tuple[int, ...]


def _cut(encoder: Encoder) -> tuple[_Trunk, nn.Sequential]:
    network = encoder.network
    if network is None:
        raise InputError(f"{encoder.name} is no network with layers, so no last block can be trained; choose another")
    block = last_block(network)
    draw = torch.Generator().manual_seed(0)
    shape = encoder.preprocess(_grey()).shape
    sample = torch.randn(2, *shape, generator=draw).to(encoder.device)
    front, tail = cut_before(network, block, sample)
    with torch.no_grad():
        inner = tuple(front(sample).shape[1:])
    trunk = replace(
        encoder,
        dim=int(np.prod(inner)),
        forward=lambda batch: front(batch).flatten(1),
        provenance={**encoder.provenance, "cut before": block},
    )
    return _Trunk(trunk, inner), tail


def _grey() -> Image.Image:
    return Image.new("RGB", (64, 64), (128, 128, 128))


def _rows_of(dataset: Dataset, index: ImageIndex) -> np.ndarray:
    """Row of the index for every row of the dataset, by path."""
    places = {id_: row for row, id_ in enumerate(index.ids)}
    found = np.empty(len(dataset.ids), np.int64)
    for row, id_ in enumerate(map(one_form, dataset.ids)):  # features of before kept names as the disk spelled them
        prefix, _, rest = id_.partition(":")
        name = rest if prefix in _HELD and rest in places else id_
        if name not in places:
            raise InputError(
                f"row {id_[:100]!r} of {dataset.name} is no path of a picture there; give its own pictures"
            )
        found[row] = places[name]
    return found


class _Inputs:
    """What the frozen part gives for rows of the dataset, read from the blocks on disk."""

    def __init__(self, index: ImageIndex, rows: np.ndarray, trunk: _Trunk, report: Report) -> None:
        wanted = np.unique(rows)
        blocks = encode_rows(index, trunk.encoder, wanted.tolist(), report=report)
        self._blocks = [np.load(path, mmap_mode="r", allow_pickle=False) for path in blocks]
        self._starts = np.cumsum([0, *(len(block) for block in self._blocks)])
        self._places = np.searchsorted(wanted, rows)
        self._shape = trunk.shape

    def __call__(self, rows: Tensor) -> Tensor:
        places = self._places[rows.numpy()]
        owners = np.searchsorted(self._starts, places, side="right") - 1
        found = np.empty((len(places), self._blocks[0].shape[1]), np.float32)
        for owner in np.unique(owners):
            mine = owners == owner
            found[mine] = self._blocks[owner][places[mine] - self._starts[owner]]
        return torch.from_numpy(found).reshape(-1, *self._shape)
