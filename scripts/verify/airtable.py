"""Airtable as the functions use it: token, table, and fields of types that can hold what is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, TypeVar, cast

import requests
from pyairtable import Api
from pyairtable import formulas as f

from infra.functions.fields import MOMENT_TYPES, TEXT_TYPES, Field, Value, convert, table_fields
from infra.functions.settings import REQUIRED_ROLES
from infra.keys import FIELDS
from scripts.deployment import Deployment
from scripts.outputs import AirtableOutputs
from scripts.verify.credentials import stored
from scripts.verify.hop import Failed, Hop
from scripts.verify.probe import MARK, Probe, mend

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

T = TypeVar("T")

TOKEN = "airtable.token"  # noqa: S105 -- the id of a hop
TABLE = "airtable.table"
FIELDS_HOP = "airtable.fields"
TIMEOUT = (5, 20)
TOKEN_MEND = "pulumi config set --secret airtableToken, then: pulumi up"  # noqa: S105
# A value of each kind that deliver writes: a field is usable when its type takes it.
SAMPLES: Mapping[str, Value] = {
    "recording_url": "https://example.org/r/token",
    "egress_id": "EG_example",
    "room_id": "RM_example",
    "duration": 1.5,
    "size": 1,
    "recording_started": datetime(2026, 1, 1, tzinfo=UTC),
    "recording_ended": datetime(2026, 1, 1, tzinfo=UTC),
    "status": "Recorded",
    "recordings": ("https://example.org/r/one", "https://example.org/r/two"),
}


def hops(table: Conversations) -> list[Hop]:
    """Token, table, required fields, other fields."""
    return [
        Hop(id=TOKEN, title="Airtable token is valid", probe=table.token_is_valid),
        Hop(id=TABLE, title="Airtable table exists", probe=table.exists, needs=(TOKEN,)),
        Hop(id=FIELDS_HOP, title="required fields have usable types", probe=table.required, needs=(TABLE,)),
        Hop(id="airtable.more", title="other fields have usable types", probe=table.optional, needs=(TABLE,)),
    ]


@dataclass(kw_only=True, slots=True)
class Conversations:
    """The table, reached with the token that the functions use, the one in Secrets Manager, or with `token`."""

    place: AirtableOutputs
    secrets_manager: SecretsManagerClient = field(repr=False)
    secret_arn: str
    mend: str
    token: str = field(default="", repr=False)
    _schema: Mapping[str, Any] | None = field(default=None, repr=False)

    @classmethod
    def of(cls, deployment: Deployment) -> Conversations:
        """The stack's table."""
        return cls(
            place=deployment.outputs.airtable,
            secrets_manager=deployment.aws.client("secretsmanager"),
            secret_arn=deployment.outputs.secret_arn,
            mend=mend(deployment),
        )

    def api(self) -> Api:
        """A client; pyairtable itself waits and tries again when Airtable asks to."""
        token = self.token or str(stored(self.secrets_manager, self.secret_arn, self.mend).get("airtable_token", ""))
        return Api(token, endpoint_url=self.place.url, timeout=TIMEOUT)

    def token_is_valid(self) -> str:
        """Whether Airtable knows the token at all."""
        self._call(lambda: self.api().whoami(), "the token is not valid, or was withdrawn", TOKEN_MEND)
        return "known to Airtable"

    def exists(self) -> str:
        """Base and table, by the schema endpoint."""
        cause = "the token lacks schema.bases:read or the base, or airtableBase is wrong"
        api = self.api()
        url = api.build_url("meta", "bases", self.place.base, "tables")
        self._schema = self._call(lambda: api.get(url), cause, "pulumi config set airtableBase app…")
        if table_fields(self._schema or {}, self.place.table, {}) is None:
            names = ", ".join(sorted(str(table.get("name")) for table in (self._schema or {}).get("tables", [])))
            cause = "it was renamed, or airtableTable is wrong"
            raise Failed(
                f"no table {self.place.table!r}; there are: {names}",
                cause=cause,
                mend="pulumi config set airtableTable …",
            )
        return self.place.table

    def fields(self) -> Mapping[str, Field]:
        """Role → field, for those that the table has; after `exists`."""
        return table_fields(self._schema or {}, self.place.table, self.place.fields) or {}

    def required(self) -> str:
        """The two fields without which nothing can be delivered."""
        return self._judge(REQUIRED_ROLES)

    def optional(self) -> str:
        """The rest: what is not there is simply not written."""
        roles = [role for role in self.place.fields if role not in REQUIRED_ROLES]
        seen = self._judge([role for role in roles if role in self.fields()])
        absent = [self.place.fields[role] for role in roles if role not in self.fields()]
        parts = [seen, f"not in the table, so not written: {', '.join(absent)}" if absent else ""]
        return "; ".join(filter(None, parts))

    def create(self, probe: Probe) -> tuple[str, datetime]:
        """Add the probe conversation; its record id, and the moment Airtable made it."""
        known = self.fields()
        cells: dict[str, Any] = {known["room_name"].name: probe.room}
        if "started" in known and known["started"].type == "dateTime":
            cells[known["started"].name] = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        if "room_id" in known and known["room_id"].type in TEXT_TYPES:
            cells[known["room_id"].name] = probe.room_id
        cause = "the token lacks data.records:write, or the table wants more than a room name"
        record = self._call(lambda: self._table().create(cells), cause, TOKEN_MEND)
        return record["id"], datetime.fromisoformat(record["createdTime"])

    def link(self, record_id: str) -> str | None:
        """The recording's link in a conversation, None while it has none."""
        record = self._call(
            lambda: self._table().get(record_id), "the token lacks data.records:read, or the record is gone", TOKEN_MEND
        )
        return record["fields"].get(self.place.fields["recording_url"])

    def readable(self) -> str:
        """Whether conversations can be read; one is asked for."""
        cause = "the token lacks data.records:read"
        self._call(lambda: self._table().first(fields=[self.place.fields["room_name"]]), cause, TOKEN_MEND)
        return "conversations can be read"

    def scopes(self) -> frozenset[str] | None:
        """The token's scopes, None where Airtable does not tell."""
        told = self._call(lambda: self.api().whoami(), "the token is not valid, or was withdrawn", TOKEN_MEND)
        scopes = cast("dict[str, Any]", told).get("scopes")
        return frozenset(map(str, scopes)) if isinstance(scopes, list) else None  # pyright: ignore[reportUnknownArgumentType]

    def sweep(self) -> int:
        """Delete every probe conversation, of this run and of earlier ones; how many there were."""
        name = f.Field(self.place.fields["room_name"])
        table = self._table()
        found = table.all(formula=f.EQ(f.FIND(f"{MARK}-", name), 1), fields=[self.place.fields["room_name"]])
        table.batch_delete([record["id"] for record in found])
        return len(found)

    def _table(self) -> Any:
        return self.api().table(self.place.base, self.place.table)

    def _judge(self, roles: Any) -> str:
        known = self.fields()
        problems: list[tuple[str, str]] = []
        for role in roles:
            name = self.place.fields[role]
            if role not in known:
                problems.append((role, f"no field {name!r}"))
            elif not usable(role, known[role]):
                problems.append((role, f"{name!r} is a {known[role].type} field"))
        if problems:
            role = problems[0][0]
            cause = "it was renamed or changed in Airtable, or the configuration names another"
            seen = "; ".join(sentence for _, sentence in problems)
            raise Failed(
                f"{seen}; wanted: {wanted(role)}",
                cause=cause,
                mend=f"pulumi config set {FIELDS[role][0]} NAME, then: pulumi up",
            )
        return ", ".join(f"{self.place.fields[role]} ({known[role].type})" for role in roles)

    def _call(self, request: Callable[[], T], cause: str, mending: str) -> T:
        """One request; Airtable's texts stay out, since they may quote it."""
        try:
            return request()
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            if status == HTTPStatus.TOO_MANY_REQUESTS:
                raise Failed(
                    "429", cause="Airtable is busy with other requests of yours", mend="callrec verify"
                ) from None
            if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
                raise Failed(str(status), cause="Airtable is out of order", mend="callrec verify") from None
            raise Failed(str(status), cause=cause, mend=mending) from None


def usable(role: str, of: Field) -> bool:
    """Whether deliver can read, or write, what a role is for in a field of this type."""
    if role == "room_name":
        return of.type in TEXT_TYPES
    if role == "started":
        return of.type in MOMENT_TYPES
    return convert(SAMPLES[role], of) is not None


def wanted(role: str) -> str:
    """The types that a role can have, for a person who looks at Airtable's own menu."""
    if role == "started":
        return "date with time, or created time"
    if role in ("recording_started", "recording_ended"):
        return "date with time"
    if role in ("duration", "size"):
        return "number"
    if role == "recordings":
        return "long text"
    return "URL or text" if role == "recording_url" else "single line text"
