"""Lambda functions."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from pulumi_aws import lambda_

from .aws import both_tags, ignore_missing, or_none, own_tags, stale
from .equality import covers, same_set
from .errors import NotSettledError
from .resource import Created, Kind, Prop, nested
from .schema import Failure
from .values import Archive

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

SETTLE_SECONDS: Final = 60.0
"""How long we wait for a function to be ready."""

_POLL_SECONDS: Final = 0.1
_UNRESERVED: Final = -1
_LOGGING = {
    "applicationLogLevel": "ApplicationLogLevel",
    "logFormat": "LogFormat",
    "logGroup": "LogGroup",
    "systemLogLevel": "SystemLogLevel",
}
_CONFIGURATION = {
    "description": "Description",
    "handler": "Handler",
    "memorySize": "MemorySize",
    "role": "Role",
    "runtime": "Runtime",
    "timeout": "Timeout",
}


class Function(Kind):
    """`aws.lambda_.Function`, its code a zip on disk. Code changed behind our back is uploaded again."""

    pulumi_type = "aws:lambda/function:Function"
    resource = lambda_.Function
    autonamed = "name"
    name_length = 64
    changing = frozenset({"codeSha256", "lastModified", "sourceCodeSize"})
    props = (
        Prop(name="architectures", default=["x86_64"], same=same_set),
        Prop(name="code", write_only=True),
        Prop(name="description", default=""),
        Prop(name="environment"),
        Prop(name="handler"),
        Prop(name="loggingConfig", computed=True, same=covers, nested=nested(*_LOGGING)),
        Prop(name="memorySize", default=128),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="packageType", default="Zip", replaces=True),
        Prop(name="publish", default=False, write_only=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="reservedConcurrentExecutions", default=_UNRESERVED),
        Prop(name="role"),
        Prop(name="runtime"),
        Prop(name="sourceCodeHash", computed=True, write_only=True),
        Prop(name="tags"),
        Prop(name="timeout", default=3),
    )

    def check(self, inputs: Props) -> list[Failure]:
        """What a zip function must have, and what of `code` and `publish` is supported here."""
        failures = [
            Failure(name, f"missing property: {name}; a function of package type Zip needs it")
            for name in ("code", "handler", "runtime")
            if name not in inputs
        ]
        if inputs.get("packageType", "Zip") != "Zip":
            failures = [Failure("packageType", "the local stand-in for pulumi-aws runs package type Zip only")]
        if inputs.get("publish", False) is not False:
            failures.append(Failure("publish", "the local stand-in for pulumi-aws publishes no versions"))
        code = inputs.get("code")
        return failures + (_check_code(code) if isinstance(code, Archive) else [])

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateFunction."""
        aws.client("lambda").create_function(
            FunctionName=inputs["name"],
            PackageType="Zip",
            Architectures=inputs["architectures"],
            Code={"ZipFile": _zip_of(inputs)},
            Tags=inputs.get("tags", {}),
            **_configuration(inputs, frozenset(inputs)),
        )
        return Created(id=inputs["name"])

    def settle(self, aws: Aws, identity: str, inputs: Props) -> None:
        """Waits until it runs, and reserves concurrency."""
        _wait(aws, identity)
        if inputs["reservedConcurrentExecutions"] != _UNRESERVED:
            _reserve(aws, identity, inputs["reservedConcurrentExecutions"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetFunction and its concurrency."""
        client = aws.client("lambda")
        answer = or_none(client.get_function, FunctionName=identity)
        if answer is None:
            return None
        live = answer["Configuration"]
        reserved = client.get_function_concurrency(FunctionName=identity).get(
            "ReservedConcurrentExecutions", _UNRESERVED
        )
        return {
            **{name: live[sent] for name, sent in _CONFIGURATION.items()},
            **_addresses(aws, live["FunctionArn"]),
            "architectures": live["Architectures"],
            "codeSha256": live["CodeSha256"],
            **_code_of(live["CodeSha256"], state),
            "environment": {"variables": live["Environment"]["Variables"]} if "Environment" in live else None,
            "lastModified": live["LastModified"],
            "loggingConfig": {name: live["LoggingConfig"].get(sent) for name, sent in _LOGGING.items()},
            "name": live["FunctionName"],
            "packageType": live["PackageType"],
            "reservedConcurrentExecutions": reserved,
            "sourceCodeSize": live["CodeSize"],
            "version": live["Version"],
            **both_tags(own_tags(answer.get("Tags"))),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """Code, configuration, concurrency and tags, each by a call of its own."""
        client = aws.client("lambda")
        if changed & {"code", "sourceCodeHash", "architectures"}:
            client.update_function_code(
                FunctionName=identity, ZipFile=_zip_of(inputs), Architectures=inputs["architectures"]
            )
            _wait(aws, identity)
        if configuration := _configuration(inputs, changed):
            client.update_function_configuration(FunctionName=identity, **configuration)
            _wait(aws, identity)
        if "reservedConcurrentExecutions" in changed:
            _reserve(aws, identity, inputs["reservedConcurrentExecutions"])
        if "tags" in changed:
            put_tags(aws, state["arn"], inputs.get("tags", {}))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteFunction."""
        with ignore_missing():
            aws.client("lambda").delete_function(FunctionName=identity)


def put_tags(aws: Aws, arn: str, tags: dict[str, str]) -> None:
    """Makes a Lambda resource have exactly these tags."""
    client = aws.client("lambda")
    if gone := stale(tags, own_tags(client.list_tags(Resource=arn).get("Tags"))):
        client.untag_resource(Resource=arn, TagKeys=gone)
    if tags:
        client.tag_resource(Resource=arn, Tags=tags)


def _check_code(code: Archive) -> list[Failure]:
    if code.path is None:
        kind = next((name for name in ("assets", "uri") if name in code.raw), "other")
        return [Failure("code", f"code must be a FileArchive of a zip file, not an archive of {kind}")]
    if not zipfile.is_zipfile(code.path):
        return [Failure("code", f"code must be a FileArchive of a zip file, and {code.path} is none")]
    return []


def _zip_of(inputs: Props) -> bytes:
    return Path(inputs["code"].path).read_bytes()


def _configuration(inputs: Props, names: frozenset[str]) -> dict[str, Any]:
    sent = {_CONFIGURATION[name]: inputs.get(name, "") for name in sorted(names & set(_CONFIGURATION))}
    if "environment" in names:
        sent["Environment"] = {"Variables": inputs.get("environment", {}).get("variables", {})}
    if "loggingConfig" in names:
        wanted = inputs["loggingConfig"]
        sent["LoggingConfig"] = {word: wanted[name] for name, word in _LOGGING.items() if name in wanted}
    return sent


def _addresses(aws: Aws, arn: str) -> Props:
    path = f"arn:aws:apigateway:{aws.region}:lambda:path"
    qualified = f"{arn}:$LATEST"
    return {
        "arn": arn,
        "invokeArn": f"{path}/2015-03-31/functions/{arn}/invocations",
        "qualifiedArn": qualified,
        "qualifiedInvokeArn": f"{path}/2015-03-31/functions/{qualified}/invocations",
        "region": aws.region,
        "responseStreamingInvokeArn": f"{path}/2021-11-15/functions/{arn}/response-streaming-invocations",
    }


def _code_of(live: str, state: Props) -> Props:
    """Code is write-only, so what is known of it holds only while AWS runs the bytes that were uploaded."""
    if state.get("codeSha256", live) != live:
        return {"code": None, "sourceCodeHash": live}
    return {} if "sourceCodeHash" in state else {"sourceCodeHash": live}


def _reserve(aws: Aws, name: str, count: int) -> None:
    client = aws.client("lambda")
    if count == _UNRESERVED:
        client.delete_function_concurrency(FunctionName=name)
    else:
        client.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=count)


def _wait(aws: Aws, name: str) -> None:
    deadline = time.monotonic() + SETTLE_SECONDS
    while True:
        live = aws.client("lambda").get_function_configuration(FunctionName=name)
        if live["State"] == "Failed" or live.get("LastUpdateStatus") == "Failed":
            reason = live.get("StateReason") or live.get("LastUpdateStatusReason") or "AWS gives no reason"
            raise NotSettledError(f"function {name} failed: {reason}")
        if live["State"] != "Pending" and live.get("LastUpdateStatus") != "InProgress":
            return
        if time.monotonic() > deadline:
            raise NotSettledError(f"function {name} was not ready within {SETTLE_SECONDS:.0f} s")
        time.sleep(_POLL_SECONDS)
