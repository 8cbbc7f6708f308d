"""livekit-api's own receiver: what `receive` would check webhooks with if its start and its work cost nothing."""

import base64
from typing import Any

from livekit.api import TokenVerifier, WebhookReceiver

receiver = WebhookReceiver(TokenVerifier("devkey", "devsecret-devsecret-devsecret-devsecret"))


def handler(event: Any, context: object) -> dict[str, object]:
    receiver.receive(base64.b64decode(event["body"]).decode(), event["headers"]["authorization"])
    return {"statusCode": 200, "body": "ok"}
