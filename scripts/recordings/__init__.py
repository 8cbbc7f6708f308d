"""Recordings as the practice knows them: which conversations link to one, and where its bytes are."""
