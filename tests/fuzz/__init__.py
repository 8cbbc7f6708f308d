"""Raw bytes for what the internet, LiveKit and people with links can send us."""
