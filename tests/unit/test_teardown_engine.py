"""The engine's side: export and import through the CLI, locks of the dead and of the living, its words."""

from __future__ import annotations

import copy
import json
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pulumi import automation
from pulumi.automation import CommandResult

from scripts.errors import StackError, UnfinishedError
from scripts.teardown import engine as engines
from scripts.teardown.engine import Engine
from tests.unit.test_teardown_state import STATE


def locked(pid: int, host: str = socket.gethostname()) -> automation.ConcurrentUpdateError:
    text = f"the stack is currently locked by 1 lock(s).\n  file:///x.json: created by me@{host} (pid {pid}) at 2026"
    return automation.ConcurrentUpdateError(CommandResult(stdout="", stderr=text, code=255))


class FakeStack:
    """A Pulumi stack whose state is a dict; `troubles` are raised by the next operations that change it."""

    name = "unit"

    def __init__(self, state: dict[str, Any] | None = None, home: str | None = "/home") -> None:
        self.exported: dict[str, Any] = {"version": 3, "deployment": copy.deepcopy(STATE if state is None else state)}
        self.troubles: list[Exception] = []
        self.destroyed: list[list[str] | None] = []
        self.events: list[str] = []
        self.environment: dict[str, str] = {}
        self.imported_mode = 0
        self.config = {"callrec:livekitUrl": "", "aws:region": "eu-central-1"}
        self.workspace: Any = SimpleNamespace(
            work_dir="/work-dir",
            env_vars={"PULUMI_CONFIG_PASSPHRASE": "passphrase"},
            pulumi_home=home,
            pulumi_command=SimpleNamespace(run=self._cli),
            remove_stack=self._remove,
        )

    def _cli(self, arguments: list[str], cwd: str, env: dict[str, str]) -> CommandResult:
        assert cwd == "/work-dir"
        assert arguments[-2:] == ["--stack", "unit"]
        self.environment = env
        if arguments[:2] == ["stack", "export"]:
            assert "--show-secrets" not in arguments
            return CommandResult(stdout=json.dumps(self.exported), stderr="", code=0)
        self._trouble()
        assert arguments[:3] == ["stack", "import", "--file"]
        path = Path(arguments[3])
        self.imported_mode = stat.S_IMODE(path.stat().st_mode)
        self.exported = json.loads(path.read_text())
        self.events.append("import")
        return CommandResult(stdout="", stderr="", code=0)

    def _remove(self, name: str) -> None:
        self._trouble()
        assert name == "unit"
        self.events.append("remove")

    def _trouble(self) -> None:
        if self.troubles:
            raise self.troubles.pop(0)

    def destroy(self, *, target: list[str] | None, on_output: Any, **options: Any) -> None:
        assert options["suppress_outputs"]
        self._trouble()
        on_output("Destroying")
        self.destroyed.append(target)
        self.events.append("destroy")
        gone = None if target is None else set(target)
        self.exported["deployment"]["resources"] = [
            one for one in self.exported["deployment"]["resources"] if gone is not None and one["urn"] not in gone
        ]

    def cancel(self) -> None:
        self.events.append("cancel")

    def get_all_config(self) -> dict[str, Any]:
        return {name: SimpleNamespace(value=value) for name, value in self.config.items()}


def opened(stack: FakeStack) -> tuple[Engine, list[str]]:
    said: list[str] = []
    fake: Any = stack
    return Engine(stack=fake, say=said.append, wait=lambda _: said.append("waited")), said


def test_the_state_is_read_with_its_secrets_encrypted() -> None:
    stack = FakeStack()
    engine, _ = opened(stack)
    assert engine.state() == STATE
    assert stack.environment == {"PULUMI_CONFIG_PASSPHRASE": "passphrase", "PULUMI_HOME": "/home"}
    stack = FakeStack(home=None)
    opened(stack)[0].state()
    assert "PULUMI_HOME" not in stack.environment


def test_a_stack_without_a_state_is_empty() -> None:
    stack = FakeStack()
    stack.exported = {"version": 3, "deployment": None}
    engine, _ = opened(stack)
    assert engine.state() == {}
    engine.unprotect()
    assert stack.exported["deployment"] == {"resources": []}


def test_destroying_takes_the_targets_or_all() -> None:
    stack = FakeStack()
    engine, said = opened(stack)
    engine.destroy(["urn:1"])
    engine.destroy()
    assert stack.destroyed == [["urn:1"], None]
    assert said == ["Destroying", "Destroying"]


def test_unprotecting_goes_through_a_private_file_that_is_gone_afterwards() -> None:
    stack = FakeStack()
    engine, _ = opened(stack)
    engine.unprotect()
    assert not any("protect" in one for one in stack.exported["deployment"]["resources"])
    assert stack.exported["version"] == 3
    assert stack.imported_mode == 0o600
    engine.unprotect()
    assert stack.events == ["import"]  # the second time there is nothing to change


def test_the_configuration_comes_without_namespaces() -> None:
    assert opened(FakeStack())[0].config() == {"livekitUrl": "", "region": "eu-central-1"}


def dead_pid() -> int:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        process.wait()
    return process.pid


def test_the_lock_of_a_dead_engine_is_removed() -> None:
    stack = FakeStack()
    stack.troubles = [locked(dead_pid())]
    engine, said = opened(stack)
    engine.destroy()
    assert stack.events == ["cancel", "destroy"]
    assert "no more" in said[0]


def test_an_engine_that_ended_and_was_not_waited_for_is_dead_too() -> None:
    stack = FakeStack()
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()
        while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        stack.troubles = [locked(process.pid)]
        opened(stack)[0].remove()
    assert stack.events == ["cancel", "remove"]


def test_a_living_engine_is_waited_for() -> None:
    stack = FakeStack()
    stack.troubles = [locked(os.getpid()), locked(os.getpid())]
    engine, said = opened(stack)
    engine.unprotect()
    assert said.count("waited") == 2
    assert stack.events == ["import"]


def test_an_engine_that_does_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "ORPHAN_SECONDS", -1.0)
    stack = FakeStack()
    stack.troubles = [locked(os.getpid())]
    with pytest.raises(StackError, match="pulumi cancel --stack unit"):
        opened(stack)[0].destroy()
    assert stack.events == []


@pytest.mark.parametrize(
    "trouble", [locked(1, "elsewhere"), automation.ConcurrentUpdateError(CommandResult("", "conflict", 255))]
)
def test_a_lock_of_another_machine_is_left_alone(trouble: automation.ConcurrentUpdateError) -> None:
    stack = FakeStack()
    stack.troubles = [trouble]
    with pytest.raises(StackError, match="pulumi cancel"):
        opened(stack)[0].destroy()
    assert stack.events == []


def test_a_process_of_somebody_else_is_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(engines.os, "kill", denied)
    assert engines._alive(1)


def test_without_proc_a_process_counts_as_alive(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_: Path) -> str:
        raise FileNotFoundError

    monkeypatch.setattr(engines.Path, "read_text", missing)
    assert engines._alive(os.getpid())


def test_the_engine_speaks_for_itself() -> None:
    stack = FakeStack()
    said = " -  Queue deleting error: DeleteQueue: AccessDenied\n   **failed** error: DeleteQueue: AccessDenied"
    stack.troubles = [automation.CommandError(CommandResult(stdout=said, stderr="", code=255))] * 3
    engine, _ = opened(stack)
    for operation in (engine.destroy, engine.remove, engine.unprotect):
        with pytest.raises(UnfinishedError, match=r"could not: DeleteQueue: AccessDenied\. What is done is done"):
            operation()


def test_an_engine_without_words_is_pointed_at() -> None:
    stack = FakeStack()
    stack.troubles = [automation.CommandError(CommandResult(stdout="", stderr="boom", code=255))]
    with pytest.raises(UnfinishedError, match="pulumi stack"):
        opened(stack)[0].destroy()
