"""How old the stack's keys are."""

from __future__ import annotations

import time

from scripts.deployment import Deployment
from scripts.rotate import ages
from scripts.verify.hop import Hop, Warned


def hops(deployment: Deployment) -> list[Hop]:
    """One hop."""
    title = f"no key is older than {ages.MOST_DAYS} days"
    return [Hop(id="keys.age", title=title, probe=lambda: check(deployment, time.time()))]


def check(deployment: Deployment, now: float) -> str:
    """The oldest key's age. Raises Warned."""
    found = ages.read(deployment, now)
    if old := ages.old(found):
        raise Warned("; ".join(age.words for age in old))
    oldest = max(found, key=lambda age: age.days)
    return f"the oldest, {ages.KINDS[oldest.kind]}, for {oldest.days} days"
