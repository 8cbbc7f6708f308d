"""The functions' AWS clients: the same as boto3 makes, of the three services they speak to."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import boto3
import pytest

from infra.functions import aws

FUNCTIONS = Path(aws.__file__).parent


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "ca-central-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    aws.default_session.cache_clear()
    yield
    aws.default_session.cache_clear()


@pytest.mark.parametrize("service", aws.SERVICES)
def test_a_client_is_the_one_boto3_makes(service: str) -> None:
    settings = aws.config(connect=1, read=2.5, attempts=3, signature_version="v4")
    session: Any = boto3.Session()
    ours, theirs = aws.client(service, settings), session.client(service, config=settings)
    assert ours.meta.endpoint_url == theirs.meta.endpoint_url
    assert ours.meta.region_name == "ca-central-1"
    assert ours.meta.service_model.api_version == theirs.meta.service_model.api_version
    assert ours.meta.service_model.operation_names == theirs.meta.service_model.operation_names
    for name in ("connect_timeout", "read_timeout", "retries", "signature_version"):
        assert getattr(ours.meta.config, name) == getattr(theirs.meta.config, name)
    assert (ours.meta.config.connect_timeout, ours.meta.config.read_timeout) == (1, 2.5)
    assert ours.meta.config.retries["total_max_attempts"] == 3


def test_clients_of_one_process_share_its_credentials() -> None:
    clients = [aws.client(service, aws.config(connect=1, read=1, attempts=1)) for service in aws.SERVICES]
    assert len({id(one._request_signer._credentials) for one in clients}) == 1


def test_every_service_the_functions_name_is_known() -> None:
    named = {
        call.args[0].value
        for path in FUNCTIONS.glob("*.py")
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and ast.unparse(call.func) == "aws.client"
        and isinstance(call.args[0], ast.Constant)
    }
    assert named == set(aws.SERVICES)
