"""The functions' environment while they are measured: as the stack sets it, its pace too, with made-up names."""

from __future__ import annotations

import json

from infra import airtable
from tests.unit.functions_support import KEY, LINK_KEY
from tests.unit.functions_support import SECRET as LIVEKIT_SECRET

AIRTABLE_TOKEN = "patbench"
SECRET = json.dumps({"livekit_keys": {KEY: LIVEKIT_SECRET}, "airtable_token": AIRTABLE_TOKEN, "link_keys": [LINK_KEY]})

_SECRET_ARN = {"CALLREC_SECRET_ARN": "arn:aws:secretsmanager:us-east-1:000000000000:secret:bench"}
_BUCKET = {"CALLREC_BUCKET": "recordings", "CALLREC_PREFIX": "calls/"}
_QUEUE = {"CALLREC_QUEUE_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/events.fifo"}
_AIRTABLE = {
    "CALLREC_AIRTABLE_URL": "http://127.0.0.1:9",
    "CALLREC_AIRTABLE_BASE": "appXXXXXXXXXXXXXX",
    "CALLREC_AIRTABLE_TABLE": "Conversations",
    "CALLREC_AIRTABLE_FIELDS": "{}",
}

RECEIVE = {**_SECRET_ARN, **_QUEUE, "CALLREC_MAX_BODY_BYTES": "262144"}
PLAY = {**_SECRET_ARN, **_BUCKET}
DELIVER = {
    **_SECRET_ARN,
    **_QUEUE,
    **_BUCKET,
    **_AIRTABLE,
    "CALLREC_DLQ_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/events-dlq.fifo",
    "CALLREC_PLAY_URL": "https://play.example",
    "CALLREC_LINK_DAYS": "30",
    "CALLREC_MATCH_WINDOW_SECONDS": "120",
    "CALLREC_SETTLE_SECONDS": "0",
    "CALLREC_AIRTABLE_INTERVAL_MS": str(airtable.DELIVER_INTERVAL_MS),
}
RECONCILE = {
    **_SECRET_ARN,
    **_QUEUE,
    **_BUCKET,
    **_AIRTABLE,
    "CALLREC_ARRIVALS_URL": "https://sqs.us-east-1.amazonaws.com/000000000000/arrivals",
    "CALLREC_LIVEKIT_URL": "wss://livekit.example",
    "CALLREC_RECONCILE_SECONDS": "7200",
    "CALLREC_RECONCILE_INTERVAL_SECONDS": "900",
    "CALLREC_MATCH_WINDOW_SECONDS": "120",
    "CALLREC_SETTLE_SECONDS": "900",
    "CALLREC_AIRTABLE_INTERVAL_MS": str(airtable.RECONCILE_INTERVAL_MS),
}
