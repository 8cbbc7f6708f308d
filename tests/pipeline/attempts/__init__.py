"""One call of every action that some role could misuse; each is tried with the credentials of each role."""

from __future__ import annotations

from tests.pipeline.attempts.actor import Actor, Attempt, Target
from tests.pipeline.attempts.credentials import IDENTITIES, KEYS, SECRETS
from tests.pipeline.attempts.functions import FUNCTIONS, STREAM, TRACES
from tests.pipeline.attempts.queues import QUEUES
from tests.pipeline.attempts.storage import STORAGE

ATTEMPTS: dict[str, Attempt] = {**STORAGE, **QUEUES, **KEYS, **IDENTITIES, **SECRETS, **FUNCTIONS, **TRACES}

__all__ = ["ATTEMPTS", "STREAM", "Actor", "Target"]
