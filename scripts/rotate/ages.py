"""How old the stack's keys are, and which should be replaced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from scripts.deployment import Deployment
from scripts.rotate.settings import date_key, state_key

MOST_DAYS = 90
DAY = 24 * 3600
# What `callrec rotate` replaces -> what it is.
KINDS = {
    "uploader": "LiveKit's upload key",
    "livekit": "LiveKit's API key",
    "links": "the links' signing key",
    "airtable": "Airtable's token",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Age:
    """How long a key has been in use, in whole days at least."""

    kind: str
    days: int

    @property
    def words(self) -> str:
        """What is old, and what replaces it."""
        return f"{KINDS[self.kind]} is {self.days} days old: callrec rotate {self.kind}"


def read(deployment: Deployment, now: float) -> list[Age]:
    """The age of each key; `now` in unix seconds. Raises ClientError where AWS refuses.

    AWS knows when an upload key was made. Of the others it is noted when they were replaced; before they ever were,
    they are as old as the functions' secret at most, which is as old as the stack.
    """
    made: dict[str, float] = {}
    if deployment.outputs.uploader_access_key_id:
        made["uploader"] = _upload_key(deployment, now)
    noted = {kind: deployment.config.get(date_key(kind), "") for kind in KINDS if kind != "uploader"}
    if not all(noted.values()):
        secret = deployment.aws.client("secretsmanager").describe_secret(SecretId=deployment.outputs.secret_arn)
        made |= dict.fromkeys(noted, secret["CreatedDate"].timestamp())
    made |= {kind: _day(text, now) for kind, text in noted.items() if text}
    return [Age(kind=kind, days=int((now - made[kind]) // DAY)) for kind in KINDS if kind in made]


def old(ages: list[Age]) -> list[Age]:
    """Those that should be replaced."""
    return [age for age in ages if age.days > MOST_DAYS]


def begun(deployment: Deployment) -> list[str]:
    """Rotations that are not over."""
    return [kind for kind in KINDS if deployment.config.get(state_key(kind))]


def _upload_key(deployment: Deployment, now: float) -> float:
    outputs = deployment.outputs
    listed = deployment.aws.client("iam").list_access_keys(UserName=outputs.uploader_user)["AccessKeyMetadata"]
    found = [key for key in listed if key.get("AccessKeyId") == outputs.uploader_access_key_id]
    created = found[0].get("CreateDate") if found else None
    return now if created is None else created.timestamp()


def _day(text: str, now: float) -> float:
    """A day as it is noted; one that somebody wrote otherwise is today."""
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return now
