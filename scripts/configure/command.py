"""`callrec configure`: make LiveKit record by itself, and undo it. Exit code 0 done, 1 something left, 2 could not."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from scripts import egress_settings
from scripts.configure import webhook
from scripts.configure.keeping import StackKeeper
from scripts.configure.listening import Listening
from scripts.configure.plan import Plan
from scripts.configure.rooms import RoomsPlan
from scripts.configure.sip import Sip
from scripts.configure.webhook import WebhookPlan
from scripts.context import Context, StackOption, run_alone
from scripts.dead_letters.progress import shown
from scripts.deployment import Deployment
from scripts.document import print_document
from scripts.errors import UnfinishedError, UsageError
from scripts.guarded import guarded
from scripts.livekit_access import NO_SIP, LiveKit, LiveKitError
from scripts.teardown.engine import Say
from scripts.verify.hop import Failed

DONE, LEFT = 0, 1


class Part(StrEnum):
    """What can be configured."""

    SIP = "sip"
    ROOMS = "rooms"
    WEBHOOK = "webhook"


Parts = Annotated[list[Part] | None, typer.Argument(help="sip, rooms, webhook; all that apply when none is named.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only show what is and what would be.")]
Undo = Annotated[bool, typer.Option("--undo", help="Put the dispatch rules back as they were found.")]
Rules = Annotated[list[str] | None, typer.Option("--rule", metavar="ID", help="Only this dispatch rule; repeatable.")]
Replace = Annotated[bool, typer.Option("--replace", help="Also where a rule records elsewhere already.")]
Write = Annotated[Path | None, typer.Option(metavar="FILE", help="Write the server's YAML block to a new file.")]
Wait = Annotated[int, typer.Option(min=0, max=3600, metavar="SECONDS", help="Wait for an event of LiveKit's own.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON document on stdout.")]


@dataclass(frozen=True, kw_only=True, slots=True)
class Wish:
    """What was asked for; no `parts`: all that apply."""

    parts: tuple[Part, ...] = ()
    dry: bool = False
    undo: bool = False
    rules: tuple[str, ...] = ()
    replace: bool = False
    write: Path | None = None
    wait: int = 0

    def check(self) -> None:
        """Raises UsageError for options that contradict each other."""
        for given, option, part in (
            (bool(self.rules), "--rule", Part.SIP),
            (self.replace, "--replace", Part.SIP),
            (self.write is not None, "--write", Part.WEBHOOK),
            (bool(self.wait), "--wait", Part.WEBHOOK),
        ):
            if given and self.parts and part not in self.parts:
                raise UsageError(f"{option} belongs to the part {part}: callrec configure {part} {option} …")
        if self.undo and (self.replace or self.write is not None or self.wait):
            raise UsageError("--undo goes with --rule and --dry-run only")
        if self.undo and self.parts and Part.SIP not in self.parts:
            raise UsageError(
                "--undo is for sip: `rooms` is undone by `pulumi config rm recordRooms` and `pulumi up`, `webhook` "
                "where you entered it"
            )

    def wants(self, part: Part) -> bool:
        """Whether a part is to be done."""
        return part is Part.SIP if self.undo else not self.parts or part in self.parts


def configure(
    ctx: typer.Context,
    *,
    parts: Parts = None,
    _stack: StackOption = None,
    dry_run: DryRun = False,
    undo: Undo = False,
    rule: Rules = None,
    replace_: Replace = False,
    write: Write = None,
    wait: Wait = 0,
    as_json: AsJson = False,
) -> None:
    """Make LiveKit record by itself: SIP dispatch rules, rooms made elsewhere, webhooks.

    sip: the rooms of phone calls are recorded from their first second; all else in the rules stays as it is.
    rooms: tells which rooms `deliver` begins to record, and how to change that.
    webhook: tells what to enter in LiveKit, and proves that events arrive; with --wait also LiveKit's own.
    Run it again whenever you like: only what differs is changed. What was found is kept with the stack, for --undo.
    Exit code: 0 all is so; 1 something is left as it was, or does not hold; 2 could not run.
    """
    context: Context = ctx.obj
    as_json = as_json or context.json
    wish = Wish(
        parts=tuple(parts or ()),
        dry=dry_run,
        undo=undo,
        rules=tuple(rule or ()),
        replace=replace_,
        write=write,
        wait=wait,
    )
    stopped = "interrupted. What is done is done, and can be undone: callrec configure --undo"
    task = lambda: execute(context, wish, as_json=as_json)  # noqa: E731
    raise typer.Exit(guarded(context, "configure", task, as_json=as_json, interrupted=stopped))


def execute(context: Context, wish: Wish, *, as_json: bool) -> int:
    """Plan, do, report, and say with which code to exit."""
    wish.check()
    deployment = context.deployment()
    with shown(context.console, "configure") as say:
        run = Run(deployment=deployment, wish=wish, say=say)
        plan, sip = run.plan()
        if not as_json:
            _print(plan.lines())
        elif wish.wait:  # what is waited for has to be entered first
            for line in plan.lines():
                context.console.print(line, markup=False, soft_wrap=True)
        if not wish.dry:
            plan = run.do(plan, sip)
    if as_json:
        print_document(plan.document())
    else:
        _print(plan.results())
    return DONE if plan.ok else LEFT


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """One run on a stack that is up."""

    deployment: Deployment
    wish: Wish
    say: Say

    def plan(self) -> tuple[Plan, Sip | None]:
        """Look, and change nothing."""
        plan = Plan(stack=self.deployment.stack, dry=self.wish.dry, undo=self.wish.undo)
        if self.wish.wants(Part.ROOMS):
            plan = replace(plan, rooms=RoomsPlan.of(self.deployment))
        if self.wish.wants(Part.WEBHOOK):
            plan = replace(plan, webhook=WebhookPlan.of(self.deployment))
        return self._sip(plan) if self.wish.wants(Part.SIP) else (plan, None)

    def do(self, plan: Plan, sip: Sip | None) -> Plan:
        """Do what the plan says; what became of it. What could not be done stands among its problems."""
        if sip is not None and plan.sip is not None:
            try:
                changed = (sip.detach if self.wish.undo else sip.attach)(plan.sip)
            except UnfinishedError as error:
                plan = replace(plan, problems=(*plan.problems, f"sip: {error}"))
            else:
                plan = replace(plan, changed=changed)
        return plan if plan.webhook is None else self._webhook(plan, plan.webhook)

    def _sip(self, plan: Plan) -> tuple[Plan, Sip | None]:
        asked = Part.SIP in self.wish.parts or bool(self.wish.rules) or self.wish.undo
        if not asked and LiveKit.of(self.deployment.config) is None:
            return replace(plan, notes=(*plan.notes, "sip: the stack knows no LiveKit (livekitUrl is not set)")), None
        livekit = LiveKit.required(self.deployment.stack, self.deployment.config)
        keeper = StackKeeper(engine=self.deployment.engine)
        sip = Sip(livekit=livekit, keeper=keeper, chosen=self.wish.rules, say=self.say)
        settings = egress_settings.of(self.deployment)
        self.say("reading the dispatch rules")
        try:
            changes = sip.detaching(settings) if self.wish.undo else sip.attaching(settings, oust=self.wish.replace)
        except LiveKitError as error:
            if asked or error.code != NO_SIP:
                raise
            return replace(plan, notes=(*plan.notes, "sip: this LiveKit runs without SIP")), None
        return replace(plan, sip=changes), sip

    def _webhook(self, plan: Plan, found: WebhookPlan) -> Plan:
        if self.wish.write is not None:
            found.write(self.wish.write)
        self.say("sending a signed test event")
        try:
            webhook.try_event(self.deployment)
        except Failed as failed:
            sentence = (
                f"webhook: a signed test event was answered with {failed.seen}: {failed.cause}. Try: {failed.mend}"
            )
            return replace(plan, problems=(*plan.problems, sentence))
        plan = replace(plan, tried="webhook: a signed test event was accepted")
        return self._arrival(plan, found) if self.wish.wait else plan

    def _arrival(self, plan: Plan, found: WebhookPlan) -> Plan:
        listening = Listening(
            logs=self.deployment.aws.client("logs"),
            group=self.deployment.outputs.log_groups["receive"],
            livekit=found.livekit,
            say=self.say,
        )
        kind = listening.arrived(self.wish.wait)
        if kind is not None:
            return replace(plan, arrived=f"webhook: LiveKit's own events arrive ({kind})")
        sentence = (
            f"webhook: no event of LiveKit's own came within {self.wish.wait} s. Enter the address and the key above; "
            "what `receive` refused is in its log: callrec verify"
        )
        return replace(plan, problems=(*plan.problems, sentence))


def main() -> None:
    """Run the command by itself: `python -m scripts.configure.command --stack STACK`."""
    run_alone(configure)


if __name__ == "__main__":
    main()
