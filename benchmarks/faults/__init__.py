"""Faults of a study, after which one oracle says whether the resumed study equals the undisturbed one."""
