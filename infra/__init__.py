"""The Pulumi program: what `pulumi up` makes."""
