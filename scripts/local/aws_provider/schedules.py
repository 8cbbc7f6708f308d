"""EventBridge rules that go off at times, and what they set off."""

# ruff: noqa: ARG002 - every kind has the same methods, and few need all that they are given

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pulumi_aws import cloudwatch

from .aws import both_tags, ignore_missing, or_none, retag, tag_list, tags_of
from .errors import ImportIdError, ProviderError
from .resource import Created, Kind, Prop, nested
from .schema import Failure

if TYPE_CHECKING:
    from .aws import Aws
    from .values import Props


class EventRule(Kind):
    """`aws.cloudwatch.EventRule` on the default bus, by a schedule; its id is its name."""

    pulumi_type = "aws:cloudwatch/eventRule:EventRule"
    resource = cloudwatch.EventRule
    autonamed = "name"
    name_length = 64
    props = (
        Prop(name="description", default=""),
        Prop(name="name", computed=True, replaces=True),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="scheduleExpression"),
        Prop(name="state", default="ENABLED"),
        Prop(name="tags"),
    )

    def check(self, inputs: Props) -> list[Failure]:
        """A rule goes off by its schedule; event patterns are not supported here."""
        reason = "missing property: scheduleExpression; the local stand-in for pulumi-aws has no other rules"
        return [] if "scheduleExpression" in inputs else [Failure("scheduleExpression", reason)]

    def create(self, aws: Aws, inputs: Props) -> Created:
        """PutRule."""
        _put_rule(aws, inputs, Tags=tag_list(inputs.get("tags", {})))
        return Created(id=inputs["name"])

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """DescribeRule and tags."""
        client = aws.client("events")
        live = or_none(client.describe_rule, Name=identity)
        if live is None:
            return None
        return {
            "arn": live["Arn"],
            "description": live.get("Description", ""),
            "eventBusName": live["EventBusName"],
            "name": live["Name"],
            "region": aws.region,
            "scheduleExpression": live.get("ScheduleExpression"),
            "state": live["State"],
            **both_tags(tags_of(client.list_tags_for_resource(ResourceARN=live["Arn"])["Tags"])),
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """PutRule again, and tags, which PutRule takes for a new rule only."""
        if changed - {"tags"}:
            _put_rule(aws, inputs)
        if "tags" in changed:
            retag(aws.client("events"), state["arn"], inputs.get("tags", {}))

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """DeleteRule."""
        with ignore_missing():
            aws.client("events").delete_rule(Name=identity)


def _put_rule(aws: Aws, inputs: Props, **more: Any) -> None:
    """What PutRule is not told of an existing rule it takes away, so everything is told."""
    aws.client("events").put_rule(
        Name=inputs["name"],
        Description=inputs["description"],
        ScheduleExpression=inputs["scheduleExpression"],
        State=inputs["state"],
        **more,
    )


_RETRIES = {"maximumEventAgeInSeconds": "MaximumEventAgeInSeconds", "maximumRetryAttempts": "MaximumRetryAttempts"}


class EventTarget(Kind):
    """`aws.cloudwatch.EventTarget` of a rule on the default bus; its id is `<rule>-<target id>`."""

    pulumi_type = "aws:cloudwatch/eventTarget:EventTarget"
    resource = cloudwatch.EventTarget
    autonamed = "targetId"
    name_length = 64
    props = (
        Prop(name="arn"),
        Prop(name="input"),
        Prop(name="region", computed=True, replaces=True),
        Prop(name="retryPolicy", nested=nested(*_RETRIES)),
        Prop(name="rule", replaces=True),
        Prop(name="targetId", computed=True, replaces=True),
    )

    def create(self, aws: Aws, inputs: Props) -> Created:
        """PutTargets."""
        _put_target(aws, inputs)
        return Created(id=f"{inputs['rule']}-{inputs['targetId']}")

    def read(self, aws: Aws, identity: str, state: Props) -> Props | None:
        """Finds the target in ListTargetsByRule (`rule/target` for an import)."""
        rule, target_id = (state["rule"], state["targetId"]) if state else _parted(identity)
        answer = or_none(aws.client("events").list_targets_by_rule, Rule=rule)
        live = next((target for target in answer["Targets"] if target["Id"] == target_id), None) if answer else None
        if live is None:
            return None
        retries = live.get("RetryPolicy", {})
        return {
            "arn": live["Arn"],
            "eventBusName": "default",
            "input": live.get("Input"),
            "region": aws.region,
            "retryPolicy": {name: retries[sent] for name, sent in _RETRIES.items() if sent in retries} or None,
            "rule": rule,
            "targetId": target_id,
        }

    def update(self, aws: Aws, identity: str, inputs: Props, changed: frozenset[str], state: Props) -> None:
        """PutTargets again."""
        _put_target(aws, inputs)

    def delete(self, aws: Aws, identity: str, state: Props) -> None:
        """RemoveTargets."""
        with ignore_missing():
            aws.client("events").remove_targets(Rule=state["rule"], Ids=[state["targetId"]])


def _put_target(aws: Aws, inputs: Props) -> None:
    target: dict[str, Any] = {"Id": inputs["targetId"], "Arn": inputs["arn"]}
    if "input" in inputs:
        target["Input"] = inputs["input"]
    if "retryPolicy" in inputs:
        wanted = inputs["retryPolicy"]
        target["RetryPolicy"] = {sent: wanted[name] for name, sent in _RETRIES.items() if name in wanted}
    failed = aws.client("events").put_targets(Rule=inputs["rule"], Targets=[target]).get("FailedEntries")
    if failed:  # AWS answers 200 all the same
        raise ProviderError(f"rule {inputs['rule']} did not take its target: {failed[0].get('ErrorCode')}")


def _parted(identity: str) -> tuple[str, str]:
    rule, _, target_id = identity.partition("/")
    if not target_id:
        raise ImportIdError(f"a rule's target is imported as rule/target, not {identity!r}")
    return rule, target_id
