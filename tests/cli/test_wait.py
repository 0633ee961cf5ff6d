"""wait, events --follow and shutdown --then: what is waited for comes while the command waits."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from command_line import Call
from fake_engine import FakeEngine
from in_process import InProcessHost
from sample_configs import tiny

from xlpy.agent.watch import Watch
from xlpy.client.host import Host
from xlpy.model.domain import ShutdownReason


def meanwhile(agent: InProcessHost, work: Callable[[Host], object]) -> threading.Thread:
    """Do something as another client, as soon as the command waits for events."""
    began = threading.Event()
    watch = agent.supervisor.events.watch

    def watched() -> Watch:
        began.set()
        return watch()

    agent.supervisor.events.watch = watched  # type: ignore[method-assign]

    def run() -> None:
        assert began.wait(20)
        work(agent.connect())

    thread = threading.Thread(target=run)
    thread.start()
    return thread


@pytest.mark.parametrize(
    ("state", "work"),
    [
        ("paused", lambda host: host.pause_domain(1)),
        ("gone", lambda host: host.destroy_domain(1)),
    ],
)
def test_states_that_somebody_brings_about(
    state: str, work: Callable[[Host], object], call: Call, host: Host, agent: InProcessHost
) -> None:
    assert host.create_domain(tiny("web")) == 1
    thread = meanwhile(agent, work)
    assert call("wait", "web", state, "--timeout", "20").status == 0
    thread.join()


def test_a_guest_that_shuts_down_by_itself(
    call: Call, host: Host, agent: InProcessHost, fake: FakeEngine
) -> None:
    domid = host.create_domain(tiny("web"), supervised=False)
    thread = meanwhile(agent, lambda other: fake.end(domid, ShutdownReason.POWEROFF))
    assert call("wait", "web", "shutdown", "--timeout", "20").status == 0
    thread.join()


def test_a_domain_that_is_yet_to_come(call: Call, agent: InProcessHost) -> None:
    thread = meanwhile(agent, lambda other: other.create_domain(tiny("web")))
    assert call("wait", "web", "running", "--timeout", "20").status == 0
    thread.join()


def test_what_is_so_already_is_not_waited_for(call: Call, host: Host) -> None:
    host.create_domain(tiny("web"))
    assert call("wait", "web", "running").status == 0
    assert call("wait", "nosuch", "gone").status == 0


def test_a_text_on_the_console(call: Call, host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"))
    fake.guests[domid].say(b"hello, guest is up\n")
    assert call("wait", "web", "console", "guest is up", "--timeout", "20").status == 0


def test_time_that_runs_out(call: Call, host: Host) -> None:
    host.create_domain(tiny("web"))
    result = call("wait", "web", "paused", "--timeout", "0.05")
    assert (result.status, result.err.splitlines()[0]) == (1, "xlpy: web is not paused after 0.05 s")
    result = call("wait", "web", "console", "never", "--timeout", "0.05")
    assert "has not said 'never' within 0.05 s" in result.err
    assert call("list").status == 0


@pytest.mark.parametrize(
    "words", [("web", "happy"), ("web", "console"), ("web", "running", "fast"), ("web", "console", "")]
)
def test_nothing_to_wait_for(words: tuple[str, ...], call: Call) -> None:
    assert call("wait", *words).status == 2


def test_shutdown_then_destroy(call: Call, host: Host, fake: FakeEngine) -> None:
    domid = host.create_domain(tiny("web"))
    result = call("shutdown", "web", "--timeout", "0.05", "--then", "destroy")
    assert result.status == 0
    assert f"Domain {domid} did not end in time and has been destroyed\n" in result.err
    assert [info.domid for info in fake.list_domains()] == [0]
    assert call("shutdown", "web", "--then", "destroy").status == 2
    assert call("shutdown", "web", "--timeout", "1", "--then", "dance").status == 2
