"""Many tasks at once against one after the other."""

import os
import threading
import time

import pytest

from bam_engine.processes import processes, threads


def slowly_doubled(number: int) -> int:
    time.sleep(0.02 if number % 3 == 0 else 0)
    return 2 * number


def broken_at_five(number: int) -> int:
    if number == 5:
        raise OSError(28, "No space left on device", "there")
    return number


def whose(_number: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("kind", [threads, processes])
@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_results_come_in_the_order_of_the_items(kind, ahead):
    with kind(2) as crew:
        assert list(crew.each(slowly_doubled, range(20), ahead=ahead)) == [2 * number for number in range(20)]


@pytest.mark.parametrize("kind", [threads, processes])
def test_what_a_task_raises_passes_whole_after_the_results_before_it(kind):
    done = []
    with kind(2) as crew, pytest.raises(OSError, match="No space left") as told:
        done.extend(crew.each(broken_at_five, range(20), ahead=4))
    assert done == [0, 1, 2, 3, 4]
    assert (told.value.errno, told.value.filename) == (28, "there")


def test_no_more_is_begun_than_was_allowed_ahead():
    begun, most = [], 0
    with threads(2) as crew:
        for taken, _ in enumerate(crew.each(begun.append, range(30), ahead=5)):
            most = max(most, len(begun) - taken)
    assert len(begun) == 30
    assert most <= 5


def test_left_early_nothing_more_is_begun_and_no_thread_stays():
    begun = []
    with threads(1) as crew:
        for result in crew.each(lambda number: begun.append(number) or time.sleep(0.01), range(1000), ahead=50):
            assert result is None
            break
    assert len(begun) < 10
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("crew")]


def test_processes_are_others_and_threads_are_not():
    with processes(2) as crew:
        assert os.getpid() not in set(crew.each(whose, range(8), ahead=4))
    with threads(2) as crew:
        assert set(crew.each(whose, range(8), ahead=4)) == {os.getpid()}
