"""The ordered parallel map over threads and processes."""

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


def process_id(_number: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("kind", [threads, processes])
@pytest.mark.parametrize("ahead", [1, 3, 100])
def test_results_come_in_the_order_of_the_items(kind, ahead):
    with kind(2) as workers:
        assert list(workers.map(slowly_doubled, range(20), ahead=ahead)) == [2 * number for number in range(20)]


@pytest.mark.parametrize("kind", [threads, processes])
def test_an_exception_of_a_task_passes_through_after_the_results_before_it(kind):
    done = []
    with kind(2) as workers, pytest.raises(OSError, match="No space left") as raised:
        done.extend(workers.map(broken_at_five, range(20), ahead=4))
    assert done == [0, 1, 2, 3, 4]
    assert (raised.value.errno, raised.value.filename) == (28, "there")


def test_no_more_than_the_allowed_number_of_tasks_is_started_ahead():
    started, most = [], 0
    with threads(2) as workers:
        for taken, _ in enumerate(workers.map(started.append, range(30), ahead=5)):
            most = max(most, len(started) - taken)
    assert len(started) == 30
    assert most <= 5


def test_after_an_early_exit_no_task_starts_and_no_thread_remains():
    started = []
    with threads(1) as workers:
        for result in workers.map(lambda number: started.append(number) or time.sleep(0.01), range(1000), ahead=50):
            assert result is None
            break
    assert len(started) < 10
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("worker")]


def test_processes_run_outside_this_process_and_threads_inside():
    with processes(2) as workers:
        assert os.getpid() not in set(workers.map(process_id, range(8), ahead=4))
    with threads(2) as workers:
        assert set(workers.map(process_id, range(8), ahead=4)) == {os.getpid()}
