"""Head gradients in closed form against autograd, and what goes into them."""

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor, nn

from skmm_core.config import GradientParams, SketchParams
from skmm_core.data.scaler import fit_scaler
from skmm_core.data.task import Task
from skmm_core.errors import InputError
from skmm_core.gradients.head import head_gradients
from skmm_core.gradients.targets import draw_classes
from skmm_core.methods.registry import Family, list_methods, select
from skmm_core.pool.making import make_pool
from skmm_core.pool.pool import Pool

SIZE, DIMS, CLASSES = 80, 6, 4
FALSE_ALARM = 1e-6


def data(seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    features = torch.tensor(rng.normal(1, 2, size=(SIZE, DIMS)), dtype=torch.float64)
    scores = features @ torch.tensor(rng.normal(size=(DIMS, CLASSES)))
    return features, (scores + torch.tensor(rng.normal(size=scores.shape))).argmax(dim=1)


def pool(known: Tensor | None = None, *, seed: int = 0, **gradient: object) -> Pool:
    features, labels = data()
    params = GradientParams.model_validate({"kind": "head", **gradient})
    kept = labels if known is None else known
    return make_pool(features, targets=kept, gradient=params, sketch=SketchParams(kind="none"), seed=seed, device="cpu")


def autograd(features: Tensor, head: nn.Linear, targets: Tensor) -> Tensor:
    """(N, C·d + C) gradients of the loss in weight and bias, one sample at a time."""
    found = []
    for row, truth in zip(features, targets, strict=True):
        output = head(row)
        classes = not truth.is_floating_point()
        loss = nn.functional.cross_entropy(output, truth) if classes else (output[0] - truth).square() / 2
        weight, bias = torch.autograd.grad(loss, [head.weight, head.bias])
        found.append(torch.cat([weight, bias[:, None]], dim=1).flatten())
    return torch.stack(found)


def linear(weights: Tensor, bias: Tensor) -> nn.Linear:
    layer = nn.Linear(*weights.shape, dtype=torch.float64)
    layer.weight.data, layer.bias.data = weights.T.contiguous(), bias
    return layer


@pytest.mark.parametrize("bias", [False, True])
def test_gradients_at_labels_equal_autograd_of_the_warm_up_head(bias: bool) -> None:
    made = pool(bias=bias)
    scale, mean = made.scaler.scale, made.scaler.mean
    offset = made.warm_up.logits[0] - made.scaler(made.features[:1])[0] @ made.warm_up.weights
    # the head on standardised columns, as one on the columns themselves
    weights = made.warm_up.weights / scale[:, None]
    expected = autograd(made.features, linear(weights, offset - mean @ weights), made.targets)
    expected = expected.view(SIZE, CLASSES, DIMS + 1)[:, :, : DIMS + bias].flatten(1)
    torch.testing.assert_close(made.gradients.dense(), expected, rtol=1e-9, atol=1e-9)
    assert made.labels_read == SIZE


def test_an_untrained_head_predicts_all_classes_alike() -> None:
    made = pool(warm_up=0)
    head = linear(torch.zeros(DIMS, CLASSES, dtype=torch.float64), torch.zeros(CLASSES, dtype=torch.float64))
    expected = autograd(made.features, head, made.targets).view(SIZE, CLASSES, -1)[:, :, :DIMS].flatten(1)
    torch.testing.assert_close(made.gradients.dense(), expected)


def test_regression_gradients_equal_autograd_of_the_ridge_head() -> None:
    features, _ = data()
    values = features @ torch.arange(DIMS).double() + 3
    made = pool(values, warm_up=40, bias=True)
    residual = made.head.residuals[:, 0]
    predicted = residual + values
    # the head is linear in the features: recover it from what it predicts
    design = torch.cat([features, torch.ones(SIZE, 1, dtype=torch.float64)], dim=1)
    solved = torch.linalg.lstsq(design, predicted[:, None]).solution
    head = linear(solved[:-1], solved[-1])
    torch.testing.assert_close(design @ solved, predicted[:, None])
    torch.testing.assert_close(made.gradients.dense(), autograd(features, head, values), rtol=1e-6, atol=1e-6)
    assert float(residual.abs().max()) < 1e-2 * float(values.std())
    assert (made.head.warm_up_rows, made.labels_read) == (40, SIZE)


def test_random_targets_read_the_labels_of_the_warm_up_rows_only() -> None:
    first = pool(targets="random", seed=3).ordered
    features, labels = first.features, first.targets
    assert labels is not None
    rows = first.warm_up.rows
    assert first.labels_read == len(rows) < SIZE
    # the same head, and other labels on all rows that did not train it
    others = torch.ones(SIZE, dtype=torch.bool)
    others[rows] = False
    params = GradientParams(kind="head", targets="random")
    again = head_gradients(
        features, labels.where(~others, 0), Task.CLASSIFICATION, params, scaler=fit_scaler(features),
        warm_up=first.warm_up, seed=3,
    )  # fmt: skip
    assert torch.equal(again.residuals, first.head.residuals)
    assert not torch.equal(pool(targets="random", seed=4).head.residuals, first.head.residuals)


def test_random_targets_of_an_untrained_head_read_no_label() -> None:
    made = pool(targets="random", warm_up=0)
    assert made.labels_read == 0
    assert not made.gradient_params.reads_labels
    _, labels = data()
    permuted = labels[torch.randperm(SIZE, generator=torch.Generator().manual_seed(0))]
    assert torch.equal(pool(permuted, targets="random", warm_up=0).head.residuals, made.head.residuals)


@pytest.mark.statistical
def test_drawn_classes_follow_the_probabilities() -> None:
    shares = torch.tensor([0.1, 0.0, 0.65, 0.25])
    count = 20_000
    uniform = torch.rand(count, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    found = draw_classes(shares.expand(count, 4), uniform).bincount(minlength=4)
    assert found[1] == 0
    assert chisquare(found[[0, 2, 3]].numpy(), np.array([0.1, 0.65, 0.25]) * count).pvalue > FALSE_ALARM
    edge = draw_classes(shares[None], torch.tensor([1.0], dtype=torch.float64))
    assert int(edge) == 3


def test_a_pool_without_labels_is_refused_in_one_line() -> None:
    made = make_pool(data()[0], gradient=GradientParams(kind="head"), device="cpu")
    with pytest.raises(InputError, match="--gradient features"):
        _ = made.sketched


def test_large_gradients_are_never_multiplied_out(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = torch.randn(60, 700, generator=torch.Generator().manual_seed(0)), torch.arange(60) % 5
    made = make_pool(
        features, targets=labels, gradient=GradientParams(kind="head"),
        sketch=SketchParams(kind="kronecker", dim=40), device="cpu",
    )  # fmt: skip
    monkeypatch.setattr(type(made.gradients), "columns", lambda *given: pytest.fail("multiplied out"))
    assert made.gradients.shape == (60, 3500)
    assert made.dense_gradients.shape == (60, 40)
    assert len(made.moments.eigenvalues) > 0
    assert made.effective_dimension > 1
    assert made.distortion is not None
    part = made.subset(torch.tensor([5, 3]))
    assert torch.equal(part.gradients.inner, made.gradients.inner[[5, 3]])


def test_only_moment_matching_sees_the_gradients() -> None:
    """What the league of a run says: other methods pick the same points whatever stands for a row."""
    features, labels = data()
    plain = make_pool(features, targets=labels, device="cpu")
    head = make_pool(
        features, targets=labels, gradient=GradientParams(kind="head"), sketch=SketchParams(kind="none"), device="cpu"
    )
    changed = 0
    for spec in list_methods():
        if spec.missing(Task.CLASSIFICATION):
            continue
        one, other = (select(each, spec.key, 10).indices for each in (plain, head))
        if spec.family is Family.MOMENT_MATCHING:
            changed += not torch.equal(one, other)
        else:
            assert torch.equal(one, other), spec.key
    assert changed >= 3
