"""Background processes: they end with their starter, even one that was killed, and say why they did not come up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from scripts.errors import LocalStackError
from scripts.local.process import Process, free_port

SLEEPER = [sys.executable, "-c", "import subprocess, sys, time; subprocess.Popen(['sleep', '60']); time.sleep(60)"]
STARTER = """
import sys, time
from pathlib import Path
from scripts.local.process import Process
process = Process("sleeper", sys.argv[2:], Path(sys.argv[1]), dict(__import__("os").environ))
print("started", flush=True)
time.sleep(60)
"""


def descendants(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


def wait_until_gone(processes: list[psutil.Process]) -> None:
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert alive == []


def wait_for_family(pid: int, size: int) -> list[psutil.Process]:
    until = time.monotonic() + 60
    while len(descendants(pid)) < size and time.monotonic() < until:
        time.sleep(0.05)
    family = descendants(pid)
    assert len(family) >= size
    return family


def test_a_stopped_process_takes_its_children_along(tmp_path: Path) -> None:
    process = Process("sleeper", SLEEPER, tmp_path / "log", os.environ)
    family = wait_for_family(process.pid, 2)
    assert process.alive()
    process.stop()
    process.stop()
    assert not process.alive()
    wait_until_gone(family)


@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_starter_leaves_nothing_running(kill: signal.Signals, tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTER, str(tmp_path / "log"), *SLEEPER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as starter:
        assert starter.stdout is not None
        assert starter.stdout.readline() == "started\n"
        family = wait_for_family(starter.pid, 3)
        starter.send_signal(kill)
    wait_until_gone(family)


def test_a_process_that_ends_at_once_says_why(tmp_path: Path) -> None:
    process = Process("loser", [sys.executable, "-c", "raise SystemExit('no luck')"], tmp_path / "log", os.environ)
    with pytest.raises(LocalStackError, match="no luck"):
        process.wait_until(lambda: False, 60)
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600


def test_a_process_that_is_never_ready_is_given_up(tmp_path: Path) -> None:
    process = Process("sleeper", SLEEPER, tmp_path / "log", os.environ)
    with pytest.raises(LocalStackError, match=r"not ready within 0 s"):
        process.wait_until(lambda: False, 0.1)
    process.stop()


def test_a_ready_process_is_waited_for(tmp_path: Path) -> None:
    process = Process("sleeper", SLEEPER, tmp_path / "log", os.environ)
    answers = iter([False, True])
    process.wait_until(lambda: next(answers), 60)
    process.stop()


def test_a_free_port_can_be_listened_on() -> None:
    assert 1024 < free_port() < 65536
