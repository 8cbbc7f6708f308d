"""A secret of the stack in Secrets Manager, as JSON."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.config import StackConfig


class KeptSecret:
    """A Secrets Manager secret named by `part`, and the version that holds `contents`; both children of `parent`.

    Its name is free again as soon as the stack goes: `pulumi up` makes the secret anew from what the stack knows, and a
    recovery window would hold the name back, and so refuse that, for days.
    """

    def __init__(
        self,
        name: str,
        config: StackConfig,
        *,
        part: str,
        description: str,
        contents: pulumi.Output[dict[str, object]],
        parent: pulumi.Resource,
    ) -> None:
        own = pulumi.ResourceOptions(parent=parent)
        secret = aws.secretsmanager.Secret(
            name,
            name=config.name(part),
            description=description,
            recovery_window_in_days=0,
            tags=config.tags,
            opts=own,
        )
        self.arn = secret.arn
        self.version = aws.secretsmanager.SecretVersion(
            name, secret_id=secret.id, secret_string=pulumi.Output.secret(contents).apply(json.dumps), opts=own
        )
