"""`callrec dlq` and `callrec redrive`: what could not be delivered, why, and sending it back."""
