"""A straight line through costs, and how far they are from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

Point = tuple[float, float]
"""An amount of work above 0 and what it cost, above 0."""


@dataclass(frozen=True, slots=True)
class Line:
    """Cost = fixed + each x work, neither of them below 0."""

    fixed: float
    each: float

    def at(self, work: float) -> float:
        """What so much work costs."""
        return self.fixed + self.each * work

    def deviation(self, points: Sequence[Point]) -> float:
        """How far the point that is farthest off is from the line, as a share of the line."""
        return max(abs(cost / self.at(work) - 1) for work, cost in points)


def fit(points: Sequence[Point]) -> Line:
    """The line with the least squares of the relative errors: the cheapest point counts as much as the dearest.

    Negative costs make no sense, so where the best line has one, the best line without that part is taken.
    """
    # Least squares of (fixed + each x work) / cost - 1, so two columns, 1 / cost and work / cost, against ones.
    ones = [1 / cost for _, cost in points]
    works = [work / cost for work, cost in points]
    oo, ow, ww = (
        sum(a * b for a, b in zip(x, y, strict=True)) for x, y in ((ones, ones), (ones, works), (works, works))
    )
    o, w = sum(ones), sum(works)
    determinant = oo * ww - ow * ow
    if determinant > 1e-12 * oo * ww:
        line = Line((o * ww - w * ow) / determinant, (w * oo - o * ow) / determinant)
        if line.fixed >= 0 and line.each >= 0:
            return line
        if line.each < 0:
            return Line(o / oo, 0.0)
    return Line(0.0, w / ww)
