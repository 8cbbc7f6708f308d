"""`callrec link`: what becomes of the links to recordings."""

from __future__ import annotations

import typer

from scripts.link.audit import audit
from scripts.link.refresh import refresh
from scripts.link.revoke import revoke
from scripts.link.show import show

app = typer.Typer(help="The links to recordings: end, renew, share once, and who used them.", no_args_is_help=True)
app.command()(revoke)
app.command()(refresh)
app.command()(audit)
app.command()(show)
