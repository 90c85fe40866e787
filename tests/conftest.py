"""For all tests: a failing random test prints the line that replays it (`@reproduce_failure(...)`).

HYPOTHESIS_PROFILE=thorough tries twenty times as many examples.
"""

import os

from hypothesis import HealthCheck, settings

# No deadline: nothing here is judged by the clock of a shared machine.
settings.register_profile(
    "quick", max_examples=100, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=2_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
