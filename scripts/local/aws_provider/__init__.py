"""A stand-in for the pulumi-aws plugin, for the local stack and for tests only.

The real Pulumi engine attaches to it by `PULUMI_DEBUG_PROVIDERS=aws:PORT`. It maps just the resource types that
our program uses to boto3, refuses every other type and property by name, and checks inputs against pulumi-aws's own
Python types. It is never used with a real AWS account: there the real plugin runs.
"""

from __future__ import annotations

from .errors import ProviderError
from .server import serve
from .target import AwsTarget

__all__ = ["AwsTarget", "ProviderError", "serve"]
