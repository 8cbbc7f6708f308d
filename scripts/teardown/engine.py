"""The engine as commands drive it: its state, up, destroy, and the lock that a killed run leaves behind."""

from __future__ import annotations

import contextlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pulumi import automation

from scripts.deployment import engine_words
from scripts.errors import StackError, UnfinishedError
from scripts.teardown.state import unprotected

# "<file>: created by root@host (pid 123) at …", as the engine words it when its state is in files.
LOCK = re.compile(r"created by \S*@(?P<host>\S+) \(pid (?P<pid>\d+)\)")
# An engine whose starter was killed still finishes what it had begun.
ORPHAN_SECONDS = 120.0

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Engine:
    """Operations on an opened stack. `say` hears the engine's own lines; `command` is what to run again."""

    stack: automation.Stack = field(repr=False)
    say: Say
    command: str = "teardown"
    wait: Callable[[float], None] = time.sleep

    def state(self) -> dict[str, Any]:
        """What the engine knows to be there; empty for a stack that was never up. Secrets stay encrypted."""
        return self._exported().get("deployment") or {}

    def up(self) -> None:
        """Make the stack what program and configuration say.

        Raises UnfinishedError in the engine's words when it could not.
        """
        with _in_words(self.command):
            self._unlocked(
                lambda: self.stack.up(on_output=self.say, color="never", suppress_outputs=True, suppress_progress=True)
            )

    def pending(self) -> int:
        """How many resources `up` would change, or make, or remove, by the state that the engine knows.

        Raises UnfinishedError in the engine's words when the program cannot be run.
        """
        with _in_words(self.command):
            done = self.stack.preview(on_output=self.say, color="never", suppress_outputs=True, suppress_progress=True)
        return sum(count for kind, count in done.change_summary.items() if kind != automation.OpType.SAME)

    def destroy(self, targets: Sequence[str] | None = None) -> None:
        """Delete the resources with these URNs, or all of them.

        Raises UnfinishedError in the engine's words when something could not be deleted.
        """
        with _in_words(self.command):
            self._unlocked(lambda: self._destroyed(targets))

    def unprotect(self) -> None:
        """Let every resource of the stack be deleted, in the state alone: AWS is not touched."""
        exported = self._exported()
        changed = {**exported, "deployment": unprotected(exported.get("deployment") or {})}
        if changed == exported:
            return
        with _in_words(self.command), tempfile.NamedTemporaryFile("w", suffix=".json") as file:  # mode 600
            json.dump(changed, file)
            file.flush()
            self._unlocked(lambda: self._run("stack", "import", "--file", file.name))

    def remove(self) -> None:
        """Remove the empty stack, with its configuration."""
        with _in_words(self.command):
            self._unlocked(lambda: self.stack.workspace.remove_stack(self.stack.name))

    def config(self) -> Mapping[str, str]:
        """The project's configuration in clear, keys without their namespace."""
        return {name.rpartition(":")[2]: value.value for name, value in self.stack.get_all_config().items()}

    def _destroyed(self, targets: Sequence[str] | None) -> None:
        self.stack.destroy(
            target=None if targets is None else list(targets),
            on_output=self.say,
            color="never",
            suppress_outputs=True,
            suppress_progress=True,
        )

    def _exported(self) -> dict[str, Any]:
        return json.loads(self._run("stack", "export"))

    def _run(self, *arguments: str) -> str:
        """A command of the CLI; the SDK's own export writes every secret in clear into a file."""
        workspace = self.stack.workspace
        home = {} if workspace.pulumi_home is None else {"PULUMI_HOME": workspace.pulumi_home}
        return workspace.pulumi_command.run(
            [*arguments, "--stack", self.stack.name], workspace.work_dir, {**workspace.env_vars, **home}
        ).stdout

    def _unlocked(self, operation: Callable[[], object]) -> None:
        """Do it; when only a dead engine's lock is in the way, remove that and do it again."""
        until = time.monotonic() + ORPHAN_SECONDS
        while True:
            try:
                operation()
            except automation.ConcurrentUpdateError as error:
                holders = [(found["host"], int(found["pid"])) for found in LOCK.finditer(str(error))]
                if not holders or any(host != socket.gethostname() for host, _ in holders):
                    raise _locked(self.stack.name) from None
                if not any(_alive(pid) for _, pid in holders):
                    self.say("removing the lock of an engine that is no more")
                    self.stack.cancel()
                elif time.monotonic() > until:
                    raise _locked(self.stack.name) from None
                else:
                    self.say("waiting for the engine of an earlier run to end")
                    self.wait(1.0)
            else:
                return


def _locked(stack: str) -> StackError:
    return StackError(
        f"another operation holds stack {stack}. Wait for it; if it was killed: pulumi cancel --stack {stack}"
    )


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # One that ended and that nobody has waited for is no more either; without /proc it counts as running.
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return True


@contextlib.contextmanager
def _in_words(command: str) -> Generator[None]:
    try:
        yield
    except automation.ConcurrentUpdateError:
        raise
    except automation.CommandError as error:
        raise UnfinishedError(
            f"the engine could not: {engine_words(error)}. What is done is done: run {command} again"
        ) from None
