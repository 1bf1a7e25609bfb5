"""The finetuning probe: what is trained, what is cached, resumed and refused."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from skmm_core.errors import Cancelled, InputError
from skmm_core.probes.finetuning import FinetuneOptions, Part, finetune
from skmm_core.progress import Progress

OPTIONS = FinetuneOptions(rate=0.05, epochs=6, batch=16, patience=6)


class Wrapped(nn.Module):
    """The same network, whose order of layers only its forward knows."""

    def __init__(self, inner: nn.Sequential, scale: float = 1.0) -> None:
        super().__init__()
        self.trunk, self.body, self.head = inner[:2], inner[2:4], inner[4]
        self.scale = scale

    def forward(self, rows: Tensor) -> Tensor:
        return self.head(self.body(self.trunk(rows))) * self.scale


def network(outputs: int = 3) -> nn.Sequential:
    model = nn.Sequential(
        nn.Linear(8, 16), nn.ReLU(), nn.Sequential(nn.Linear(16, 12), nn.BatchNorm1d(12), nn.Dropout(0.5)),
        nn.ReLU(), nn.Linear(12, outputs),
    )  # fmt: skip
    draw = torch.Generator().manual_seed(0)
    for parameter in model.parameters():
        parameter.data = torch.randn(parameter.shape, generator=draw) * 0.3
    return model


def part(count: int, seed: int, *, values: bool = False) -> Part:
    rows = torch.randn(count, 8, generator=torch.Generator().manual_seed(seed))
    return rows, rows[:, 0] * 2 if values else (rows[:, :3].argmax(dim=1))


TRAIN, VALIDATION, TEST = part(120, 1), part(60, 2), part(200, 3)


def run(model: nn.Module, layers: tuple[str, ...], **given: object):
    asked = {"validation": VALIDATION, "options": OPTIONS, "device": "cpu", **given}
    return finetune(model, layers, TRAIN, TEST, **asked)  # type: ignore[arg-type]


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_training_helps_and_leaves_the_model_as_it_was(optimiser: str) -> None:
    model = network().train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    found = run(model, ("2", "4"), options=replace(OPTIONS, optimiser=optimiser, epochs=15, patience=15))
    assert found.metrics["accuracy"] > 0.75
    assert found.validation[found.best_epoch - 1] == min(found.validation)
    assert found.cached
    assert model.training
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name]), name
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_the_last_layer_alone_equals_a_plain_loop_over_its_inputs() -> None:
    model = network().eval()
    with torch.no_grad():
        rows, tests = model[:4](TRAIN[0]), model[:4](TEST[0])
    head = nn.Linear(12, 3)
    head.load_state_dict(model[4].state_dict())
    adam = torch.optim.Adam(head.parameters(), lr=0.05)
    for _ in range(4):
        adam.zero_grad()
        nn.functional.cross_entropy(head(rows), TRAIN[1]).backward()
        adam.step()
    expected = float((head(tests).argmax(dim=1) == TEST[1]).float().mean())
    found = run(model, ("4",), validation=None, options=replace(OPTIONS, batch=1000, epochs=4))
    assert found.metrics["accuracy"] == pytest.approx(expected)
    assert (found.epochs, found.best_epoch, found.validation) == (4, 4, ())


@pytest.mark.parametrize(
    ("layers", "scale", "cached"),
    [(("head",), 1, True), (("body", "head"), 1, True), (("body.2", "head"), 1, False), (("head",), 2, False)],
)
def test_any_module_trains_alike_cached_where_the_layers_end_it(
    layers: tuple[str, ...], scale: float, cached: bool
) -> None:
    found = run(Wrapped(network(), scale), layers)
    assert found.cached == cached
    if scale == 1:
        same = run(network(), {"head": ("4",), "body": ("2", "4"), "body.2": ("2", "4")}[layers[0]])
        assert found.validation == pytest.approx(same.validation, rel=1e-4)


class _StopAt:
    def __init__(self, phase: str) -> None:
        self._phase = phase

    def __call__(self, progress: Progress) -> None:
        if progress.phase == self._phase and progress.step:
            raise Cancelled


@pytest.mark.parametrize("optimiser", ["adam", "sgd"])
def test_resumed_equals_uninterrupted(tmp_path: Path, optimiser: str) -> None:
    options = replace(OPTIONS, optimiser=optimiser)
    whole = run(network(), ("2", "4"), options=options, seed=3)
    for epoch in (3, 5):
        with pytest.raises(Cancelled):
            run(network(), ("2", "4"), options=options, seed=3, folder=tmp_path,
                report=_StopAt(f"Finetuning, epoch {epoch}"))  # fmt: skip
    assert run(network(), ("2", "4"), options=options, seed=3, folder=tmp_path) == whole
    assert run(network(), ("2", "4"), options=options, seed=3, folder=tmp_path) == whole
    assert run(network(), ("2", "4"), options=options, seed=4) != whole


def test_early_stopping_scores_the_best_epoch() -> None:
    wild = replace(OPTIONS, optimiser="sgd", rate=30.0, epochs=20, patience=2)
    found = run(network(), ("4",), options=wild)
    assert found.epochs == found.best_epoch + 2 < 20
    only = run(network(), ("4",), options=replace(wild, epochs=found.best_epoch))
    assert only.metrics == found.metrics


def test_weights_count_as_repeats() -> None:
    rows, labels = TRAIN[0][:40], TRAIN[1][:40]
    doubled = torch.cat([rows, rows[:20]]), torch.cat([labels, labels[:20]])
    weights = torch.cat([torch.full((20,), 2.0), torch.ones(20)])
    one_step = replace(OPTIONS, optimiser="sgd", batch=100, epochs=1)
    asked = {"validation": VALIDATION, "options": one_step, "device": "cpu"}
    weighted = finetune(network(), ("4",), (rows, labels), TEST, weights=weights, **asked)  # type: ignore[arg-type]
    repeated = finetune(network(), ("4",), doubled, TEST, **asked)  # type: ignore[arg-type]
    plain = finetune(network(), ("4",), (rows, labels), TEST, **asked)  # type: ignore[arg-type]
    assert weighted.validation == pytest.approx(repeated.validation, rel=1e-5)
    assert weighted.validation != pytest.approx(plain.validation, rel=1e-5)


def test_regression() -> None:
    train, test = part(120, 1, values=True), part(100, 3, values=True)
    found = finetune(network(1), ("2", "4"), train, test, options=replace(OPTIONS, epochs=40), device="cpu")
    assert found.metrics["r2"] > 0.5
    assert set(found.metrics) == {"mae", "rmse", "r2"}


@pytest.mark.parametrize(
    ("layers", "given", "message"),
    [
        ((), {}, "no layers"),
        (("9",), {}, "no layer '9'.*: 2.2, 3, 4"),
        (("3",), {}, "no parameters"),
        (("4",), {"weights": torch.zeros(120)}, "120 positive"),
    ],
)
def test_what_does_not_fit_is_refused(layers: tuple[str, ...], given: dict[str, object], message: str) -> None:
    with pytest.raises(InputError, match=message):
        run(network(), layers, **given)


def test_foreign_and_damaged_checkpoints_are_refused(tmp_path: Path) -> None:
    run(network(), ("4",), folder=tmp_path)
    with pytest.raises(InputError, match="another training"):
        run(network(), ("4",), folder=tmp_path, seed=1)
    file = tmp_path / "finetune.pt"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(InputError, match="not a readable checkpoint"):
        run(network(), ("4",), folder=tmp_path)
    torch.save({"identity": FinetuneOptions()}, file)  # an object that only unpickling code could bring back
    with pytest.raises(InputError, match="not a readable checkpoint"):
        run(network(), ("4",), folder=tmp_path)
