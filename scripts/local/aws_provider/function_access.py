"""Who and what may call a Lambda function: permissions and Function URLs."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from pulumi_aws import lambda_

from .aws import ignore_missing, or_none
from .equality import same_tail
from .errors import ImportIdError
from .resource import Created, Kind, Prop, ReplacedKind, nested

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props

_PERMISSION = {
    "action": "Action",
    "functionUrlAuthType": "FunctionUrlAuthType",
    "invokedViaFunctionUrl": "InvokedViaFunctionUrl",
    "principal": "Principal",
    "principalOrgId": "PrincipalOrgID",
    "sourceAccount": "SourceAccount",
    "sourceArn": "SourceArn",
    "statementId": "StatementId",
}
_CONDITIONS = {
    "aws:principalorgid": "principalOrgId",
    "aws:sourceaccount": "sourceAccount",
    "aws:sourcearn": "sourceArn",
    "lambda:functionurlauthtype": "functionUrlAuthType",
    "lambda:invokedviafunctionurl": "invokedViaFunctionUrl",
}


class Permission(ReplacedKind):
    """`aws.lambda_.Permission`: one statement of a function's policy; its id is the statement's."""

    pulumi_type = "aws:lambda/permission:Permission"
    resource = lambda_.Permission
    autonamed = "statementId"
    name_length = 100
    props = (
        Prop(name="action", replaces=True),
        Prop(name="function", replaces=True, same=same_tail),
        Prop(name="functionUrlAuthType", replaces=True),
        Prop(name="invokedViaFunctionUrl", default=False, replaces=True),
        Prop(name="principal", replaces=True),
        Prop(name="principalOrgId", replaces=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="sourceAccount", replaces=True),
        Prop(name="sourceArn", replaces=True),
        Prop(name="statementId", computed=True, replaces=True),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """AddPermission."""
        sent = {word: inputs[name] for name, word in _PERMISSION.items() if inputs.get(name)}
        aws.client("lambda").add_permission(FunctionName=inputs["function"], **sent)
        return Created(id=inputs["statementId"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """Finds the statement in GetPolicy (`function/statement` for an import)."""
        function, _, statement_id = (state.get("function", ""), "", identity) if state else identity.rpartition("/")
        if not function:
            raise ImportIdError(f"a permission is imported as function/statement, not {identity!r}")
        answer = or_none(aws.client("lambda").get_policy, FunctionName=function)
        statements: list[Any] = json.loads(answer["Policy"])["Statement"] if answer else []
        found = next((statement for statement in statements if statement["Sid"] == statement_id), None)
        if found is None:
            return None
        return {
            "action": found["Action"],
            "function": function,
            "principal": _principal_of(found["Principal"]),
            "region": aws.region,
            "statementId": statement_id,
            **_conditions_of(found.get("Condition", {})),
        }

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """RemovePermission."""
        with ignore_missing():
            aws.client("lambda").remove_permission(FunctionName=state["function"], StatementId=state["statementId"])


def _principal_of(principal: Any) -> str:
    return principal if isinstance(principal, str) else next(iter(principal.values()))


def _conditions_of(condition: dict[str, dict[str, str]]) -> Props:
    told = {key.lower(): value for test in condition.values() for key, value in test.items()}
    found: Props = {name: told[key] for key, name in _CONDITIONS.items() if key in told}
    if "invokedViaFunctionUrl" in found:
        found["invokedViaFunctionUrl"] = found["invokedViaFunctionUrl"] == "true"
    return found


_CORS = {
    "allowCredentials": "AllowCredentials",
    "allowHeaders": "AllowHeaders",
    "allowMethods": "AllowMethods",
    "allowOrigins": "AllowOrigins",
    "exposeHeaders": "ExposeHeaders",
    "maxAge": "MaxAge",
}


class FunctionUrl(Kind):
    """`aws.lambda_.FunctionUrl`; its address is where the emulator serves it, not the one on AWS's domain."""

    pulumi_type = "aws:lambda/functionUrl:FunctionUrl"
    resource = lambda_.FunctionUrl
    identified_by = ("functionName",)
    props = (
        Prop(name="authorizationType"),
        Prop(name="cors", nested=nested(*_CORS)),
        Prop(name="functionName", replaces=True, same=same_tail),
        Prop(name="invokeMode", default="BUFFERED"),
        Prop(name="region", computed=True, replaces=True),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateFunctionUrlConfig."""
        aws.client("lambda").create_function_url_config(FunctionName=inputs["functionName"], **_url_settings(inputs))
        return Created(id=inputs["functionName"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetFunctionUrlConfig."""
        live = or_none(aws.client("lambda").get_function_url_config, FunctionName=identity)
        if live is None:
            return None
        url_id = live["FunctionUrl"].split("//")[1].partition(".")[0]
        cors = {name: live["Cors"][sent] for name, sent in _CORS.items() if sent in live.get("Cors", {})}
        return {
            "authorizationType": live["AuthType"],
            "cors": cors or None,
            "functionArn": live["FunctionArn"],
            "functionName": identity,
            "functionUrl": f"{aws.target.endpoint_url}/_aws/lambda-url/{url_id}/",
            "invokeMode": live["InvokeMode"],
            "region": aws.region,
            "urlId": url_id,
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """UpdateFunctionUrlConfig."""
        aws.client("lambda").update_function_url_config(FunctionName=identity, **_url_settings(inputs))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteFunctionUrlConfig."""
        with ignore_missing():
            aws.client("lambda").delete_function_url_config(FunctionName=identity)


def _url_settings(inputs: Props) -> dict[str, Any]:
    cors = {sent: inputs["cors"][name] for name, sent in _CORS.items() if name in inputs.get("cors", {})}
    return {"AuthType": inputs["authorizationType"], "InvokeMode": inputs["invokeMode"], "Cors": cors}
