"""What the tests of the AWS stand-in stand on: an emulator of their own and stacks driven by the real engine."""

from __future__ import annotations

import contextlib
import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import boto3
import botocore.config
from pulumi import automation

from scripts.local import emulator
from scripts.local.aws_provider import AwsTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

REGION = "eu-central-1"
PROJECT = "standin"


@contextlib.contextmanager
def local_aws(folder: Path) -> Generator[AwsTarget]:
    """Runs an emulator of its own and yields the stand-in's target there, in another region than the default one."""
    with emulator.run(folder) as running:
        yield AwsTarget(
            endpoint_url=running.endpoint_url,
            region=REGION,
            access_key_id=running.access_key_id,
            secret_access_key=running.secret_access_key,
            ca_bundle=running.ca_bundle,
        )


@functools.cache
def client_of(target: AwsTarget, service: str) -> Any:
    """Returns a boto3 client that asks the emulator itself, behind the provider's back."""
    session: Any = boto3.Session()  # the stubs know each service by its literal name
    return session.client(
        service,
        endpoint_url=target.endpoint_url,
        region_name=target.region,
        aws_access_key_id=target.access_key_id,
        aws_secret_access_key=target.secret_access_key,
        verify=str(target.ca_bundle),
        config=botocore.config.Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}),
    )


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing the engine did to a resource, as its events tell it."""

    op: str
    name: str
    diffs: tuple[str, ...] = ()


@dataclass(kw_only=True)
class Run:
    """What one engine operation did; `failed` holds its diagnostics when it failed, else None."""

    steps: list[Step] = field(default_factory=list[Step])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    failed: str | None = None

    def ops(self, *names: str) -> set[str]:
        """Returns what was done, to the resources of these names or to all."""
        return {step.op for step in self.steps if not names or step.name in names}


@dataclass(frozen=True, kw_only=True)
class Bench:
    """Makes stacks whose `aws` plugin is the stand-in listening on `port`."""

    folder: Path
    port: int
    target: AwsTarget
    engine: automation.PulumiCommand

    def stack(self, name: str, program: Callable[[], None], **config: str) -> automation.Stack:
        """Returns a stack of an inline program with `aws:` config (keys without the namespace)."""
        state = self.folder / "state"
        state.mkdir(exist_ok=True)
        stack = automation.create_or_select_stack(
            stack_name=name,
            project_name=PROJECT,
            program=program,
            opts=automation.LocalWorkspaceOptions(
                pulumi_command=self.engine,
                pulumi_home=str(self.folder / "home"),
                env_vars={
                    "PULUMI_BACKEND_URL": state.as_uri(),
                    "PULUMI_CONFIG_PASSPHRASE": "a passphrase",
                    "PULUMI_SKIP_UPDATE_CHECK": "true",
                    "PULUMI_DEBUG_PROVIDERS": f"aws:{self.port}",
                    "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
                },
            ),
        )
        wanted = {f"aws:{key}": value for key, value in ({"region": REGION} | config).items()}
        stack.set_all_config({key: automation.ConfigValue(value) for key, value in wanted.items()})
        return stack

    def state_of(self, name: str) -> str:
        """Returns the state of a stack as it lies on the disk."""
        return next(self.folder.glob(f"state/**/stacks/**/{name}.json")).read_text()


def run(operation: Callable[..., Any]) -> Run:
    """Runs a stack's operation (`stack.up`, …) and returns what the engine's events say it did."""
    done = Run()
    diagnostics: list[str] = []

    def watch(event: automation.EngineEvent) -> None:
        if event.diagnostic_event and event.diagnostic_event.severity == "error":
            diagnostics.append(event.diagnostic_event.message)
        told = event.res_outputs_event or event.resource_pre_event
        metadata = told.metadata if told else None
        if metadata and metadata.type.startswith("aws:"):
            step = Step(op=metadata.op.value, name=metadata.urn.rsplit("::", 1)[-1], diffs=tuple(metadata.diffs or ()))
            if event.res_outputs_event:
                done.steps = [seen for seen in done.steps if (seen.name, seen.op) != (step.name, step.op)]
            done.steps.append(step)

    try:
        result = operation(on_event=watch)
    except automation.CommandError as error:
        done.failed = "\n".join(diagnostics) or str(error)
    else:
        done.outputs = {name: output.value for name, output in getattr(result, "outputs", {}).items()}
    return done
