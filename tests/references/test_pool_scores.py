"""What learners say of a whole pool, against the definitions row by row."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from skmm_core.config import DatasetConfig
from skmm_core.data import Dataset, load_dataset
from skmm_core.errors import InputError
from skmm_core.probes import class_scores, number_scores, pool_view, settle
from skmm_core.probes.linear_probe import number_scalings
from skmm_core.probes.pool_learners import fit_propagation, propagated_scores
from skmm_core.progress import ignore
from skmm_core.solvers import average_ridge, content_order, fit_classifier


def _digits(rows: int = 300) -> Dataset:
    full = load_dataset(DatasetConfig(source="digits"))
    split = replace(full.split, train=full.split.train[:rows], test=full.split.test[:40])
    return replace(full, split=split, fingerprint=f"digits:{rows}")


def test_scores_of_a_pool_are_those_of_its_rows_one_by_one() -> None:
    made = _digits()
    view, chosen = pool_view(made), np.arange(0, 300, 6)
    labels = made.targets[made.split.train].numpy()[chosen]  # type: ignore[index]
    every = np.arange(300)
    classes, found = class_scores(view, chosen, labels, "linear", seed=0, test=True)
    fitted = fit_classifier(view.standardised(chosen), labels, seed=0)
    rows = made.scaler(made.features[torch.cat([made.split.train, made.split.test])]).numpy()
    np.testing.assert_allclose(found, fitted.scores(rows), atol=1e-9)
    _, smooth = class_scores(view, chosen, labels, "propagate", seed=0, test=True)
    _, tested = propagated_scores(view, chosen, labels, None, seed=0)
    np.testing.assert_allclose(smooth[300:], tested, atol=1e-9)
    both = fit_propagation(view, chosen, labels, None, 0, ignore)
    smooth_part, spread_part = both.smooth.scores(view.smoothed(every)), both.spread.scores(view.rows)
    wanted = both.weights[0] * smooth_part + both.weights[1] * spread_part
    np.testing.assert_allclose(smooth[:300], wanted, atol=1e-9)
    assert (classes == np.unique(labels)).all()
    _, means = class_scores(view, chosen, labels, "prototype", seed=0)
    centres = np.stack([view.rows[chosen[labels == each]].mean(axis=0) for each in classes])
    nearest = ((view.rows[:, None] - centres) ** 2).sum(axis=2).argmin(axis=1)
    assert (means.argmax(axis=1) == nearest).all()


@pytest.mark.parametrize("learner", ["linear", "propagate", "auto"])
def test_numbers_of_a_pool_are_those_of_its_rows_one_by_one(learner: str) -> None:
    full = load_dataset(DatasetConfig(source="diabetes"))
    view, chosen = pool_view(full), np.arange(0, full.pool_size, 7)
    values = full.targets[full.split.train].double().numpy()[chosen]  # type: ignore[index]
    every = np.arange(full.pool_size)
    plain = [view.standardised, view.smoothed] if learner == "auto" else [view.standardised]
    kinds = [view.smoothed] if learner == "propagate" else plain
    columns = [each for kind in kinds for each in number_scalings(full, kind(chosen))]
    order = content_order(columns[0], values)
    fitted = average_ridge([each[order] for each in columns], values[order])
    wanted = fitted.predict([each for kind in kinds for each in number_scalings(full, kind(every))])
    found = number_scores(view, chosen, values, learner, test=True)
    np.testing.assert_allclose(found[: full.pool_size], wanted, atol=1e-7)
    assert len(found) == full.pool_size + len(full.split.test)


def test_one_class_has_no_scores_and_a_learner_must_fit() -> None:
    view = pool_view(_digits())
    classes, found = class_scores(view, np.arange(3), np.full(3, 4), "propagate", seed=0)
    assert classes.tolist() == [4]
    assert not found.any()
    assert settle(view, np.arange(3), np.arange(3), "linear", seed=0) == "linear"
    with pytest.raises(InputError, match="choose linear, prototype"):
        settle(view, np.arange(3), np.arange(3), "kernel", seed=0)
    with pytest.raises(InputError, match="choose linear, propagate"):
        number_scores(view, np.arange(3), np.ones(3), "prototype")
