"""A stack, its AWS and its LiveKit in memory, as far as rotations go; it may be killed before or within any effect.

Whatever happens is held against what must hold at every moment: every key that somebody holds works.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from infra.functions.receive import FRESH_SECONDS
from infra.functions.secret import HARD_SECONDS
from scripts.livekit_access import LiveKit
from scripts.rotate.ground import Outsider
from scripts.rotate.settings import NAMESPACE
from scripts.status.log_lines import Line

NOW = 1_795_478_400.0
OLD_LIVEKIT, NEW_LIVEKIT = "APIold", "APInew"
OLD_SECRET, NEW_SECRET = "old-secret-" + "o" * 32, "new-secret-" + "n" * 32
OLD_LINK = "old-link-key-" + "o" * 32
OLD_TOKEN, NEW_TOKEN = "patOLDOLDOLDOLD.old", "patNEWNEWNEWNEW.new"

FIRST: Mapping[str, str] = {
    "livekitUrl": "wss://practice.livekit.cloud",
    "livekitApiKey": OLD_LIVEKIT,
    "livekitApiSecret": OLD_SECRET,
    "airtableToken": OLD_TOKEN,
    "linkSigningKey": OLD_LINK,
    "recordRooms": "true",
}


class Killed(BaseException):
    """The process is no more."""


@dataclass
class Deployed:
    """What the last `up` made."""

    config: dict[str, str] = field(default_factory=dict[str, str])
    #: generation -> key id
    keys: dict[int, str] = field(default_factory=dict[int, str])

    @property
    def key(self) -> str:
        return self.keys[int(self.config.get("uploaderKeyGeneration", "1"))]


class World:
    """A Ground and its Settings. `kill_at`: the number of the effect at which it dies; `within`: half way through."""

    def __init__(self, *, kill_at: int | None = None, within: bool = False) -> None:
        self.kill_at, self.within = kill_at, within
        self.effects = 0
        self.time = NOW
        self.config = dict(FIRST)
        self.iam: dict[str, str] = {"AKIA1": "Active"}
        self.deployed = Deployed(config=dict(FIRST), keys={1: "AKIA1"})
        self.rules = {"SDR_ours": ("AKIA1", OLD_LIVEKIT)}
        self.outsiders: list[Outsider] = []
        self.running: list[tuple[str, float, str]] = []
        self.used: dict[str, float] = {}
        self.lines: list[Line] = []
        self.project_signer = OLD_LIVEKIT
        self.honoured_at: dict[str, float] = {OLD_LIVEKIT: 0.0}
        self.link_known_at: dict[str, float] = {OLD_LINK: 0.0}
        self.tokens = {OLD_TOKEN, NEW_TOKEN}
        self.said: list[str] = []
        self.differs = 0
        self.proven = True

    # -- effects

    def _effect(self, do: Callable[[], None], half: Callable[[], None] = lambda: None) -> None:
        number, self.effects = self.effects, self.effects + 1
        if number == self.kill_at:
            if self.within:
                half()
            self.kill_at = None
            self.hold()
            raise Killed
        do()
        self.hold()

    @property
    def settings(self) -> World:
        return self

    def values(self) -> Mapping[str, str]:
        return dict(self.config)

    def put(self, plain: Mapping[str, str]) -> None:
        self._effect(lambda: self.config.update(plain))

    def put_secret(self, name: str, value: str) -> None:
        self._effect(lambda: self.config.update({name: value}))

    def remove(self, *names: str) -> None:
        for name in names:
            self._effect(partial(self._drop, name))

    def _drop(self, name: str) -> None:
        self.config.pop(name, None)

    def _delete(self, key: str) -> None:
        del self.iam[key]

    def up(self) -> None:
        self._effect(self._up, half=self._make_stray)

    def _make_stray(self) -> None:
        """The engine dies right after AWS made a key, before it wrote that down."""
        if self._wanted().keys() - self.deployed.keys.keys():
            self._key()

    def _wanted(self) -> dict[int, str]:
        newest, previous = int(self.config.get("uploaderKeyGeneration", "1")), self.config.get("uploaderPreviousKey")
        kept = {"active": "Active", "inactive": "Inactive"}.get(previous or "")
        return {newest: "Active", **({newest - 1: kept} if kept else {})}

    def _key(self) -> str:
        assert len(self.iam) < 2, "AWS allows two keys"
        made = f"AKIA{self.effects + 1}"
        self.iam[made] = "Active"
        return made

    def _up(self) -> None:
        wanted = self._wanted()
        for generation, status in wanted.items():
            if generation not in self.deployed.keys:
                self.deployed.keys[generation] = self._key()
            self.iam[self.deployed.keys[generation]] = status
        for generation in set(self.deployed.keys) - set(wanted):
            del self.iam[self.deployed.keys.pop(generation)]
        self.deployed.config = {name: value for name, value in self.config.items() if not name.startswith(NAMESPACE)}
        honoured = self.honoured()
        self.honoured_at = {key: self.honoured_at.get(key, self.time) for key in honoured}
        self.link_known_at = {key: self.link_known_at.get(key, self.time) for key in self.link_keys()}

    # -- what is

    def honoured(self) -> dict[str, str]:
        config = self.deployed.config
        keys = {config["livekitApiKey"]: config["livekitApiSecret"]}
        if config.get("previousLivekitApiKey"):
            assert config["previousLivekitApiKey"] != config["livekitApiKey"], "the program refuses that"
            keys[config["previousLivekitApiKey"]] = config["previousLivekitApiSecret"]
        return keys

    def link_keys(self) -> list[str]:
        config = self.deployed.config
        return [key for key in (config.get("previousLinkSigningKey"), config["linkSigningKey"]) if key]

    def hold(self) -> None:
        """What must be so at every moment."""
        held = {key for key, _ in self.rules.values()} | {key for _, _, key in self.running} | {self.deployed.key}
        assert all(self.iam.get(key) == "Active" for key in held), f"a recording would be lost: {held} {self.iam}"
        signers = {signer for _, signer in self.rules.values()} | {self.project_signer}
        signers.add(self.deployed.config["livekitApiKey"])
        honoured = self.honoured()
        true = {OLD_LIVEKIT: OLD_SECRET, NEW_LIVEKIT: NEW_SECRET}
        assert all(honoured.get(key) == true[key] for key in signers), f"an event would be refused: {signers}"
        assert all(self.time - self.honoured_at[key] >= FRESH_SECONDS for key in signers), "not known everywhere yet"
        assert self.deployed.config["airtableToken"] in self.tokens

    def new_links_play(self) -> bool:
        """Whether every copy of `play` knows the key that signs."""
        return self.time - self.link_known_at[self.link_keys()[-1]] >= HARD_SECONDS

    # -- the rest of Ground

    def say(self, words: str) -> None:
        self.said.append(words)

    def now(self) -> float:
        return self.time

    def wait(self, seconds: float) -> None:
        self.time += seconds

    def pending(self) -> int:
        return self.differs

    def access_key_id(self) -> str:
        return self.deployed.key

    def access_keys(self) -> Sequence[str]:
        return list(self.iam)

    def remove_strays(self, known: Sequence[str]) -> None:
        for key in set(self.iam) - set(self.deployed.keys.values()) - set(known):
            self._effect(partial(self._delete, key))

    def last_used(self, key: str) -> float | None:
        return self.used.get(key)

    def probe(self) -> None:
        self._effect(lambda: None)
        assert self.iam[self.deployed.key] == "Active"

    def livekit(self) -> LiveKit | None:
        url = self.config.get("livekitUrl")
        return LiveKit(url=url, key="", secret="") if url else None

    def rules_kept(self) -> bool:
        return bool(self.rules)

    def update_rules(self) -> Sequence[Outsider]:
        wanted = (self.deployed.key, self.deployed.config["livekitApiKey"])
        for rule in self.rules:
            self._effect(partial(self.rules.update, {rule: wanted}))
        return self.outsiders

    def running_since_before(self, moment: float) -> Sequence[str] | None:
        if self.livekit() is None:
            return None
        return [egress for egress, began, _ in self.running if began < moment]

    def accepted(self, since: float) -> Sequence[Line]:
        return [line for line in self.lines if line.at >= since]


def accepted(at: float, key: str, kind: str = "room_started", name: str = "EV_1") -> Line:
    """A line of `receive`'s log."""
    fields: dict[str, Any] = {"event": "accepted", "type": kind, "id": name, "key": key}
    return Line(at=at, fields=fields)
