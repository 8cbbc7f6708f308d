"""Every reason for which `deliver` waits or gives up: what it means, and what mends it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from scripts.errors import UsageError

#: What SQS itself moved to the dead-letter queue carries no reason.
RECEIVES_EXHAUSTED = "receives_exhausted"


@dataclass(frozen=True, kw_only=True, slots=True)
class Reason:
    """Two sentences for the operator, each without its full stop."""

    meaning: str
    mend: str


REASONS: Mapping[str, Reason] = {
    "no_conversation": Reason(
        meaning="no conversation of this call was in the table within a day",
        mend="make the conversation, with the room id listed here where the table has a field for it, and redrive",
    ),
    "ambiguous": Reason(
        meaning="several conversations fit, or several recordings want the same one",
        mend="write the room id listed here into the conversation it belongs to, and redrive",
    ),
    "settling": Reason(
        meaning="other conversations of the room name were still waited for: the recorder's clock may be ahead",
        mend="redrive",
    ),
    "behind": Reason(
        meaning="an earlier event of the same room waits",
        mend="nothing for this one: it follows when the earlier one is through",
    ),
    "recording_missing": Reason(
        meaning="the bucket does not hold this recording, or holds several files that fit",
        mend="look for the file under recordingsPrefix; when it is there, redrive; what was never stored is lost",
    ),
    "wrong_bucket": Reason(
        meaning="the recording was made for another bucket",
        mend="have your egress requests name `pulumi stack output bucket`; redriving these alone changes nothing",
    ),
    "wrong_key": Reason(
        meaning="the recording's path is not under recordingsPrefix, or is none that is allowed",
        mend="have your egress requests name a path under recordingsPrefix; redriving these alone changes nothing",
    ),
    "out_of_time": Reason(
        meaning="Airtable was too slow for a day: the function's time was over before this one's turn",
        mend="redrive once Airtable answers within a second or two",
    ),
    "bad_message": Reason(
        meaning="the message is no event of LiveKit's",
        mend="update callrec, `pulumi up`, and redrive; if they come back, somebody else writes into the queue",
    ),
    "bad_recording": Reason(
        meaning="the event lacks its egress id, its file, or a status that this version knows",
        mend="update callrec, `pulumi up`, and redrive",
    ),
    "airtable_fields": Reason(
        meaning="the table, or a field that it must have, was not there for a day",
        mend="`callrec verify` names it: put it back, or set its key and `pulumi up`; then redrive",
    ),
    "airtable_refused": Reason(
        meaning="Airtable refused the token, or did not know the base, the table or the record, for a day",
        mend="`callrec verify` says which: set airtableToken, airtableBase or airtableTable, `pulumi up`, and redrive",
    ),
    "airtable_rejected": Reason(
        meaning="Airtable rejected what was asked or written",
        mend="give the fields the types that README.md lists (`callrec verify` checks them), and redrive",
    ),
    "airtable_throttled": Reason(
        meaning="Airtable asked to wait for a whole day",
        mend="find what else uses up the base's 5 requests a second, and redrive",
    ),
    "airtable_unavailable": Reason(
        meaning="Airtable did not answer, or not fully, for a day",
        mend="redrive once Airtable answers again",
    ),
    "livekit_refused": Reason(
        meaning="LiveKit does not take the key, or the key may not record, for a day",
        mend="`callrec verify` says which: set livekitApiKey and livekitApiSecret, `pulumi up`; redriving is too late",
    ),
    "livekit_rejected": Reason(
        meaning="LiveKit does not take the request to record",
        mend="deliver's log has LiveKit's code; `callrec verify` checks the configuration; redriving is too late",
    ),
    "livekit_throttled": Reason(
        meaning="LiveKit asked to wait for a whole day",
        mend="raise the limits of your LiveKit project; redriving is too late",
    ),
    "livekit_unavailable": Reason(
        meaning="LiveKit did not answer, or had no egress free, for a day",
        mend="see to your LiveKit server and its egress; redriving is too late",
    ),
    "secret_incomplete": Reason(
        meaning="the functions' secret lacks LiveKit's key or the upload key",
        mend="`pulumi up`, and redrive",
    ),
    "secret_unavailable": Reason(
        meaning="the functions' secret could not be read for a day",
        mend="`callrec verify` names the cause; `pulumi up --refresh`, and redrive",
    ),
    "storage_unavailable": Reason(
        meaning="the bucket could not be listed for a day",
        mend="`callrec verify` names the cause; `pulumi up --refresh`, and redrive",
    ),
    "fault": Reason(
        meaning="an error that deliver does not know",
        mend="its log has the error's name; mend that, and redrive",
    ),
    "dead_letter_unavailable": Reason(
        meaning="the dead-letter queue did not take the message, which waits on in the queue",
        mend="`callrec verify` names the cause; then nothing: deliver tries again",
    ),
    RECEIVES_EXHAUSTED: Reason(
        meaning="the queue itself gave it up: deliver broke off each time it came",
        mend="deliver's log says what it broke off with; mend that, and redrive",
    ),
}


def explained(code: str) -> Reason:
    """What a code means; a code of another version is no error."""
    unknown = Reason(meaning="a reason of another version of callrec", mend="update callrec")
    return REASONS.get(code, unknown)


def checked(codes: Iterable[str]) -> frozenset[str]:
    """The codes, when there are such.

    Raises UsageError naming all there are.
    """
    given = frozenset(codes)
    strange = sorted(given - REASONS.keys())
    if strange:
        raise UsageError(f"--reason {strange[0]!r}: there is no such reason. There are: {', '.join(sorted(REASONS))}")
    return given
