"""What a Lambda function is fed from, and what becomes of events that wait for it."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_aws import lambda_

from .aws import both_tags, ignore_missing, or_none, own_tags
from .equality import same_set, same_tail
from .functions import put_tags
from .resource import Created, Kind, Prop, nested

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class EventSourceMapping(Kind):
    """`aws.lambda_.EventSourceMapping` of a queue; its id is its UUID."""

    pulumi_type = "aws:lambda/eventSourceMapping:EventSourceMapping"
    resource = lambda_.EventSourceMapping
    identified_by = ("eventSourceArn", "functionName")
    changing = frozenset({"functionArn", "lastModified", "state"})
    props = (
        Prop(name="batchSize", computed=True),
        Prop(name="enabled", default=True),
        Prop(name="eventSourceArn", replaces=True),
        Prop(name="functionName", same=same_tail),
        Prop(name="functionResponseTypes", same=same_set),
        Prop(name="maximumBatchingWindowInSeconds", computed=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="scalingConfig", nested=nested("maximumConcurrency")),
        Prop(name="tags"),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """CreateEventSourceMapping."""
        sent = _settings(inputs) | {"EventSourceArn": inputs["eventSourceArn"], "Tags": inputs.get("tags", {})}
        return Created(id=aws.client("lambda").create_event_source_mapping(**sent)["UUID"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetEventSourceMapping. What the last poll brought is no drift, so it stays what the state says."""
        client = aws.client("lambda")
        live = or_none(client.get_event_source_mapping, UUID=identity)
        if live is None or live["State"] == "Deleting":
            return None
        concurrency = live.get("ScalingConfig", {}).get("MaximumConcurrency")
        return {
            "arn": live["EventSourceMappingArn"],
            "batchSize": live["BatchSize"],
            "enabled": live["State"] in {"Creating", "Enabled", "Enabling"},
            "eventSourceArn": live["EventSourceArn"],
            "functionArn": live["FunctionArn"],
            "functionName": live["FunctionArn"].rsplit(":", 1)[-1],
            "functionResponseTypes": live.get("FunctionResponseTypes", []),
            "lastModified": live["LastModified"].strftime("%Y-%m-%dT%H:%M:%SZ"),
            "lastProcessingResult": state.get("lastProcessingResult", live["LastProcessingResult"]),
            "maximumBatchingWindowInSeconds": live.get("MaximumBatchingWindowInSeconds", 0),
            "region": aws.region,
            "scalingConfig": {"maximumConcurrency": concurrency} if concurrency else None,
            "state": live["State"],
            "stateTransitionReason": live["StateTransitionReason"],
            "uuid": identity,
            **both_tags(own_tags(client.list_tags(Resource=live["EventSourceMappingArn"]).get("Tags"))),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """UpdateEventSourceMapping, and tags."""
        if changed - {"tags"}:
            aws.client("lambda").update_event_source_mapping(UUID=identity, **_settings(inputs))
        if "tags" in changed:
            put_tags(aws, state["arn"], inputs.get("tags", {}))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteEventSourceMapping."""
        with ignore_missing():
            aws.client("lambda").delete_event_source_mapping(UUID=identity)


def _settings(inputs: Props) -> dict[str, Any]:
    concurrency = inputs.get("scalingConfig", {}).get("maximumConcurrency")
    sent: dict[str, Any] = {
        "Enabled": inputs["enabled"],
        "FunctionName": inputs["functionName"],
        "FunctionResponseTypes": inputs.get("functionResponseTypes", []),
        "ScalingConfig": {"MaximumConcurrency": concurrency} if concurrency else {},
    }
    for name, word in (
        ("batchSize", "BatchSize"),
        ("maximumBatchingWindowInSeconds", "MaximumBatchingWindowInSeconds"),
    ):
        if name in inputs:
            sent[word] = inputs[name]
    return sent


_WAITING = {"maximumEventAgeInSeconds": "MaximumEventAgeInSeconds", "maximumRetryAttempts": "MaximumRetryAttempts"}


class FunctionEventInvokeConfig(Kind):
    """`aws.lambda_.FunctionEventInvokeConfig` of a function without a qualifier; its id is the function's name."""

    pulumi_type = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
    resource = lambda_.FunctionEventInvokeConfig
    identified_by = ("functionName",)
    props = (
        Prop(name="functionName", replaces=True, same=same_tail),
        Prop(name="maximumEventAgeInSeconds", computed=True),
        Prop(name="maximumRetryAttempts", default=2),
        Prop(name="region", computed=True, replaces=True),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """PutFunctionEventInvokeConfig."""
        self.update(aws, inputs["functionName"], inputs, frozenset(), {})
        return Created(id=inputs["functionName"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """GetFunctionEventInvokeConfig."""
        live = or_none(aws.client("lambda").get_function_event_invoke_config, FunctionName=identity)
        if live is None:
            return None
        told = {name: live[sent] for name, sent in _WAITING.items() if sent in live}
        return {"functionName": identity, "region": aws.region, **told}

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """PutFunctionEventInvokeConfig again, which replaces the whole."""
        sent = {word: inputs[name] for name, word in _WAITING.items() if name in inputs}
        aws.client("lambda").put_function_event_invoke_config(FunctionName=identity, **sent)

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteFunctionEventInvokeConfig."""
        with ignore_missing():
            aws.client("lambda").delete_function_event_invoke_config(FunctionName=identity)
