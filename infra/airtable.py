"""The table of conversations as the functions reach it, and how they share the requests that Airtable takes."""

from __future__ import annotations

import json

from infra.config import StackConfig

# Airtable takes 5 requests a second for a base, over everybody: https://airtable.com/developers/web/api/rate-limits
# A sixth one within any second locks the base out for 30 s, so averages do not help: what counts is how many of each
# process fit into one second. Each waits its interval before every request, its first one included, from the answer to
# the one before, so that it does not matter how long any of them is on its way:
#   deliver    at most 2 instances (its event source mapping)    2 each at 0.51 s apart   4 in any second
#   reconcile  its scheduled runs never overlap                  1 at 2 s apart           1 in any second
# A run of reconcile by hand beside a scheduled one may make a sixth now and then; reconcileConcurrency 1 forbids it.
DELIVERS_AT_ONCE = 2
DELIVER_INTERVAL_MS = 510
RECONCILE_INTERVAL_MS = 2000


def environment(config: StackConfig, interval_ms: int) -> dict[str, str]:
    """What `AirtableSettings.from_env` reads; `interval_ms` is what one process leaves between its requests."""
    return {
        "CALLREC_AIRTABLE_URL": config.text("airtableUrl"),
        "CALLREC_AIRTABLE_BASE": config.text("airtableBase"),
        "CALLREC_AIRTABLE_TABLE": config.text("airtableTable"),
        "CALLREC_AIRTABLE_FIELDS": json.dumps(config.fields),
        "CALLREC_AIRTABLE_INTERVAL_MS": str(interval_ms),
    }
