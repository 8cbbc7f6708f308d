"""The part `webhook`: what LiveKit must be told so that its events come, and whether they do.

A Cloud project's webhooks can be set in its dashboard only. Its own and a server's settings:
https://docs.livekit.io/home/server/webhooks/
"""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from scripts.deployment import Deployment
from scripts.errors import UsageError
from scripts.livekit_access import LiveKit
from scripts.verify.probe import Probe
from scripts.verify.signing import harmless_event
from scripts.verify.webhook import Webhook

# How long a server of one's own keeps an event that it cannot deliver: 30 s and 200 events by default, which a pause of
# ours outlasts. Read in livekit/protocol webhook/resource_url_notifier.go; livekit-server 1.9.12 and newer have it,
# 1.8.4 has not, and refuses to start with a key that it does not know.
MAX_AGE, MAX_DEPTH = "30m", 2000


@dataclass(frozen=True, kw_only=True, slots=True)
class WebhookPlan:
    """`livekit` is None when the stack does not know it."""

    url: str
    key: str
    livekit: LiveKit | None

    @classmethod
    def of(cls, deployment: Deployment) -> Self:
        """Read the stack."""
        return cls(
            url=deployment.outputs.webhook_url,
            key=deployment.config.get("livekitApiKey", ""),
            livekit=LiveKit.of(deployment.config),
        )

    @property
    def block(self) -> str:
        """What goes into the configuration of a server of one's own; holds no secret."""
        return (
            "# Merge into livekit-server's configuration, and restart it.\n"
            "webhook:\n"
            f"  api_key: {self.key}\n"
            "  urls:\n"
            f"    - {self.url}\n"
            "  # livekit-server 1.9.12 and newer; an older one does not start with these three lines.\n"
            "  resource_url_notifier:\n"
            f"    max_age: {MAX_AGE}  # 30s without it: what cannot be delivered so long is lost\n"
            f"    max_depth: {MAX_DEPTH}  # 200 without it\n"
        )

    def lines(self) -> Generator[str]:
        """For people: for Cloud, for a server of one's own, or for both when it is not known which."""
        if self.livekit is None or self.livekit.is_cloud:
            yield "LiveKit Cloud: in the project's dashboard, Settings, Webhooks, create an endpoint"
            yield f"  URL          {self.url}"
            yield f"  signing key  {self.key}"
        if self.livekit is None or not self.livekit.is_cloud:
            yield "a server of your own, in its configuration:"
            yield from (f"  {line}" for line in self.block.splitlines())

    def document(self) -> dict[str, Any]:
        """For programs."""
        return {"url": self.url, "signingKey": self.key, "yaml": self.block}

    def write(self, path: Path) -> None:
        """Write the block to a file of its own.

        Raises UsageError when there is another file, or none can be made.
        """
        try:
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "w") as file:
                file.write(self.block)
        except FileExistsError:
            if not path.is_file() or path.read_text(errors="replace") != self.block:
                raise UsageError(f"--write: {path} is there already. Name a file of its own") from None
        except OSError as error:
            raise UsageError(f"--write: {path} could not be written: {error.strerror}") from None


def try_event(deployment: Deployment) -> str:
    """Send an event as LiveKit signs it, of which nothing follows; what was answered. Raises Failed."""
    probe = Probe.new(deployment.outputs.prefix)
    return Webhook.of(deployment).accepts(harmless_event(probe, datetime.now(UTC)))
