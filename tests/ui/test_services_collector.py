"""Libraries are left out of the collections that run after each script run."""

import gc
import sys

import pytest

from dashboard.services import collector


@pytest.fixture
def thawed():
    collector._freeze.clear()
    gc.unfreeze()
    yield
    collector._freeze.clear()
    gc.unfreeze()


def test_what_is_loaded_is_frozen_once_and_again_when_much_more_is_loaded(
    thawed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    collector.spare_libraries()
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    later: list[list[int]] = [[number] for number in range(1000)]  # lists, since dicts of numbers are not looked at
    collector.spare_libraries()
    assert gc.get_freeze_count() <= frozen
    monkeypatch.setattr(collector, "_MODULES", len(sys.modules) + 1)  # another count of what is loaded
    collector.spare_libraries()
    assert gc.get_freeze_count() > frozen
    assert len(later) == 1000


def test_garbage_made_after_the_freeze_is_still_collected(thawed: None) -> None:
    collector.spare_libraries()
    ring: list[object] = []
    ring.append(ring)
    del ring
    assert gc.collect() >= 1
