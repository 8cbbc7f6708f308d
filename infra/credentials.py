"""What the functions must know and nobody else may: one secret for all of them."""

from __future__ import annotations

import pulumi

from infra.config import StackConfig
from infra.kept_secret import KeptSecret
from infra.uploader import HANDED_OUT, EgressUploader


class Credentials(pulumi.ComponentResource):
    """LiveKit's keys, Airtable's token and the link-signing keys, as JSON in one Secrets Manager secret.

    `{"livekit_keys": {key: secret}, "airtable_token": …, "link_keys": [oldest, …, newest]}`: the functions verify with
    any of the LiveKit keys and sign links with the newest link key, so that each can be replaced without a gap. The
    first LiveKit key is the one in use. `"link_keys_until"` is when the older link keys cease to open links; `deliver`
    goes on knowing its own links by them. `"audit_key"` is there when one is configured. Where recordings are started
    there is the upload key besides, which LiveKit is given with every start: `"uploader": {"access_key_id",
    "secret_access_key"}`, or `{"role_arn", "external_id"}`.
    """

    def __init__(self, name: str, config: StackConfig, uploader: EgressUploader) -> None:
        super().__init__("callrec:Credentials", name)
        secrets = {**config.secrets, **(uploader.handed_out if config.flag("recordRooms") else {})}
        secret = KeptSecret(
            name,
            config,
            part="credentials",
            description="LiveKit keys, Airtable token and link-signing keys of the recording pipeline",
            contents=pulumi.Output.all(**secrets).apply(lambda values: contents(config, values)),
            parent=self,
        )
        self.arn = secret.arn
        self.version = secret.version
        self.register_outputs({"arn": secret.arn})


def contents(config: StackConfig, secrets: dict[str, str]) -> dict[str, object]:
    """Arrange the configured secrets as the functions read them; a previous key is there only while it is set."""
    keys = {config.text("livekitApiKey"): secrets["livekitApiSecret"]}
    if secrets["previousLivekitApiSecret"]:
        keys[config.text("previousLivekitApiKey")] = secrets["previousLivekitApiSecret"]
    links = [secrets["previousLinkSigningKey"], secrets["linkSigningKey"]]
    made: dict[str, object] = {
        "livekit_keys": keys,
        "airtable_token": secrets["airtableToken"],
        "link_keys": [key for key in links if key],
    }
    if all(links) and config.text("previousLinkSigningKeyUntil"):
        made["link_keys_until"] = config.number("previousLinkSigningKeyUntil")
    if secrets["auditKey"]:
        made["audit_key"] = secrets["auditKey"]
    if handed_out := {name: secrets[name] for name in HANDED_OUT if name in secrets}:
        made["uploader"] = handed_out
    return made
