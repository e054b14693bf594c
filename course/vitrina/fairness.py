"""Groups of people under one model: who is selected, who is missed, and whether a probability means the same for all.

The rates are those of Hardt, Price and Srebro (2016, arXiv 1610.02413) and Chouldechova (2017, arXiv 1703.00056), who
also shows that several of them cannot be equal at once where the groups differ in how many are of class 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from vitrina.tabular import checked

__all__ = ["RATES", "Groups", "group_rates", "share_interval"]

_SURE = 1.96  # standard errors to each side hold the true value in 95 of 100 samples

RATES = {
    "base rate": "share of class 1",
    "selection rate": "share that the model selects",
    "true positive rate": "share of class 1 that is selected",
    "false positive rate": "share of class 0 that is selected",
    "precision": "share of the selected that is of class 1",
    "accuracy": "share of right decisions",
    "calibration": "share of class 1 less mean probability",
}
"""What each rate is the share of; the last is a difference."""


@dataclass(frozen=True)
class Groups:
    """
    Rates of each group.

    Attributes
    ----------
    names : tuple of str
        Of the groups.
    rates : dict of arrays, shape (groups,)
        By the names in RATES. NaN where a group has nobody to take the share of.
    errors : dict of arrays, shape (groups,)
        Their standard errors.
    sizes : dict of arrays, shape (groups,)
        How many rows each share is taken of.
    """

    names: tuple[str, ...]
    rates: dict[str, npt.NDArray[np.float64]]
    errors: dict[str, npt.NDArray[np.float64]]
    sizes: dict[str, npt.NDArray[np.int64]]

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Rows of each group: (groups,)."""
        return self.sizes["base rate"]

    def interval(self, rate: str) -> npt.NDArray[np.float64]:
        """
        Return 95 % intervals of a rate: of shares those of `share_interval`, of the calibration 1.96 standard errors.

        Parameters
        ----------
        rate
            Its name in RATES.

        Returns
        -------
        array, shape (2, groups)
            Lower and upper ends.
        """
        if rate != "calibration":
            return share_interval(self.rates[rate], self.sizes[rate])
        reach = _SURE * self.errors[rate]
        return np.stack([self.rates[rate] - reach, self.rates[rate] + reach])

    def gap(self, rate: str) -> float:
        """
        Return the largest difference of a rate between two groups.

        The gap of the selection rate is called statistical (or demographic) parity difference, that of the true
        positive rate equal opportunity difference.

        Parameters
        ----------
        rate
            Its name in RATES.

        Returns
        -------
        float
            Groups without a rate are left out.

        Raises
        ------
        ValueError
            If there is no such rate.
        """
        if rate not in self.rates:
            raise ValueError(f"there is no rate {rate!r}, only {', '.join(self.rates)}")
        known = self.rates[rate][~np.isnan(self.rates[rate])]
        return float(np.ptp(known)) if known.size else float("nan")

    def __str__(self) -> str:
        width = max(map(len, self.rates))
        columns = [f"{name} ({count})" for name, count in zip(self.names, self.counts, strict=True)]
        head = f"{'':<{width}}  " + "  ".join(columns)
        lines = [
            f"{rate:<{width}}  "
            + "  ".join(f"{value:>{len(name)}.3f}" for value, name in zip(values, columns, strict=True))
            for rate, values in self.rates.items()
        ]
        return "\n".join([head, *lines])


def group_rates(
    chances: npt.ArrayLike, targets: npt.ArrayLike, groups: npt.ArrayLike, *, threshold: float = 0.5
) -> Groups:
    """
    Compare a model's decisions between groups.

    Parameters
    ----------
    chances : shape (rows,)
        Probabilities of class 1.
    targets : shape (rows,)
        Classes, 0 or 1.
    groups : shape (rows,)
        Name of the group of each row.
    threshold
        From this probability on a row is selected.

    Returns
    -------
    Groups
        In the order of their names.

    Raises
    ------
    ValueError
        If there is no row, or chances, targets and groups are not such columns.
    """
    said, true = checked(chances, targets)
    members = np.asarray(groups).astype(str)
    if members.shape != said.shape:
        raise ValueError(f"groups must name one group for each of the {len(said)} rows, got shape {members.shape}")
    names = sorted(set(members.tolist()))
    selected = (said >= threshold).astype(float)
    right = (selected == true).astype(float)
    all_rows = np.ones(len(said), bool)
    shares = {
        "base rate": (true, all_rows),
        "selection rate": (selected, all_rows),
        "true positive rate": (selected, true == 1),
        "false positive rate": (selected, true == 0),
        "precision": (true, selected == 1),
        "accuracy": (right, all_rows),
        "calibration": (true - said, all_rows),
    }
    parts = [{rate: values[among & (members == name)] for rate, (values, among) in shares.items()} for name in names]
    return Groups(
        names=tuple(names),
        rates={rate: np.array([_mean(part[rate]) for part in parts]) for rate in RATES},
        errors={rate: np.array([_error(part[rate]) for part in parts]) for rate in RATES},
        sizes={rate: np.array([len(part[rate]) for part in parts], np.int64) for rate in RATES},
    )


def share_interval(shares: npt.ArrayLike, counts: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """
    Return 95 % intervals of shares (Wilson 1927, doi 10.1080/01621459.1927.10502953).

    They stay between 0 and 1, and do not shrink to nothing where all or none of a few rows are counted.

    Parameters
    ----------
    shares : array, shape (n,)
        NaN where there is none.
    counts : array, shape (n,)
        How many rows each is taken of.

    Returns
    -------
    array, shape (2, n)
        Lower and upper ends.
    """
    share, rows = np.asarray(shares, np.float64), np.maximum(np.asarray(counts, np.float64), 1)
    middle = share + _SURE**2 / (2 * rows)
    reach = _SURE * np.sqrt(share * (1 - share) / rows + _SURE**2 / (4 * rows**2))
    return np.stack([middle - reach, middle + reach]) / (1 + _SURE**2 / rows)


def _mean(values: npt.NDArray[np.float64]) -> float:
    return float(values.mean()) if values.size else float("nan")


def _error(values: npt.NDArray[np.float64]) -> float:
    return float(values.std() / np.sqrt(values.size)) if values.size else float("nan")
