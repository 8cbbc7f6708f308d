"""For the voice agent's own process; needs no more of this project than the egress request, and livekit-api."""
