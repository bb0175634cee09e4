"""
All weights of the forecaster, as one flat vector: theta = [trainable | profile scales].

The table says where each weight lies and how it starts, so that a trainer in any language can begin from a seed.
The profile scales at the end are measured on the training data and never trained.
"""

from dataclasses import dataclass
from math import prod, sqrt

import torch
from torch import Tensor

from contract import D, P, PROFILES, Q, T, V
from scaling import FUTURE_FEATURES, PAST_FEATURES

VARIABLES = V + 1  # the metrics and the calendar
STATIC_VARIABLES = 3  # profile, hardware, history
SUMMARIES = 4  # learned poolings of each metric's own past


@dataclass(frozen=True)
class Parameter:
    name: str
    shape: tuple[int, ...]
    kind: str = "uniform"  # or zeros, ones, normal
    bound: float = 0.0  # half-width of uniform, deviation of normal
    offset: int = 0

    @property
    def size(self) -> int:
        return prod(self.shape)


def dense(name: str, *shape: int) -> list[Parameter]:
    """A matrix or a stack of matrices, (..., into, out of)."""
    return [Parameter(name, shape, "uniform", 1 / sqrt(shape[-2]))]


def zeros(name: str, *shape: int) -> list[Parameter]:
    return [Parameter(name, shape, "zeros")]


def norm(name: str, size: int) -> list[Parameter]:
    return [Parameter(f"{name}.gain", (size,), "ones"), *zeros(f"{name}.bias", size)]


def gate(name: str, into: int, out: int) -> list[Parameter]:
    return dense(f"{name}.weight", into, 2 * out) + zeros(f"{name}.bias", 2 * out)


def residual(name: str, context: bool) -> list[Parameter]:
    """A gated residual network D to D."""
    return [
        *dense(f"{name}.in", D, D),
        *zeros(f"{name}.in.bias", D),
        *(dense(f"{name}.context", D, D) if context else []),
        *gate(f"{name}.gate", D, D),
        *norm(f"{name}.norm", D),
    ]


def selection(name: str, variables: int, features: int, context: bool) -> list[Parameter]:
    return [
        *dense(f"{name}.embed", variables, features + 1, D),  # the constant feature is the bias
        *dense(f"{name}.hidden", variables, features + 1, D),
        *dense(f"{name}.value", variables, D, D),
        *dense(f"{name}.open", variables, D, D),
        *zeros(f"{name}.bias", variables, D),
        *dense(f"{name}.weigh.in", variables * features, D),
        *zeros(f"{name}.weigh.in.bias", D),
        *(dense(f"{name}.weigh.context", D, D) if context else []),
        *dense(f"{name}.weigh.skip", variables * features, variables),
        *gate(f"{name}.weigh.gate", D, variables),
        *norm(f"{name}.weigh.norm", variables),
    ]


def lstm(name: str) -> list[Parameter]:
    bound = 1 / sqrt(D)
    return [
        Parameter(f"{name}.input", (D, 4 * D), "uniform", bound),
        Parameter(f"{name}.hidden", (D, 4 * D), "uniform", bound),
        *zeros(f"{name}.bias", 4 * D),
    ]


def laid_out(parameters: list[Parameter]) -> tuple[Parameter, ...]:
    table, offset = [], 0
    for p in parameters:
        table.append(Parameter(p.name, p.shape, p.kind, p.bound, offset))
        offset += p.size
    return tuple(table)


TRAINABLE = laid_out(
    [
        *selection("static", STATIC_VARIABLES, PROFILES, context=False),
        *residual("context.select", context=False),
        *residual("context.state", context=False),
        *residual("context.cell", context=False),
        *residual("context.enrich", context=False),
        *selection("past", VARIABLES, PAST_FEATURES, context=True),
        *selection("future", VARIABLES, FUTURE_FEATURES, context=True),
        *lstm("encode"),
        *lstm("decode"),
        *gate("sequence.gate", D, D),
        *norm("sequence.norm", D),
        *residual("enrich", context=True),
        *dense("attend.query", D, D),
        *dense("attend.key", D, D),  # no bias: a softmax over keys cannot see one
        *dense("attend.value", D, D),
        *gate("attend.gate", D, D),
        *norm("attend.norm", D),
        *residual("feed", context=False),
        *gate("feed.out.gate", D, D),
        *norm("feed.out.norm", D),
        Parameter("head.summary", (V, SUMMARIES, T), "uniform", 2 / T),
        *dense("head.own", V * SUMMARIES, D, D),
        *dense("head.shared", V, 2 * D, D),
        *dense("head.embedding", V, D, D),
        *dense("head.features", V, FUTURE_FEATURES + 1, D),
        Parameter("head.quantiles", (V, D, Q), "uniform", 0.02),
        *zeros("head.direct", V, FUTURE_FEATURES + 1, Q),
        Parameter("head.peaks", (V * P, D, Q), "uniform", 0.02),
        *zeros("head.peaks.bias", V * P, Q),
    ]
)
TRAINABLE_SIZE = sum(p.size for p in TRAINABLE)
PROFILE_SCALE = Parameter("profileScale", (PROFILES, V), "ones", 0.0, TRAINABLE_SIZE)
PARAMETERS = (*TRAINABLE, PROFILE_SCALE)
THETA_SIZE = TRAINABLE_SIZE + PROFILE_SCALE.size

Weights = dict[str, Tensor]


def unflattened(theta: Tensor, parameters: tuple[Parameter, ...]) -> Weights:
    parts = torch.split(theta, [p.size for p in parameters])
    return {p.name: part.reshape(p.shape) for p, part in zip(parameters, parts)}


def initial_theta(seed: int) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    parts = []
    for p in PARAMETERS:
        if p.kind == "uniform":
            parts.append((torch.rand(p.size, generator=generator) * 2 - 1) * p.bound)
        elif p.kind == "normal":
            parts.append(torch.randn(p.size, generator=generator) * p.bound)
        else:
            parts.append(torch.full((p.size,), float(p.kind == "ones")))
    return torch.cat(parts)
