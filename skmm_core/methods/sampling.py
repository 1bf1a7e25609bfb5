"""Methods that draw points at random, with or without importance."""

import torch

from skmm_core.device import generator
from skmm_core.methods.registry import Family, MethodParams, Picks, register
from skmm_core.pool import Pool
from skmm_core.progress import Report


class UniformParams(MethodParams):
    """No options."""


@register(
    key="uniform",
    title="Uniform",
    family=Family.SAMPLING,
    summary="Picks points at random, all equally likely: the baseline that every method must beat.",
    paper="Simple random sampling without replacement",
    url="https://en.wikipedia.org/wiki/Simple_random_sample",
    params=UniformParams,
    random=True,
)
def uniform(pool: Pool, budget: int, params: UniformParams, *, seed: int, report: Report) -> Picks:
    """Draw without replacement, every subset of this size equally likely. O(N)."""
    return Picks(torch.randperm(pool.size, generator=generator(seed, "uniform"))[:budget])
