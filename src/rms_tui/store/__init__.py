"""MongoDB, the shared truth: the only folder that imports pymongo.

Nothing is imported here, so that `rms_tui.store` costs nothing before the first paint.
"""
