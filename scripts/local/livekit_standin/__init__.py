"""Parts of the LiveKit stand-in; `scripts.local.livekit_server` puts them together."""
