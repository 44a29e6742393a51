"""Rows that belong together, directly or by way of others: the connected components of a graph."""

import numpy as np
from numpy.typing import NDArray


def linked_rows(links: NDArray[np.integer], n: int) -> NDArray[np.int64]:
    """Return the lowest row (n,) that each row is linked to, directly or by way of others; its own without a link.

    Parameters
    ----------
    links : (m, 2) int
        Pairs of rows, in any order; repeated ones and those of a row with itself change nothing.

    Examples
    --------
    >>> linked_rows(np.array([[0, 1], [2, 1]]), 4).tolist()
    [0, 0, 0, 3]
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    graph = coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(n, n))
    _, parts = connected_components(graph, directed=False)
    _, first = np.unique(parts, return_index=True)
    lowest: NDArray[np.int64] = first[parts].astype(np.int64)
    return lowest
