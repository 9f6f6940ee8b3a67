"""A partition of the real line into cells, and a quick way to find a value's cell."""

from __future__ import annotations

import numpy as np


class Grid:
    """Cells between sorted edges: cell j holds the values that have exactly j edges at or below them.

    A value is placed by arithmetic instead of by search: the line between the outer edges is cut into equal buckets,
    and a bucket knows the edges inside it. Edges and values go through the same monotonic arithmetic, so a value in
    another bucket than an edge is on the edge's right side without comparing them; only inside the bucket they are
    compared. Rounding therefore never puts a value into a wrong cell.
    """

    def __init__(self, edges: np.ndarray) -> None:
        self.edges = np.unique(np.asarray(edges, np.float64))
        self.count = len(self.edges) + 1
        """How many cells there are."""
        self._origin, last = self.edges[0], self.edges[-1]
        self._buckets = len(self.edges)
        width = last - self._origin
        self._scale = self._buckets / width if width > 0 and np.isfinite(self._buckets / width) else 0.0
        buckets = self._bucket(self.edges)
        self._first = np.searchsorted(buckets, np.arange(self._buckets), "left").astype(np.int32)
        inside = np.searchsorted(buckets, np.arange(self._buckets), "right") - self._first
        self._edge = np.where(inside > 0, self.edges[np.minimum(self._first, len(self.edges) - 1)], np.inf)
        self._crowded = inside > 1
        self._any_crowded = bool(self._crowded.any())

    def cells(self, values: np.ndarray) -> np.ndarray:
        """The cell of each value (int32); values are float64 and not NaN."""
        if self._buckets < 64:
            return np.searchsorted(self.edges, values, "right").astype(np.int32)
        bucket = self._bucket(values)
        cells = self._first[bucket]
        cells += values >= self._edge[bucket]
        if self._any_crowded:
            crowded = np.flatnonzero(self._crowded[bucket])
            if len(crowded):
                cells[crowded] = np.searchsorted(self.edges, values[crowded], "right")
        return cells

    def position(self, edges: np.ndarray) -> np.ndarray:
        """Where *edges* are among this grid's: the values below an edge are those in the cells up to its place."""
        return np.searchsorted(self.edges, edges)

    def _bucket(self, values: np.ndarray) -> np.ndarray:
        with np.errstate(over="ignore"):  # what is far away is clipped
            place = values - self._origin
            place *= self._scale
        np.clip(place, 0, self._buckets - 1, out=place)
        return place.astype(np.int32)
