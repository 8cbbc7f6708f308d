"""Every configuration key of the program, in the order the README lists them; the same keys stand in `Pulumi.yaml`."""

from __future__ import annotations

from infra.rules import Key, either, matching, networks, one_line, url, whole

ARCHIVE_CLASSES = ("GLACIER_IR", "STANDARD_IA", "INTELLIGENT_TIERING", "GLACIER", "DEEP_ARCHIVE")
# https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html
LOG_DAYS = (
    "1",
    "3",
    "5",
    "7",
    "14",
    "30",
    "60",
    "90",
    "120",
    "150",
    "180",
    "365",
    "400",
    "545",
    "731",
    "1096",
    "1827",
    "2192",
    "2557",
    "2922",
    "3288",
    "3653",
)
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")

# Role of a field in the Airtable table -> (configuration key, the name people of the manual guide know).
FIELDS = {
    "recording_url": ("fieldRecordingUrl", "audio_recording_url"),
    "room_name": ("fieldRoomName", "room_name"),
    "started": ("fieldStarted", "started_at"),
    "egress_id": ("fieldEgressId", "egress_id"),
    "room_id": ("fieldRoomId", "room_id"),
    "duration": ("fieldDuration", "recording_duration"),
    "size": ("fieldSize", "recording_size"),
    "recording_started": ("fieldRecordingStarted", "recording_started_at"),
    "recording_ended": ("fieldRecordingEnded", "recording_ended_at"),
    "status": ("fieldStatus", "recording_status"),
    "recordings": ("fieldRecordings", "audio_recordings"),
}

# File paths of recordings, and names of rooms, as the functions hold them (functions/file_path.py says why): they must
# accept the same.
_PART = r"(?!\.)(?:[A-Za-z0-9_.=-]|\{(?:room_name|room_id|time|utc)\}){1,64}"
_PATH = rf"(?:{_PART}/){{1,8}}{_PART}(?<=\.mp4)"
_ONCE = r"(?!.*\.\.)(?!.*(\{\w+\}).*\1)(?=.*\{(?:time|utc)\})"
FILE_PATH = rf"{_ONCE}(?=.*\{{room_(?:name|id)\}}){_PATH}"
PHONE_FILE_PATH = rf"{_ONCE}(?=.*\{{room_id\}})(?!.*\{{room_name\}}){_PATH}"
ROOM_PATTERNS = r"(?=.{1,512}$)[^\s,](?:[^,\n]*[^\s,])?(?:, ?[^\s,](?:[^,\n]*[^\s,])?)*"

_ADDRESS = r"[^\s,@]{1,64}@[^\s,@]{1,255}\.[^\s,@]{2,63}"
E_MAILS = rf"(?=.{{1,2000}}$){_ADDRESS}(?:, ?{_ADDRESS}){{0,9}}"

BOOLEAN = either("true", "false")
SIGNING_KEY = "openssl rand -base64 48"

KEYS = (
    Key(name="livekitUrl", rule="LiveKit's address, wss://…", check=url("wss", "https"), example="wss://YOUR-PROJECT.livekit.cloud"),
    Key(name="livekitApiKey", rule="the LiveKit API key that signs the webhooks", check=matching(r"[A-Za-z0-9_-]{3,128}"), example="API…", required=True),
    Key(name="livekitApiSecret", rule="the secret of livekitApiKey, at least 32 characters", check=one_line(32, 512), required=True, secret=True),
    Key(name="previousLivekitApiKey", rule="the API key honoured besides livekitApiKey while keys rotate", check=matching(r"[A-Za-z0-9_-]{3,128}"), example="API…"),
    Key(name="previousLivekitApiSecret", rule="the secret of previousLivekitApiKey, at least 32 characters", check=one_line(32, 512), secret=True),
    Key(name="airtableToken", rule="an Airtable personal access token with data.records:read, data.records:write and schema.bases:read", check=matching(r"pat[\w.-]{10,200}"), required=True, secret=True),
    Key(name="airtableBase", rule="the id of the base: app and 14 letters or digits", check=matching(r"app[A-Za-z0-9]{14}"), example="appXXXXXXXXXXXXXX", required=True),
    Key(name="airtableTable", rule="name or id of the conversations' table", check=one_line(1, 255), example="Conversations", default="Conversations"),
    Key(name="airtableUrl", rule="Airtable's address, https://… without a path", check=url("https", path=False), example="https://api.airtable.com", default="https://api.airtable.com"),
    *(Key(name=key, rule="the name of a field of the table", check=one_line(1, 255), example=name, default=name) for key, name in FIELDS.values()),
    Key(name="recordRooms", rule="true or false: start recording calls by itself; takes livekitUrl", check=BOOLEAN, example="true", default="false"),
    Key(name="recordInclude", rule="the rooms that are recorded: names with * ? [abc], commas between them", check=matching(ROOM_PATTERNS), example="'call-*,visit-*'", default="*"),
    Key(name="recordExclude", rule="the rooms that are not: names with * ? [abc], commas between them", check=matching(ROOM_PATTERNS), example="'test-*,debug-*'", default="test-*,debug-*"),
    Key(name="filePath", rule="a path below recordingsPrefix, ending in .mp4, new for every call: {room_name} or {room_id}, and {time} or {utc}, each once; unset: {room_name}-{time}.mp4", check=matching(FILE_PATH), example="'recordings/{room_name}-{time}.mp4'"),
    Key(name="phoneFilePath", rule="filePath for phone calls, whose rooms may bear the caller's number: {room_id}, never {room_name}; unset: {room_id}-{time}.mp4", check=matching(PHONE_FILE_PATH), example="'recordings/{room_id}-{time}.mp4'"),
    Key(name="audioBitrate", rule="kilobits a second of a recording, 16 to 320; 32 make 7.5 MB in 30 minutes", check=whole(16, 320), example="32", default="32"),
    Key(name="audioMixing", rule="mono, dual-agent (agents left, callers right) or dual-alternate (track by track)", check=either("mono", "dual-agent", "dual-alternate"), example="mono", default="mono"),
    Key(name="linkSigningKey", rule="the key that signs the links in Airtable, at least 32 characters", check=one_line(32, 512), example=SIGNING_KEY, required=True, secret=True),
    Key(name="previousLinkSigningKey", rule="the signing key whose links still play, at least 32 characters", check=one_line(32, 512), secret=True),
    Key(name="previousLinkSigningKeyUntil", rule="the unix second from which on links of previousLinkSigningKey play no more; unset: no end", check=matching(r"\d{1,10}"), example="$(date -d '+30 days' +%s)"),
    Key(name="linkDays", rule="days that a link plays, 1 to 3650", check=whole(1, 3650), example="30", default="30"),
    Key(name="uploader", rule="user (an access key of its own) or role (LiveKit assumes a role: no key exists)", check=either("user", "role"), example="user", default="user"),
    Key(name="uploaderPrincipal", rule="who may assume the role of uploader role: the ARN of the account, role or user that LiveKit's egress runs as", check=matching(r"arn:aws[a-z-]*:iam::\d{12}:(?:root|(?:role|user)/[\w+=,.@/-]{1,512})"), example="arn:aws:iam::123456789012:role/livekit-egress"),
    Key(name="uploaderExternalId", rule="what LiveKit must say besides to assume the role, 16 to 256 letters, digits or _+=,.@:/-", check=matching(r"[\w+=,.@:/-]{16,256}"), example="openssl rand -hex 16", secret=True),
    Key(name="uploaderKeyGeneration", rule="which upload key is in use, counted from 1 to 9999; callrec rotate uploader counts", check=whole(1, 9999), example="1", default="1"),
    Key(name="uploaderPreviousKey", rule="the upload key before: none (deleted), active or inactive; callrec rotate uploader sets it", check=either("none", "active", "inactive"), example="none", default="none"),
    Key(name="linkGraceDays", rule="days that links still play after `callrec rotate links` has replaced their key, 0 to 3650", check=whole(0, 3650), example="30", default="30"),
    Key(name="linkNetworks", rule="the networks that recordings are played from, as 203.0.113.0/24,2001:db8::/48; unset: everybody's", check=networks(2000), example="'203.0.113.0/24,198.51.100.7'"),
    Key(name="auditKey", rule="makes the pseudonyms of addresses in play's log, at least 32 characters; unset: made from linkSigningKey", check=one_line(32, 512), example=SIGNING_KEY, secret=True),
    Key(name="matchWindowSeconds", rule="seconds around a recording in which its conversation may have begun, 0 to 86400", check=whole(0, 86400), example="120", default="120"),
    Key(name="settleSeconds", rule="seconds to wait after a recording for other conversations of its room name, 0 to 21600", check=whole(0, 21600), example="900", default="900"),
    Key(name="reconcileMinutes", rule="minutes from one reconcile to the next, 15 to 1440", check=whole(15, 1440), example="15", default="15"),
    Key(name="reconcileHours", rule="hours that a scheduled reconcile looks back, 1 to 168", check=whole(1, 168), example="2", default="2"),
    Key(name="bucketName", rule="a bucket's name: 3 to 63 small letters, digits or hyphens, none that S3 keeps for itself", check=matching(r"(?!xn--|sthree-|amzn-s3-demo-)[a-z0-9](?:[a-z0-9-]{1,61})[a-z0-9](?<!-s3alias)(?<!--ol-s3)"), example="my-practice-recordings"),
    Key(name="recordingsPrefix", rule="the folder in the bucket, ending in a slash; not erasures/, where records of erasures are", check=matching(r"(?!erasures/)(?:[A-Za-z0-9_-]{1,64}/){1,4}"), example="recordings/", default="recordings/"),
    Key(name="encryption", rule="kms (a key of your own) or s3; decide before the first recording", check=either("kms", "s3"), example="kms", default="kms"),
    Key(name="archiveClass", rule=f"one of {', '.join(ARCHIVE_CLASSES)}", check=either(*ARCHIVE_CLASSES), example="GLACIER_IR", default="GLACIER_IR"),
    Key(name="archiveAfterDays", rule="days until archiving, 0 to 36500, below retentionDays", check=whole(0, 36500), example="30", default="30"),
    Key(name="retentionDays", rule="days until a recording is deleted, 1 to 36500; its bytes go noncurrentDays later; unset keeps it", check=whole(1, 36500), example="2555"),
    Key(name="noncurrentDays", rule="days that a replaced or deleted version is kept, 1 to 36500", check=whole(1, 36500), example="30", default="30"),
    Key(name="objectLock", rule="none, governance or compliance: whether new recordings may be deleted before objectLockDays; takes objectLockDays", check=either("none", "governance", "compliance"), example="governance", default="none"),
    Key(name="objectLockDays", rule="days that objectLock keeps a new recording from being deleted, 1 to 36500, no more than retentionDays", check=whole(1, 36500), example="2190"),
    Key(name="legalHold", rule="true or false: nothing is deleted by age, by callrec erase or by callrec teardown", check=BOOLEAN, example="true", default="false"),
    Key(name="accessLogs", rule="true or false: log every access to a second bucket", check=BOOLEAN, example="true", default="false"),
    Key(name="disposable", rule="true or false: may the stack be destroyed with its recordings", check=BOOLEAN, example="false", default="false"),
    Key(name="logRetentionDays", rule=f"one of {', '.join(LOG_DAYS)}", check=either(*LOG_DAYS), example="90", default="90"),
    Key(name="playLogDays", rule=f"days that play's log, who listened to what, is kept: one of {', '.join(LOG_DAYS)}", check=either(*LOG_DAYS), example="2192", default="2192"),
    Key(name="alarmEmail", rule="who is told when an alarm rings: up to ten e-mail addresses, commas between them; each confirms AWS's first mail; unset: nobody", check=matching(E_MAILS), example="front-desk@example.org"),
    Key(name="functionRuntime", rule=f"one of {', '.join(RUNTIMES)}", check=either(*RUNTIMES), example="python3.13", default="python3.13"),
    Key(name="functionArchitecture", rule="arm64 or x86_64", check=either("arm64", "x86_64"), example="arm64", default="arm64"),
    Key(name="receiveConcurrency", rule="reserved concurrency of receive, 1 to 1000; unset shares the account's", check=whole(1, 1000), example="20"),
    Key(name="deliverConcurrency", rule="reserved concurrency of deliver, 2 to 1000; unset shares the account's", check=whole(2, 1000), example="5"),
    Key(name="playConcurrency", rule="reserved concurrency of play, 1 to 1000; unset shares the account's", check=whole(1, 1000), example="10"),
    Key(name="reconcileConcurrency", rule="reserved concurrency of reconcile, 1 or 2; unset shares the account's", check=whole(1, 2), example="2"),
)  # fmt: skip
