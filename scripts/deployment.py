"""One stack as the commands see it: the same on a real account and on the local stack."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pulumi import automation

from scripts.aws_access import AwsAccess
from scripts.errors import EngineError, NoStackError, StackError
from scripts.outputs import Outputs

PROJECT = "callrec"
MOST_SENTENCES = 5
ROOT = Path(__file__).resolve().parent.parent


Engine = Callable[[], AbstractContextManager[automation.Stack]]


@dataclass(frozen=True, kw_only=True, slots=True)
class StackHandle:
    """A stack that exists, up or not: enough to take it down when its outputs are gone.

    `engine` gives the Pulumi stack ready for an operation for the length of a `with` block, and raises NoStackError
    when there is none.
    """

    stack: str
    aws: AwsAccess = field(repr=False)
    engine: Engine = field(repr=False)


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A stack that is up. `config` holds its configuration in clear, keys without their namespace."""

    stack: str
    outputs: Outputs = field(repr=False)
    config: Mapping[str, str] = field(repr=False)
    aws: AwsAccess = field(repr=False)
    engine: Engine = field(repr=False)

    @classmethod
    def of(cls, handle: StackHandle) -> Deployment:
        """Read what the stack behind `handle` tells about itself.

        Raises NoStackError when there is no such stack, StackError when it is not up.
        """
        with handle.engine() as opened:
            outputs, config = read(opened)
        return cls(stack=handle.stack, outputs=outputs, config=config, aws=handle.aws, engine=handle.engine)


def real_handle(stack: str, root: Path = ROOT) -> StackHandle:
    """Open a stack of the project in `root`, up or not, through the Pulumi CLI on PATH.

    Raises NoStackError when there is no such stack, StackError when it has no region, EngineError without the CLI.
    """

    @contextmanager
    def engine() -> Generator[automation.Stack]:
        try:
            opened = automation.select_stack(stack_name=stack, work_dir=str(root))
        except automation.StackNotFoundError:
            raise NoStackError(f"there is no stack {stack!r}. See: pulumi stack ls") from None
        except FileNotFoundError:
            raise EngineError(
                "there is no `pulumi` on PATH. Install it: https://www.pulumi.com/docs/install/"
            ) from None
        except automation.InvalidVersionError as error:
            raise EngineError(f"the `pulumi` on PATH is of another version: {error}") from None
        yield opened

    with engine() as opened:
        named = {name: value.value for name, value in opened.get_all_config().items() if name.startswith("aws:")}
    region = named.get("aws:region") or os.environ.get("AWS_REGION", "")
    if not region:
        raise StackError(f"stack {stack} has no region. Set it: pulumi config set aws:region us-east-1 --stack {stack}")
    return StackHandle(stack=stack, aws=AwsAccess(region=region, profile=named.get("aws:profile")), engine=engine)


def selected(root: Path = ROOT) -> str | None:
    """The stack that `pulumi stack select` chose in `root`; None when there is none, or no Pulumi CLI on PATH."""
    command = shutil.which("pulumi")
    if command is None:
        return None
    done = subprocess.run(  # noqa: S603 -- fixed words
        [command, "stack", "--show-name", "--non-interactive"], cwd=root, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or None if done.returncode == 0 else None


def read(stack: automation.Stack) -> tuple[Outputs, dict[str, str]]:
    """Ask the engine for a stack's outputs and its configuration, secrets in clear.

    Keys of the project lose their namespace; those of others (`aws:profile`) keep it.
    """
    outputs = Outputs.of(stack.name, {name: output.value for name, output in stack.outputs().items()})
    config = {name.removeprefix(f"{PROJECT}:"): value.value for name, value in stack.get_all_config().items()}
    return outputs, config


def engine_words(error: automation.CommandError) -> str:
    """What the engine itself said went wrong, in one line; never its whole output."""
    lines = [line.rpartition("error: ")[2].strip() for line in str(error).splitlines() if "error: " in line]
    return "; ".join(list(dict.fromkeys(lines))[:MOST_SENTENCES]) or "it gave no reason; see: pulumi stack"
