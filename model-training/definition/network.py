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


def opened(value: Tensor, opening: Tensor) -> Tensor:
    return value * torch.sigmoid(opening)


def norm(x: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
    return layer_norm(x, (x.shape[-1],), gain, bias)


def normed(w: Weights, name: str, x: Tensor, k: "Parts") -> Tensor:
    return k.normed(x, w[f"{name}.gain"], w[f"{name}.bias"])


def gated(w: Weights, name: str, x: Tensor, k: "Parts") -> Tensor:
    """Gated linear unit (paper, eq. 5)."""
    value, opening = (k.product(x, w[f"{name}.weight"]) + w[f"{name}.bias"]).chunk(2, -1)
    return k.opened(value, opening)


def residual(w: Weights, name: str, x: Tensor, k: "Parts", context: Tensor | None = None) -> Tensor:
    """Gated residual network (eq. 2-4); x (..., B, D), context (B, D)."""
    hidden = k.product(x, w[f"{name}.in"]) + w[f"{name}.in.bias"]
    if context is not None:
        hidden = hidden + context @ w[f"{name}.context"]
    return normed(w, f"{name}.norm", x + gated(w, f"{name}.gate", k.swish(hidden), k), k)


def selected(
    w: Weights, name: str, x: Tensor, k: "Parts", context: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | list[Tensor]]:
    """
    Variable selection (eq. 6-8): every variable through its own network, then a weighted sum.

    x (N, steps, B, features) -> chosen (steps, B, D), weights (steps, B, N), each variable's network (N, steps * B, D)
    """
    variables, steps, batch, features = x.shape
    flat = x.permute(1, 2, 0, 3).reshape(steps, batch, variables * features)
    hidden = k.product(flat, w[f"{name}.weigh.in"]) + w[f"{name}.weigh.in.bias"]  # (steps, B, D)
    if context is not None:
        hidden = hidden + context @ w[f"{name}.weigh.context"]
    weigh = k.product(flat, w[f"{name}.weigh.skip"]) + gated(w, f"{name}.weigh.gate", k.swish(hidden), k)
    weights = torch.softmax(normed(w, f"{name}.weigh.norm", weigh, k), -1)  # (steps, B, N)

    rows = with_one(x).reshape(variables, steps * batch, features + 1)
    by_variable = weights.reshape(steps * batch, variables)
    chosen, each = k.variables(w, name, rows, by_variable.t())
    chosen = chosen + by_variable @ w[f"{name}.bias"]
    return chosen.reshape(steps, batch, D), weights, each


def variables(w: Weights, name: str, rows: Tensor, shares: Tensor) -> tuple[Tensor, Tensor]:
    """Each variable's network (N, rows, D) and their sum in these shares; rows (N, rows, features), shares (N, rows)."""
    bent = swish(torch.bmm(rows, w[f"{name}.hidden"]))  # (N, steps * B, D)
    value = torch.bmm(bent, w[f"{name}.value"])
    opening = torch.sigmoid(torch.bmm(bent, w[f"{name}.open"]))
    each = layer_norm(torch.bmm(rows, w[f"{name}.embed"]) + value * opening, (D,))  # (N, steps * B, D)
    return (each * shares.unsqueeze(-1)).sum(0), each


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


def attended(w: Weights, x: Tensor, k: "Parts") -> tuple[Tensor, Tensor]:
    """
    Interpretable multi-head attention (eq. 13-16): heads share their values, so their mean is a weight per step.

    x (T + F, B, D) -> (F, B, D), (B, F, T + F)
    """
    steps, batch, _ = x.shape
    size = D // HEADS
    query = k.product(x[T:], w["attend.query"]).reshape(F, batch, HEADS, size).permute(1, 2, 0, 3)  # (B, H, F, size)
    key = k.product(x, w["attend.key"]).reshape(steps, batch, HEADS, size).permute(1, 2, 3, 0)  # (B, H, size, T + F)
    # No forecast step looks at a later one.
    later = torch.cat([torch.zeros(F, T), torch.triu(torch.full((F, F), -1e4), 1)], 1)
    weights = torch.softmax(query @ key * size**-0.5 + later, -1).mean(1)  # (B, F, T + F)
    value = k.product(x, w["attend.value"]).permute(1, 0, 2)  # (B, T + F, D)
    return torch.bmm(weights, value).permute(1, 0, 2), weights


def monotone(u: Tensor, start: float | Tensor) -> Tensor:
    """Unbounded numbers to rising quantiles around a median; u (..., Q), start a number or (..., 1)."""
    # x = step - 1 / step is where (x + sqrt(x^2 + 4)) / 2 equals that step.
    shift = torch.tensor([step - 1 / step for step in STARTING_STEPS])
    median, steps = u[..., :1], u[..., 1:] + shift
    steps = (steps + torch.sqrt(steps * steps + 4)) * 0.5
    return median + start + steps @ torch.tensor(FROM_MEDIAN)


def heads(
    w: Weights, shared: Tensor, features: Tensor, past: Tensor, ahead: Tensor, pool: Tensor, batch: int
) -> tuple[Tensor, Tensor]:
    """
    One head per metric, on all rows (F * B): what the decoder says (rows, 2 D), the metric's own features
    (V, rows, features), its own past (N, T * B, D) and what is known ahead of it (N, rows, D).

    -> what becomes quantiles (V, rows, Q), and the mean of the hidden layer in each window of the peaks (V, P, B * D)
    """
    own = torch.bmm(w["head.summary"], past[:V].reshape(V, T, batch * D))  # (V, SUMMARIES, B * D)
    own = torch.bmm(own.reshape(V * SUMMARIES, batch, D), w["head.own"])
    own = own.reshape(V, SUMMARIES, batch, D).sum(1)  # (V, B, D)
    hidden = (
        torch.bmm(shared.expand(V, F * batch, 2 * D), w["head.shared"])
        + torch.bmm(ahead[:V], w["head.embedding"])
        + torch.bmm(features, w["head.features"])
    )
    hidden = swish(hidden.reshape(V, F, batch, D) + own.unsqueeze(1))  # (V, F, B, D)
    u = torch.bmm(hidden.reshape(V, F * batch, D), w["head.quantiles"]) + torch.bmm(features, w["head.direct"])
    return u, torch.matmul(pool, hidden.reshape(V, F, batch * D))


@dataclass(frozen=True)
class Parts:
    """What may be computed another way by those who must be fast; the results are the same."""

    lstm: Recurrence = unrolled_lstm
    product: Callable[[Tensor, Tensor], Tensor] = torch.matmul
    swish: Callable[[Tensor], Tensor] = swish
    opened: Callable[[Tensor, Tensor], Tensor] = opened
    normed: Callable[[Tensor, Tensor, Tensor], Tensor] = norm
    variables: Callable[..., tuple[Tensor, Tensor | list[Tensor]]] = variables
    heads: Callable[..., tuple[Tensor, Tensor]] = heads


PLAIN = Parts()


def forecast(trainable: Weights, profile_scale: Tensor, x: dict[str, Tensor], k: Parts = PLAIN) -> Forecast:
    w, window = trainable, scaled(profile_scale, x)
    batch = x["past"].shape[0]

    # What does not change with time, and what it tells the rest (paper, 4.3).
    def widened(part: Tensor) -> Tensor:
        return torch.cat([part, torch.zeros(batch, window.profile.shape[1] - part.shape[1])], -1)

    hardware, history = x["statics"][:, :4], x["statics"][:, 4:]
    static = torch.stack([window.profile, widened(hardware), widened(history)], 0)  # (3, B, PROFILES)
    static, _, _ = selected(w, "static", static.unsqueeze(1), k, None)
    static = static.reshape(batch, D)
    choose = residual(w, "context.select", static, k)  # (B, D)

    seen, selection_past, each_past = selected(w, "past", window.past, k, choose)  # (T, B, D)
    ahead, selection_future, each_future = selected(w, "future", window.future, k, choose)  # (F, B, D)

    h, c = residual(w, "context.state", static, k), residual(w, "context.cell", static, k)
    encoded, h, c = k.lstm(w, "encode", seen, h, c)
    decoded, _, _ = k.lstm(w, "decode", ahead, h, c)
    sequence = torch.cat([encoded, decoded], 0)  # (T + F, B, D)
    sequence = normed(w, "sequence.norm", torch.cat([seen, ahead], 0) + gated(w, "sequence.gate", sequence, k), k)

    enriched = residual(w, "enrich", sequence, k, residual(w, "context.enrich", static, k))
    looked, attention = attended(w, enriched, k)  # (F, B, D)
    looked = normed(w, "attend.norm", enriched[T:] + gated(w, "attend.gate", looked, k), k)
    decided = residual(w, "feed", looked, k)
    decided = normed(w, "feed.out.norm", sequence[T:] + gated(w, "feed.out.gate", decided, k), k)  # (F, B, D)

    shared = torch.cat([decided, ahead], -1).reshape(F * batch, 2 * D)
    features = with_one(window.future[:V]).reshape(V, F * batch, FUTURE_FEATURES + 1)
    # The worst reading of a window is forecast from the mean of its steps.
    pool = torch.stack([(torch.arange(F) < n).to(torch.float32) / n for n in PEAK_STEPS])  # (P, F)
    u, pooled = k.heads(w, shared, features, each_past, each_future, pool, batch)
    offsets = monotone(u, 0.0).reshape(V, F, batch, Q)

    pooled = pooled.reshape(V * P, batch, D)
    u = torch.bmm(pooled, w["head.peaks"]) + w["head.peaks.bias"].unsqueeze(1)
    worse = torch.tensor(WORSE).reshape(V, 1, 1)
    start = STARTING_PEAK * worse.expand(V, P, 1).reshape(V * P, 1, 1)
    peak_offsets = monotone(u, start).reshape(V, P, batch, Q)
    towards = worse * window.baseline
    peak_baseline = worse * torch.stack([towards[:, :n].amax(1) for n in PEAK_STEPS], 1)  # (V, P, B)

    return Forecast(offsets, peak_offsets, peak_baseline, selection_past, selection_future, attention, window)
