"""
The hot parts of a training step with their derivatives written by hand. They compute what network.PLAIN computes.

A traced derivative is many small operators, and tensors of all variables together fit no cache. Here every variable
goes through its network by itself, and the backward loop of a recurrent layer holds only what needs the step after it.
"""

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

# A weight's gradient is a product along all rows, which one core would do alone; two halves are two cores' work.
HALVES = 2


def along_rows(x: Tensor, y: Tensor) -> Tensor:
    """x^T y; x (rows, m), y (rows, n)."""
    rows = x.shape[0]
    if rows % HALVES or rows < 512:
        return x.t() @ y
    halves = torch.bmm(x.reshape(HALVES, rows // HALVES, -1).transpose(1, 2), y.reshape(HALVES, rows // HALVES, -1))
    return halves.sum(0)


class Product(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, weight: Tensor) -> Tensor:
        ctx.x, ctx.weight = x, weight
        return x @ weight

    @staticmethod
    def backward(ctx: FunctionCtx, d: Tensor):
        needs_x, needs_weight = ctx.needs_input_grad
        return d @ ctx.weight.t() if needs_x else None, along_rows(ctx.x, d) if needs_weight else None


class ProductPlus(Function):
    """x weight + rest, in one operator."""

    @staticmethod
    def forward(ctx: FunctionCtx, rest: Tensor, x: Tensor, weight: Tensor) -> Tensor:
        ctx.x, ctx.weight = x, weight
        return torch.addmm(rest, x, weight)

    @staticmethod
    def backward(ctx: FunctionCtx, d: Tensor):
        return d, d @ ctx.weight.t() if ctx.needs_input_grad[1] else None, along_rows(ctx.x, d)


class Swish(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        share = torch.sigmoid(x)
        y = x * share
        ctx.slope = share + (y - y * share)
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, d: Tensor):
        return d * ctx.slope


class Opened(Function):
    """value * sigmoid(opening)"""

    @staticmethod
    def forward(ctx: FunctionCtx, value: Tensor, opening: Tensor) -> Tensor:
        share = torch.sigmoid(opening)
        y = value * share
        ctx.share, ctx.rest = share, value - y
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, d: Tensor):
        value = d * ctx.share
        return value, value * ctx.rest


class Norm(Function):
    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor) -> Tensor:
        y, _, narrow = torch.native_layer_norm(x, (x.shape[-1],), None, None, 1e-5)
        ctx.y, ctx.narrow = y, narrow
        return y

    @staticmethod
    def backward(ctx: FunctionCtx, d: Tensor):
        along = (d * ctx.y).mean(-1, keepdim=True)
        return (d - d.mean(-1, keepdim=True) - ctx.y * along) * ctx.narrow


class Recurrence(Function):
    """
    An LSTM; rows (steps * B, 4 D) are its inputs' share of the gates, in ONNX's order (input, output, forget, cell).

    -> states (steps * B, D), last h and c (B, D)
    """

    @staticmethod
    def forward(ctx: FunctionCtx, rows: Tensor, recurrent: Tensor, h: Tensor, c: Tensor):
        batch, size = h.shape
        before, states, shares, cells, kept, bent = [], [], [], [], [c], []
        for gates in torch.split(rows, batch):
            before.append(h)
            shut, cell = torch.split(torch.addmm(gates, h, recurrent), [3 * size, size], -1)
            shut, cell = torch.sigmoid(shut), torch.tanh(cell)
            i, o, f = shut.chunk(3, -1)
            c = f * c + i * cell
            bend = torch.tanh(c)
            h = o * bend
            for kind, value in ((states, h), (shares, shut), (cells, cell), (kept, c), (bent, bend)):
                kind.append(value)
        ctx.parts = [torch.cat(kind) for kind in (before, shares, cells, kept[:-1], bent)]
        ctx.recurrent = recurrent
        return torch.cat(states), h, c

    @staticmethod
    def backward(ctx: FunctionCtx, d_states: Tensor, d_h: Tensor, d_c: Tensor):
        before, shares, cell, c_before, bend = ctx.parts
        i, o, f = shares.chunk(3, -1)
        # All that the loop multiplies by is known beforehand, for all steps at once.
        to_c = o - o * bend * bend
        slope = shares - shares * shares
        slope_i, slope_o, slope_f = slope.chunk(3, -1)
        to_gates = torch.cat([slope_i * cell, slope_o * bend, slope_f * c_before, i - i * cell * cell], -1)
        batch, back = d_h.shape[0], ctx.recurrent.t()
        steps = [torch.split(part, batch) for part in (d_states, to_c, to_gates, f.contiguous())]
        d_gates = []
        for d_state, c_of_h, gates_of_hc, forget in reversed(list(zip(*steps))):
            d_h = d_state + d_h if not d_gates else torch.addmm(d_state, d_gates[-1], back)
            through_c = d_h * c_of_h + d_c
            d_gates.append(torch.cat([through_c, d_h, through_c, through_c], -1) * gates_of_hc)
            d_c = through_c * forget
        d_rows = torch.cat(d_gates[::-1])
        return d_rows, along_rows(before, d_rows), d_gates[-1] @ back, d_c


def product(x: Tensor, weight: Tensor) -> Tensor:
    return Product.apply(x.reshape(-1, x.shape[-1]), weight).reshape(*x.shape[:-1], weight.shape[-1])


def lstm(w: dict[str, Tensor], name: str, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    steps, batch, size = x.shape
    rows = Product.apply(x.reshape(steps * batch, size), w[f"{name}.input"]) + w[f"{name}.bias"]
    states, h, c = Recurrence.apply(rows, w[f"{name}.hidden"], h, c)
    return states.reshape(steps, batch, size), h, c


def variables(w: dict[str, Tensor], name: str, rows: Tensor, shares: Tensor) -> tuple[Tensor, list[Tensor]]:
    """network.variables, one variable after the other."""
    weights = (w[f"{name}.{part}"].unbind(0) for part in ("hidden", "value", "open", "embed"))
    chosen, each = None, []
    for x, share, hidden, value, opening, embed in zip(rows.unbind(0), shares.unsqueeze(-1).unbind(0), *weights):
        bent = Swish.apply(Product.apply(x, hidden))
        gated = Opened.apply(Product.apply(bent, value), Product.apply(bent, opening))
        own = Norm.apply(ProductPlus.apply(gated, x, embed))
        chosen = own * share if chosen is None else chosen + own * share
        each.append(own)
    return chosen, each


def heads(
    w: dict[str, Tensor],
    shared: Tensor,
    features: Tensor,
    past: list[Tensor],
    ahead: list[Tensor],
    pool: Tensor,
    batch: int,
) -> tuple[Tensor, Tensor]:
    """network.heads, one metric after the other."""
    parts = ("own", "shared", "embedding", "features", "quantiles", "direct")
    named = {part: w[f"head.{part}"].unbind(0) for part in parts}
    summaries = w["head.summary"].unbind(0)
    count, steps, size = summaries[0].shape[0], pool.shape[1], shared.shape[1] // 2
    numbers, pooled = [], []
    for metric, (x, each_past, each_ahead) in enumerate(zip(features.unbind(0), past, ahead)):
        summary = summaries[metric] @ each_past.reshape(-1, batch * size)  # (SUMMARIES, B * D)
        weights = named["own"][metric * count : (metric + 1) * count]
        own = sum(part.reshape(batch, size) @ weight for part, weight in zip(summary.unbind(0), weights))
        hidden = Product.apply(shared, named["shared"][metric])
        hidden = ProductPlus.apply(hidden, each_ahead, named["embedding"][metric])
        hidden = ProductPlus.apply(hidden, x, named["features"][metric])
        hidden = Swish.apply((hidden.reshape(steps, batch, size) + own).reshape(-1, size))
        direct = Product.apply(x, named["direct"][metric])
        numbers.append(ProductPlus.apply(direct, hidden, named["quantiles"][metric]))
        pooled.append(pool @ hidden.reshape(steps, batch * size))
    return torch.stack(numbers), torch.stack(pooled)
