"""The whole contract of a selection method: one class to inherit from."""

from skmm_core.testing.answers import AnswerContract
from skmm_core.testing.descriptions import DescriptionContract
from skmm_core.testing.include_exclude import IncludeExcludeContract
from skmm_core.testing.inputs import InputContract
from skmm_core.testing.invariance import InvarianceContract
from skmm_core.testing.randomness import RandomnessContract
from skmm_core.testing.reports import ReportContract


class MethodContract(
    AnswerContract,
    RandomnessContract,
    InvarianceContract,
    InputContract,
    IncludeExcludeContract,
    ReportContract,
    DescriptionContract,
):
    """What every selection method promises, whatever it does; pytest runs it for each subclass named `Test…`.

    A subclass names its method, and adds tests of its own if it likes; `self.run(rows, budget)` selects with it::

        class TestStride(MethodContract):
            method = "stride"

    Attributes and methods that it may override are those of
    :class:`~skmm_core.testing.subject.MethodUnderTest`: `method`, `params`, `reports`, `rows` and `labels`; and
    `not_kept` of :class:`~skmm_core.testing.invariance.InvarianceContract`.
    """
