"""Who listened to what: the log of `play`, which outlives the stack as the recordings do."""

from __future__ import annotations

import pulumi
import pulumi_aws as aws

from infra.config import StackConfig


class PlayLog(pulumi.ComponentResource):
    """`play`'s log group, kept for `playLogDays`. Unless the stack is disposable it stays when the stack is removed.

    Six years are what HIPAA asks of such records: https://www.ecfr.gov/current/title-45/section-164.316
    """

    def __init__(self, name: str, config: StackConfig) -> None:
        super().__init__("callrec:PlayLog", name)
        kept = not config.flag("disposable")
        self.group = aws.cloudwatch.LogGroup(
            "play",
            name=f"/aws/lambda/{config.name('play')}",
            retention_in_days=config.number("playLogDays"),
            tags=config.tags,
            opts=pulumi.ResourceOptions(parent=self, protect=kept, retain_on_delete=kept),
        )
        self.register_outputs({"name": self.group.name})
