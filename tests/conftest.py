"""What holds for every test."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No test asserts a time, not even how long an example takes: a busy machine is no fault.
settings.register_profile("callrec", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("callrec")
