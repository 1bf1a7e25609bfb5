"""Train a learner on the chosen points and score it on the test rows: placeholder."""

from dataclasses import replace

import numpy as np
from torch import Tensor

from skmm_core.data import Dataset, Task
from skmm_core.probes.linear_probe import ProbeScore, check_scorable, score_probe
from skmm_core.probes.metrics import classification_metrics, regression_metrics
from skmm_core.progress import Report, ignore


def score_learner(
    dataset: Dataset, chosen: Tensor, learner: str, *, seed: int = 0, report: Report = ignore
) -> ProbeScore:
    """Placeholder: linear is the probe, the others are nearest neighbours of different kinds."""
    if learner == "linear":
        return score_probe(dataset, chosen, seed=seed, report=report)
    targets = check_scorable(dataset)
    settled = ("propagate" if len(chosen) < 30 else "linear") if learner == "auto" else ""
    if settled:
        return replace(score_learner(dataset, chosen, settled, seed=seed), settled=settled)
    rows = dataset.split.train[chosen]
    train, test = (dataset.scaler(dataset.features[part]).double().numpy() for part in (rows, dataset.split.test))
    gaps = ((test[:, None] - train[None]) ** 2).sum(axis=2) if len(train) < 500 else -test @ train.T
    nearest = np.argsort(gaps, axis=1)[:, : 1 if learner == "propagate" else 3]
    values = targets[rows].numpy()[nearest]
    truth = targets[dataset.split.test].numpy()
    if dataset.task is Task.CLASSIFICATION:
        predicted = values[:, -1]
        return ProbeScore(classification_metrics(truth, predicted), 0.0, "nothing", 0, predicted)
    mean = values.mean(axis=1)
    return ProbeScore(regression_metrics(truth.astype(float), mean), 0.0, "nothing", 0, mean)
