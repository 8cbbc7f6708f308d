"""The gRPC side: the engine's requests into plain values and back. Thin; the work is in `lifecycle`."""

# ruff: noqa: N802, ARG002 - gRPC gives the methods their names and arguments

from __future__ import annotations

import hashlib
import importlib.metadata
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import grpc
from botocore.exceptions import ClientError, ParamValidationError
from google.protobuf import empty_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from . import lifecycle
from .errors import sentence_of, sentence_without_values
from .lookups import look_up
from .registry import kind_of
from .settings import ProviderSettings, check_settings, settings_of
from .values import decode, encode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .aws import Aws
    from .schema import Failure

_Answer = TypeVar("_Answer")
_Diff = provider_pb2.PropertyDiff
_DETAILS = "grpc-status-details-bin"


class AwsServicer(provider_pb2_grpc.ResourceProviderServicer):
    """Answers one engine at a time; each of its provider instances has a connection, and settings, of its own."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._settings: dict[str, ProviderSettings] = {}
        self._latest = ProviderSettings()

    # ── the plugin ────────────────────────────────────────────────────────────────────────────────────────────────

    def Attach(self, request: Any, context: Any) -> Any:
        """The engine has found us; there is nothing to tell it back."""
        return empty_pb2.Empty()

    def Handshake(self, request: Any, context: Any) -> Any:
        """Secrets come unwrapped: the engine re-attaches them where they went in."""
        return provider_pb2.ProviderHandshakeResponse(accept_secrets=False, accept_resources=False)

    def GetPluginInfo(self, request: Any, context: Any) -> Any:
        """The version is that of the installed pulumi-aws, whose types we check against."""
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi-aws"))

    def Cancel(self, request: Any, context: Any) -> Any:
        """Every operation is short: what has begun is finished, so that the state stays true."""
        return empty_pb2.Empty()

    def CheckConfig(self, request: Any, context: Any) -> Any:
        """Refuses what a local AWS cannot be."""
        failures = check_settings(decode(request.news), self._aws.region)
        return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(failures))

    def DiffConfig(self, request: Any, context: Any) -> Any:
        """Only default tags may differ, and they need no replacement."""
        same = decode(request.olds) == decode(request.news)
        changes = provider_pb2.DiffResponse.DIFF_NONE if same else provider_pb2.DiffResponse.DIFF_SOME
        return provider_pb2.DiffResponse(changes=changes)

    def Configure(self, request: Any, context: Any) -> Any:
        """Keeps the default tags for the connection that brought them."""
        self._latest = settings_of(decode(request.args))
        self._settings[context.peer()] = self._latest
        return provider_pb2.ConfigureResponse(acceptSecrets=False, supportsPreview=True)

    # ── resources ─────────────────────────────────────────────────────────────────────────────────────────────────

    def Check(self, request: Any, context: Any) -> Any:
        """Checks inputs, gives a name to what has none, adds default tags."""

        def answer() -> Any:
            tags = self._settings.get(context.peer(), self._latest).default_tags
            name = f"{request.name}-{hashlib.sha256(request.randomSeed).hexdigest()[:7]}"
            checked = lifecycle.check(
                _kind(request), self._aws, decode(request.news), old=decode(request.olds), name=name, tags=tags
            )
            if isinstance(checked, list):
                return provider_pb2.CheckResponse(inputs=request.news, failures=_failures(checked))
            return provider_pb2.CheckResponse(inputs=encode(checked))

        return _answered(context, request, answer)

    def Diff(self, request: Any, context: Any) -> Any:
        """Compares what is wanted with what is known."""

        def answer() -> Any:
            wanted, known = decode(request.news), decode(request.olds)
            found = lifecycle.diff(_kind(request), wanted, known, request.ignoreChanges)
            detailed = {prop.name: _Diff(kind=_diff_kind(prop, wanted, known)) for prop in found.props}
            return provider_pb2.DiffResponse(
                changes=provider_pb2.DiffResponse.DIFF_SOME if detailed else provider_pb2.DiffResponse.DIFF_NONE,
                diffs=sorted(detailed),
                replaces=sorted(prop.name for prop in found.props if prop.replaces),
                deleteBeforeReplace=found.delete_first,
                detailedDiff=detailed,
                hasDetailedDiff=True,
            )

        return _answered(context, request, answer)

    def Create(self, request: Any, context: Any) -> Any:
        """Makes a resource, or says what it would be."""

        def answer() -> Any:
            kind, inputs = _kind(request), decode(request.properties)
            if request.preview:
                return provider_pb2.CreateResponse(properties=encode(lifecycle.plan(kind, inputs), kind.secrets))
            identity, outputs = lifecycle.create(kind, self._aws, inputs)
            return provider_pb2.CreateResponse(id=identity, properties=encode(outputs, kind.secrets))

        return _answered(context, request, answer)

    def Read(self, request: Any, context: Any) -> Any:
        """Asks AWS; an empty id means that the resource is gone."""

        def answer() -> Any:
            kind = _kind(request)
            found = lifecycle.read(kind, self._aws, request.id, decode(request.properties), decode(request.inputs))
            if found is None:
                return provider_pb2.ReadResponse()
            outputs, inputs = (encode(props, kind.secrets & props.keys()) for props in found)
            return provider_pb2.ReadResponse(id=request.id, properties=outputs, inputs=inputs)

        return _answered(context, request, answer)

    def Update(self, request: Any, context: Any) -> Any:
        """Changes a resource, or says what it would become."""

        def answer() -> Any:
            kind, inputs, state = _kind(request), decode(request.news), decode(request.olds)
            if request.preview:
                outputs = lifecycle.plan(kind, inputs, state)
            else:
                outputs = lifecycle.update(
                    kind, self._aws, request.id, inputs, state=state, ignored=request.ignoreChanges
                )
            return provider_pb2.UpdateResponse(properties=encode(outputs, kind.secrets))

        return _answered(context, request, answer)

    def Delete(self, request: Any, context: Any) -> Any:
        """Removes a resource."""

        def answer() -> Any:
            lifecycle.delete(_kind(request), self._aws, request.id, decode(request.properties))
            return empty_pb2.Empty()

        return _answered(context, request, answer)

    def Invoke(self, request: Any, context: Any) -> Any:
        """Answers a data source."""

        def answer() -> Any:
            found = look_up(self._aws, request.tok, decode(request.args))
            if isinstance(found, list):
                return provider_pb2.InvokeResponse(failures=_failures(found))
            answered: dict[str, Any] = {"return": encode(found)}  # a keyword of Python
            return provider_pb2.InvokeResponse(**answered)

        return _answered(context, request, answer)


def _kind(request: Any) -> Any:
    return kind_of(request.type)


def _answered(context: Any, request: Any, answer: Callable[[], _Answer]) -> _Answer:
    """Returns the answer; what fails on purpose becomes a gRPC error of one sentence, without a traceback."""
    try:
        return answer()
    except lifecycle.HalfCreatedError as error:
        _attach_created(context, request, error)
        _abort(context, error.cause)
    except lifecycle.AWS_FAILURES as error:
        _abort(context, error)


def _abort(context: Any, error: Exception) -> NoReturn:
    context.abort(grpc.StatusCode.UNKNOWN, _sentence(error))  # raises
    raise error


def _sentence(error: Exception) -> str:
    if isinstance(error, ClientError):
        return sentence_of(error)
    return sentence_without_values(error) if isinstance(error, ParamValidationError) else str(error)


def _attach_created(context: Any, request: Any, error: lifecycle.HalfCreatedError) -> None:
    """Tells the engine the id with the error, by the detail that it looks for, so that nothing is orphaned."""
    kind = _kind(request)
    sentence = _sentence(error.cause)
    detail = provider_pb2.ErrorResourceInitFailed(
        id=error.identity,
        properties=encode(error.outputs, kind.secrets & error.outputs.keys()),
        reasons=[sentence],
    )
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=sentence)
    status.details.add().Pack(detail)
    context.set_trailing_metadata(((_DETAILS, status.SerializeToString()),))


def _failures(failures: Iterable[Failure]) -> list[Any]:
    return [provider_pb2.CheckFailure(property=failure.path, reason=failure.reason) for failure in failures]


def _diff_kind(prop: Any, wanted: dict[str, Any], known: dict[str, Any]) -> Any:
    if prop.name not in known:
        return _Diff.ADD_REPLACE if prop.replaces else _Diff.ADD
    if prop.name not in wanted:
        return _Diff.DELETE_REPLACE if prop.replaces else _Diff.DELETE
    return _Diff.UPDATE_REPLACE if prop.replaces else _Diff.UPDATE
