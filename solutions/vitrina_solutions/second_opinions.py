"""Occlusion and Grad-CAM, which ask in other ways, and the deletion curve by which explanations are judged."""

import keras
import numpy as np


def occlusion(model: "keras.Model", images: np.ndarray, target: int, window: int, fill: float) -> np.ndarray:
    """
    Occlusion: cover a window of the image and see how far the target's logit falls.

    The image is tiled by windows of window x window pixels. For each of them: set its pixels to `fill` in all channels,
    ask the model again, and write f_c(x) − f_c(x with the window covered) into every pixel of the window, in all
    channels. f_c is the logit of class c. (Zeiler and Fergus 2014, doi 10.1007/978-3-319-10590-1_53, section 4.2.)

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    images : array, shape (batch, height, width, channels)
        The images to explain.
    target : int
        The class c, the same for all images.
    window : int
        Side of a window; it divides height and width.
    fill : float
        What covered pixels are set to.

    Returns
    -------
    array, shape of images
        Positive where the window speaks for the class. A NumPy array.
    """
    logit = np.asarray(model(images))[:, target]
    effect = np.zeros(images.shape)
    for row in range(0, images.shape[1], window):
        for column in range(0, images.shape[2], window):
            covered = images.copy()
            covered[:, row : row + window, column : column + window] = fill
            fall = logit - np.asarray(model(covered))[:, target]
            effect[:, row : row + window, column : column + window] = fall[:, None, None, None]
    return effect


def grad_cam(feature_maps: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """
    Grad-CAM: weigh the feature maps of a convolution by how much the class wants them.

    With A_k the feature maps and ∂f_c/∂A_k the gradients of the class's logit with respect to them:

    α_k = mean over all places of ∂f_c/∂A_k
    map = max(Σ_k α_k A_k, 0)

    (Selvaraju et al. 2017, arXiv 1610.02391, equations 1 and 2.)

    Parameters
    ----------
    feature_maps : array, shape (batch, height, width, channels)
        A, the outputs of a convolutional layer after its ReLU.
    gradients : array, shape (batch, height, width, channels)
        The gradient of the class's logit with respect to A.

    Returns
    -------
    array, shape (batch, height, width)
        One map for each sample, never negative.
    """
    wanted = gradients.mean(axis=(1, 2), keepdims=True)
    return np.maximum((wanted * feature_maps).sum(axis=3), 0)


def deletion_curve(
    model: "keras.Model",
    inputs: np.ndarray,
    target: int,
    attributions: np.ndarray,
    replacement: np.ndarray,
    per_step: int,
    steps: int,
) -> np.ndarray:
    """
    Deletion curve: replace the most relevant features first and watch the target's probability fall.

    Each sample's features are ranked by its own attributions, the largest first (with their sign); among equal ones the
    first comes first. After step k the k · per_step first of them have the value of `replacement`, all others are as
    they were. The curve is the softmax probability of class c, from step 0 (nothing replaced) to step L = steps.
    (Samek et al. 2017, doi 10.1109/TNNLS.2016.2599820, section III: pixel flipping, most relevant first.)

    Parameters
    ----------
    model
        Returns logits, shape (batch, classes).
    inputs : array, shape (batch, features)
        The samples.
    target : int
        The class c, the same for all samples.
    attributions : array, shape (batch, features)
        What is to be judged.
    replacement : array, shape (batch, features)
        What features are replaced by: zeros, noise, the inverted sample.
    per_step : int
        How many features a step replaces.
    steps : int
        The number L of steps.

    Returns
    -------
    array, shape (batch, steps + 1)
        The probability of class c after 0, 1, ..., L steps.
    """
    order = np.argsort(-attributions, axis=1, kind="stable")
    damaged = inputs.copy()
    curve: list[np.ndarray] = []
    for step in range(steps + 1):
        logits = np.asarray(model(damaged))
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        curve.append(exponentials[:, target] / exponentials.sum(axis=1))
        chosen = order[:, step * per_step : (step + 1) * per_step]
        np.put_along_axis(damaged, chosen, np.take_along_axis(replacement, chosen, axis=1), axis=1)
    return np.stack(curve, axis=1)


def aopc(curves: np.ndarray) -> float:
    """
    Area over the perturbation curve: one number for how steeply deletion curves fall.

    With p_0, ..., p_L the curve of a sample, the mean over all L + 1 points of p_0 − p_k, and then over all samples.
    (Samek et al. 2017, doi 10.1109/TNNLS.2016.2599820, equation 12.)

    Parameters
    ----------
    curves : array, shape (batch, L + 1)
        Deletion curves, one row for each sample.

    Returns
    -------
    float
        0 for curves that stay where they are; the larger, the faster they fall.
    """
    falls = curves[:, :1] - curves
    return float(np.mean(falls))
