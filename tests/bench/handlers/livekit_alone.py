"""Imports livekit.api and nothing else: what checking webhooks with it would cost at the least."""

from livekit import api


def handler(event: object, context: object) -> dict[str, object]:
    return {"statusCode": 200, "body": api.__name__}
