"""Refusals as api.airtable.com words them.

Two shapes exist: `{"error": {"type", "message"}}`, and for a path that leads nowhere the bare `{"error": "NOT_FOUND"}`.
Source: https://airtable.com/developers/web/api/errors
"""

from __future__ import annotations

from .json_value import Json

RATE_LIMITED = 429
UNPROCESSABLE = 422


class AirtableRefusal(Exception):  # noqa: N818 - it is an answer to the client, not a fault of ours
    """An answer other than success: HTTP status, Airtable's error type and message (None: the bare shape)."""

    def __init__(self, status: int, kind: str, message: str | None) -> None:
        super().__init__(f"{status} {kind}: {message}")
        self.status = status
        self.kind = kind
        self.message = message

    @property
    def body(self) -> dict[str, Json]:
        """The JSON that goes to the client."""
        if self.message is None:
            return {"error": self.kind}
        return {"error": {"type": self.kind, "message": self.message}}


class FormulaRefusal(AirtableRefusal):
    """422 for a filter formula that Airtable would refuse, or that this stand-in cannot answer truly."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            UNPROCESSABLE, "INVALID_FILTER_BY_FORMULA", f"The formula for filtering records is invalid: {reason}"
        )


def not_found() -> AirtableRefusal:
    """404 for a path or record that is not there."""
    return AirtableRefusal(404, "NOT_FOUND", None)


def authentication_required() -> AirtableRefusal:
    """401, the same for a missing and for a wrong token."""
    return AirtableRefusal(401, "AUTHENTICATION_REQUIRED", "Authentication required")


def no_permission_or_model() -> AirtableRefusal:
    """403, one answer on purpose for a missing scope, a base not granted and a base or table that does not exist."""
    return AirtableRefusal(
        403,
        "INVALID_PERMISSIONS_OR_MODEL_NOT_FOUND",
        "Invalid permissions, or the requested model was not found. Check that both your user and your token have "
        "the required permissions, and that the model names and/or ids are correct.",
    )


def rate_limited() -> AirtableRefusal:
    """429; Airtable documents no Retry-After header, so none is sent."""
    return AirtableRefusal(RATE_LIMITED, "RATE_LIMIT_REACHED", "Rate limit exceeded. Please try again later")


def unreadable_body() -> AirtableRefusal:
    """400 for a body that is not JSON."""
    return AirtableRefusal(400, "INVALID_REQUEST_BODY", "Could not parse request body")


def invalid_request(why: str = "parameter validation failed. Check your request data.") -> AirtableRefusal:
    """422 for a parameter that is unknown, misplaced or out of range."""
    return AirtableRefusal(UNPROCESSABLE, "INVALID_REQUEST_UNKNOWN", f"Invalid request: {why}")


def missing_fields() -> AirtableRefusal:
    """422 for a write without its `fields` object."""
    return AirtableRefusal(
        UNPROCESSABLE, "INVALID_REQUEST_MISSING_FIELDS", 'Could not find field "fields" in the request body'
    )


def invalid_records(shape: str) -> AirtableRefusal:
    """422 for a batch that is empty, over ten, or of the wrong shape."""
    return AirtableRefusal(UNPROCESSABLE, "INVALID_RECORDS", f"You must provide an array of up to 10 {shape}.")


def same_record_twice() -> AirtableRefusal:
    """422 for a batch that names one record more than once."""
    message = "You cannot update the same record multiple times in a single request."
    return AirtableRefusal(UNPROCESSABLE, "INVALID_RECORDS", message)


def row_does_not_exist(record_id: str) -> AirtableRefusal:
    """422 for a batch that names a record which the table does not have."""
    return AirtableRefusal(UNPROCESSABLE, "ROW_DOES_NOT_EXIST", f"Record ID {record_id} does not exist")


def unknown_field(name: str) -> AirtableRefusal:
    """422 for a field that the table does not have."""
    return AirtableRefusal(UNPROCESSABLE, "UNKNOWN_FIELD_NAME", f'Unknown field name: "{name}"')


def bad_value(name: str) -> AirtableRefusal:
    """422 for a value of the wrong type; like Airtable, it does not repeat the value."""
    message = f'Field "{name}" cannot accept the provided value'
    return AirtableRefusal(UNPROCESSABLE, "INVALID_VALUE_FOR_COLUMN", message)


def computed_field(name: str) -> AirtableRefusal:
    """422 for a write to a field that Airtable computes."""
    message = f'Field "{name}" cannot accept a value because the field is computed'
    return AirtableRefusal(UNPROCESSABLE, "INVALID_VALUE_FOR_COLUMN", message)


def unknown_choice(choice: str) -> AirtableRefusal:
    """422 for a select option that does not exist, when typecast does not allow making it."""
    message = f'Insufficient permissions to create new select option ""{choice}""'
    return AirtableRefusal(UNPROCESSABLE, "INVALID_MULTIPLE_CHOICE_OPTIONS", message)


def bad_offset(offset: str) -> AirtableRefusal:
    """422 for an offset that was never given out."""
    return AirtableRefusal(UNPROCESSABLE, "INVALID_OFFSET_VALUE", f"The value of offset {offset} is invalid")


def iterator_gone() -> AirtableRefusal:
    """422 for an offset whose listing Airtable has forgotten; the client starts over."""
    return AirtableRefusal(
        UNPROCESSABLE,
        "LIST_RECORDS_ITERATOR_NOT_AVAILABLE",
        "The list records iterator is no longer available. Restart pagination without an offset.",
    )
