"""Imports boto3, makes the clients that BENCH_CLIENTS names, and nothing else."""

import os
from typing import Any

import boto3

library: Any = boto3
clients = [library.client(name) for name in filter(None, os.environ["BENCH_CLIENTS"].split(","))]


def handler(event: object, context: object) -> dict[str, object]:
    return {"statusCode": 200, "body": "ok"}
