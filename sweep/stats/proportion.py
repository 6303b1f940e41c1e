"""The interval of a share, and whether one share is larger than another."""

import math

Z = 1.959964  # of a normal distribution, 95 % lie within


def wilson_interval(share: float, n: int) -> tuple[float, float, float]:
    """Return a share with its 95 % interval.

    Of a share that is a mean over several values of each of the n, it is conservative.

    Source: Wilson (1927), "Probable inference, the law of succession, and statistical inference".

    Args:
        share: in [0, 1].
        n: independent observations, at least 1.
    """
    center = (share + Z**2 / (2 * n)) / (1 + Z**2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + Z**2 / (4 * n**2)) / (1 + Z**2 / n)
    return float(share), max(0.0, center - half), min(1.0, center + half)


def more_often_p(hits: tuple[int, int], sizes: tuple[int, int]) -> float:
    """Return the one-sided p of Fisher's exact test: how often chance gives the second at least so many of all hits.

    Five of five against none of five: 0.004.

    Source: Fisher (1935), "The logic of inductive inference".

    Args:
        hits: of the first and of the second.
        sizes: of the first and of the second, at least as large.
    """
    total = math.comb(sum(sizes), sum(hits))
    ways = (
        math.comb(sizes[1], count) * math.comb(sizes[0], sum(hits) - count)
        for count in range(hits[1], min(sizes[1], sum(hits)) + 1)
    )
    return sum(ways) / total
