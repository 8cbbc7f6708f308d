"""One Lambda function with what belongs to it alone: role, log group, and an address when it has one."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pulumi
import pulumi_aws as aws

from infra import identity_policies
from infra.config import StackConfig
from infra.policy import Policy


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionSpec:
    """What tells one function from another. `timeout` in seconds, `memory` in MB.

    `permissions` makes its role's policy from `grants` and the ARN of its log group; `environment` is what
    `Settings.from_env` of its handler reads.
    """

    name: str
    timeout: int
    memory: int
    permissions: Callable[..., Policy]
    grants: Mapping[str, pulumi.Input[str | None] | list[str]]
    environment: Mapping[str, pulumi.Input[str]]


class Function(pulumi.ComponentResource):
    """A function of its own role: exact actions on exact resources, and a log group that forgets after a time."""

    def __init__(
        self,
        spec: FunctionSpec,
        config: StackConfig,
        *,
        archive: Path,
        depends_on: list[pulumi.Resource],
        opts: pulumi.ResourceOptions,
        kept_log: aws.cloudwatch.LogGroup | None = None,
    ) -> None:
        """`kept_log` is a log group that outlives the function; without it the function has one of its own."""
        super().__init__("callrec:Function", spec.name, None, opts)
        own = pulumi.ResourceOptions(parent=self)
        self.part = spec.name
        self.name = config.name(spec.name)
        logs = kept_log or aws.cloudwatch.LogGroup(
            spec.name,
            name=f"/aws/lambda/{self.name}",
            retention_in_days=config.number("logRetentionDays"),
            tags=config.tags,
            opts=own,
        )
        role = aws.iam.Role(
            spec.name,
            name=self.name,
            assume_role_policy=json.dumps(identity_policies.trust("lambda.amazonaws.com")),
            tags=config.tags,
            opts=own,
        )
        self.permission = aws.iam.RolePolicy(
            spec.name,
            name="own-step-only",
            role=role.name,
            policy=pulumi.Output.all(log_group_arn=logs.arn, **spec.grants).apply(
                lambda arns: json.dumps(spec.permissions(**arns))
            ),
            opts=own,
        )
        self.function = aws.lambda_.Function(
            spec.name,
            name=self.name,
            code=pulumi.FileArchive(str(archive)),
            handler=f"functions.{spec.name}.handler",
            runtime=config.text("functionRuntime"),
            architectures=[config.text("functionArchitecture")],
            role=role.arn,
            timeout=spec.timeout,
            memory_size=spec.memory,
            reserved_concurrent_executions=config.optional_number(f"{spec.name}Concurrency"),
            environment={"variables": dict(spec.environment)},
            tags=config.tags,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[logs, self.permission, *depends_on]),
        )
        self.log_group = logs.name
        self.register_outputs({"name": self.name, "arn": self.function.arn})

    def open_to_the_internet(self) -> pulumi.Output[str]:
        """Give the function an HTTPS address of its own, without AWS's sign-in: it checks its callers itself.

        Returns the address without its last slash. Since October 2025 AWS asks for both permissions.
        https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html
        """
        own, label = pulumi.ResourceOptions(parent=self), self.function.name
        address = aws.lambda_.FunctionUrl(self.part, function_name=label, authorization_type="NONE", opts=own)
        aws.lambda_.Permission(
            f"{self.part}-url",
            function=label,
            action="lambda:InvokeFunctionUrl",
            principal="*",
            function_url_auth_type="NONE",
            opts=own,
        )
        aws.lambda_.Permission(
            f"{self.part}-by-url",
            function=label,
            action="lambda:InvokeFunction",
            principal="*",
            invoked_via_function_url=True,
            opts=own,
        )
        return address.function_url.apply(lambda url: url.rstrip("/"))
