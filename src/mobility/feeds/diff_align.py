"""Pairs the departures of two timetables in order."""

from __future__ import annotations

from collections.abc import Sequence


def align(left: Sequence[int], right: Sequence[int], limit: int) -> list[tuple[int, int]]:
    """Pair two lists of departures in order, the sum of shifts least and none beyond the limit.

    As many as possible are paired at the least cost, a trip left alone costing half the limit.

    Returns
    -------
    pairs : list of (int, int)
        Positions in ``left`` and ``right``.

    >>> align([480, 490, 500], [485, 495, 505], 30)
    [(0, 0), (1, 1), (2, 2)]
    >>> align([480, 540], [541], 30)
    [(1, 0)]
    """
    if not left or not right:
        return []
    if len(left) == len(right) == 1:
        return [(0, 0)] if abs(left[0] - right[0]) <= limit else []
    rows = sorted(range(len(left)), key=lambda at: left[at])
    columns = sorted(range(len(right)), key=lambda at: right[at])
    alone = limit / 2 + 1
    # best[j]: least cost of the first i of left and the first j of right; `step` says how.
    best = [alone * j for j in range(len(columns) + 1)]
    steps: list[list[int]] = [[1] * (len(columns) + 1)]
    for at, row in enumerate(rows, 1):
        before, best = best, [alone * at]
        step = [0]
        for j, column in enumerate(columns, 1):
            shift = abs(right[column] - left[row])
            costs = (before[j] + alone, best[j - 1] + alone)
            cost, how = min((costs[0], 0), (costs[1], 1))
            if shift <= limit and before[j - 1] + shift <= cost:
                cost, how = before[j - 1] + shift, 2
            best.append(cost)
            step.append(how)
        steps.append(step)
    pairs = []
    i, j = len(rows), len(columns)
    while i and j:
        how = steps[i][j]
        if how == 2:
            pairs.append((rows[i - 1], columns[j - 1]))
        i, j = i - (how != 1), j - (how != 0)
    return pairs[::-1]
