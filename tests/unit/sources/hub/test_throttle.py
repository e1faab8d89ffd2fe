"""How fast the Hub may be asked, on a clock of our own."""

import threading

import pytest

from modellens_core.sources.hub import throttle as module
from modellens_core.sources.hub.throttle import MOST_AT_ONCE, Throttle


class Clock:
    """Time that passes when it is told to."""

    now = 1000.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


def test_nothing_is_waited_for_before_the_hub_says_anything(clock):
    assert [Throttle().delay("api") for _ in range(3)] == [0.0, 0.0, 0.0]


def test_what_is_left_of_a_window_is_counted_down(clock):
    throttle = Throttle()
    throttle.announced("api", left=2, seconds=30)
    assert [throttle.delay("api") for _ in range(3)] == [0.0, 0.0, 30.0]
    assert throttle.delay("resolvers") == 0.0
    clock.now += 29
    assert throttle.delay("api") == 1.0
    clock.now += 1
    assert throttle.delay("api") == 0.0


def test_an_answer_that_was_overtaken_gives_nothing_back(clock):
    throttle = Throttle()
    throttle.announced("api", left=1, seconds=30)
    throttle.announced("api", left=5, seconds=30.5)
    assert [throttle.delay("api") for _ in range(2)] == [0.0, 30.5]
    throttle.announced("api", left=100, seconds=300)  # another window
    assert throttle.delay("api") == 0.0


def test_trouble_halves_and_calm_adds(clock):
    throttle = Throttle()
    first = throttle.allowed
    throttle.trouble()
    throttle.trouble()  # the same trouble
    assert throttle.allowed == first // 2
    for _ in range(20):
        clock.now += 2
        throttle.trouble()
    assert throttle.allowed == 1
    for _ in range(1000):
        throttle.went_well()
    assert throttle.allowed == MOST_AT_ONCE


def test_no_more_run_at_once_than_allowed():
    throttle, stopped = Throttle(), threading.Event()
    allowed, running, most = throttle.allowed, 0, 0
    lock, gate = threading.Lock(), threading.Event()

    def work():
        nonlocal running, most
        with throttle.slot(stopped):
            with lock:
                running += 1
                most = max(most, running)
            gate.wait(5)
            with lock:
                running -= 1

    threads = [threading.Thread(target=work) for _ in range(allowed + 4)]
    for thread in threads:
        thread.start()
    while running < allowed:
        pass
    gate.set()
    for thread in threads:
        thread.join(5)
    assert most == allowed


def test_who_waits_for_a_place_goes_on_when_all_is_stopped():
    throttle, stopped = Throttle(), threading.Event()
    stopped.set()
    entered = []

    def enter(left):
        with throttle.slot(stopped):
            entered.append(left)
            if left:
                enter(left - 1)

    enter(MOST_AT_ONCE + 1)
    assert len(entered) == MOST_AT_ONCE + 2
