"""Why a run of `reconcile` could not do all of its work: what each code means, and what helps."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.dead_letters.reasons import Reason

VERIFY = "`callrec verify` names the cause"

PROBLEMS: Mapping[str, Reason] = {
    "airtable_fields": Reason(
        meaning="the table, or a field that it must have, is not there",
        mend=f"{VERIFY}: put it back, or set its key and `pulumi up`",
    ),
    "airtable_refused": Reason(
        meaning="Airtable refuses the token, or does not know the base or the table",
        mend=f"{VERIFY}: set airtableToken, airtableBase or airtableTable, and `pulumi up`",
    ),
    "airtable_rejected": Reason(
        meaning="Airtable rejects what is asked",
        mend="give the fields the types that README.md lists; `callrec verify` checks them",
    ),
    "airtable_throttled": Reason(
        meaning="Airtable asks to wait", mend="run it again in a minute; find what else uses up the base's requests"
    ),
    "airtable_unavailable": Reason(meaning="Airtable does not answer, or not fully", mend="run it again later"),
    "arrivals_left": Reason(
        meaning="more objects arrived than one run takes", mend="run it again: it goes on with the rest"
    ),
    "arrivals_unavailable": Reason(
        meaning="the queue of what arrives in the bucket cannot be read", mend=f"{VERIFY}; `pulumi up --refresh`"
    ),
    "fault": Reason(meaning="an error that the function does not know", mend="its log has the error's name"),
    "livekit_rooms": Reason(
        meaning="LiveKit does not say which rooms there are, so nobody can tell which egress is stuck",
        mend="the key may need roomList; run it again",
    ),
    "livekit_refused": Reason(
        meaning="LiveKit does not take the key, or the key may not list egresses",
        mend=f"{VERIFY}: set livekitApiKey and livekitApiSecret, and `pulumi up`",
    ),
    "livekit_unavailable": Reason(
        meaning="LiveKit does not answer, or runs without egress", mend="see to your LiveKit server, and run it again"
    ),
    "out_of_time": Reason(
        meaning="not all could be compared in the time that AWS gives a function",
        mend="run it again with a shorter --since",
    ),
    "queue_unavailable": Reason(
        meaning="what is missing could not be put on the queue", mend=f"{VERIFY}; `pulumi up --refresh`"
    ),
    "secret_unavailable": Reason(
        meaning="the functions' secret cannot be read", mend=f"{VERIFY}; `pulumi up --refresh`"
    ),
    "storage_refused": Reason(
        meaning="the function may not see which recordings are still there", mend="`pulumi up --refresh`"
    ),
    "storage_unavailable": Reason(meaning="the bucket does not answer", mend="run it again later"),
}

SKIPPED: Mapping[str, str] = {
    "livekit_not_configured": "LiveKit was not asked, since livekitUrl is not set: only what arrived in the bucket and "
    "the conversations were compared. Set it: pulumi config set livekitUrl wss://…",
}


def explained(code: str) -> Reason:
    """What a code means; a code of another version is no error."""
    return PROBLEMS.get(code, Reason(meaning="a problem of another version of callrec", mend="update callrec"))
