"""The Web API itself: a request in, an answer out, no sockets.

The order of checks: path (404), token (401), rate limit (429), scope and base (403), table (403),
then the request itself (422).
"""

from __future__ import annotations

from . import errors, writing
from .access import Scope, Token, Tokens
from .exchange import Answer, Kind, Request, ok, refused
from .json_value import Json
from .list_query import from_json, from_query
from .listing import Listings
from .rate_limit import RateLimit
from .routes import Route, route_of
from .store import Store
from .table import Table
from .write_body import create_body, record_body, update_body

LONGEST_TARGET = 16_000
_SCOPES = {
    Kind.LIST: Scope.READ,
    Kind.GET: Scope.READ,
    Kind.CREATE: Scope.WRITE,
    Kind.UPDATE: Scope.WRITE,
    Kind.DELETE: Scope.WRITE,
    Kind.SCHEMA: Scope.SCHEMA,
    Kind.BASES: Scope.SCHEMA,
}


class AirtableApi:
    """The stand-in's behaviour over a store; one request at a time holds the store's lock."""

    def __init__(self, *, store: Store, tokens: Tokens, rate_limit: RateLimit) -> None:
        self._store = store
        self._tokens = tokens
        self._rate_limit = rate_limit
        self.listings = Listings(now=store.now)

    def answer(self, request: Request) -> Answer:
        """The answer to any request; refusals are answers too."""
        try:
            with self._store.lock:
                return ok(self._answered(request))
        except errors.AirtableRefusal as refusal:
            return refused(refusal)

    def _answered(self, request: Request) -> dict[str, Json]:
        route = route_of(request.method, request.segments)
        if route.kind is Kind.OTHER:
            raise errors.not_found()
        if len(request.target) > LONGEST_TARGET:
            raise errors.AirtableRefusal(414, "REQUEST_URI_TOO_LONG", "The URL is longer than 16,000 characters")
        token = self._tokens.of_header(request.headers.get("authorization", ""))
        self._rate_limit.admit(owner=token.user_id, base_id=route.base_id)
        if route.base_id is None:
            return self._about_token(route.kind, token)
        base = self._store.base(route.base_id)
        token.require(_SCOPES[route.kind], base.id)
        if route.table is None:
            visible = ("include", "visibleFieldIds") in request.query
            return {"tables": [table.schema(visible_fields=visible) for table in base.tables]}
        return self._on_table(request, route, base.table(route.table))

    def _about_token(self, kind: Kind, token: Token) -> dict[str, Json]:
        if kind is Kind.WHOAMI:
            return {"id": token.user_id}
        token.require(_SCOPES[kind])
        seen = (base for base in self._store.bases.values() if base.id in token.bases)
        return {"bases": [{"id": base.id, "name": base.name, "permissionLevel": "create"} for base in seen]}

    def _on_table(self, request: Request, route: Route, table: Table) -> dict[str, Json]:
        match route.kind:
            case Kind.LIST:
                posted = request.method == "POST"
                return self.listings.page(
                    table, from_json(request.json_object()) if posted else from_query(request.query)
                )
            case Kind.GET:
                return self._one(request, table, route.record_id or "")
            case Kind.CREATE:
                return writing.create(table, create_body(request.json_object()), self._store.now())
            case Kind.UPDATE:
                body = request.json_object()
                wanted = record_body(body, route.record_id) if route.record_id else update_body(body)
                return writing.update(table, wanted, self._store.now(), replacing=request.method == "PUT")
            case _:
                named = [value for key, value in request.query if key in ("records[]", "records")]
                return writing.delete(
                    table, [route.record_id] if route.record_id else named, single=bool(route.record_id)
                )

    def _one(self, request: Request, table: Table, record_id: str) -> dict[str, Json]:
        query = from_query(request.query)  # the same parameters, of which only these two mean something here
        return table.show(writing.existing(table, record_id), by_id=query.by_id)
