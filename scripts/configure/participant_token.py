"""`callrec check-token`: may this token be given to a client? Exit code 0 yes, 1 no, 2 could not run.

A participant's token can start an egress, and then holds the upload key in clear for whoever holds the token.
"""

from __future__ import annotations

import getpass
import sys
from collections.abc import Mapping
from typing import Annotated, Any, cast

import jwt
import typer

from scripts.context import Context, run_alone
from scripts.document import print_document
from scripts.errors import UsageError
from scripts.guarded import guarded

FINE, REFUSED = 0, 1
WHY = (
    "this token starts an egress (roomConfig.egress), and so holds the key that uploads recordings: whoever is given "
    "it can read the key and store what they like. Take the egress out, and let callrec start it: "
    "callrec configure sip, callrec rooms create, or recordRooms"
)

AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


def check_token(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Say whether a participant's token, read from stdin, may be given to a client.

    It is refused when it starts an egress, since it then holds the upload key. Its signature is not looked at.
    Exit code: 0 it may, 1 it must not, 2 it is no token.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json
    raise typer.Exit(guarded(context, "check-token", lambda: _execute(as_json=as_json), as_json=as_json))


def _execute(*, as_json: bool) -> int:
    text = getpass.getpass("token: ") if sys.stdin.isatty() else sys.stdin.read()
    reason = refusal(text)
    if as_json:
        print_document({"ok": reason is None, "reason": reason})
    else:
        typer.echo("this token starts no egress" if reason is None else f"refused: {reason}")
    return FINE if reason is None else REFUSED


def refusal(token: str) -> str | None:
    """Why a token must not be given to a client; None when it may. Raises UsageError when it is none.

    LiveKit's own reader takes the claim `roomConfig` in capital and small letters alike.
    """
    try:
        claims: Any = jwt.decode(token.strip().removeprefix("Bearer "), options={"verify_signature": False})
    except jwt.PyJWTError as error:
        raise UsageError(
            f"this is no token ({type(error).__name__}). Give it on stdin: callrec check-token < FILE"
        ) from None
    configs = [value for name, value in claims.items() if name.lower().replace("_", "") == "roomconfig"]
    starts = any(isinstance(config, Mapping) and cast("Mapping[str, Any]", config).get("egress") for config in configs)
    return WHY if starts else None


def main() -> None:
    """Run the command by itself: `python -m scripts.configure.participant_token < FILE`."""
    run_alone(check_token)


if __name__ == "__main__":
    main()
