"""Gradients of a module against autograd, one sample at a time."""

from collections.abc import Callable

import pytest
import scipy.stats
import torch
from torch import Tensor, nn

from skmm_core.config import SketchParams
from skmm_core.errors import Cancelled, InputError
from skmm_core.gradients.module import module_gradients
from skmm_core.methods.registry import select
from skmm_core.pool.making import make_pool
from skmm_core.progress import Progress

WHOLE = SketchParams(kind="none")
CLASSES = 3


class TinyVit(nn.Module):
    """Patches, a class token, two transformer blocks with dropout, a linear head."""

    def __init__(self) -> None:
        super().__init__()
        self.patch = nn.Conv2d(1, 8, 4, stride=4)
        self.token = nn.Parameter(torch.zeros(1, 1, 8))
        self.place = nn.Parameter(torch.linspace(-1, 1, 5 * 8).view(1, 5, 8))
        layer = [nn.TransformerEncoderLayer(8, 2, 16, dropout=0.1, batch_first=True) for _ in range(2)]
        self.blocks = nn.ModuleList(layer)
        self.head = nn.Linear(8, CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        patches = self.patch(images).flatten(2).transpose(1, 2)
        rows = torch.cat([self.token.expand(len(images), -1, -1), patches], dim=1) + self.place
        for block in self.blocks:
            rows = block(rows)
        return self.head(rows[:, 0])


def seeded(model: nn.Module) -> nn.Module:
    draw = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=draw) * 0.3
    for name, buffer in model.named_buffers():
        if buffer.is_floating_point():
            buffer.copy_(torch.rand(buffer.shape, generator=draw) + 0.5)
        assert "num_batches" in name or buffer.is_floating_point()
    return model


def mlp() -> nn.Module:
    return nn.Sequential(nn.Linear(16, 12), nn.Tanh(), nn.Dropout(0.5), nn.Linear(12, CLASSES))


def convnet() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, CLASSES)
    )


CASES = {
    "mlp": (mlp, (16,), ["*"]),
    "mlp, last layer": (mlp, (16,), ["3.*"]),
    "vit, all": (TinyVit, (1, 8, 8), ["*"]),
    "vit, last block and head": (TinyVit, (1, 8, 8), ["blocks.1.*", "head.*"]),
    "convnet": (convnet, (1, 8, 8), ["*"]),
}


def normal(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def one_by_one(model: nn.Module, inputs: Tensor, names: tuple[str, ...], targets: Tensor) -> Tensor:
    model.eval()
    named = dict(model.named_parameters())
    found = []
    for sample, truth in zip(inputs, targets, strict=True):
        loss = nn.functional.cross_entropy(model(sample[None]), truth[None])
        found.append(torch.cat([g.flatten() for g in torch.autograd.grad(loss, [named[name] for name in names])]))
    return torch.stack(found)


@pytest.mark.parametrize("memory", [1, 100_000, 2**28])
@pytest.mark.parametrize("case", CASES)
def test_equal_to_autograd_one_sample_at_a_time(case: str, memory: int) -> None:
    build, shape, patterns = CASES[case]
    model = seeded(build()).train()
    inputs, targets = normal(9, *shape), torch.arange(9) % CLASSES
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = module_gradients(model, inputs, patterns, targets=targets, sketch=WHOLE, memory=memory)
    assert model.training
    assert all(module.training for module in model.modules())
    assert all(parameter.grad is None for parameter in model.parameters())
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    expected = one_by_one(model, inputs, found.parameters, targets)
    torch.testing.assert_close(found.rows, expected, rtol=1e-5, atol=1e-5)
    assert float(expected.abs().max()) > 1e-2
    assert found.reads_labels


@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "srht", "sparse", "countsketch"])
@pytest.mark.parametrize("memory", [1, 2**28])
def test_chunks_are_sketched_by_the_one_map(kind: str, memory: int) -> None:
    build, shape, patterns = CASES["convnet"]
    model, inputs, targets = seeded(build()), normal(9, *shape), torch.arange(9) % CLASSES
    whole = module_gradients(model, inputs, patterns, targets=targets, sketch=WHOLE).rows
    params = SketchParams(kind=kind, dim=16)
    found = module_gradients(model, inputs, patterns, targets=targets, sketch=params, seed=3, memory=memory)
    torch.testing.assert_close(found.rows, whole @ found.sketch.rows(0, whole.shape[1]), rtol=1e-4, atol=1e-5)
    assert len(select(make_pool(found.rows, sketch=WHOLE, device="cpu"), "skmm", 4).indices) == 4


def test_without_labels_targets_are_drawn_from_the_model() -> None:
    build, shape, patterns = CASES["mlp"]
    model, inputs = seeded(build()), normal(40, *shape)
    found = module_gradients(model, inputs, patterns, sketch=WHOLE, seed=1)
    assert not found.reads_labels
    each = torch.stack([one_by_one(model, inputs, found.parameters, torch.full((40,), c)) for c in range(CLASSES)])
    drawn = (each - found.rows).abs().amax(dim=2).min(dim=0)
    assert float(drawn.values.max()) < 1e-5
    assert len(drawn.indices.unique()) > 1
    again = module_gradients(model, inputs, patterns, sketch=WHOLE, seed=1, memory=1)
    torch.testing.assert_close(again.rows, found.rows, rtol=1e-5, atol=1e-6)
    other = module_gradients(model, inputs, patterns, sketch=WHOLE, seed=2)
    assert not torch.allclose(other.rows, found.rows)


def test_output_and_squared_error_of_a_model_with_one_output() -> None:
    model, inputs = seeded(nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 1))), normal(7, 5)
    values = normal(7)
    output = module_gradients(model, inputs, ["2.weight"], of="output", sketch=WHOLE)
    torch.testing.assert_close(output.rows, torch.tanh(model[0](inputs)).detach())
    assert not output.reads_labels
    loss = module_gradients(model, inputs, ["2.weight"], targets=values, sketch=WHOLE)
    residual = model(inputs).detach() - values[:, None]
    torch.testing.assert_close(loss.rows, output.rows * residual, rtol=1e-5, atol=1e-6)


def ridge_leverage(rows: Tensor) -> Tensor:
    """gᵀ(GᵀG + λI)⁻¹g with λ the mean energy of a direction among the 50 strongest: about half count, none is 1.

    Plain leverage says nothing here: with more parameters than samples it is 1 for every sample.
    """
    gram = rows.double() @ rows.double().T
    ridge = torch.linalg.eigvalsh(gram).flip(0)[:50].mean()
    return (gram @ torch.linalg.inv(gram + ridge * torch.eye(len(gram), dtype=torch.float64))).diagonal()


def truncated_leverage(rows: Tensor) -> Tensor:
    """Leverage in the 50 strongest directions: the harder of the two, since lengths of the rows help it least."""
    return torch.linalg.svd(rows.double(), full_matrices=False).U[:, :50].square().sum(dim=1)


@pytest.mark.statistical
@pytest.mark.parametrize("leverage", [ridge_leverage, truncated_leverage])
@pytest.mark.parametrize("kind", ["gaussian", "rademacher", "srht", "sparse", "countsketch"])
def test_the_last_two_layers_rank_points_as_unsketched(kind: str, leverage: Callable[[Tensor], Tensor]) -> None:
    model = seeded(nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 48), nn.ReLU(), nn.Linear(48, 10)))
    inputs, targets = normal(400, 20), torch.arange(400) % 10
    names = ["2.*", "4.*"]
    exact = module_gradients(model, inputs, names, targets=targets, sketch=WHOLE)
    assert exact.rows.shape[1] == 64 * 48 + 48 + 48 * 10 + 10
    wanted = leverage(exact.rows)
    for seed in range(3):
        found = module_gradients(
            model, inputs, names, targets=targets, sketch=SketchParams(kind=kind, dim=512), seed=seed
        )
        assert scipy.stats.spearmanr(leverage(found.rows), wanted).statistic >= 0.95


def test_progress_and_cancel() -> None:
    told: list[Progress] = []

    def cancel(progress: Progress) -> None:
        told.append(progress)
        if progress.step:
            raise Cancelled

    with pytest.raises(Cancelled):
        module_gradients(seeded(mlp()).train(), normal(9, 16), ["3.*"], memory=1, report=cancel)
    assert [(progress.step, progress.total) for progress in told] == [(0, 9), (1, 9)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"parameters": ["0.*", "head.*"]}, r"no parameter matches 'head\.\*'.*3\.weight"),
        ({"parameters": []}, "at least one pattern"),
        ({"targets": torch.arange(8)}, "do not fit 9 inputs"),
        ({"targets": torch.arange(9)}, r"0\.\.8 do not fit 3 outputs"),
        ({"targets": torch.zeros(9)}, "floating targets need a model with one output"),
        ({"of": "output"}, "3 outputs"),
        ({"sketch": SketchParams(kind="kronecker", dim=8)}, "two factors"),
        ({"sketch": SketchParams(dim=1000)}, "outside 1..243"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, object], message: str) -> None:
    asked = {"parameters": ["*"], **given}
    with pytest.raises(InputError, match=message) as caught:
        module_gradients(seeded(mlp()), normal(9, 16), **asked)  # type: ignore[arg-type]
    assert "\n" not in str(caught.value)
