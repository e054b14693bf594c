"""Right answers to week 2 as different students write them, by exercise; the first is the textbook's form."""

from __future__ import annotations

ANSWERS: dict[str, list[str]] = {
    "logit-gradient": [
        """
def logit_gradient(model, inputs, target):
    x = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(x)
        logit = model(x)[:, target]
    return np.asarray(tape.gradient(logit, x))
""",
        """
def logit_gradient(model, inputs, target):
    v = tf.Variable(inputs)
    with tf.GradientTape() as tape:
        logits = model(v)
        selected = tf.gather(logits, target, axis=1)
        total = tf.reduce_sum(selected)
    grads = tape.gradient(total, v)
    return grads.numpy()
""",
        """
def logit_gradient(model, inputs, target):
    rows = []
    for row in np.asarray(inputs, dtype=model.compute_dtype):
        pixel = tf.Variable(row[None])
        with tf.GradientTape() as tape:
            output = model(pixel)[0, target]
        rows.append(tape.gradient(output, pixel).numpy()[0])
    return np.stack(rows)
""",
    ],
    "saliency": [
        """
def saliency(model, inputs, target):
    gradient = logit_gradient(model, inputs, target)
    return np.abs(gradient)
""",
        """
def saliency(model, inputs, target):
    x = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as t:
        t.watch(x)
        out = model(x)
        score = out[:, target]
    return tf.abs(t.gradient(score, x)).numpy()
""",
        """
def saliency(model, inputs, target):
    rows = []
    for row in np.asarray(inputs, dtype=model.compute_dtype):
        pixel = tf.Variable(row[None])
        with tf.GradientTape() as tape:
            output = model(pixel)[0, target]
        rows.append(abs(tape.gradient(output, pixel).numpy()[0]))
    return rows
""",
        """
def saliency(model, inputs, target):
    v = tf.Variable(inputs)
    with tf.GradientTape() as tape:
        logits = model(v)
        selected = tf.gather(logits, target, axis=1)
        total = tf.reduce_sum(selected)
    grads = tape.gradient(total, v)
    # absolute value
    grads = grads.numpy()
    return np.absolute(grads)
""",
    ],
    "gradient-x-input": [
        """
def gradient_x_input(model, inputs, target):
    gradient = logit_gradient(model, inputs, target)
    return inputs * gradient
""",
        """
def gradient_x_input(model, inputs, target):
    x = tf.convert_to_tensor(inputs)
    with tf.GradientTape() as t:
        t.watch(x)
        out = model(x)
        score = out[:, target]
    return (t.gradient(score, x) * x).numpy()
""",
        """
def gradient_x_input(model, inputs, target):
    v = tf.Variable(inputs)
    with tf.GradientTape() as tape:
        logits = model(v)
        selected = tf.gather(logits, target, axis=1)
        total = tf.reduce_sum(selected)
    g = tape.gradient(total, v).numpy()
    return np.multiply(g, inputs)
""",
        """
def gradient_x_input(model, inputs, target):
    layers = dense_parameters(model)
    acts = [inputs]
    for w, b in layers[:-1]:
        acts.append(np.maximum(acts[-1] @ w + b, 0))
    slope = np.tile(layers[-1][0][:, target], (len(inputs), 1))
    for i in range(len(layers) - 2, -1, -1):
        slope = (slope * (acts[i + 1] > 0)) @ layers[i][0].T
    return slope * inputs
""",
    ],
    "lrp-0": [
        """
def lrp_0(activations, weights, bias, relevance):
    z = activations @ weights + bias
    z = z + np.where(z >= 0, 1e-12, -1e-12)
    return activations * ((relevance / z) @ weights.T)
""",
        """
def lrp_0(activations, weights, bias, relevance):
    contributions = np.einsum("bi,ij->bij", activations, weights)
    z = contributions.sum(axis=1) + bias
    shares = contributions / np.where(np.abs(z) < 1e-9, 1e-9, z)[:, None, :]
    return (shares * np.asarray(relevance)[:, None, :]).sum(axis=2)
""",
        """
def lrp_0(activations, weights, bias, relevance):
    eps = 1e-12
    z = np.dot(activations, weights) + bias
    sign = np.where(z >= 0, 1.0, -1.0)
    s = relevance / (z + eps * sign)
    c = np.dot(s, weights.T)
    return activations * c
""",
        """
def lrp_0(activations, weights, bias, relevance):
    batch, n_in = activations.shape
    n_out = weights.shape[1]
    R = np.zeros((batch, n_in))
    for n in range(batch):
        for k in range(n_out):
            z = bias[k]
            for i in range(n_in):
                z += activations[n, i] * weights[i, k]
            if z >= 0:
                z += 1e-12
            else:
                z -= 1e-12
            for i in range(n_in):
                R[n, i] += activations[n, i] * weights[i, k] / z * relevance[n, k]
    return R
""",
        """
def lrp_0(activations, weights, bias, relevance):
    z = activations @ weights + bias
    stabiliser = 1e-12 * ((z >= 0) * 2 - 1)
    ratio = relevance / (z + stabiliser)
    return (activations[:, :, None] * weights[None] * ratio[:, None]).sum(-1)
""",
    ],
    "lrp-epsilon": [
        """
def lrp_epsilon(activations, weights, bias, relevance, epsilon):
    z = activations @ weights + bias
    z = z + np.where(z >= 0, epsilon, -epsilon)
    return activations * ((relevance / z) @ weights.T)
""",
        """
def lrp_epsilon(activations, weights, bias, relevance, epsilon):
    z = np.dot(activations, weights) + bias
    sign = np.where(z >= 0, 1.0, -1.0)
    s = relevance / (z + epsilon * sign)
    return activations * np.dot(s, weights.T)
""",
        """
def lrp_epsilon(activations, weights, bias, relevance, epsilon):
    out = np.zeros_like(activations)
    for n, a in enumerate(activations):
        contributions = a[:, None] * weights
        z = contributions.sum(0) + bias
        z[z >= 0] += epsilon
        z[z < 0] -= epsilon
        out[n] = (contributions / z) @ relevance[n]
    return out
""",
        """
def lrp_epsilon(activations, weights, bias, relevance, epsilon):
    signs = lambda v: 2 * (v >= 0) - 1
    pre = activations.dot(weights) + bias
    denominator = pre + epsilon * signs(pre)
    return np.einsum("bi,ik,bk->bi", activations, weights, relevance / denominator)
""",
    ],
    "lrp-gamma": [
        """
def lrp_gamma(activations, weights, bias, relevance, gamma):
    weights = weights + gamma * np.maximum(weights, 0)
    bias = bias + gamma * np.maximum(bias, 0)
    z = activations @ weights + bias
    z = z + np.where(z >= 0, 1e-12, -1e-12)
    return activations * ((relevance / z) @ weights.T)
""",
        """
def lrp_gamma(activations, weights, bias, relevance, gamma):
    w = weights + gamma * np.clip(weights, 0, None)
    b = bias + gamma * np.clip(bias, 0, None)
    return lrp_0(activations, w, b, relevance)
""",
        """
def lrp_gamma(activations, weights, bias, relevance, gamma):
    wp = weights.copy()
    wp[wp < 0] = 0
    bp = bias.copy()
    bp[bp < 0] = 0
    w2 = weights + gamma * wp
    b2 = bias + gamma * bp
    z = np.dot(activations, w2) + b2
    z[z == 0] = 1e-12
    return activations * np.dot(relevance / z, w2.T)
""",
        """
def lrp_gamma(activations, weights, bias, relevance, gamma):
    boosted = np.where(weights > 0, (1 + gamma) * weights, weights)
    shifted = np.where(bias > 0, (1 + gamma) * bias, bias)
    return lrp_0(activations, boosted, shifted, relevance)
""",
    ],
    "lrp-zb": [
        """
def lrp_zb(inputs, weights, relevance, low, high):
    positive, negative = np.maximum(weights, 0), np.minimum(weights, 0)
    lows, highs = np.full(inputs.shape, low), np.full(inputs.shape, high)
    z = inputs @ weights - lows @ positive - highs @ negative
    s = relevance / (z + np.where(z >= 0, 1e-12, -1e-12))
    return inputs * (s @ weights.T) - lows * (s @ positive.T) - highs * (s @ negative.T)
""",
        """
def lrp_zb(inputs, weights, relevance, low, high):
    q = inputs[:, :, None] * weights - low * np.maximum(weights, 0) - high * np.minimum(weights, 0)
    z = q.sum(axis=1, keepdims=True)
    z = z + np.where(z >= 0, 1e-12, -1e-12)
    return (q / z * relevance[:, None]).sum(axis=2)
""",
        """
def lrp_zb(inputs, weights, relevance, low, high):
    wp = np.clip(weights, 0, None)
    wn = np.clip(weights, None, 0)
    result = []
    for x, r in zip(inputs, relevance):
        q = x[:, None] * weights - low * wp - high * wn
        z = q.sum(0)
        z[np.abs(z) < 1e-12] = 1e-12
        result.append((q / z * r).sum(1))
    return np.array(result)
""",
    ],
    "lrp-network": [
        """
def lrp_network(model, inputs, target):
    layers = dense_parameters(model)
    activations = [inputs.astype(np.float64)]
    for weights, bias in layers:
        activations.append(np.maximum(activations[-1] @ weights + bias, 0))
    weights, bias = layers[-1]
    logits = activations[-2] @ weights + bias
    relevance = np.zeros_like(logits)
    relevance[:, target] = logits[:, target]
    for (weights, bias), entering in zip(reversed(layers), reversed(activations[:-1]), strict=True):
        relevance = lrp_0(entering, weights, bias, relevance)
    return relevance
""",
        """
def lrp_network(model, inputs, target):
    params = dense_parameters(model)
    acts = [inputs]
    a = inputs
    for i, (w, b) in enumerate(params):
        z = a @ w + b
        a = np.maximum(z, 0) if i < len(params) - 1 else z
        acts.append(a)
    R = np.zeros(a.shape)
    R[:, target] = a[:, target]
    for i in range(len(params) - 1, -1, -1):
        w, b = params[i]
        R = lrp_0(acts[i], w, b, R)
    return R
""",
        """
def lrp_network(model, inputs, target):
    def forward(x, layers):
        yield x
        for w, b in layers[:-1]:
            x = np.maximum(x.dot(w) + b, 0)
            yield x
    layers = list(dense_parameters(model))
    hidden = list(forward(inputs, layers))
    logits = hidden[-1] @ layers[-1][0] + layers[-1][1]
    mask = np.eye(logits.shape[1])[target]
    rel = logits * mask
    while layers:
        w, b = layers.pop()
        rel = lrp_0(hidden.pop(), w, b, rel)
    return rel
""",
    ],
    "relative-difference": [
        """
def relative_difference(attributions, others):
    difference = np.max(np.abs(attributions - others))
    return float(difference / np.max(np.abs(others)))
""",
        """
def relative_difference(attributions, others):
    return np.abs(attributions - others).max() / np.abs(others).max()
""",
        """
def relative_difference(attributions, others):
    return np.linalg.norm((attributions - others).ravel(), np.inf) / np.linalg.norm(others.ravel(), np.inf)
""",
    ],
}
