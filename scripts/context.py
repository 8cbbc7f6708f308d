"""What every command is given: the stack it works on, and where it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rich.console import Console

from scripts.deployment import Deployment, StackHandle, real_handle


def errors_console() -> Console:
    """A console on stderr: progress and warnings; results go to stdout."""
    return Console(stderr=True, highlight=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Context:
    """`local` opens the stacks that are not on a real account, by name; every other name is opened through Pulumi.

    `json` asks for one JSON document on stdout instead of a table.
    """

    stack: str
    json: bool = False
    console: Console = field(default_factory=errors_console, repr=False)
    local: Mapping[str, Callable[[], StackHandle]] = field(default_factory=dict[str, Callable[[], StackHandle]])

    def handle(self) -> StackHandle:
        """The stack, up or not.

        Raises NoStackError when there is none, StackError when it cannot be opened.
        """
        opener = self.local.get(self.stack)
        return real_handle(self.stack) if opener is None else opener()

    def deployment(self) -> Deployment:
        """The stack, which must be up.

        Raises NoStackError when there is none, StackError when it is not up.
        """
        return Deployment.of(self.handle())
