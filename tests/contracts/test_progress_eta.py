"""The time that is left, from the pace of the reports."""

from skmm_core.progress import Eta, Progress


def _eta(reports: list[tuple[float, Progress]]) -> list[float | None]:
    clock = iter([when for when, _ in reports])
    eta = Eta(lambda: next(clock))
    return [eta(progress) for _, progress in reports]


def test_eta_follows_the_pace() -> None:
    reports = [(0.0, Progress("a", 0, 10)), (2.0, Progress("a", 1, 10)), (8.0, Progress("a", 4, 10))]
    assert _eta(reports) == [None, 18.0, 12.0]


def test_eta_counts_on_when_only_the_words_change() -> None:
    reports = [(0.0, Progress("cell 1", 0, 4)), (1.0, Progress("cell 2", 1, 4)), (2.0, Progress("cell 3", 2, 4))]
    assert _eta(reports) == [None, 3.0, 2.0]


def test_a_new_total_a_step_back_or_no_total_starts_afresh() -> None:
    reports = [
        (0.0, Progress("a", 0, 4)),
        (1.0, Progress("a", 2, 4)),
        (2.0, Progress("b", 2, 8)),
        (3.0, Progress("b", 4, 8)),
        (4.0, Progress("b", 0, 8)),
        (5.0, Progress("c", 1)),
        (6.0, Progress("b", 1, 8)),
        (7.0, Progress("b", 2, 8)),
    ]
    assert _eta(reports) == [None, 1.0, None, 2.0, None, None, None, 6.0]
