"""`callrec hold`: S3's legal hold on one recording, set and lifted."""
