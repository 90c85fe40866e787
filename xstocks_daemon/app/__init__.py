"""The daemon at work: settings, the cycle, attempts, supervision, what is shown. Begin with `cycle.py`."""
