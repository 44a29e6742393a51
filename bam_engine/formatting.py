"""The format of counts, percentages, scores, intervals and durations.

Messages, the command line, reports and pages all use it, so that a figure reads the same everywhere.
Proportions (precision, recall, agreement, probabilities) are percentages; scores and statistics without a unit (average
precision, kappa, alpha) are decimals with two places.
"""

import math

MINUS = "\N{MINUS SIGN}"
NOTHING = "–"
"""Shown in place of a missing value."""


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Return a count with its noun, singular or plural.

    Examples
    --------
    >>> count(1, "image"), count(2000, "image"), count(0, "class", "classes")
    ('1 image', '2,000 images', '0 classes')
    """
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def percent(proportion: float) -> str:
    """Return a proportion in [0, 1] as a percentage with at most one decimal; nan as a dash.

    A proportion strictly between 0 and 1 is never shown as 0% or 100%.

    Examples
    --------
    >>> percent(0.9), percent(0.9712), percent(0.0002), percent(0.9999), percent(1.0)
    ('90%', '97.1%', '<0.1%', '>99.9%', '100%')
    """
    if math.isnan(proportion):
        return NOTHING
    if 0 < proportion < 0.0005:
        return "<0.1%"
    if 0.9995 <= proportion < 1:
        return ">99.9%"
    return f"{100 * proportion:.1f}".removesuffix(".0") + "%"


def percent_at_least(proportion: float) -> str:
    """Return a lower limit or a confidence as a percentage, rounded down so that it is never overstated.

    Examples
    --------
    >>> percent_at_least(0.8997), percent_at_least(0.9), percent_at_least(0.9975)
    ('89.9%', '90%', '99.7%')
    """
    if math.isnan(proportion):
        return NOTHING
    return percent(math.floor(1000 * proportion + 1e-9) / 1000)


def percent_at_most(proportion: float) -> str:
    """Return an upper limit as a percentage, rounded up so that it is never understated.

    Examples
    --------
    >>> percent_at_most(0.8992), percent_at_most(0.9), percent_at_most(0.9996)
    ('90%', '90%', '100%')
    """
    if math.isnan(proportion):
        return NOTHING
    return percent(min(1.0, math.ceil(1000 * proportion - 1e-9) / 1000))


def percent_interval(value: float, low: float, high: float) -> str:
    """Return a proportion with its interval.

    Examples
    --------
    >>> percent_interval(0.97, 0.83, 1.0)
    '97% (83–100%)'
    """
    if math.isnan(value):
        return NOTHING
    return f"{percent(value)} ({percent_range(low, high)})"


def percent_range(low: float, high: float) -> str:
    """Return the limits of an interval of proportions, rounded outwards; it is exact where they are the same.

    Its lower limit reads as :func:`percent_at_least` writes it.

    Examples
    --------
    >>> percent_range(0.83, 1.0), percent_range(0.8299, 0.9001), percent_range(0.83, 0.83)
    ('83–100%', '82.9–90.1%', 'exact')
    """
    if low == high:
        return "exact"
    return f"{percent_at_least(low).removesuffix('%')}–{percent_at_most(high)}"


def decimal(value: float, places: int = 2, *, signed: bool = False) -> str:
    """Return a number with a fixed number of decimals and a true minus sign; nan as a dash.

    Examples
    --------
    >>> decimal(-0.27), decimal(0.002, 3, signed=True), decimal(-0.0001)
    ('−0.27', '+0.002', '0.00')
    """
    if math.isnan(value):
        return NOTHING
    text = f"{abs(value):,.{places}f}"
    if not float(text.replace(",", "")):
        return text
    return f"{MINUS if value < 0 else '+' if signed else ''}{text}"


def decimal_interval(value: float, low: float, high: float, places: int = 2, *, signed: bool = False) -> str:
    """Return a number with its interval; "to" separates limits that are signed or negative.

    Examples
    --------
    >>> decimal_interval(0.81, 0.7, 0.9), decimal_interval(0.01, -0.08, 0.1)
    ('0.81 (0.70–0.90)', '0.01 (−0.08 to 0.10)')
    """
    if math.isnan(value):
        return NOTHING
    limits = decimal_range(low, high, places, signed=signed)
    return f"{decimal(value, places, signed=signed)} ({limits})"


def decimal_range(low: float, high: float, places: int = 2, *, signed: bool = False) -> str:
    """Return the limits of an interval, separated by "to" where one is negative or signed.

    Examples
    --------
    >>> decimal_range(0.7, 0.9), decimal_range(-0.08, 0.1)
    ('0.70–0.90', '−0.08 to 0.10')
    """
    between = " to " if signed or low < 0 else "–"
    return between.join(decimal(limit, places, signed=signed) for limit in (low, high))


def duration(seconds: float) -> str:
    """Return a duration in seconds, minutes and seconds, or hours and minutes.

    Examples
    --------
    >>> duration(0.4), duration(8), duration(200), duration(7500)
    ('less than 1 s', '8 s', '3 min 20 s', '2 h 5 min')
    """
    whole = round(seconds)
    if whole < 1:
        return "less than 1 s"
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def file_size(size: int) -> str:
    """Return a number of bytes in kB, MB or GB.

    Examples
    --------
    >>> file_size(840), file_size(52_000), file_size(3_400_000)
    ('1 kB', '52 kB', '3.4 MB')
    """
    if size >= 1e9:
        return f"{size / 1e9:,.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 1e6 else f"{math.ceil(size / 1e3)} kB"
