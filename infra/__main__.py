"""The whole stack, in the order a call takes: storage, uploader, playback, pipeline, and what finds the lost ones."""

from __future__ import annotations

import pulumi

from infra import account, config, package
from infra.alarms import Alarms
from infra.credentials import Credentials
from infra.dashboard import Dashboard
from infra.pipeline import Pipeline
from infra.playback import Playback
from infra.reconcile import Reconcile
from infra.storage import RecordingBucket
from infra.uploader import EgressUploader
from infra.watched import Watched


def main() -> None:
    """Declare every resource of one stack; the official CLI and the Automation API both run this function."""
    settings = config.load()
    owner = account.current()
    archive = package.build(package.Target.of(settings))

    storage = RecordingBucket("recordings", settings, owner)
    uploader = EgressUploader("uploader", settings, storage)
    credentials = Credentials("credentials", settings, uploader)
    playback = Playback("playback", settings, archive=archive, storage=storage, credentials=credentials)
    pipeline = Pipeline(
        "pipeline",
        settings,
        archive=archive,
        storage=storage,
        credentials=credentials,
        play_url=playback.url,
    )
    reconcile = Reconcile(
        "reconcile",
        settings,
        archive=archive,
        storage=storage,
        credentials=credentials,
        pipeline=pipeline,
        account=owner,
    )
    functions = (pipeline.receive, pipeline.deliver, playback.play, reconcile.reconcile)
    watched = Watched(
        stack=settings.stack,
        functions={function.part: function.name for function in functions},
        queue=pipeline.queue_name,
        dead_letters=pipeline.dead_letters_name,
        reconcile_minutes=settings.number("reconcileMinutes"),
        settle_seconds=settings.number("settleSeconds"),
    )
    alarms = Alarms("alarms", settings, watched=watched, account=owner)
    dashboard = Dashboard("dashboard", settings, watched=watched, alarms=alarms, account=owner)

    pulumi.export("bucket", storage.name)
    pulumi.export("region", settings.region)
    pulumi.export("recordingsPrefix", storage.prefix)
    pulumi.export("bucketSettings", storage.described())
    pulumi.export("keyArn", storage.key_arn)
    pulumi.export("uploaderUser", uploader.user)
    pulumi.export("uploaderAccessKeyId", uploader.access_key_id)
    pulumi.export("uploaderSecretAccessKey", uploader.secret_access_key)
    pulumi.export("uploaderRoleArn", uploader.role_arn)
    pulumi.export("secretArn", credentials.arn)
    pulumi.export("webhookUrl", pipeline.webhook_url)
    pulumi.export("playUrl", playback.url)
    pulumi.export("queueUrl", pipeline.queue_url)
    pulumi.export("deadLetterQueueUrl", pipeline.dead_letter_queue_url)
    pulumi.export("deliverMapping", pipeline.mapping)
    pulumi.export("arrivalsQueueUrl", reconcile.arrivals_url)
    pulumi.export("functions", {function.part: function.name for function in functions})
    pulumi.export("logGroups", {function.part: function.log_group for function in functions})
    pulumi.export("alarmTopicArn", alarms.topic_arn)
    pulumi.export("alarms", alarms.names)
    pulumi.export("dashboard", dashboard.name)
    pulumi.export("dashboardUrl", dashboard.url)
    pulumi.export("reconcileMinutes", settings.number("reconcileMinutes"))
    pulumi.export("settleSeconds", settings.number("settleSeconds"))
    pulumi.export("livekitUrl", settings.text("livekitUrl"))
    pulumi.export("airtable", settings.airtable)


if __name__ == "__main__":
    main()
