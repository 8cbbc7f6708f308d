"""The same Pulumi program on this machine: the real engine, the AWS stand-in provider, the local services."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import requests
from pulumi import automation
from pulumi.automation import ConfigValue, PulumiCommand

import infra.__main__
from scripts.aws_access import AwsAccess, Key
from scripts.context import LOCAL
from scripts.deployment import PROJECT, Deployment, StackHandle
from scripts.errors import NoStackError
from scripts.local.aws_provider import AwsTarget, serve
from scripts.local.services import Services
from scripts.secret_config import set_secret

# The captured webhooks name this bucket and this folder, so that they hold here byte for byte.
BUCKET = "recordings"
PREFIX = "calls/"

Report = Callable[[str], None]


def configuration(services: Services) -> dict[str, ConfigValue]:
    """Configuration of the local stack: at its defaults but where this machine is not AWS, and with every part made."""
    architecture = {"x86_64": "x86_64", "aarch64": "arm64", "arm64": "arm64"}[platform.machine()]
    plain = {
        "livekitUrl": services.livekit_url,
        "livekitApiKey": services.livekit_api_key,
        "airtableUrl": services.airtable_url,
        "airtableBase": services.airtable_base,
        "airtableTable": services.airtable_table,
        "bucketName": BUCKET,
        "recordingsPrefix": PREFIX,
        "alarmEmail": "front-desk@example.org",
        "accessLogs": "true",
        "disposable": "true",
        "settleSeconds": "0",
        "functionRuntime": f"python{sys.version_info.major}.{sys.version_info.minor}",
        "functionArchitecture": architecture,
    }
    secret = {
        "livekitApiSecret": services.livekit_api_secret,
        "airtableToken": services.airtable_token,
        "linkSigningKey": services.link_signing_key,
    }
    return {
        "aws:region": ConfigValue(services.region),
        **{f"{PROJECT}:{key}": ConfigValue(value) for key, value in plain.items()},
        **{f"{PROJECT}:{key}": ConfigValue(value, secret=True) for key, value in secret.items()},
    }


def target(services: Services) -> AwsTarget:
    """The emulator as the stand-in provider reaches it."""
    return AwsTarget(
        endpoint_url=services.endpoint_url,
        region=services.region,
        access_key_id=services.access_key_id,
        secret_access_key=services.secret_access_key,
        ca_bundle=Path(services.ca_bundle),
    )


@contextmanager
def opened(
    services: Services,
    command: PulumiCommand,
    stack: str = LOCAL,
    *,
    create: bool = False,
    program: Callable[[], None] = infra.__main__.main,
) -> Generator[automation.Stack]:
    """Open the Pulumi stack, with the stand-in provider attached for the length of the block.

    Raises NoStackError when there is none, unless it may be made with `create`.
    """
    folder = Path(services.folder)
    state = folder / "state"
    workspace = folder / "workspace" / stack
    for place in (state, workspace):
        place.mkdir(parents=True, exist_ok=True)
    open_stack = automation.create_or_select_stack if create else automation.select_stack
    with serve(target(services)) as port:
        try:
            engine = open_stack(
                stack_name=stack,
                project_name=PROJECT,
                program=program,
                opts=automation.LocalWorkspaceOptions(
                    work_dir=str(workspace),
                    pulumi_command=command,
                    pulumi_home=str(folder / "pulumi"),
                    env_vars=environment(services, port, state),
                ),
            )
        except automation.StackNotFoundError:
            raise NoStackError(f"there is no stack {stack!r} on this machine. Run: callrec local up") from None
        yield engine


def environment(services: Services, port: int, state: Path) -> Mapping[str, str]:
    """What the engine needs to stay on this machine: its state in a folder, its provider on a port."""
    return {
        # Without a side file of metadata, whose half-written remains would keep a killed engine's state from loading.
        "PULUMI_BACKEND_URL": f"{state.as_uri()}?metadata=skip",
        "PULUMI_CONFIG_PASSPHRASE": services.passphrase,
        "PULUMI_DEBUG_PROVIDERS": f"aws:{port}",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
    }


def configure(engine: automation.Stack, values: Mapping[str, ConfigValue]) -> None:
    """Set the stack's configuration; secrets go through a pipe, since the SDK would put them on a command line.

    Raises StackError when the engine refuses one.
    """
    engine.set_all_config({name: value for name, value in values.items() if not value.secret})
    for name, value in values.items():
        if value.secret:
            set_secret(engine, name, value.value)


def up(
    services: Services,
    command: PulumiCommand,
    report: Report,
    changes: Mapping[str, ConfigValue] | None = None,
    stack: str = LOCAL,
) -> Deployment:
    """Run `pulumi up` and return the stack; `changes` are put on top of the local configuration.

    LiveKit's stand-in sends its webhooks to the stack from then on.
    """
    with opened(services, command, stack, create=True) as engine:
        configure(engine, {**configuration(services), **(changes or {})})
        engine.up(refresh=True, on_output=report)  # mends also what was changed behind Pulumi's back
    deployment = Deployment.of(handle(services, command, stack))
    enter_webhook(services, deployment.outputs.webhook_url)
    return deployment


def enter_webhook(services: Services, url: str) -> None:
    """Tell LiveKit's stand-in where the project's webhooks go, as one does in a real project's settings."""
    requests.post(
        f"{services.livekit_url}/_standin/webhooks",
        json={"url": url},
        headers={"Authorization": f"Bearer {services.livekit_admin_token}"},
        timeout=10,
    ).raise_for_status()


def handle(services: Services, command: PulumiCommand, stack: str = LOCAL) -> StackHandle:
    """The local stack as the commands see it, up or not."""
    return StackHandle(stack=stack, aws=access(services), engine=partial(opened, services, command, stack))


def access(services: Services) -> AwsAccess:
    """The operator's access to the emulator."""
    return AwsAccess(
        region=services.region,
        key=Key(access_key_id=services.access_key_id, secret_access_key=services.secret_access_key),
        endpoint_url=services.endpoint_url,
        ca_bundle=Path(services.ca_bundle),
    )
