"""The Pulumi engine: found, installed, or built from its Go module, pinned in `go.mod` beside this file."""
