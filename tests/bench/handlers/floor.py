"""What no receiver can do without: base64, HMAC-SHA256 over the token, SHA-256 of the body, JSON of the same bytes."""

import base64
import hashlib
import hmac
import json
from typing import Any

SECRET = b"devsecret-devsecret-devsecret-devsecret"


def handler(event: Any, context: object) -> dict[str, object]:
    body = base64.b64decode(event["body"])
    text, _, signature = event["headers"]["authorization"].encode().rpartition(b".")
    digest = hmac.new(SECRET, text, hashlib.sha256).digest()
    if not hmac.compare_digest(base64.urlsafe_b64encode(digest).rstrip(b"="), signature):
        return {"statusCode": 401, "body": "refused"}
    hashlib.sha256(body).digest()
    json.loads(body)
    return {"statusCode": 200, "body": "ok"}
