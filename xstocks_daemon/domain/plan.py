"""The plan: what to do in one cycle, decided from data alone (design, section 6.2).

`plan(snapshot, custody, policy, journal) -> Plan`
"""
