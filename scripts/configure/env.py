"""`callrec env`: what your agent's `.env` needs. Exit code 0 done, 2 could not run.

The names are those of the manual guide, and those that scripts/agent/recording.py reads.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from scripts import egress_settings
from scripts.context import Context, StackOption, run_alone
from scripts.deployment import Deployment
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded

SECRETS = ("AWS_SECRET_KEY", "CALLREC_UPLOADER_EXTERNAL_ID", "LIVEKIT_API_SECRET")
# What the shell, Docker and the usual readers of `.env` all take as it stands.
PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./{}~-]*")
ASSIGNMENT = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=")

Output = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE", help="The file; - is stdout, in a pipe.")
]
Name = Annotated[str | None, typer.Option(metavar="NAME", help="Print the value of this one, e.g. for a shell.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout; holds no value but that of --name.")]


def env(
    ctx: typer.Context,
    *,
    _stack: StackOption = None,
    output: Output = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Write the lines that your agent's `.env` needs to a file that only you can read.

    Other lines of a file that is there stay as they are. Never prints secrets to a terminal, but one by its --name.
    Exit code: 0 done, 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json
    task = lambda: execute(context, output, name, as_json=as_json)  # noqa: E731
    raise typer.Exit(guarded(context, "env", task, as_json=as_json))


def execute(context: Context, output: Path | None, name: str | None, *, as_json: bool) -> int:
    """Write, or print the one."""
    to_stdout = output is not None and str(output) == "-"
    if (output is None) == (name is None):
        raise UsageError(
            "say where to: callrec env --output .env writes all lines to a file that only you can read, "
            "callrec env --name AWS_BUCKET prints one value"
        )
    if to_stdout and (as_json or sys.stdout.isatty()):
        raise UsageError("secrets would stay in your terminal, or in the document. Use: callrec env --output .env")
    found = values(context.deployment())
    if name is not None:
        return _print_one(context, found, name, as_json=as_json)
    lines = written(found)
    if output is None or to_stdout:
        typer.echo(lines, nl=False)
        return 0
    save(output, merged(_before(output), found))
    if as_json:
        print_document({"stack": context.stack, "ok": True, "file": str(output), "names": list(found)})
    else:
        typer.echo(f"wrote {', '.join(found)} to {output}, which only you can read")
    return 0


def values(deployment: Deployment) -> dict[str, str]:
    """Names and values, in the order of the guide; what the stack leaves at its default is not there.

    Raises StackError for a configuration that cannot record.
    """
    settings = egress_settings.of(deployment)
    config, chosen = deployment.config, settings.options
    everything = {
        "AWS_ACCESS_KEY": settings.access_key_id,
        "AWS_SECRET_KEY": settings.secret_access_key,
        "CALLREC_UPLOADER_ROLE_ARN": settings.role_arn,
        "CALLREC_UPLOADER_EXTERNAL_ID": settings.external_id,
        "AWS_BUCKET": settings.bucket,
        "AWS_REGION": settings.region,
        "LIVEKIT_URL": config.get("livekitUrl", ""),
        "LIVEKIT_API_KEY": config.get("livekitApiKey", ""),
        "LIVEKIT_API_SECRET": config.get("livekitApiSecret", ""),
        "CALLREC_PREFIX": chosen.prefix,
        "CALLREC_FILE_PATH": config.get("filePath", ""),
        "CALLREC_PHONE_FILE_PATH": config.get("phoneFilePath", ""),
        "CALLREC_AUDIO_BITRATE": config.get("audioBitrate", ""),
        "CALLREC_AUDIO_MIXING": config.get("audioMixing", ""),
        "CALLREC_WEBHOOK_URL": chosen.webhook_url,
        "AWS_ENDPOINT_URL_S3": chosen.endpoint,
    }
    return {name: value for name, value in everything.items() if value}


def written(found: Mapping[str, str]) -> str:
    """As lines of a `.env` file. Raises UsageError for a value that its readers would take differently."""
    return "".join(f"{name}={_quoted(name, value)}\n" for name, value in found.items())


def merged(before: str, found: Mapping[str, str]) -> str:
    """The file's text with these values: in their old places, else at its end; every other line as it was."""
    fresh = dict(zip(found, written(found).splitlines(), strict=True))
    lines: list[str] = []
    done: set[str] = set()
    for line in before.splitlines():
        named = ASSIGNMENT.match(line)
        name = None if named is None else named[1]
        if name is None or name not in fresh:
            lines.append(line)
        elif name not in done:
            lines.append(fresh[name])
            done.add(name)
    lines += [line for name, line in fresh.items() if name not in done]
    return "\n".join(lines) + "\n"


def save(path: Path, text: str) -> None:
    """Write a file that only its owner can read, whole or not at all. Raises UsageError."""
    target = path.resolve()
    try:
        descriptor, unfinished = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")  # mode 600
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text)
            Path(unfinished).replace(target)
        except BaseException:
            Path(unfinished).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"--output: {path} cannot be written: {error.strerror}") from None


def _before(path: Path) -> str:
    try:
        return path.read_text()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"--output: {path} is there and cannot be read ({type(error).__name__})") from None


def _quoted(name: str, value: str) -> str:
    if PLAIN.fullmatch(value):
        return value
    if "'" in value or "\\" in value or not value.isprintable():
        raise UsageError(f"{name} holds a quote or a backslash, which readers of .env take differently: see --name")
    return f"'{value}'"


def _print_one(context: Context, found: Mapping[str, str], name: str, *, as_json: bool) -> int:
    if name not in found:
        raise UsageError(f"--name: there is no {name}. There are: {', '.join(found)}")
    if as_json:
        document = {"stack": context.stack, "ok": True, "name": name, "value": found[name]}
        print_document(document)
    else:
        typer.echo(found[name])
    return 0


def main() -> None:
    """Run the command by itself: `python -m scripts.configure.env --stack STACK`."""
    run_alone(env)


if __name__ == "__main__":
    main()
