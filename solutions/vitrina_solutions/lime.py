"""LIME, step by step: features that can be switched, neighbours, how much each counts, the fit, and how good it is."""

import numpy as np


def quartile_bins(inputs: np.ndarray, training: np.ndarray) -> np.ndarray:
    """
    Discretisation: which quarter of the training data each value falls into.

    A feature's quartiles are its 25 %, 50 % and 75 % points in the training data (np.percentile as it is). The bin of a
    value is the number of quartiles that lie strictly below it: 0, 1, 2 or 3. (Ribeiro, Singh and Guestrin 2016, arXiv
    1602.04938; the rule is that of the library `lime`.)

    Parameters
    ----------
    inputs : array, shape (batch, features)
        The values to sort into bins.
    training : array, shape (rows, features)
        What the quartiles are taken of, each feature for itself.

    Returns
    -------
    array of int, shape of inputs
        0 to 3. Where a feature is constant in the training data, that constant is in bin 0.
    """
    quartiles = np.percentile(training, [25, 50, 75], axis=0)
    return (inputs[:, None, :] > quartiles).sum(axis=1)


def lime_masks(sample: np.ndarray, neighbours: np.ndarray, training: np.ndarray) -> np.ndarray:
    """
    Interpretable features: in what a neighbour still resembles the sample.

    Feature i of a neighbour is "on" (1) if it lies in the same quartile bin as the sample's, else "off" (0). LIME's
    linear model sees only these. (Ribeiro, Singh and Guestrin 2016, arXiv 1602.04938, section 3.1.)

    Parameters
    ----------
    sample : array, shape (features,)
        The sample to explain.
    neighbours : array, shape (batch, features)
        Points around it.
    training : array, shape (rows, features)
        What the quartiles are taken of.

    Returns
    -------
    array of 0 and 1, shape of neighbours
        The row of the sample itself would be all ones.
    """
    own = quartile_bins(sample[None], training)
    return (quartile_bins(neighbours, training) == own).astype(int)


def switch_off(image: np.ndarray, segments: np.ndarray, masks: np.ndarray, fill: float) -> np.ndarray:
    """
    Neighbours of an image: some of its superpixels are covered.

    Superpixel s is the set of pixels where `segments` is s. Where a mask's entry s is 0, all pixels of superpixel s
    take the value `fill`, in all channels; where it is 1, they stay. (Ribeiro, Singh and Guestrin 2016, arXiv
    1602.04938, section 3.1.)

    Parameters
    ----------
    image : array, shape (height, width, channels)
        The image to explain.
    segments : array of int, shape (height, width)
        The number of each pixel's superpixel, from 0.
    masks : array of 0 and 1, shape (batch, superpixels)
        Which superpixels stay, one neighbour a row.
    fill : float
        What covered pixels are set to.

    Returns
    -------
    array, shape (batch, height, width, channels)
        One image for each mask.
    """
    stays = masks[:, segments] == 1
    return np.where(stays[..., None], image, fill)


def lime_weights(masks: np.ndarray, width: float) -> np.ndarray:
    """
    LIME's kernel: the nearer a neighbour, the more it counts.

    weight = √exp(−d² / width²), where d is the Euclidean distance of a mask from the mask of all ones, which is the
    sample itself. (Ribeiro, Singh and Guestrin 2016, arXiv 1602.04938, section 3.3; the root is that of the library
    `lime`.)

    Parameters
    ----------
    masks : array of 0 and 1, shape (batch, features)
        What each neighbour has in common with the sample.
    width : float
        How far the neighbourhood reaches.

    Returns
    -------
    array, shape (batch,)
        1 for the sample itself, less for all others.
    """
    squared_distance = np.square(1 - masks).sum(axis=1)
    return np.sqrt(np.exp(-squared_distance / width**2))


def lime_fit(masks: np.ndarray, scores: np.ndarray, weights: np.ndarray, penalty: float) -> np.ndarray:
    """
    LIME's fit: the linear model that says nearest to what the model says, where it counts.

    The intercept a and coefficients b that minimise

    Σ over neighbours of weight · (score − a − mask · b)² + penalty · Σ_i b_i²

    This is weighted ridge regression. The intercept pays no penalty. It drops out if masks and scores are first
    reduced by their weighted means; at the end it is mean score − mean mask · b. (Ribeiro, Singh and Guestrin 2016,
    arXiv 1602.04938, equation 1.)

    Parameters
    ----------
    masks : array of 0 and 1, shape (batch, features)
        What each neighbour has in common with the sample.
    scores : array, shape (batch,)
        What the model says of each neighbour.
    weights : array, shape (batch,)
        How much each neighbour counts.
    penalty : float
        The ridge penalty, above 0.

    Returns
    -------
    array, shape (1 + features,)
        The intercept, then the coefficients: the explanation.
    """
    mean_mask = np.average(masks, axis=0, weights=weights)
    mean_score = np.average(scores, weights=weights)
    centred = masks - mean_mask
    matrix = centred.T @ (weights[:, None] * centred) + penalty * np.eye(masks.shape[1])
    coefficients = np.linalg.solve(matrix, centred.T @ (weights * (scores - mean_score)))
    return np.append(mean_score - mean_mask @ coefficients, coefficients)


def local_fidelity(scores: np.ndarray, fitted: np.ndarray, weights: np.ndarray) -> float:
    """
    Local fidelity: how much of what the model does around the sample an explanation catches.

    R² = 1 − Σ weight · (score − fitted)² / Σ weight · (score − mean)², where mean is the weighted mean of the scores.

    Parameters
    ----------
    scores : array, shape (batch,)
        What the model says of each neighbour; not all the same.
    fitted : array, shape (batch,)
        What the explanation says of them.
    weights : array, shape (batch,)
        How much each neighbour counts.

    Returns
    -------
    float
        1 for a perfect fit, 0 for one no better than a constant, negative for a worse one.
    """
    spread = np.sum(weights * (scores - np.average(scores, weights=weights)) ** 2)
    missed = np.sum(weights * (scores - fitted) ** 2)
    return float(1 - missed / spread)
