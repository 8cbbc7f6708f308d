"""What starting recordings takes besides `deliver`'s own settings and the secret."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass

from .egress import EgressOptions, EgressSettings
from .errors import SettingsError, WaitError
from .livekit_egress import Recorder
from .secret import Secrets
from .start_policy import Policy
from .starting import Starter


@dataclass(frozen=True, slots=True, kw_only=True)
class StartSettings:
    """Settings of the starts in `deliver`. `livekit_key`: the name of the API key; its secret is in the secret."""

    livekit_url: str
    livekit_key: str
    bucket: str
    region: str
    policy: Policy
    options: EgressOptions

    @classmethod
    def from_env(cls, env: Mapping[str, str] = os.environ) -> StartSettings | None:
        """Read the environment; None where CALLREC_RECORD_ROOMS is not `true`. SettingsError names what is bad."""
        if env.get("CALLREC_RECORD_ROOMS") != "true":
            return None
        return cls(
            livekit_url=_present(env, "CALLREC_LIVEKIT_URL"),
            livekit_key=_present(env, "CALLREC_LIVEKIT_KEY"),
            bucket=_present(env, "CALLREC_BUCKET"),
            region=_present(env, "AWS_REGION"),
            policy=Policy.of(env.get("CALLREC_RECORD_INCLUDE", ""), env.get("CALLREC_RECORD_EXCLUDE", "")),
            options=EgressOptions.from_env(env),
        )

    def starter(self, secrets: Secrets) -> Starter:
        """With what the secret holds; a stack whose secret is older than its functions has to wait."""
        return Starter(policy=self.policy, recorder=self._recorder(secrets))

    def _recorder(self, secrets: Secrets) -> Recorder | WaitError:
        api_secret, uploader = secrets.livekit_keys.get(self.livekit_key), secrets.uploader
        if api_secret is None or uploader is None:
            return WaitError("secret_incomplete", "the secret lacks LiveKit's key or the upload key: pulumi up")
        egress = EgressSettings(
            bucket=self.bucket,
            region=self.region,
            access_key_id=uploader.access_key_id,
            secret_access_key=uploader.secret_access_key,
            role_arn=uploader.role_arn,
            external_id=uploader.external_id,
            options=self.options,
        )
        return Recorder(url=self.livekit_url, key=self.livekit_key, secret=api_secret, egress=egress)


def _present(env: Mapping[str, str], name: str) -> str:
    value = env.get(name)
    if not value:
        raise SettingsError(name, "set where CALLREC_RECORD_ROOMS is true", value)
    return value
