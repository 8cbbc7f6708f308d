"""CloudWatch's dashboard of the stack."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.account import Account
from infra.alarms import Alarms
from infra.config import StackConfig
from infra.dashboard_body import body
from infra.watched import Watched


class Dashboard(pulumi.ComponentResource):
    """All figures and alarms on one page, with the command of each. `url` opens it in AWS's console."""

    def __init__(self, name: str, config: StackConfig, *, watched: Watched, alarms: Alarms, account: Account) -> None:
        super().__init__("callrec:Dashboard", name)
        self.name = config.name("overview")
        arns = [f"arn:{account.partition}:cloudwatch:{config.region}:{account.id}:alarm:{one}" for one in alarms.names]
        aws.cloudwatch.Dashboard(
            name,
            dashboard_name=self.name,
            dashboard_body=json.dumps(body(watched, config.region, arns)),
            opts=pulumi.ResourceOptions(parent=self),
        )
        home = f"https://{config.region}.console.aws.amazon.com/cloudwatch/home?region={config.region}"
        self.url = f"{home}#dashboards/dashboard/{self.name}"
        self.register_outputs({"name": self.name})
