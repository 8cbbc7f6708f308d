"""Whether a stack's recordings are under a legal hold."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def under_hold(config: Mapping[str, str], deployed: Mapping[str, Any]) -> bool:
    """Whether the configuration, or the stack as it was last made, says so: either of them is enough.

    `config` has keys without their namespace; `deployed` is the output `bucketSettings`, empty where there is none. A
    value that `pulumi up` has not judged yet counts as a hold unless it says false.
    """
    return config.get("legalHold", "") not in ("", "false") or deployed.get("legalHold") not in (None, False)
