"""From the link in Airtable to the recording: `play`."""

from __future__ import annotations

from pathlib import Path

import pulumi

from infra import identity_policies
from infra.config import StackConfig
from infra.credentials import Credentials
from infra.function import Function, FunctionSpec
from infra.play_log import PlayLog
from infra.storage import RecordingBucket


class Playback(pulumi.ComponentResource):
    """`play` behind its address: the only way from outside to a recording, a few minutes at a time."""

    def __init__(
        self,
        name: str,
        config: StackConfig,
        *,
        archive: Path,
        storage: RecordingBucket,
        credentials: Credentials,
    ) -> None:
        super().__init__("callrec:Playback", name)
        networks = config.text("linkNetworks")
        self.play = Function(
            FunctionSpec(
                name="play",
                timeout=10,
                memory=512,
                permissions=identity_policies.play,
                grants={
                    "secret_arn": credentials.arn,
                    "bucket_arn": storage.arn,
                    "prefix": storage.prefix,
                    "key_arn": pulumi.Output.from_input(storage.key_arn),
                    "region": config.region,
                    **({"networks": [one.strip() for one in networks.split(",")]} if networks else {}),
                },
                environment={
                    "CALLREC_SECRET_ARN": credentials.arn,
                    "CALLREC_BUCKET": storage.name,
                    "CALLREC_PREFIX": storage.prefix,
                    **({"CALLREC_LINK_NETWORKS": networks} if networks else {}),
                },
            ),
            config,
            archive=archive,
            depends_on=[credentials.version],
            opts=pulumi.ResourceOptions(parent=self),
            kept_log=PlayLog("play-log", config).group,
        )
        self.url = self.play.open_to_the_internet()
        self.register_outputs({"url": self.url})
