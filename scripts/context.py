"""What every command is given: the stack it works on, and where it speaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

import typer
from rich.console import Console

from scripts.deployment import Deployment, StackHandle, real_handle, selected

LOCAL = "local"


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


def choose(ctx: typer.Context, stack: str | None) -> str | None:
    """Have the command work on `stack`; without one, on the stack that Pulumi has selected, else this machine's."""
    context: Context = ctx.obj
    if not ctx.resilient_parsing:
        ctx.obj = replace(context, stack=stack or context.stack or selected() or LOCAL)
    return stack


StackOption = Annotated[
    str | None,
    typer.Option(
        "--stack",
        "-s",
        envvar="CALLREC_STACK",
        callback=choose,
        help="The Pulumi stack; without it the selected one. `local` is the one of `callrec local up`.",
    ),
]


def run_alone(command: Callable[..., None]) -> None:
    """Run one command without the others, for stacks on a real account."""
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(command)
    app(obj=Context(stack=""))
