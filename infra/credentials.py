"""What the functions must know and nobody else may: one secret for all of them."""

from __future__ import annotations

import json

import pulumi
import pulumi_aws as aws

from infra.config import StackConfig


class Credentials(pulumi.ComponentResource):
    """LiveKit's keys, Airtable's token and the link-signing keys, as JSON in one Secrets Manager secret.

    `{"livekit_keys": {key: secret}, "airtable_token": …, "link_keys": [oldest, …, newest]}`: the functions verify with
    any of the LiveKit keys and sign links with the newest link key, so that each can be replaced without a gap.
    """

    def __init__(self, name: str, config: StackConfig) -> None:
        super().__init__("callrec:Credentials", name)
        own = pulumi.ResourceOptions(parent=self)
        secret = aws.secretsmanager.Secret(
            name,
            name=config.name("credentials"),
            description="LiveKit keys, Airtable token and link-signing keys of the recording pipeline",
            recovery_window_in_days=0,  # made anew by `pulumi up`; a name held back would refuse that for days
            tags=config.tags,
            opts=own,
        )
        version = aws.secretsmanager.SecretVersion(
            name,
            secret_id=secret.id,
            secret_string=pulumi.Output.secret(pulumi.Output.all(**config.secrets)).apply(
                lambda secrets: json.dumps(contents(config, secrets))
            ),
            opts=own,
        )
        self.arn = secret.arn
        self.version = version
        self.register_outputs({"arn": secret.arn})


def contents(config: StackConfig, secrets: dict[str, str]) -> dict[str, object]:
    """Arrange the configured secrets as the functions read them; a previous key is there only while it is set."""
    keys = {config.text("livekitApiKey"): secrets["livekitApiSecret"]}
    if secrets["previousLivekitApiSecret"]:
        keys[config.text("previousLivekitApiKey")] = secrets["previousLivekitApiSecret"]
    links = [secrets["previousLinkSigningKey"], secrets["linkSigningKey"]]
    return {
        "livekit_keys": keys,
        "airtable_token": secrets["airtableToken"],
        "link_keys": [key for key in links if key],
    }
