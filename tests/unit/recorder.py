"""Runs the whole Pulumi program without an engine and records every resource that it asks for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pulumi
import pulumi.runtime
from pulumi.runtime import mocks, rpc, settings
from pulumi.runtime.stack import run_in_stack

import infra.__main__
from infra import package
from infra.keys import KEYS

ACCOUNT = "123456789012"
SECRETS = {
    "livekitApiSecret": "livekit-secret-livekit-secret-livekit-secret",
    "airtableToken": "patAAAAAAAAAAAAAA.token-token-token",
    "linkSigningKey": "link-key-link-key-link-key-link-key-link-key",
}
REQUIRED = {"livekitApiKey": "APIpractice", "airtableBase": "appAAAAAAAAAAAAAA", **SECRETS}


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """One resource as it was asked for; `inputs` with secrets unwrapped, their names in `secret`; `after` are URNs."""

    type: str
    name: str
    inputs: dict[str, Any]
    secret: frozenset[str]
    protect: bool
    retain: bool
    parent: str
    after: tuple[str, ...]


@dataclass
class Run:
    """What one run of the program asked for and exported."""

    resources: list[Recorded] = field(default_factory=list)
    outputs: dict[str, Any] = field(default_factory=dict)
    secret_outputs: set[str] = field(default_factory=set)

    def of(self, kind: str) -> dict[str, Recorded]:
        """Resources of a type, by their names; `kind` without `aws:` and the repeated part: `s3/bucket`."""
        module, _, name = kind.partition("/")
        token = f"aws:{module}/{name}:{name[0].upper()}{name[1:]}"
        return {resource.name: resource for resource in self.resources if resource.type == token}

    def one(self, kind: str, name: str) -> dict[str, Any]:
        """Inputs of the resource of that type and name."""
        return self.of(kind)[name].inputs


class _Answers(mocks.Mocks):
    """What AWS would answer: an ARN, an id, an address; everything else as it was asked for."""

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        answers = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT},
            "aws:index/getPartition:getPartition": {"partition": "aws"},
        }
        return answers[args.token], []

    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        name = args.inputs.get("name") or args.inputs.get("bucket") or args.name
        made = {
            "arn": f"arn:aws:{args.typ.split(':')[1].split('/')[0]}:us-east-1:{ACCOUNT}:{name}",
            "url": f"https://sqs.us-east-1.amazonaws.com/{ACCOUNT}/{name}",
            "functionUrl": f"https://{args.name}.lambda-url.us-east-1.on.aws/",
            "keyId": "key-id",
            "uuid": "mapping-uuid",
            "secret": "uploader-secret",
        }
        return f"{args.name}-id", {**args.inputs, **made}


class _Monitor(mocks.MockMonitor):
    """Keeps what the mocks do not show: protection, retention, parents."""

    def __init__(self, run: Run) -> None:
        super().__init__(_Answers())
        self._run = run

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 -- the engine's name
        properties = dict(request.object.fields)
        plain = rpc.deserialize_properties(request.object)
        inputs = {name: rpc.unwrap_rpc_secret(value) for name, value in plain.items()}
        secret = frozenset(name for name in properties if rpc.is_rpc_secret(plain[name]))
        self._run.resources.append(
            Recorded(
                type=request.type,
                name=request.name,
                inputs=inputs,
                secret=secret,
                protect=request.protect,
                retain=request.retainOnDelete,
                parent=request.parent,
                after=tuple(request.dependencies),
            )
        )
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802 -- the engine's name
        if "pulumi:pulumi:Stack" in request.urn:
            for name, value in rpc.deserialize_properties(request.outputs).items():
                self._run.outputs[name] = rpc.unwrap_rpc_secret(value)
                if rpc.is_rpc_secret(value):
                    self._run.secret_outputs.add(name)
        return super().RegisterResourceOutputs(request)


def run_program(
    config: Mapping[str, str] | None = None,
    *,
    stack: str = "practice",
    region: str = "us-east-1",
    secret: frozenset[str] = frozenset(key.name for key in KEYS if key.secret),
    program: Callable[[], None] = infra.__main__.main,
    archive: Path = package.LOCK,
) -> Run:
    """Run the program with `config` and return what it asked for; the zip is not built, `archive` stands for it."""
    run = Run()
    values = {f"callrec:{name}": value for name, value in (REQUIRED if config is None else config).items()}
    if region:
        values["aws:region"] = region
    built, package.build = package.build, lambda *_: archive
    try:
        asyncio.set_event_loop(asyncio.new_event_loop())
        settings.configure(
            mocks.MockSettings(
                monitor=_Monitor(run), engine=mocks.MockEngine(None), project="callrec", stack=stack, dry_run=False
            )
        )
        settings.ROOT.set(None)  # the root of an earlier run
        pulumi.runtime.set_all_config(values, [f"callrec:{name}" for name in secret])
        asyncio.get_event_loop().run_until_complete(run_in_stack(program))
    finally:
        package.build = built
    return run
