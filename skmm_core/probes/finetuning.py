"""Finetune the last layers of a network on the chosen points and score it once on the test rows.

Everything before the first trained layer is frozen, so what it puts out is computed once and kept. BatchNorm keeps its
running statistics and dropout is off throughout: a probe compares selections, and should differ in nothing else.
"""

import copy
import hashlib
import json
import pickle
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from skmm_core.device import generator, resolve_device
from skmm_core.errors import InputError
from skmm_core.probes.metrics import classification_metrics, regression_metrics
from skmm_core.probes.network_split import split_network
from skmm_core.progress import Progress, Report, ignore

Part = tuple[Tensor, Tensor]


@dataclass(frozen=True)
class FinetuneOptions:
    """How to train.

    Attributes:
        optimiser: "adam", or "sgd" with momentum 0.9.
        rate: learning rate.
        decay: weight decay.
        epochs: at most so many.
        batch: samples a step.
        patience: epochs without a smaller validation loss before training ends.
    """

    optimiser: Literal["adam", "sgd"] = "adam"
    rate: float = 1e-3
    decay: float = 0.0
    epochs: int = 50
    batch: int = 64
    patience: int = 5


@dataclass(frozen=True)
class FinetuneScore:
    """Test scores of a finetuned network.

    Attributes:
        metrics: "accuracy", "macro_f1" (0..1) or "mae", "rmse" (unit of the targets), "r2".
        epochs: that were trained.
        best_epoch: whose parameters were scored, from 1: smallest validation loss, or the last one without validation.
        validation: validation loss after every epoch; empty without validation rows.
        cached: whether the frozen part ran once, rather than in every epoch.
        predicted: (T,) classes or values predicted for the test rows, in their order.
        settled: empty, as for every learner that chooses no other.
    """

    metrics: dict[str, float]
    epochs: int
    best_epoch: int
    validation: tuple[float, ...]
    cached: bool
    predicted: NDArray[np.int64] | NDArray[np.float64] = field(compare=False)
    settled: str = ""


_DEFAULTS = FinetuneOptions()


def finetune(
    model: nn.Module,
    layers: Sequence[str],
    train: Part,
    test: Part,
    *,
    validation: Part | None = None,
    weights: Tensor | None = None,
    options: FinetuneOptions = _DEFAULTS,
    seed: int = 0,
    folder: Path | None = None,
    device: str = "auto",
    report: Report = ignore,
) -> FinetuneScore:
    """Train some layers on the chosen points, stop early on validation, score once on test.

    Args:
        model: takes (B, …) inputs, gives (B, C) scores of classes, or (B, 1) or (B,) values; it is copied, not changed.
        layers: names of the modules to train, in the order they run, such as ("blocks.11", "head").
        train: (n, …) inputs and (n,) targets of the selection: int64 classes 0..C-1 or floating values.
        test: the same of the test rows.
        validation: the same of rows to stop on; without them all epochs are trained.
        weights: (n,) positive weights of the selection; None weighs all alike.
        options: how to train.
        seed: of the order of the samples.
        folder: where a checkpoint is kept after every epoch; called again, training continues there.
        device: where to compute.
        report: told of every batch; raise Cancelled from it to stop.

    Raises:
        InputError: a layer is not in the model, targets do not fit, or the folder holds another training's checkpoint.
        Cancelled: raised by `report`; finished epochs stay in the folder.
    """
    _check(model, layers, train, weights)
    where = resolve_device(device)
    network = copy.deepcopy(model).to(where).eval().requires_grad_(False)
    split = split_network(network, layers, train[0][:2].to(where))
    parts = {"train": train, "test": test} | ({} if validation is None else {"validation": validation})
    ready = {name: (_forward(split.trunk, part[0], options, where, report), part[1]) for name, part in parts.items()}
    shares = torch.ones(len(train[1])) if weights is None else (weights / weights.mean()).float().cpu()
    trainer = _Trainer(split.tail, [network.get_submodule(name) for name in layers], options)
    checkpoint = None if folder is None else _Checkpoint(folder, _identity(train, weights, layers, options, seed))
    state = trainer.load(checkpoint)
    while not trainer.finished(state, stops=validation is not None):
        order = torch.randperm(len(shares), generator=generator(seed, f"finetune:{state.epoch}"))
        trainer.epoch(ready["train"], shares, order, state.epoch, where, report)
        loss = None if validation is None else trainer.loss(ready["validation"], where)
        state = state.after(trainer.parameters(), loss)
        if checkpoint is not None:
            checkpoint.save(state, trainer.optimiser)
    trainer.restore(state.best)
    output = _forward(split.tail, ready["test"][0], options, where, report)
    predicted = _predictions(output, test[1])
    metrics = _score(predicted, test[1])
    return FinetuneScore(metrics, state.epoch, state.best_epoch, tuple(state.losses), split.cached, predicted)


@dataclass(frozen=True)
class _State:
    """Where training is after some epochs; parameters are those of the trained layers."""

    epoch: int
    current: list[Tensor]
    best: list[Tensor]
    best_epoch: int
    losses: list[float]

    def after(self, parameters: list[Tensor], loss: float | None) -> "_State":
        better = loss is None or not self.losses or loss < min(self.losses)
        losses = self.losses if loss is None else [*self.losses, loss]
        best, when = (parameters, self.epoch + 1) if better else (self.best, self.best_epoch)
        return _State(self.epoch + 1, parameters, best, when, losses)


class _Trainer:
    """Takes steps on the parameters of a few layers."""

    def __init__(self, tail: nn.Module, layers: list[nn.Module], options: FinetuneOptions) -> None:
        self._tail, self._options = tail, options
        self._trained = list(dict.fromkeys(each for layer in layers for each in layer.parameters()))
        for parameter in self._trained:
            parameter.requires_grad_(True)
        self.optimiser: torch.optim.Optimizer = (
            torch.optim.Adam(self._trained, lr=options.rate, weight_decay=options.decay)
            if options.optimiser == "adam"
            else torch.optim.SGD(self._trained, lr=options.rate, momentum=0.9, weight_decay=options.decay)
        )

    def load(self, checkpoint: "_Checkpoint | None") -> _State:
        found = None if checkpoint is None else checkpoint.load(self.optimiser)
        if found is None:
            start = self.parameters()
            return _State(0, start, start, 0, [])
        self.restore(found.current)
        return found

    def finished(self, state: _State, *, stops: bool) -> bool:
        waited = state.epoch - state.best_epoch
        return state.epoch >= self._options.epochs or (stops and waited >= self._options.patience)

    def parameters(self) -> list[Tensor]:
        return [parameter.detach().cpu().clone() for parameter in self._trained]

    def restore(self, parameters: list[Tensor]) -> None:
        with torch.no_grad():
            for parameter, value in zip(self._trained, parameters, strict=True):
                parameter.copy_(value)

    def epoch(
        self, part: Part, shares: Tensor, order: Tensor, number: int, device: torch.device, report: Report
    ) -> None:
        inputs, targets = part
        for start in range(0, len(order), self._options.batch):
            report(Progress(f"Finetuning, epoch {number + 1}", start, len(order)))
            rows = order[start : start + self._options.batch]
            losses = _losses(self._tail(inputs[rows].to(device)), targets[rows].to(device))
            self.optimiser.zero_grad()
            (losses * shares[rows].to(losses)).mean().backward()
            self.optimiser.step()

    def loss(self, part: Part, device: torch.device) -> float:
        output = _forward(self._tail, part[0], self._options, device, ignore)
        return float(_losses(output, part[1].cpu()).double().mean())


class _Checkpoint:
    """State of a training in a folder, replaced whole after every epoch."""

    def __init__(self, folder: Path, identity: str) -> None:
        self._file, self._identity = folder / "finetune.pt", identity

    def save(self, state: _State, optimiser: torch.optim.Optimizer) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        temporary = self._file.with_name(self._file.name + ".part")
        content = {"identity": self._identity, "optimiser": optimiser.state_dict(), **vars(state)}
        torch.save(content, temporary)
        temporary.replace(self._file)

    def load(self, optimiser: torch.optim.Optimizer) -> _State | None:
        """Set the optimiser and return the state; None where there is no checkpoint."""
        if not self._file.exists():
            return None
        try:
            content: dict[str, Any] = torch.load(self._file, map_location="cpu", weights_only=True)
            identity, kept = content.pop("identity"), content.pop("optimiser")
            state = _State(**content)
        except (OSError, RuntimeError, pickle.UnpicklingError, EOFError, KeyError, TypeError, AttributeError):
            raise InputError(f"{self._file} is not a readable checkpoint; delete it to train anew") from None
        if identity != self._identity:
            raise InputError(f"{self._file} belongs to another training; choose another folder")
        optimiser.load_state_dict(kept)
        return state


def _identity(train: Part, weights: Tensor | None, layers: Sequence[str], options: FinetuneOptions, seed: int) -> str:
    """Hash of what a training depends on; the number of epochs may grow."""
    asked = {**asdict(options), "epochs": None, "layers": list(layers), "seed": seed}
    digest = hashlib.sha256(json.dumps(asked, sort_keys=True).encode())
    for tensor in (*train, *(() if weights is None else (weights,))):
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()


def _check(model: nn.Module, layers: Sequence[str], train: Part, weights: Tensor | None) -> None:
    names = dict(model.named_modules())
    if not layers:
        raise InputError("no layers are named; give the last one or two")
    for layer in layers:
        if layer not in names or not layer:
            raise InputError(f"the model has no layer {layer!r}; its last ones are: {', '.join(list(names)[-3:])}")
        if not list(names[layer].parameters()):
            raise InputError(f"layer {layer!r} has no parameters to train; name another")
    count = len(train[0])
    if not count or len(train[1]) != count:
        raise InputError(f"{len(train[1])} targets do not fit {count} training inputs; give one a sample, at least 1")
    if weights is not None and (weights.shape != (count,) or not bool((weights > 0).all())):
        raise InputError(f"weights need to be {count} positive numbers, one a training sample")


def _forward(
    module: nn.Module, inputs: Tensor, options: FinetuneOptions, device: torch.device, report: Report
) -> Tensor:
    """What a module puts out, batch by batch, on the CPU."""
    if isinstance(module, nn.Identity):
        return inputs
    found = []
    with torch.no_grad():
        for start in range(0, len(inputs), options.batch):
            report(Progress("Running the network", start, len(inputs)))
            found.append(module(inputs[start : start + options.batch].to(device)).cpu())
    return torch.cat(found)


def _losses(output: Tensor, targets: Tensor) -> Tensor:
    """(B,) cross-entropy for classes, half the squared error for values."""
    if targets.is_floating_point():
        return (output.reshape(len(output)) - targets.to(output)).square() / 2
    return nn.functional.cross_entropy(output, targets, reduction="none")


def _predictions(output: Tensor, targets: Tensor) -> NDArray[np.int64] | NDArray[np.float64]:
    found: NDArray[np.int64] | NDArray[np.float64]
    found = (output.reshape(-1).double() if targets.is_floating_point() else output.argmax(dim=1)).numpy()
    return found


def _score(predicted: NDArray[Any], targets: Tensor) -> dict[str, float]:
    if targets.is_floating_point():
        return regression_metrics(targets.cpu().double().numpy(), predicted)
    return classification_metrics(targets.cpu().numpy(), predicted)
