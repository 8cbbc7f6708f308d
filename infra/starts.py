"""What `deliver` must know to start recordings: which rooms, by which LiveKit, and how."""

from __future__ import annotations

import pulumi

from infra.config import StackConfig


def environment(config: StackConfig, webhook_url: pulumi.Output[str]) -> dict[str, pulumi.Input[str]]:
    """What `StartSettings.from_env` reads; nothing when this stack starts no recordings. The keys are in the secret."""
    if not config.flag("recordRooms"):
        return {}
    chosen = {
        "CALLREC_RECORD_ROOMS": "true",
        "CALLREC_LIVEKIT_URL": config.text("livekitUrl"),
        "CALLREC_LIVEKIT_KEY": config.text("livekitApiKey"),
        "CALLREC_RECORD_INCLUDE": config.text("recordInclude"),
        "CALLREC_RECORD_EXCLUDE": config.text("recordExclude"),
        "CALLREC_FILE_PATH": config.text("filePath"),
        "CALLREC_PHONE_FILE_PATH": config.text("phoneFilePath"),
        "CALLREC_AUDIO_BITRATE": config.text("audioBitrate"),
        "CALLREC_AUDIO_MIXING": config.text("audioMixing"),
    }
    return {**{name: value for name, value in chosen.items() if value}, "CALLREC_WEBHOOK_URL": webhook_url}
