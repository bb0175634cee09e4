"""
Raw units to features: every window is centred and scaled by itself, shrunk towards its profile.

No weight is trained here. Series are kept metric first, then step, then window: (V, T, B).
The networks that follow are one batched product over the first axis and never have to be turned round.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from contract import CALENDAR, F, METRICS, PROFILES, T, V

PAST_FEATURES = 5
FUTURE_FEATURES = 15
LIMIT = 10.0  # features beyond ten scales say "far away" and no more
SHRINK_STEPS = 8.0  # the profile's scale counts as two hours of readings
SEASON_STEPS = 24.0  # after six known hours the seasonal residual weighs half
MIN_SCALE = 1e-3
MIN_SCALE_SHARE = 0.02  # of the profile's scale: a flat window is not infinitely certain


@dataclass(frozen=True)
class Scaled:
    past: Tensor  # (V + 1, T, B, PAST_FEATURES), the calendar last
    future: Tensor  # (V + 1, F, B, FUTURE_FEATURES)
    profile: Tensor  # (B, PROFILES), one-hot
    baseline: Tensor  # (V, F, B), raw units
    scale: Tensor  # (V, B), raw units
    typical: Tensor  # (V, 1), scale of the unknown profile


def metric_first(x: Tensor) -> Tensor:
    return x.permute(2, 1, 0)  # (B, T, V) -> (V, T, B)


def bounded(x: Tensor) -> Tensor:
    return torch.clamp(x, -LIMIT, LIMIT)


def scaled(profile_scale: Tensor, x: dict[str, Tensor]) -> Scaled:
    """profile_scale (PROFILES, V): typical deviation per profile and metric, measured on the training data."""
    batch = x["past"].shape[0]
    profile_scale = torch.clamp(profile_scale, min=MIN_SCALE)
    profile = (x["profile"].unsqueeze(1) == torch.arange(PROFILES)).to(torch.float32)  # (B, PROFILES)
    usual = (profile @ profile_scale).t()  # (V, B)

    mean = metric_first(x["past"][..., 0])  # (V, T, B)
    worst = metric_first(x["past"][..., 1])  # (V, T, B)
    known = metric_first(x["pastKnown"])
    seen = (known > 0).to(torch.float32)
    season = metric_first(x["seasonalPast"])
    season_known = metric_first(x["seasonalPastKnown"])
    both = known * season_known
    both_seen = seen * (season_known > 0).to(torch.float32)
    baseline = metric_first(x["baseline"])  # (V, F, B)

    n = known.sum(1)  # (V, B)
    # A metric that was never seen is centred on its baseline; a seen one is moved by less than rounding.
    level = ((mean * known).sum(1) + 1e-3 * baseline.mean(1)) / (n + 1e-3)  # (V, B)
    deviation = ((mean - level.unsqueeze(1)).abs() * known).sum(1)  # (V, B), n times the mean
    n_season = both.sum(1)
    shift = ((mean - season) * both).sum(1) / (n_season + 1e-6)
    residual = ((mean - season - shift.unsqueeze(1)).abs() * both).sum(1)

    by_level = (deviation + SHRINK_STEPS * usual) / (n + SHRINK_STEPS)
    by_season = (residual + SHRINK_STEPS * usual) / (n_season + SHRINK_STEPS)
    trust = n_season / (n_season + SEASON_STEPS)
    scale = trust * by_season + (1 - trust) * by_level
    scale = torch.maximum(scale, MIN_SCALE_SHARE * usual + MIN_SCALE)  # (V, B)

    def standing(value: Tensor, weight: Tensor | None = None) -> Tensor:
        """How many scales above the level; value (V, steps, B)."""
        far = bounded((value - level.unsqueeze(1)) / scale.unsqueeze(1))
        return far if weight is None else far * weight

    def each_step(value: Tensor) -> Tensor:
        return value.unsqueeze(1).expand(V, F, batch)  # (V, B) -> (V, F, B)

    past = torch.stack(
        [
            standing(mean, seen),
            bounded((worst - mean) / scale.unsqueeze(1)) * seen,
            known,
            bounded((mean - season) / scale.unsqueeze(1)) * both_seen,
            season_known,
        ],
        -1,
    )  # (V, T, B, PAST_FEATURES)

    recent = x["recent"].permute(2, 1, 0)  # (RECENT, V, B)
    recent_known = recent[3]
    seasonal_known = metric_first(x["seasonalKnown"])
    yesterday_known = metric_first(x["yesterdayKnown"])
    is_share = torch.tensor([[float(name.endswith("_pct"))] for name in METRICS])  # (V, 1)
    position = (torch.arange(F, dtype=torch.float32) + 1) / F
    future = torch.stack(
        [
            standing(metric_first(x["seasonal"]), (seasonal_known > 0).to(torch.float32)),
            seasonal_known,
            standing(metric_first(x["yesterday"]), (yesterday_known > 0).to(torch.float32)),
            yesterday_known,
            standing(baseline),
            each_step(bounded((recent[0] - level) / scale) * recent_known),
            each_step(bounded(recent[1] / scale) * recent_known),
            each_step(bounded((recent[2] - level) / scale) * recent_known),
            each_step(recent_known),
            each_step(bounded(torch.log(scale / usual))),
            each_step(bounded(torch.log(1 + level.abs() / usual))),
            each_step(n / T),
            each_step(bounded((100 - level) / scale) * is_share),
            each_step(bounded(level / scale)),
            position.reshape(1, F, 1).expand(V, F, batch),
        ],
        -1,
    )  # (V, F, B, FUTURE_FEATURES)

    def with_calendar(metrics: Tensor, calendar: Tensor, features: int) -> Tensor:
        calendar = calendar.permute(1, 0, 2)  # (steps, B, CALENDAR)
        if features > CALENDAR:
            blank = torch.zeros(calendar.shape[0], batch, features - CALENDAR)
            calendar = torch.cat([calendar, blank], -1)
        return torch.cat([metrics, calendar.unsqueeze(0)], 0)  # (V + 1, steps, B, features)

    return Scaled(
        past=with_calendar(past, x["calendarPast"], PAST_FEATURES),
        future=with_calendar(future, x["calendarFuture"], FUTURE_FEATURES),
        profile=profile,
        baseline=baseline,
        scale=scale,
        typical=profile_scale[0].unsqueeze(1),
    )
