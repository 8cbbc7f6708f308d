"""One stack as the commands see it: the same on a real account and on the local stack."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pulumi import automation

from scripts.aws_access import AwsAccess
from scripts.errors import StackError
from scripts.outputs import Outputs

PROJECT = "callrec"
ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployment:
    """A stack that is up. `config` holds its configuration in clear, keys without their namespace.

    `engine` gives the Pulumi stack ready for an operation for the length of a `with` block.
    """

    stack: str
    outputs: Outputs = field(repr=False)
    config: Mapping[str, str] = field(repr=False)
    aws: AwsAccess = field(repr=False)
    engine: Callable[[], AbstractContextManager[automation.Stack]] = field(repr=False)


def real(stack: str, root: Path = ROOT) -> Deployment:
    """Open a stack of the project in `root` through the Pulumi CLI on PATH.

    Raises StackError when there is no such stack, or it is not up.
    """

    @contextmanager
    def engine() -> Generator[automation.Stack]:
        try:
            yield automation.select_stack(stack_name=stack, work_dir=str(root))
        except automation.StackNotFoundError:
            raise StackError(f"there is no stack {stack!r}. See: pulumi stack ls") from None

    with engine() as opened:
        outputs, config = read(opened)
    access = AwsAccess(region=outputs.region, profile=config.get("aws:profile"))
    return Deployment(stack=stack, outputs=outputs, config=config, aws=access, engine=engine)


def read(stack: automation.Stack) -> tuple[Outputs, dict[str, str]]:
    """Ask the engine for a stack's outputs and its configuration, secrets in clear.

    Keys of the project lose their namespace; those of others (`aws:profile`) keep it.
    """
    outputs = Outputs.of(stack.name, {name: output.value for name, output in stack.outputs().items()})
    config = {name.removeprefix(f"{PROJECT}:"): value.value for name, value in stack.get_all_config().items()}
    return outputs, config
