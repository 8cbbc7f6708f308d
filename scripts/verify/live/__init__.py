"""`callrec verify --live`: one real call through a real LiveKit, recorded, delivered, played and listened to."""
