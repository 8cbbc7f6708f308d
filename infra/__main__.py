"""The whole stack, in the order a call takes: configuration, storage, uploader, playback, pipeline, outputs."""

from __future__ import annotations

import pulumi

from infra import account, config, package
from infra.credentials import Credentials
from infra.pipeline import Pipeline
from infra.playback import Playback
from infra.storage import RecordingBucket
from infra.uploader import EgressUploader


def main() -> None:
    """Declare every resource of one stack; the official CLI and the Automation API both run this function."""
    settings = config.load()
    owner = account.current()
    archive = package.build(package.Target.of(settings))

    storage = RecordingBucket("recordings", settings, owner)
    uploader = EgressUploader("uploader", settings, storage)
    credentials = Credentials("credentials", settings)
    playback = Playback("playback", settings, archive=archive, storage=storage, credentials=credentials)
    pipeline = Pipeline(
        "pipeline",
        settings,
        archive=archive,
        storage=storage,
        credentials=credentials,
        play_url=playback.url,
    )

    pulumi.export("bucket", storage.name)
    pulumi.export("region", settings.region)
    pulumi.export("recordingsPrefix", storage.prefix)
    pulumi.export("bucketSettings", storage.described())
    pulumi.export("keyArn", storage.key_arn)
    pulumi.export("uploaderUser", uploader.user)
    pulumi.export("uploaderAccessKeyId", uploader.access_key_id)
    pulumi.export("uploaderSecretAccessKey", uploader.secret_access_key)
    pulumi.export("secretArn", credentials.arn)
    pulumi.export("webhookUrl", pipeline.webhook_url)
    pulumi.export("playUrl", playback.url)
    pulumi.export("queueUrl", pipeline.queue_url)
    pulumi.export("deadLetterQueueUrl", pipeline.dead_letter_queue_url)
    pulumi.export("deliverMapping", pipeline.mapping)
    functions = (pipeline.receive, pipeline.deliver, playback.play)
    pulumi.export("functions", {function.part: function.name for function in functions})
    pulumi.export("logGroups", {function.part: function.log_group for function in functions})
    pulumi.export("settleSeconds", settings.number("settleSeconds"))
    pulumi.export("livekitUrl", settings.text("livekitUrl"))
    pulumi.export("airtable", settings.airtable)


if __name__ == "__main__":
    main()
