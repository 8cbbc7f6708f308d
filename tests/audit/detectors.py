"""Secrets of the services used here, that detect-secrets knows nothing of; it loads this file by its path."""

from __future__ import annotations

import re
from typing import Any

from detect_secrets.plugins.base import RegexBasedDetector

# Its class attributes are declared as properties.
Detector: Any = RegexBasedDetector


class AirtableTokenDetector(Detector):
    """An Airtable personal access token: https://airtable.com/developers/web/guides/personal-access-tokens"""

    secret_type = "Airtable Token"
    denylist = (re.compile(r"\bpat[A-Za-z0-9]{14}\.[0-9a-f]{64}\b"),)


class PulumiTokenDetector(Detector):
    """A Pulumi Cloud access token."""

    secret_type = "Pulumi Access Token"
    denylist = (re.compile(r"\bpul-[0-9a-f]{40}\b"),)
