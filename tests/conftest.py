"""For all tests: a failing random test prints the line that replays it (`@reproduce_failure(...)`).

HYPOTHESIS_PROFILE=thorough tries twenty times as many examples; =unshrunk does not look for a smaller failing one.
"""

import os

from hypothesis import HealthCheck, Phase, settings

# No deadline: nothing here is judged by the clock of a shared machine.
settings.register_profile(
    "quick", max_examples=100, deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=2_000)
settings.register_profile(
    "unshrunk", settings.get_profile("quick"), phases=[Phase.explicit, Phase.reuse, Phase.generate]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
