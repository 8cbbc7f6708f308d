"""`callrec rooms`: rooms that are recorded from their first second, for calls that you make."""
