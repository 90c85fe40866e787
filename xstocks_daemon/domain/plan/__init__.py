"""The plan: what to do in one cycle, decided from data alone (design, section 6.2).

One function per rule. The plan never tells the program's refusals apart from its own caution: what the program would
refuse is not planned, and what it would allow is planned only where the journal explains the chain (M12).
"""

from xstocks_daemon.domain.plan.explained import unexplained
from xstocks_daemon.domain.plan.planning import plan

__all__ = ["plan", "unexplained"]
