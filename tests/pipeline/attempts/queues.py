"""What could be done to the queues, and to the letters in them."""

from __future__ import annotations

from tests.pipeline.attempts.actor import Attempt, sqs

MESSAGE = {"MessageBody": "{}", "MessageGroupId": "g", "MessageDeduplicationId": "d"}
# No message has these handles: who may, is told so for each, and nothing is changed.
NO_MESSAGE = [{"Id": "0", "ReceiptHandle": "none"}]
HIDE_NO_MESSAGE = [{"Id": "0", "ReceiptHandle": "none", "VisibilityTimeout": 0}]
SHORTER = {"VisibilityTimeout": "0"}

QUEUES: dict[str, Attempt] = {
    "sqs:SendMessage": sqs("send_message", "queue", **MESSAGE),
    "sqs:SendMessage dlq": sqs("send_message", "dlq", **MESSAGE),
    "sqs:SendMessage arrivals": sqs("send_message", "arrivals", MessageBody="{}"),
    "sqs:ReceiveMessage": sqs("receive_message", "queue"),
    "sqs:ReceiveMessage dlq": sqs("receive_message", "dlq"),
    "sqs:ReceiveMessage arrivals": sqs("receive_message", "arrivals", VisibilityTimeout=0),
    "sqs:DeleteMessageBatch": sqs("delete_message_batch", "queue", Entries=NO_MESSAGE),
    "sqs:DeleteMessageBatch dlq": sqs("delete_message_batch", "dlq", Entries=NO_MESSAGE),
    "sqs:DeleteMessageBatch arrivals": sqs("delete_message_batch", "arrivals", Entries=NO_MESSAGE),
    "sqs:ChangeMessageVisibilityBatch": sqs("change_message_visibility_batch", "queue", Entries=HIDE_NO_MESSAGE),
    "sqs:ChangeMessageVisibilityBatch dlq": sqs("change_message_visibility_batch", "dlq", Entries=HIDE_NO_MESSAGE),
    "sqs:ChangeMessageVisibilityBatch arrivals": sqs(
        "change_message_visibility_batch", "arrivals", Entries=HIDE_NO_MESSAGE
    ),
    "sqs:GetQueueAttributes": sqs("get_queue_attributes", "queue", AttributeNames=["QueueArn"]),
    "sqs:GetQueueAttributes dlq": sqs("get_queue_attributes", "dlq", AttributeNames=["QueueArn"]),
    "sqs:GetQueueAttributes arrivals": sqs("get_queue_attributes", "arrivals", AttributeNames=["QueueArn"]),
    "sqs:SetQueueAttributes": sqs("set_queue_attributes", "queue", Attributes=SHORTER),
    "sqs:SetQueueAttributes dlq": sqs("set_queue_attributes", "dlq", Attributes=SHORTER),
    "sqs:SetQueueAttributes arrivals": sqs("set_queue_attributes", "arrivals", Attributes=SHORTER),
    "sqs:AddPermission": sqs(
        "add_permission", "dlq", Label="attempt", AWSAccountIds=["123456789012"], Actions=["ReceiveMessage"]
    ),
    "sqs:PurgeQueue": sqs("purge_queue", "queue"),
    "sqs:PurgeQueue dlq": sqs("purge_queue", "dlq"),
    "sqs:PurgeQueue arrivals": sqs("purge_queue", "arrivals"),
    "sqs:DeleteQueue": sqs("delete_queue", "queue"),
    "sqs:DeleteQueue dlq": sqs("delete_queue", "dlq"),
    "sqs:DeleteQueue arrivals": sqs("delete_queue", "arrivals"),
}
