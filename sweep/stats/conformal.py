"""Ranks of conformal intervals: which of n errors is the half width of a level.

Source: Papadopoulos, Proedrou, Vovk and Gammerman (2002), "Inductive confidence machines for regression".
"""

WHOLE_PERCENTS = range(1, 100)  # the levels of intervals


def rank_of(n: int, level: int) -> int:
    """Return the rank of the half width among n calibration errors, ceil((n + 1) level); above n there is none.

    Args:
        n: errors that are exchangeable with the next one.
        level: percent.

    Raises:
        ValueError: the level is not a whole percent from 1 to 99.
    """
    if level not in WHOLE_PERCENTS:
        raise ValueError(f"wanted a level in whole percents from 1 to 99, got {level}")
    return -(-(n + 1) * level // 100)


def starts_for(level: int) -> int:
    """Return the fewest calibration errors that give a level, in percent: 9 for 90."""
    return next(n for n in WHOLE_PERCENTS if rank_of(n, level) <= n)
