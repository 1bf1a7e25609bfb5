"""Per-sample gradients of any torch module in a few of its parameters, sketched chunk by chunk.

Gradients of the parameters that finetuning will move are what its linearisation sees: Dong, Phan, Pan, Lei, "Sketchy
Moment Matching", NeurIPS 2024, section 3. `torch.func` computes those of a whole chunk of samples at once.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call, grad, vmap
from torch.nn.attention import SDPBackend, sdpa_kernel

from skmm_core.config import SketchParams
from skmm_core.errors import InputError
from skmm_core.gradients.targets import draw_classes, normals, uniforms
from skmm_core.progress import Progress, Report, ignore
from skmm_core.sketches import LARGEST_DEFAULT, Identity, Sketch, draw_sketch

DEFAULT_MEMORY = 2**28  # bytes of gradients and activations of one chunk
_COPIES = 3  # of gradients and activations that a backward pass holds at once, about
_DEFAULT_SKETCH = SketchParams()
Of = Literal["loss", "output"]


@dataclass(frozen=True)
class ModuleGradients:
    """Sketched gradients of a module: rows for `make_pool`.

    Attributes:
        rows: (N, m) float32 on the CPU.
        sketch: the map; its r is the number of parameters chosen.
        parameters: their names, in the order of the r numbers.
        reads_labels: whether labels went into the rows.
    """

    rows: Tensor
    sketch: Sketch
    parameters: tuple[str, ...]
    reads_labels: bool


def module_gradients(
    model: nn.Module,
    inputs: Tensor,
    parameters: Sequence[str],
    *,
    targets: Tensor | None = None,
    of: Of = "loss",
    sketch: SketchParams = _DEFAULT_SKETCH,
    seed: int = 0,
    memory: int = DEFAULT_MEMORY,
    report: Report = ignore,
) -> ModuleGradients:
    """Gradient of every sample's loss, or single output, in the parameters whose names match, with dropout off.

    The loss is the cross-entropy of several outputs and half the squared error of one. Without targets they are drawn
    from the model's own predictions: a class from its softmax, or its output plus noise of variance 1. BatchNorm uses
    its running statistics. The model, also its training flags, is left as it was.

    Args:
        model: takes (B, …) inputs and gives (B, C), (B, 1) or (B,) outputs, each sample for itself.
        inputs: (N, …) moved to the model's device chunk by chunk.
        parameters: patterns of parameter names, such as "blocks.11.*", "head.*" or "*.lora_A.*"; `*`, `?` and `[]` as
            in file names.
        targets: (N,) int64 classes or floating values.
        of: "loss", or "output" for a model with a single output, which reads no target.
        sketch: kind and size; the default size is min(512, r), and r <= m leaves the gradients whole.
        seed: of the sketch and of drawn targets.
        memory: bytes that the gradients and activations of one chunk may take, about; a chunk has at least one sample.
        report: told of every chunk.

    Raises:
        InputError: a pattern matches no parameter, targets do not fit the inputs or outputs, or the kind of sketch
            needs factors.
        Cancelled: raised by `report`.
    """
    chosen = _choose(model, parameters)
    if targets is not None and targets.shape != inputs.shape[:1]:
        raise InputError(f"{tuple(targets.shape)} targets do not fit {len(inputs)} inputs; give one a sample")
    if not len(inputs):
        raise InputError("there are no inputs; give at least one sample")
    fixed = {name: tensor for name, tensor in _state(model) if name not in chosen}
    device = next(iter(chosen.values())).device
    r = sum(tensor.numel() for tensor in chosen.values())
    map_ = _sketch_of(sketch, r, seed)
    rows = torch.empty(len(inputs), map_.dim)
    with _evaluating(model):
        first = inputs[:1].to(device)
        width, numbers = _probe(model, first)
        truths = _Truths(width, targets, of, len(inputs), seed)
        step = max(1, memory // (4 * _COPIES * (r + numbers)))

        def value(these: dict[str, Tensor], sample: Tensor, truth: Tensor) -> Tensor:
            output = functional_call(model, (these, fixed), (sample.unsqueeze(0),)).reshape(-1)
            return output[0] if of == "output" else _loss(output, truth)

        gradient = vmap(grad(value), in_dims=(None, 0, 0))
        for start in range(0, len(inputs), step):
            report(Progress("Taking gradients", start, len(inputs)))
            chunk = inputs[start : start + step].to(device)
            found = gradient(chosen, chunk, truths(model, chunk, start))
            whole = torch.cat([found[name].flatten(1) for name in chosen], dim=1)
            rows[start : start + step] = map_(whole).detach().cpu()
    return ModuleGradients(rows, map_, tuple(chosen), truths.reads_labels)


@dataclass(frozen=True)
class _Truths:
    """Targets of a chunk: given, drawn, or a placeholder for the gradient of the output."""

    width: int
    targets: Tensor | None
    of: Of
    size: int
    seed: int

    def __post_init__(self) -> None:
        if self.of == "output":
            if self.width != 1:
                raise InputError(f"the model has {self.width} outputs; take of='loss', or a model with one output")
        elif self.targets is not None:
            self._check(self.targets)

    @property
    def reads_labels(self) -> bool:
        return self.of == "loss" and self.targets is not None

    def __call__(self, model: nn.Module, chunk: Tensor, start: int) -> Tensor:
        here = slice(start, start + len(chunk))
        if self.of == "output":
            return chunk.new_zeros(len(chunk))
        if self.targets is not None:
            return self.targets[here].to(chunk.device)
        with torch.no_grad():
            output = model(chunk).reshape(len(chunk), -1)
        if self.width > 1:
            return draw_classes(output.softmax(dim=1), uniforms(self.size, self.seed)[here])
        noise = normals(self.size, self.seed)[here].to(output)
        values: Tensor = output.squeeze(1) + noise
        return values

    def _check(self, targets: Tensor) -> None:
        classes = not targets.is_floating_point()
        if classes != (self.width > 1):
            kind, fits = ("integer", "several outputs") if classes else ("floating", "one output")
            raise InputError(f"{kind} targets need a model with {fits}; this one has {self.width}")
        if classes and not 0 <= int(targets.min()) <= int(targets.max()) < self.width:
            raise InputError(f"targets {int(targets.min())}..{int(targets.max())} do not fit {self.width} outputs")


def _loss(output: Tensor, truth: Tensor) -> Tensor:
    if len(output) == 1:
        return (output[0] - truth.to(output)).square() / 2
    return nn.functional.cross_entropy(output.unsqueeze(0), truth.unsqueeze(0))


def _choose(model: nn.Module, patterns: Sequence[str]) -> dict[str, Tensor]:
    """Parameters by name, detached, in the model's order."""
    named = dict(model.named_parameters())
    if not patterns:
        raise InputError("no parameters are named; give at least one pattern of names")
    for pattern in patterns:
        if not any(fnmatchcase(name, pattern) for name in named):
            some = ", ".join(list(named)[-3:])
            raise InputError(f"no parameter matches {pattern!r}; the model's last ones are: {some}")
    wanted = [name for name in named if any(fnmatchcase(name, pattern) for pattern in patterns)]
    return {name: named[name].detach() for name in wanted}


def _state(model: nn.Module) -> Iterator[tuple[str, Tensor]]:
    yield from ((name, tensor.detach()) for name, tensor in model.named_parameters())
    yield from model.named_buffers()


def _sketch_of(params: SketchParams, r: int, seed: int) -> Sketch:
    if params.kind == "kronecker":
        raise InputError("sketch kronecker needs two factors, which gradients of a module do not have; take sparse")
    if params.kind == "none" or (params.dim is None and r <= LARGEST_DEFAULT):
        return Identity(r)
    return draw_sketch(params.kind, r, params.dim or LARGEST_DEFAULT, seed=seed, nonzeros=params.nonzeros)


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout off, BatchNorm fixed, and attention by its plain operations, which torch.func can batch."""
    flags = {module: module.training for module in model.modules()}
    fast = torch.backends.mha.get_fastpath_enabled()
    model.eval()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast)
        for module, training in flags.items():
            module.training = training


def _probe(model: nn.Module, sample: Tensor) -> tuple[int, int]:
    """Number of outputs, and numbers that the modules of the model put out for one sample."""
    numbers = sample.numel()

    def count(module: nn.Module, given: Any, output: Any) -> None:
        nonlocal numbers
        numbers += output.numel() if isinstance(output, Tensor) else 0

    handles = [module.register_forward_hook(count) for module in model.modules()]
    try:
        with torch.no_grad():
            output = model(sample)
    finally:
        for handle in handles:
            handle.remove()
    return int(output.numel()), numbers
