"""Signs links as the deployed functions do, so that what a command hands out plays."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from infra.functions.errors import SecretError
from infra.functions.links import Link, Links
from infra.functions.secret import Secrets
from infra.keys import KEYS
from scripts.deployment import Deployment
from scripts.errors import StackError

DAY = 86_400
LINK_DAYS = next(key.default for key in KEYS if key.name == "linkDays")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    """The stack's keys, and where its links lead. `lifetime_s`: how long a link of the conversations plays."""

    links: Links = field(repr=False)
    play_url: str
    lifetime_s: int

    @classmethod
    def of(cls, deployment: Deployment, clock: Callable[[], float] = time.time) -> Signing:
        """The keys of the stack's configuration; StackError unless they are those that the functions have."""
        config, outputs = deployment.config, deployment.outputs
        keys = [config.get(name, "") for name in ("previousLinkSigningKey", "linkSigningKey")]
        text = deployment.aws.client("secretsmanager").get_secret_value(SecretId=outputs.secret_arn)["SecretString"]
        try:
            deployed = Secrets.from_json(text).link_keys
        except SecretError:
            deployed = ()
        if deployed != tuple(filter(None, keys)):
            raise StackError(
                "the link-signing keys of the configuration are not those in use, so that no link of theirs would "
                f"play. Run: pulumi up --stack {deployment.stack}"
            )
        lifetime = int(config.get("linkDays") or LINK_DAYS) * DAY
        return cls(links=Links(deployed, clock), play_url=outputs.play_url, lifetime_s=lifetime)

    def renewed(self, link: Link, lifetime_s: int | None = None) -> str:
        """An address that plays just what the link plays, from now on."""
        token = self.links.renew(link, lifetime_s=self.lifetime_s if lifetime_s is None else lifetime_s)
        return f"{self.play_url}/r/{token}"
