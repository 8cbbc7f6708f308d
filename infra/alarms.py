"""Who is told when something goes wrong: the topic, its subscriptions, and an alarm for each rule."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra import resource_policies
from infra.account import Account
from infra.alarm_rules import Rule, rules
from infra.config import StackConfig
from infra.watched import Watched


class Alarms(pulumi.ComponentResource):
    """One topic for all alarms of the stack; only they may publish to it.

    It is not encrypted by a key: CloudWatch may not use AWS's own key for SNS, and what an alarm says (which metric,
    which number) tells of nobody.
    https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/Notify_Users_Alarm_Changes.html
    """

    def __init__(self, name: str, config: StackConfig, *, watched: Watched, account: Account) -> None:
        super().__init__("callrec:Alarms", name)
        own = pulumi.ResourceOptions(parent=self)
        topic = aws.sns.Topic(name, name=config.name("alarms"), tags=config.tags, opts=own)
        policy = aws.sns.TopicPolicy(
            name,
            arn=topic.arn,
            policy=topic.arn.apply(
                lambda arn: json.dumps(resource_policies.alarm_topic(arn, account.id, account.partition, config.region))
            ),
            opts=own,
        )
        for address in filter(None, (part.strip() for part in config.text("alarmEmail").split(","))):
            aws.sns.TopicSubscription(
                f"{name}-{address}", topic=topic.arn, protocol="email", endpoint=address, opts=own
            )
        told = pulumi.ResourceOptions(parent=self, depends_on=[policy])
        self.topic_arn = topic.arn
        self.names = [self._alarm(rule, config, topic, told) for rule in rules(watched)]
        self.register_outputs({"topicArn": topic.arn})

    @staticmethod
    def _alarm(rule: Rule, config: StackConfig, topic: aws.sns.Topic, opts: pulumi.ResourceOptions) -> str:
        physical = config.name(rule.name)
        aws.cloudwatch.MetricAlarm(
            rule.name,
            name=physical,
            alarm_description=rule.description(config.stack),
            namespace=rule.metric.namespace,
            metric_name=rule.metric.name,
            dimensions=dict(rule.metric.dimensions),
            statistic=rule.metric.statistic,
            period=rule.period,
            evaluation_periods=rule.periods,
            threshold=rule.threshold,
            comparison_operator="LessThanThreshold" if rule.below else "GreaterThanOrEqualToThreshold",
            treat_missing_data="breaching" if rule.silent_rings else "notBreaching",
            alarm_actions=[topic.arn],
            ok_actions=[topic.arn] if rule.recovery else [],
            tags=config.tags,
            opts=opts,
        )
        return physical
