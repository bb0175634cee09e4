"""
The forecaster: a temporal fusion transformer (Lim et al. 2021, arXiv 1912.09363), as functions of its weights.

Rows are kept step first, then window: (steps, B, D), and per variable (N, steps * B, D), so that a layer of all
variables is one batched product and the recurrent layers read whole rows. What differs from the paper, and why:

- x * sigmoid(x) in place of ELU: its derivative is plain arithmetic, ELU's is a selection that ONNX Runtime runs slowly.
- No second dense layer inside a gated residual network: nothing bends between it and the gate's own layer, so the
  product of the two says the same. For the same reason a variable's network and the selection weights read the
  features directly instead of through the linear embedding.
- The forecast is an offset from the statistical baseline in units of the window's scale, per metric: each metric's
  head reads the shared decoder, its own embedding, its own features and a learned pooling of its own past.
- Increments between quantiles are (x + sqrt(x^2 + 4)) / 2, positive like a softplus and arithmetic only.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from contract import D, F, HEADS, P, PEAK_STEPS, Q, T, V, WORSE
from parameters import SUMMARIES, Weights
from scaling import FUTURE_FEATURES, Scaled, scaled

Recurrence = Callable[[Weights, str, Tensor, Tensor, Tensor], tuple[Tensor, Tensor, Tensor]]

# Steps between neighbouring quantiles of a forecast that knows nothing yet, in scales: the 80 % band is one scale each way.
STARTING_STEPS = (0.9, 0.5, 0.5, 0.5, 0.5, 0.9)
STARTING_PEAK = 0.5
# Column q sums the increments between the median and quantile q: (Q - 1, Q).
HALF = Q // 2
FROM_MEDIAN = [[(float(q > k) if k >= HALF else -float(q <= k)) for q in range(Q)] for k in range(Q - 1)]


@dataclass(frozen=True)
class Forecast:
    offsets: Tensor  # (V, F, B, Q), in scales above the baseline
    peak_offsets: Tensor  # (V, P, B, Q), in scales above the baseline's worst step in the window
    peak_baseline: Tensor  # (V, P, B), raw units
    selection_past: Tensor  # (T, B, V + 1)
    selection_future: Tensor  # (F, B, V + 1)
    attention: Tensor  # (B, F, T + F), mean over heads
    window: Scaled


def swish(x: Tensor) -> Tensor:
    return x * torch.sigmoid(x)


def normed(w: Weights, name: str, x: Tensor) -> Tensor:
    return layer_norm(x, (x.shape[-1],), w[f"{name}.gain"], w[f"{name}.bias"])


def gated(w: Weights, name: str, x: Tensor) -> Tensor:
    """Gated linear unit (paper, eq. 5)."""
    value, opening = (x @ w[f"{name}.weight"] + w[f"{name}.bias"]).chunk(2, -1)
    return value * torch.sigmoid(opening)


def residual(w: Weights, name: str, x: Tensor, context: Tensor | None = None) -> Tensor:
    """Gated residual network (eq. 2-4); x (..., B, D), context (B, D)."""
    hidden = x @ w[f"{name}.in"] + w[f"{name}.in.bias"]
    if context is not None:
        hidden = hidden + context @ w[f"{name}.context"]
    return normed(w, f"{name}.norm", x + gated(w, f"{name}.gate", swish(hidden)))


def selected(w: Weights, name: str, x: Tensor, context: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
    """
    Variable selection (eq. 6-8): every variable through its own network, then a weighted sum.

    x (N, steps, B, features) -> chosen (steps, B, D), weights (steps, B, N), each variable's network (N, steps * B, D)
    """
    variables, steps, batch, features = x.shape
    flat = x.permute(1, 2, 0, 3).reshape(steps, batch, variables * features)
    hidden = flat @ w[f"{name}.weigh.in"] + w[f"{name}.weigh.in.bias"]  # (steps, B, D)
    if context is not None:
        hidden = hidden + context @ w[f"{name}.weigh.context"]
    weigh = flat @ w[f"{name}.weigh.skip"] + gated(w, f"{name}.weigh.gate", swish(hidden))
    weights = torch.softmax(normed(w, f"{name}.weigh.norm", weigh), -1)  # (steps, B, N)

    rows = with_one(x).reshape(variables, steps * batch, features + 1)
    opened = swish(torch.bmm(rows, w[f"{name}.hidden"]))  # (N, steps * B, D)
    value = torch.bmm(opened, w[f"{name}.value"])
    opening = torch.sigmoid(torch.bmm(opened, w[f"{name}.open"]))
    each = layer_norm(torch.bmm(rows, w[f"{name}.embed"]) + value * opening, (D,))  # (N, steps * B, D)

    by_variable = weights.reshape(steps * batch, variables)
    chosen = (each * by_variable.t().unsqueeze(-1)).sum(0) + by_variable @ w[f"{name}.bias"]
    return chosen.reshape(steps, batch, D), weights, each


def with_one(x: Tensor) -> Tensor:
    """Appends a constant feature, so that a batched product carries its bias."""
    return torch.cat([x, torch.ones_like(x[..., :1])], -1)


def unrolled_lstm(w: Weights, name: str, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """An LSTM step by step, gates in ONNX's order (input, output, forget, cell); x (steps, B, D), h and c (B, D)."""
    steps, batch, _ = x.shape
    rows = x.reshape(steps * batch, D) @ w[f"{name}.input"] + w[f"{name}.bias"]
    recurrent, states = w[f"{name}.hidden"], []
    # Splitting once and stacking once: a slice per step would pad its gradient to full length, steps^2 work.
    for gates in torch.split(rows, batch):
        shut, cell = torch.split(gates + h @ recurrent, [3 * D, D], -1)
        i, o, f = torch.sigmoid(shut).chunk(3, -1)
        c = f * c + i * torch.tanh(cell)
        h = o * torch.tanh(c)
        states.append(h)
    return torch.cat(states).reshape(steps, batch, D), h, c


def attended(w: Weights, x: Tensor) -> tuple[Tensor, Tensor]:
    """
    Interpretable multi-head attention (eq. 13-16): heads share their values, so their mean is a weight per step.

    x (T + F, B, D) -> (F, B, D), (B, F, T + F)
    """
    steps, batch, _ = x.shape
    size = D // HEADS
    query = (x[T:] @ w["attend.query"]).reshape(F, batch, HEADS, size).permute(1, 2, 0, 3)  # (B, H, F, size)
    key = (x @ w["attend.key"]).reshape(steps, batch, HEADS, size).permute(1, 2, 3, 0)  # (B, H, size, T + F)
    # No forecast step looks at a later one.
    later = torch.cat([torch.zeros(F, T), torch.triu(torch.full((F, F), -1e4), 1)], 1)
    weights = torch.softmax(query @ key * size**-0.5 + later, -1).mean(1)  # (B, F, T + F)
    value = (x @ w["attend.value"]).permute(1, 0, 2)  # (B, T + F, D)
    return torch.bmm(weights, value).permute(1, 0, 2), weights


def monotone(u: Tensor, start: float | Tensor) -> Tensor:
    """Unbounded numbers to rising quantiles around a median; u (..., Q), start a number or (..., 1)."""
    # x = step - 1 / step is where (x + sqrt(x^2 + 4)) / 2 equals that step.
    shift = torch.tensor([step - 1 / step for step in STARTING_STEPS])
    median, steps = u[..., :1], u[..., 1:] + shift
    steps = (steps + torch.sqrt(steps * steps + 4)) * 0.5
    return median + start + steps @ torch.tensor(FROM_MEDIAN)


def forecast(trainable: Weights, profile_scale: Tensor, x: dict[str, Tensor], lstm: Recurrence) -> Forecast:
    w, window = trainable, scaled(profile_scale, x)
    batch = x["past"].shape[0]

    # What does not change with time, and what it tells the rest (paper, 4.3).
    def widened(part: Tensor) -> Tensor:
        return torch.cat([part, torch.zeros(batch, window.profile.shape[1] - part.shape[1])], -1)

    hardware, history = x["statics"][:, :4], x["statics"][:, 4:]
    static = torch.stack([window.profile, widened(hardware), widened(history)], 0)  # (3, B, PROFILES)
    static, _, _ = selected(w, "static", static.unsqueeze(1), None)
    static = static.reshape(batch, D)
    choose = residual(w, "context.select", static)  # (B, D)

    seen, selection_past, each_past = selected(w, "past", window.past, choose)  # (T, B, D)
    ahead, selection_future, each_future = selected(w, "future", window.future, choose)  # (F, B, D)

    h, c = residual(w, "context.state", static), residual(w, "context.cell", static)
    encoded, h, c = lstm(w, "encode", seen, h, c)
    decoded, _, _ = lstm(w, "decode", ahead, h, c)
    sequence = torch.cat([encoded, decoded], 0)  # (T + F, B, D)
    sequence = normed(w, "sequence.norm", torch.cat([seen, ahead], 0) + gated(w, "sequence.gate", sequence))

    enriched = residual(w, "enrich", sequence, residual(w, "context.enrich", static))
    looked, attention = attended(w, enriched)  # (F, B, D)
    looked = normed(w, "attend.norm", enriched[T:] + gated(w, "attend.gate", looked))
    decided = residual(w, "feed", looked)
    decided = normed(w, "feed.out.norm", sequence[T:] + gated(w, "feed.out.gate", decided))  # (F, B, D)

    # One head per metric.
    own = torch.bmm(w["head.summary"], each_past[:V].reshape(V, T, batch * D))  # (V, SUMMARIES, B * D)
    own = torch.bmm(own.reshape(V * SUMMARIES, batch, D), w["head.own"])
    own = own.reshape(V, SUMMARIES, batch, D).sum(1)  # (V, B, D)
    shared = torch.cat([decided, ahead], -1).reshape(1, F * batch, 2 * D).expand(V, F * batch, 2 * D)
    features = with_one(window.future[:V]).reshape(V, F * batch, FUTURE_FEATURES + 1)
    hidden = (
        torch.bmm(shared, w["head.shared"])
        + torch.bmm(each_future[:V], w["head.embedding"])
        + torch.bmm(features, w["head.features"])
    )
    hidden = swish(hidden.reshape(V, F, batch, D) + own.unsqueeze(1))  # (V, F, B, D)
    u = torch.bmm(hidden.reshape(V, F * batch, D), w["head.quantiles"]) + torch.bmm(features, w["head.direct"])
    offsets = monotone(u, 0.0).reshape(V, F, batch, Q)

    # The worst reading of a window is forecast from the mean of its steps.
    pool = torch.stack([(torch.arange(F) < n).to(torch.float32) / n for n in PEAK_STEPS])  # (P, F)
    pooled = torch.matmul(pool, hidden.reshape(V, F, batch * D)).reshape(V * P, batch, D)
    u = torch.bmm(pooled, w["head.peaks"]) + w["head.peaks.bias"].unsqueeze(1)
    worse = torch.tensor(WORSE).reshape(V, 1, 1)
    start = STARTING_PEAK * worse.expand(V, P, 1).reshape(V * P, 1, 1)
    peak_offsets = monotone(u, start).reshape(V, P, batch, Q)
    towards = worse * window.baseline
    peak_baseline = worse * torch.stack([towards[:, :n].amax(1) for n in PEAK_STEPS], 1)  # (V, P, B)

    return Forecast(offsets, peak_offsets, peak_baseline, selection_past, selection_future, attention, window)
