"""What the functions ask of AWS while they are measured, answered at once on loopback: the secret, object versions."""

from __future__ import annotations

import json
import threading
from typing import Self
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from infra.functions.erasures import PREFIX
from scripts.local.http_front import Call, HttpFront, Reply

_VERSIONS = """<?xml version="1.0" encoding="UTF-8"?>
<ListVersionsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>recordings</Name><Prefix>{key}</Prefix>
<MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{version}</ListVersionsResult>"""
_VERSION = """<Version><Key>{key}</Key><VersionId>v1</VersionId><IsLatest>true</IsLatest>
<LastModified>{modified}</LastModified><ETag>"x"</ETag><Size>{size}</Size><StorageClass>STANDARD</StorageClass></Version>"""


class AwsStub:
    """Every key has one version of `size` bytes, written at `modified` (ISO 8601); nothing was erased.

    A `with` block serves it.
    """

    def __init__(self, *, secret: str, size: int = 100, modified: str = "2026-11-24T00:00:48.000Z") -> None:
        """`secret`: what Secrets Manager answers to any ARN."""
        self._secret, self._size, self._modified = secret, size, modified
        self._front = HttpFront("AWS", 0, self._reply)
        self._thread = threading.Thread(target=self._front.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    @property
    def environment(self) -> dict[str, str]:
        """What makes boto3 ask here."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._front.port}",
            "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def _reply(self, call: Call) -> Reply:
        if call.headers.get("x-amz-target") == "secretsmanager.GetSecretValue":
            secret = {"ARN": "arn:x", "Name": "x", "VersionId": "v", "SecretString": self._secret}
            return Reply(status=200, content_type="application/x-amz-json-1.1", body=json.dumps(secret).encode())
        query = parse_qs(urlsplit(call.target).query, keep_blank_values=True)
        if call.method == "GET" and "versions" in query:
            key = escape(query["prefix"][0])
            there = _VERSION.format(key=key, size=self._size, modified=self._modified)
            text = _VERSIONS.format(key=key, version="" if key.startswith(PREFIX) else there)
            return Reply(status=200, content_type="application/xml", body=text.encode())
        return Reply(status=400, content_type="application/json", body=b'{"__type":"UnknownOperationException"}')

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._front.close()
        self._thread.join()
