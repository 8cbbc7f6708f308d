"""`callrec configure`: LiveKit made to record by itself, and made again as it was found."""
