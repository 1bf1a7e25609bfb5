"""Progress in words, and an end to the method when a person cancels."""

import pytest

from skmm_core.errors import Cancelled
from skmm_core.progress import Progress
from skmm_core.testing.subject import MethodUnderTest


class CancelAt:
    """A report that stops the task at the k-th call."""

    def __init__(self, k: int) -> None:
        self.left = k

    def __call__(self, progress: Progress) -> None:
        self.left -= 1
        if self.left <= 0:
            raise Cancelled


class ReportContract(MethodUnderTest):
    """A method tells how far it is, and stops where its report raises Cancelled."""

    def test_cancelling_from_a_report_ends_the_method(self) -> None:
        told: list[Progress] = []
        self.run(self.rows(150, 40), 20, report=told.append)
        assert told or not self.reports, "it never called `report`; if its work is a single step, set reports = False"
        for k in {1, (len(told) + 1) // 2, len(told)} if told else ():
            with pytest.raises(Cancelled):
                self.run(self.rows(150, 40), 20, report=CancelAt(k))

    def test_reports_have_words_and_never_pass_their_total(self) -> None:
        told: list[Progress] = []
        self.run(self.rows(200, 40), 20, report=told.append)
        for progress in told:
            assert progress.phase[0].isupper()
            assert progress.step >= 0
            assert progress.total is None or progress.step <= progress.total
