"""The table of conversations as the functions reach it, and how they share the requests that Airtable takes."""

from __future__ import annotations

import json

from infra.config import StackConfig

# Airtable takes 5 requests a second for a base, over everybody: https://airtable.com/developers/web/api/rate-limits
# Each process waits its interval before every request, so what runs at once is all that counts:
#   deliver    at most 2 instances (its event source mapping)     2 / 0.44 s = 4.55 a second
#   reconcile  at most 2 runs (one by schedule, one by hand)      2 / 4.4 s  = 0.45 a second
#   together                                                                   5.0 a second
DELIVERS_AT_ONCE = 2
DELIVER_INTERVAL_MS = 440
RECONCILES_AT_ONCE = 2
RECONCILE_INTERVAL_MS = 4400


def environment(config: StackConfig, interval_ms: int) -> dict[str, str]:
    """What `AirtableSettings.from_env` reads; `interval_ms` is what one process leaves between its requests."""
    return {
        "CALLREC_AIRTABLE_URL": config.text("airtableUrl"),
        "CALLREC_AIRTABLE_BASE": config.text("airtableBase"),
        "CALLREC_AIRTABLE_TABLE": config.text("airtableTable"),
        "CALLREC_AIRTABLE_FIELDS": json.dumps(config.fields),
        "CALLREC_AIRTABLE_INTERVAL_MS": str(interval_ms),
    }
