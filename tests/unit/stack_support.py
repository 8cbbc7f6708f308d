"""A stack that commands can be run on without an engine: its configuration is a file, its AWS scripted."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest
import typer
from typer.testing import CliRunner

from scripts import deployment
from scripts.context import Context
from scripts.deployment import StackHandle
from scripts.local.livekit_server import LiveKitServer
from tests.unit.verify_support import API_KEY, API_SECRET, FakeAws, FakeClient, outputs

UPLOAD_SECRET = "uploader-secret-that-must-never-be-seen"

# As much of `pulumi config set --secret` as there is need for; it writes down how it was called.
PULUMI = """#!/bin/sh
echo "$@" >> "$PWD/argv"
[ -e "$PWD/broken" ] && { echo "error: no passphrase" >&2; exit 255; }
cat > "$PWD/secret:$4"
"""


@dataclass
class FakeStack:
    """An opened Pulumi stack as far as configuration goes; `folder` holds each secret in a file."""

    folder: Path
    config: dict[str, str] = field(default_factory=dict[str, str])
    name: str = "unit"

    def __post_init__(self) -> None:
        command = self.folder / "pulumi"
        command.write_text(PULUMI)
        command.chmod(0o755)
        self.workspace = SimpleNamespace(
            pulumi_command=SimpleNamespace(command=str(command)),
            pulumi_home=None,
            work_dir=str(self.folder),
            env_vars={},
        )

    def get_all_config(self) -> dict[str, Any]:
        held = {path.name.removeprefix("secret:"): path.read_text() for path in self.folder.glob("secret:*")}
        return {name: SimpleNamespace(value=value) for name, value in {**self.config, **held}.items()}

    def remove_config(self, name: str) -> None:
        (self.folder / f"secret:{name}").unlink()

    @property
    def argv(self) -> str:
        found = self.folder / "argv"
        return found.read_text() if found.exists() else ""


@dataclass(kw_only=True)
class World:
    """A stack called `unit` for commands to run on."""

    stack: FakeStack
    aws: FakeAws
    config: dict[str, str]
    outputs: dict[str, Any]

    def handle(self) -> StackHandle:
        opened: Any = self.stack
        aws: Any = self.aws
        return StackHandle(stack="unit", aws=aws, engine=lambda: nullcontext(opened))

    def run(self, command: Callable[..., Any], *words: str, text: str | None = None) -> Done:
        """Run one command as a user does."""
        app = typer.Typer(pretty_exceptions_enable=False)
        app.command()(command)
        return self.run_app(app, *words, text=text)

    def run_app(self, app: typer.Typer, *words: str, text: str | None = None) -> Done:
        context = Context(stack="unit", local={"unit": self.handle})
        done = CliRunner().invoke(app, list(words), obj=context, input=text, env={"NO_COLOR": "1", "COLUMNS": "200"})
        if done.exception is not None and not isinstance(done.exception, SystemExit | click.exceptions.Exit):
            raise done.exception
        return Done(code=done.exit_code, said=done.stdout, told=done.stderr)


@dataclass(frozen=True, kw_only=True)
class Done:
    """How a command ended, what it said on stdout and told on stderr."""

    code: int
    said: str
    told: str

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.said)


def world(folder: Path, monkeypatch: pytest.MonkeyPatch, livekit: LiveKitServer | None = None, **changes: Any) -> World:
    """A stack whose LiveKit is the stand-in, or that knows none."""
    config = {"livekitApiKey": API_KEY, "livekitApiSecret": API_SECRET}
    if livekit is not None:
        config = {
            "livekitUrl": livekit.url,
            "livekitApiKey": livekit.api_key,
            "livekitApiSecret": livekit.api_secret,
        }
    aws = FakeAws(
        {
            "lambda": FakeClient(get_function_configuration={"Environment": {"Variables": {}}}),
            "iam": FakeClient(
                list_access_keys={"AccessKeyMetadata": [{"AccessKeyId": "AKIAUNIT", "CreateDate": datetime.now(UTC)}]}
            ),
            "secretsmanager": FakeClient(describe_secret={"CreatedDate": datetime.now(UTC)}),
        }
    )
    url = "" if livekit is None else livekit.url
    made = World(
        stack=FakeStack(folder),
        aws=aws,
        config=config,
        outputs={"livekit_url": url, "uploader_secret_access_key": UPLOAD_SECRET, **changes},
    )
    monkeypatch.setattr(deployment, "read", lambda _: (outputs(**made.outputs), made.config))
    return made
