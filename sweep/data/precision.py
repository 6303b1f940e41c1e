"""The rounding of float64: differences that are not larger are not data."""

from sweep.data.types import Array

# Of the largest value: 16 times the relative precision of float64. Values of that size that are read, subtracted and
# averaged differ by one or two units in the last place; a sine at an offset of 1e14 times its size is still far above.
ROUNDING = 2.0**-48


def rounding_of(level: Array) -> Array:
    """Return the size below which differences between values of a size are rounding.

    Args:
        level: largest absolute values, >= 0.
    """
    return ROUNDING * level
