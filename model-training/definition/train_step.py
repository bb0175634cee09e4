"""
One training step: weights, the optimiser's memory and a batch in, slightly better weights out.

Everything is a function of flat vectors, so that the whole step can be traced into one graph.
theta (thetaSize,) = [trainable | profile scales]; m and v (trainableSize,).
"""

import torch
from torch import Tensor

import by_hand
from contract import QUANTILES
from network import PLAIN, Forecast, Parts, forecast
from parameters import PROFILE_SCALE, TRAINABLE, TRAINABLE_SIZE, unflattened
from scaling import metric_first

PEAK_WEIGHT = 0.3
# Errors are counted half in the window's own scale, half in what is usual: neither busy nor idle servers drown the rest.
OWN_SCALE_SHARE = 0.5
# Where |miss| is rounded off, in units of the loss. A sharp kink makes the gradient jump when rounding moves one miss
# across zero (seen: 1e-4 of its norm), and two runtimes then part ways.
KINK = 1e-3
CLIP_NORM = 1.0
BETAS = (0.9, 0.99)
# Larger than customary, so that a gradient that is only rounding noise moves nothing and runtimes agree.
EPSILON = 1e-6
WEIGHT_DECAY = 1e-4


def split_theta(theta: Tensor) -> tuple[Tensor, Tensor]:
    trainable, frozen = torch.split(theta, [TRAINABLE_SIZE, PROFILE_SCALE.size])
    return trainable, frozen.reshape(PROFILE_SCALE.shape)


def pinball(miss: Tensor, known: Tensor) -> Tensor:
    """
    Mean pinball loss over the readings that exist.

    miss (V, steps, B, Q) is truth minus forecast, 0 where unknown; known (V, steps, B) of 0s and 1s
    """
    level = torch.tensor(QUANTILES)
    # 0.5 |miss| + (level - 0.5) miss is max(level * miss, (level - 1) * miss) without a selection in its derivative.
    size = torch.sqrt(miss * miss + KINK * KINK) - KINK
    loss = 0.5 * size + (level - 0.5) * miss
    return loss.sum() / (torch.clamp(known.sum(), min=1.0) * len(QUANTILES))


def step_miss(truth: Tensor, known: Tensor, baseline: Tensor, offsets: Tensor, scale: Tensor, unit: Tensor) -> Tensor:
    """truth, known, baseline (V, steps, B); offsets (V, steps, B, Q); scale, unit (V, B)."""
    above = (truth - baseline) * known / unit.unsqueeze(1)  # (V, steps, B)
    stretch = known * (scale / unit).unsqueeze(1)
    return above.unsqueeze(-1) - offsets * stretch.unsqueeze(-1)


def loss_of(f: Forecast, x: dict[str, Tensor]) -> Tensor:
    window = f.window
    unit = window.scale**OWN_SCALE_SHARE * window.typical ** (1 - OWN_SCALE_SHARE)  # (V, B)
    known, peak_known = metric_first(x["truthKnown"]), metric_first(x["peakKnown"])
    steps = step_miss(metric_first(x["truth"]), known, window.baseline, f.offsets, window.scale, unit)
    peaks = step_miss(metric_first(x["peakTruth"]), peak_known, f.peak_baseline, f.peak_offsets, window.scale, unit)
    return pinball(steps, known) + PEAK_WEIGHT * pinball(peaks, peak_known)


def loss(trainable: Tensor, profile_scale: Tensor, x: dict[str, Tensor], parts: Parts = PLAIN) -> Tensor:
    return loss_of(forecast(unflattened(trainable, TRAINABLE), profile_scale, x, parts), x)


# The same network with the derivatives of its hot parts written by hand.
BY_HAND = Parts(
    lstm=by_hand.lstm,
    product=by_hand.product,
    swish=by_hand.Swish.apply,
    opened=by_hand.Opened.apply,
    normed=lambda x, gain, bias: by_hand.Norm.apply(x) * gain + bias,
    variables=by_hand.variables,
    heads=by_hand.heads,
)


def train_step(
    theta: Tensor, m: Tensor, v: Tensor, lr: Tensor, step: Tensor, x: dict[str, Tensor], parts: Parts = PLAIN
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """AdamW with the gradient clipped by its norm; step counts from 1."""
    trainable, profile_scale = split_theta(theta)
    trainable = trainable.detach().requires_grad_()
    value = loss(trainable, profile_scale, x, parts)
    (gradient,) = torch.autograd.grad(value, trainable)
    value, trainable = value.detach(), trainable.detach()

    norm = torch.sqrt((gradient * gradient).sum())
    gradient = gradient * torch.clamp(CLIP_NORM / (norm + 1e-6), max=1.0)
    m = BETAS[0] * m + (1 - BETAS[0]) * gradient
    v = BETAS[1] * v + (1 - BETAS[1]) * gradient * gradient
    m_hat = m / (1 - torch.pow(BETAS[0], step))
    v_hat = v / (1 - torch.pow(BETAS[1], step))
    trainable = trainable - lr * (m_hat / (torch.sqrt(v_hat) + EPSILON) + WEIGHT_DECAY * trainable)
    return value, norm, torch.cat([trainable, profile_scale.reshape(-1)]), m, v
