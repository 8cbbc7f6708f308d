"""What ships in the Lambda zip, as the package `functions`; imports no Pulumi."""
