"""Sketches applied, gradients of a head and of a module: against written-out products and autograd."""

import numpy as np
import pytest
import torch
from torch import nn

from skmm_core.config import GradientParams, SketchParams
from skmm_core.gradients.module import module_gradients
from skmm_core.pool import make_pool
from tests.audit.cases import on
from tests.audit.definitions import one_hot, standardised

_KINDS = ("gaussian", "rademacher", "srht", "sparse", "countsketch", "none")


@on("plain", "offset 1e4", "units 1e-6", "units 1e6", "wide")
@pytest.mark.parametrize("kind", _KINDS)
def test_a_sketch_is_its_map_applied(case, kind, audit):
    """GΓ with Γ written out; the same map for a part of the rows."""
    params = SketchParams(kind=kind) if kind == "none" else SketchParams(kind=kind, dim=5)
    pool = make_pool(case.rows, sketch=params, seed=2)
    gamma = pool.sketch.rows(0, pool.sketch.r).double().numpy()
    rounding = 16 * max(case.eps, 1.2e-7) * case.rows.shape[1] ** 0.5  # Γ itself is written out in float32
    audit.same(
        f"sketch {kind}", "GΓ", pool.sketched, case.exact @ gamma, within=rounding, scale=np.abs(case.exact).max()
    )
    part = pool.sketch(case.rows[3:9])
    audit.same(
        f"sketch {kind}",
        "the same map for a part",
        part,
        pool.sketched[3:9],
        within=rounding,
        scale=np.abs(case.exact).max(),
    )


def test_the_kronecker_sketch_keeps_squared_lengths(audit):
    """400 maps of head gradients: the mean of ‖Γᵀg‖²/‖g‖² is 1; GΓ with Γ written out."""
    rng = np.random.default_rng(3)
    rows, targets = torch.tensor(rng.normal(size=(20, 6))), torch.tensor(np.arange(20) % 4)
    ratios = []
    for seed in range(400):
        params = GradientParams(kind="head", warm_up=0)
        pool = make_pool(
            rows, targets=targets, gradient=params, sketch=SketchParams(kind="kronecker", dim=8), seed=seed
        )
        g = (pool.gradients.outer[:, :, None] * pool.gradients.inner[:, None, :]).flatten(1).double().numpy()
        ratios.append((pool.sketched[0].double().numpy() ** 2).sum() / (g[0] ** 2).sum())
    gamma = pool.sketch.rows(0, pool.sketch.r).double().numpy()
    audit.same("sketch kronecker", "GΓ", pool.sketched, g @ gamma, within=1e-5)
    ratios = np.array(ratios)
    off = abs(ratios.mean() - 1) / (ratios.std() / 20)
    audit.at_most("sketch kronecker", "E‖Γᵀg‖² - ‖g‖², 400 maps", off, within=5, unit="standard errors")
    centred = (ratios - 1) ** 2
    excess = (centred.mean() - 8 / 8) / (centred.std() / 20)
    audit.at_most("sketch kronecker", "variance above 8/m, 400 maps", excess, within=5, unit="standard errors")


@on(without=("two labels a class",))
@pytest.mark.parametrize("bias", [False, True])
def test_head_gradients_are_those_of_autograd(case, bias, audit):
    """The cross-entropy of one row after another through a linear layer, differentiated by torch."""
    pool = make_pool(case.rows, targets=case.classes, gradient=GradientParams(kind="head", bias=bias))
    head, size = pool.warm_up, 12
    x = case.rows.double()
    layer = nn.Linear(x.shape[1], head.logits.shape[1], dtype=torch.float64)
    for parameter in layer.parameters():
        nn.init.zeros_(parameter)
    rows = []
    for i in range(size):
        layer.zero_grad()
        # the gradient depends on the head by its logits alone, so these are added to a layer of zeros
        logits = layer(x[i : i + 1]) + head.logits[i : i + 1].double()
        nn.functional.cross_entropy(logits, case.classes[i : i + 1]).backward()
        inner = torch.cat([layer.weight.grad, layer.bias.grad[:, None]], dim=1) if bias else layer.weight.grad
        rows.append(inner.flatten().numpy().copy())
    g = pool.gradients
    found = (g.outer[:size, :, None] * g.inner[:size, None, :]).flatten(1)
    audit.same("gradient head", "of classes", found, np.array(rows), within=16 * case.eps)


@on(without=("two labels a class",))
def test_head_gradients_of_numbers(case, audit):
    """(f(x) - y) φ with f the ridge of the warm-up rows at 0 rows: y itself; drawn targets have variance 1."""
    pool = make_pool(case.rows, targets=case.numbers, gradient=GradientParams(kind="head", warm_up=0))
    g = pool.gradients
    found = (g.outer[:, :, None] * g.inner[:, None, :]).flatten(1)
    y = case.numbers.double().numpy()
    audit.same("gradient head", "of numbers, untrained", found, -y[:, None] * case.exact, within=16 * case.eps)


def test_drawn_targets_make_the_fisher_information(audit):
    """600 seeds: the mean of residual outer products is diag(p) - ppᵀ at p = 1/K."""
    rows, targets = torch.ones(6, 1, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1, 2])
    params = GradientParams(kind="head", targets="random", warm_up=0)
    found = [make_pool(rows, targets=targets, gradient=params, seed=seed).gradients.outer for seed in range(600)]
    outer = torch.cat(found).double().numpy()
    products = outer[:, :, None] * outer[:, None, :]
    expected = np.eye(3) / 3 - 1 / 9
    off = np.abs(products.mean(axis=0) - expected) / (products.std(axis=0) / np.sqrt(len(products)))
    audit.at_most("gradient head", "second moment at drawn targets", off.max(), within=5, unit="standard errors")
    rows, y = torch.ones(20, 1, dtype=torch.float64), torch.linspace(0, 1, 20, dtype=torch.float64)
    drawn = torch.cat([make_pool(rows, targets=y, gradient=params, seed=seed).gradients.outer for seed in range(100)])
    values = drawn.double().numpy().ravel()
    off = abs(values.var() - 1) / np.sqrt(2 / len(values))
    audit.at_most("gradient head", "variance of drawn numbers", off, within=5, unit="standard errors")


class _Net(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 3, 3), nn.BatchNorm2d(3), nn.GELU(), nn.Flatten())
        self.head = nn.Linear(3 * 16, outputs)

    def forward(self, x):
        return self.head(self.body(x))


@pytest.mark.parametrize("outputs", [1, 4])
def test_module_gradients_are_those_of_autograd_and_of_differences(outputs, audit):
    """A small convolutional network: backward one sample at a time; central differences of the loss in float64."""
    torch.manual_seed(0)
    model = _Net(outputs).double().eval()
    model.body[1].running_mean.normal_()
    inputs = torch.randn(7, 1, 6, 6, dtype=torch.float64)
    targets = torch.tensor([0, 1, 2, 3, 0, 1, 2]) if outputs > 1 else torch.randn(7, dtype=torch.float64)
    names = ["head.*", "body.0.weight"]
    found = module_gradients(model, inputs, names, targets=targets, sketch=SketchParams(kind="none"))
    parameters = dict(model.named_parameters())
    wanted = [parameters[name] for name in found.parameters]

    def loss(i):
        output = model(inputs[i : i + 1])
        if outputs > 1:
            return nn.functional.cross_entropy(output, targets[i : i + 1])
        return (output[0, 0] - targets[i]) ** 2 / 2

    rows = [torch.cat([g.flatten() for g in torch.autograd.grad(loss(i), wanted)]).numpy() for i in range(7)]
    audit.same("gradient module", "against autograd", found.rows, np.array(rows), within=16 * 1.2e-7)
    flat = torch.cat([p.detach().flatten() for p in wanted])
    step, differences = 1e-5, []
    for place in range(0, len(flat), 13):
        values = []
        for sign in (1, -1):
            moved = flat.clone()
            moved[place] += sign * step
            with torch.no_grad():
                nn.utils.vector_to_parameters(moved, wanted)
                values.append([float(loss(i)) for i in range(7)])
        differences.append((np.array(values[0]) - values[1]) / (2 * step))
    nn.utils.vector_to_parameters(flat, wanted)
    audit.same(
        "gradient module", "against central differences", found.rows[:, ::13], np.array(differences).T, within=1e-5
    )


@on(without=("two labels a class",))
def test_residuals_of_the_head_are_probabilities_minus_labels(case, audit):
    """P - y with p the softmax of the logits."""
    head = make_pool(case.rows, targets=case.classes).warm_up
    logits = head.logits.double().numpy()
    p = np.exp(logits - logits.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True) - one_hot(case.classes.numpy())
    audit.same("warm-up head", "residuals", head.residuals, p, within=64 * 2.3e-16)
    scaler = make_pool(case.rows).scaler
    x = standardised(case.exact, case.eps)
    shift = float(np.abs(case.exact).max() / max(case.exact.std(axis=0)[case.exact.std(axis=0) > 0].min(), 1e-300))
    audit.same("data scaler", "standardised columns", scaler(case.rows), x, within=64 * 2.3e-16 * max(1.0, shift))


def test_a_column_with_a_large_offset_still_varies(audit):
    """Mean 1e7 and deviation 1 in float64: standardised like any other column."""
    x = np.random.default_rng(0).normal(size=(200, 3)) + np.array([0, 1e7, 0])
    found = make_pool(torch.tensor(x)).scaler(torch.tensor(x))
    audit.same("data scaler", "a column of mean 1e7 and deviation 1", found, (x - x.mean(0)) / x.std(0), within=1e-6)
