"""One seed, one answer; and nothing random that does not come from the seed."""

import pickle
import random

import torch
from numpy import random as numpy_random

from skmm_core.config import SketchParams
from skmm_core.testing.subject import MethodUnderTest


class RandomnessContract(MethodUnderTest):
    """The seed decides the answer where the method says it is random; generators that all share are left alone."""

    def test_same_seed_same_answer(self) -> None:
        one, two = (self.run(self.rows(150, 8), 20, seed=3) for _ in range(2))
        assert torch.equal(one.indices, two.indices)
        assert torch.equal(one.weights, two.weights)
        assert one.objective == two.objective

    def test_another_seed_another_answer_if_and_only_if_it_is_said_to_be_random(self) -> None:
        if self.spec.random:
            # 40 dimensions sketched to 8: methods that are random only through the map must see another one.
            rows, sketch, budget, seeds = self.rows(300, 40), SketchParams(dim=8), 20, 3
        else:
            rows, sketch, budget, seeds = self.rows(100, 20), None, 15, 4
        found = (self.run(rows, budget, seed=seed, sketch=sketch) for seed in range(seeds))
        answers = {tuple(each.indices.tolist()) for each in found}
        assert len(answers) == (seeds if self.spec.random else 1)

    def test_global_generators_are_neither_read_nor_written(self) -> None:
        rows, before = self.rows(80, 6), shared_states()
        one = self.run(rows, 10)
        assert shared_states() == before  # a number drawn moves the state, too
        move_shared_states()
        assert torch.equal(one.indices, self.run(rows, 10).indices)


def shared_states() -> bytes:
    """Where the generators stand that a whole process shares."""
    shared = random.getstate(), numpy_random.get_state(), torch.get_rng_state().numpy()  # noqa: NPY002
    return pickle.dumps(shared)


def move_shared_states() -> None:
    """Draw a number from every generator that a whole process shares, so that it stands elsewhere."""
    random.random(), numpy_random.random_sample(), torch.rand(1)  # noqa: NPY002
