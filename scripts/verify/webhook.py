"""The webhook's address: what it must refuse, and what it must accept."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

import requests

from scripts.deployment import Deployment
from scripts.verify.credentials import stored
from scripts.verify.functions import id_of
from scripts.verify.hop import Failed, Hop
from scripts.verify.probe import Probe, mend
from scripts.verify.signing import harmless_event, token

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

SIGNED = "webhook.signed"
# LiveKit's own patience: https://docs.livekit.io/home/server/webhooks/
TIMEOUT_SECONDS = 15.0
CLOCK_SECONDS = 60.0


def hops(deployment: Deployment, probe: Probe) -> list[Hop]:
    """Refusals, each by an event that would be accepted but for one thing; then the one that must be accepted."""
    webhook = Webhook.of(deployment)
    body, key, secret = harmless_event(probe, datetime.now(UTC)), webhook.key, webhook.secret

    def now() -> datetime:
        return datetime.now(UTC)

    refusals: dict[str, tuple[str, Callable[[], tuple[bytes, str | None]]]] = {
        "unsigned": ("unsigned webhook is refused", lambda: (body, None)),
        "tampered": ("tampered webhook is refused", lambda: (body + b" ", token(key, secret, body, now()))),
        "expired": (
            "expired webhook is refused",
            lambda: (body, token(key, secret, body, now() - timedelta(hours=1))),
        ),
        "wrong_secret": (
            "webhook signed by another secret is refused",
            lambda: (body, token(key, secrets.token_urlsafe(36), body, now())),
        ),
        "wrong_key": (
            "webhook signed by an unknown key is refused",
            lambda: (body, token(f"API{secrets.token_hex(6)}", secret, body, now())),
        ),
    }
    needs = (id_of("receive"),)
    return [
        *(
            Hop(id=f"webhook.{name}", title=title, probe=partial(webhook.refuses, make), needs=needs)
            for name, (title, make) in refusals.items()
        ),
        Hop(id="webhook.get", title="GET is refused", probe=webhook.refuses_get, needs=needs),
        Hop(
            id=SIGNED,
            title="signed webhook is accepted",
            probe=partial(webhook.accepts, body),
            needs=needs,
        ),
    ]


@dataclass(frozen=True, kw_only=True, slots=True)
class Webhook:
    """The address, and the LiveKit key and secret as the configuration has them."""

    url: str
    key: str
    secret: str = field(repr=False)
    secret_arn: str
    secrets_manager: SecretsManagerClient = field(repr=False)
    trust: str | bool
    mend: str
    log_group: str

    @classmethod
    def of(cls, deployment: Deployment) -> Webhook:
        """The stack's webhook."""
        return cls(
            url=deployment.outputs.webhook_url,
            key=deployment.config.get("livekitApiKey", ""),
            secret=deployment.config.get("livekitApiSecret", ""),
            secret_arn=deployment.outputs.secret_arn,
            secrets_manager=deployment.aws.client("secretsmanager"),
            trust=deployment.aws.trust,
            mend=mend(deployment),
            log_group=deployment.outputs.log_groups["receive"],
        )

    def post(self, body: bytes, authorization: str | None) -> requests.Response:
        """Send an event as LiveKit does."""
        headers = {"Content-Type": "application/webhook+json", "User-Agent": "callrec verify"}
        signed = {} if authorization is None else {"Authorization": authorization}
        return requests.post(
            self.url,
            data=body,
            headers=headers | signed,
            timeout=TIMEOUT_SECONDS,
            verify=self.trust,
            allow_redirects=False,
        )

    def refuses(self, make: Callable[[], tuple[bytes, str | None]]) -> str:
        """401 for what is not LiveKit's; a 5xx would make LiveKit, and whoever plays it, try again."""
        return self._refused(self.post(*make()), HTTPStatus.UNAUTHORIZED)

    def refuses_get(self) -> str:
        """405 for another method."""
        answer = requests.get(self.url, timeout=TIMEOUT_SECONDS, verify=self.trust, allow_redirects=False)
        return self._refused(answer, HTTPStatus.METHOD_NOT_ALLOWED)

    def accepts(self, body: bytes) -> str:
        """200 for a properly signed event."""
        return self.accepted(self.post(body, token(self.key, self.secret, body, datetime.now(UTC))))

    def accepted(self, answer: requests.Response) -> str:
        """Judge the answer to an event that was signed as LiveKit signs."""
        if answer.status_code == HTTPStatus.OK:
            return "200"
        raise Failed(str(answer.status_code), **self._why_refused(answer))

    def _refused(self, answer: requests.Response, wanted: HTTPStatus) -> str:
        if answer.status_code == wanted:
            return str(answer.status_code)
        if answer.ok:
            cause = "whoever knows the address can invent calls: this is not callrec's receive function"
            raise Failed(f"{answer.status_code}: accepted", cause=cause, mend=self.mend)
        raise Failed(f"{answer.status_code} instead of {wanted.value}", **self._broken(answer))

    def _why_refused(self, answer: requests.Response) -> dict[str, str]:
        if answer.status_code != HTTPStatus.UNAUTHORIZED:
            return self._broken(answer)
        if _clock_off(answer.headers):
            return {"cause": "the clock of this machine is wrong by more than a minute", "mend": "timedatectl status"}
        if not self._secret_agrees():
            cause = "the LiveKit secret in Secrets Manager is not the one in the stack's configuration"
            return {"cause": cause, "mend": self.mend}
        cause = "the functions may still know an older LiveKit secret, for five minutes after a change"
        return {"cause": cause, "mend": "callrec verify"}

    def _broken(self, answer: requests.Response) -> dict[str, str]:
        if answer.status_code in (HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND):
            return {
                "cause": "AWS itself refuses: the function's address or its permissions are gone",
                "mend": self.mend,
            }
        return {
            "cause": "the receive function fails, or is throttled",
            "mend": f"aws logs tail {self.log_group} --since 5m",
        }

    def _secret_agrees(self) -> bool:
        keys: Any = stored(self.secrets_manager, self.secret_arn, self.mend).get("livekit_keys")
        known = str(keys.get(self.key, "")) if isinstance(keys, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
        return secrets.compare_digest(known.encode(), self.secret.encode())


def _clock_off(headers: Mapping[str, str]) -> bool:
    try:
        theirs = parsedate_to_datetime(headers["Date"])
    except (KeyError, ValueError):
        return False
    return abs((theirs - datetime.now(UTC)).total_seconds()) > CLOCK_SECONDS
