"""Every error the functions raise on purpose, as one tree.

No text here ever holds a body, a token, a secret, a phone number or a name of a person or room: texts are logged.
"""

from __future__ import annotations

from typing import ClassVar


class CallrecError(Exception):
    """Base of all errors of the functions."""


class SettingsError(CallrecError):
    """A setting is missing or bad: says which, the rule, and the value got (settings hold no secrets)."""

    def __init__(self, name: str, rule: str, value: str | None) -> None:
        """Keep the name, so that a caller can say which command sets it."""
        got = "it is missing" if value is None else f"got {value!r}"
        super().__init__(f"{name} must be {rule}; {got}")
        self.name = name


class FaultError(CallrecError):
    """A fault of ours, by the type of its error alone: Lambda writes what is raised into the log, text and all."""


class SecretError(CallrecError):
    """The secret cannot be read, or what it holds cannot be used: a fault of ours, answered with a 5xx."""


class WebhookError(CallrecError):
    """A webhook request that is refused with `status`; `reason` is a short code for the log."""

    status: ClassVar[int] = 400

    def __init__(self, reason: str) -> None:
        """Take a code such as `expired`, never a value from the request."""
        super().__init__(reason)
        self.reason = reason


class NotLiveKitError(WebhookError):
    """The request does not prove that a LiveKit server holding one of our keys sent it."""

    status = 401

    def __init__(self, reason: str, *, maybe_rotated: bool = False) -> None:
        """`maybe_rotated`: fresher keys could change this verdict."""
        super().__init__(reason)
        self.maybe_rotated = maybe_rotated


class BadEventError(WebhookError):
    """The request is malformed, or signed by LiveKit but not a webhook event."""


class BodyTooLargeError(WebhookError):
    """The body does not fit into a queue message."""

    status = 413


class LinkError(CallrecError):
    """A play link that does not play; `outcome` names the page that says so, and stands in the audit line."""

    outcome: ClassVar[str] = "bad"


class BadLinkError(LinkError):
    """The token is not one of ours."""


class NetworkError(LinkError):
    """It was asked for from a network that recordings are not played from."""

    outcome = "network"


class ExpiredLinkError(LinkError):
    """The token was ours and its time is over."""

    outcome = "expired"


class RevokedLinkError(LinkError):
    """The recording's links up to a moment were withdrawn, or those of a signing key, and the token is one of them."""

    outcome = "revoked"


class GoneLinkError(LinkError):
    """The recording is not there any more."""

    outcome = "gone"


class ErasedLinkError(LinkError):
    """The recording was erased on purpose."""

    outcome = "erased"


class ArchivedLinkError(LinkError):
    """The recording lies in an archive class and must be restored before it plays."""

    outcome = "archived"


class ErasedError(CallrecError):
    """The recording was erased on request: nothing is to be done, now or later."""


class DeliveryError(CallrecError):
    """Why a message could not be delivered now; `reason` is a short code, also a metric dimension."""

    def __init__(self, reason: str, text: str) -> None:
        """Take a code and one sentence for the person who reads the dead-letter queue."""
        super().__init__(text)
        self.reason = reason
        self.text = text


class PermanentError(DeliveryError):
    """Trying again can never help: to the dead-letter queue at once."""


class WaitError(DeliveryError):
    """Trying again later may help; `delay` is the least number of seconds to wait, when somebody asked for one."""

    def __init__(self, reason: str, text: str, *, delay: float | None = None) -> None:
        """As DeliveryError, with the delay a service asked for (Retry-After) in seconds."""
        super().__init__(reason, text)
        self.delay = delay


class LiveKitError(CallrecError):
    """LiveKit does not tell what it knows; `reason` is a short code for the log."""

    def __init__(self, reason: str) -> None:
        """Take a code such as `livekit_refused`."""
        super().__init__(reason)
        self.reason = reason
