"""Everything this package raises on purpose; `ProviderError` is the root."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from botocore.exceptions import ClientError, ParamValidationError


class ProviderError(Exception):
    """The stand-in cannot do what it was asked; the message is one sentence for the person at the terminal."""


class UnknownTypeError(ProviderError):
    """A resource type the stand-in does not map; names it."""

    def __init__(self, token: str) -> None:
        super().__init__(f"the local stand-in for pulumi-aws has no resource type {token}")


class UnknownFunctionError(ProviderError):
    """A data source (invoke) the stand-in does not map; names it."""

    def __init__(self, token: str) -> None:
        super().__init__(f"the local stand-in for pulumi-aws has no function {token}")


class NotConfiguredError(ProviderError):
    """A resource operation came before Configure."""


class ImportIdError(ProviderError):
    """An id of the wrong form was given to import or read a resource."""


class NotSettledError(ProviderError):
    """AWS did not finish a change within the time we wait for it."""


def sentence_of(error: ClientError) -> str:
    """Returns operation, code and message of what AWS refused."""
    details = error.response.get("Error", {})
    return f"{error.operation_name}: {details.get('Code', '?')}: {details.get('Message', '')}".rstrip(": ")


def sentence_without_values(error: ParamValidationError) -> str:
    """Returns which parameters boto3 refused, without what they were: they may be secrets."""
    return re.sub(r",? value: .*", "", str(error))
