"""
Made-up windows that look like a fleet's: daily rhythm, noise, gaps, short histories, metrics nobody measures.

For parity and equation tests; nothing is trained on them.
"""

import math

import torch
from torch import Tensor

from contract import F, P, PEAK_STEPS, PROFILES, T, V, WORSE

LEVELS = (25.0, 8.0, 2.0, 65.0, 15.0, 55.0, 5.0, 12.0, 9.0, 40.0, 25.0, 3.0)


def make_batch(size: int, seed: int) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(seed)

    def rand(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=g)

    level = torch.tensor(LEVELS) * (0.3 + 1.4 * rand(size, 1, V))  # (B, 1, V)
    hour = (torch.arange(-T, F) + 96 * rand(size, 1).mul(96).floor() / 96).div(96)  # (B, T + F), in days
    swing = torch.sin(2 * math.pi * (hour.unsqueeze(-1) + rand(size, 1, V)))  # (B, T + F, V)
    usual = level * (1 + 0.4 * swing)
    mean = (usual + 0.1 * level * torch.randn(size, T + F, V, generator=g)).clamp(min=0)
    towards = torch.tensor(WORSE)
    # Worst readings: of idle below the mean, of all others above.
    worst = (mean + 0.2 * level * rand(size, T + F, V) * towards).clamp(min=0)
    share = torch.arange(V) < 7
    mean = torch.where(share, mean.clamp(max=100), mean)
    worst = torch.where(share, worst.clamp(max=100), worst)

    measured = (rand(size, 1, V) > 0.1).float()
    length = (rand(size, 1, 1) * 1.3 * T).clamp(1, T)
    recorded = (torch.arange(T).reshape(1, T, 1) >= T - length).float()
    known = measured * recorded * (rand(size, T, V) > 0.05) * (0.5 + 0.5 * rand(size, T, V)).mul(1.5).clamp(max=1)
    days = (rand(size, 1, V) * 8).floor().clamp(max=7) / 7 * measured
    season_known, season = days.expand(size, T + F, V), usual * (days > 0)
    yesterday_known = known[:, :F]
    future, future_worst = mean[:, T:], worst[:, T:]
    truth_known = measured * (rand(size, F, V) > 0.05)
    angle = 2 * math.pi * hour
    event = (rand(size, T + F) > 0.95).float()
    calendar = torch.stack(
        [angle.sin(), angle.cos(), (angle / 7).sin(), (angle / 7).cos(), event], -1
    )  # (B, T + F, 5)
    last = mean[:, T - 1]
    recent_known = (known[:, T - 1] > 0).float()
    slope = 0.1 * last * torch.randn(size, V, generator=g)
    last_hour = (towards * worst[:, T - 4 : T]).amax(1) * towards
    recent = torch.stack([last, slope, last_hour, torch.ones(size, V)], -1) * recent_known.unsqueeze(-1)
    cores_known, memory_known = (rand(size) > 0.3).float(), (rand(size) > 0.3).float()
    statics = torch.stack(
        [
            (1 + 3 * rand(size)) * cores_known,
            cores_known,
            (2 + 3 * rand(size)) * memory_known,
            memory_known,
            torch.log1p(5 * rand(size)),
            torch.log1p(length.reshape(size) / 4),
        ],
        -1,
    )
    seen = (known > 0).float()
    peak_truth = torch.stack([(towards * future_worst[:, :n]).amax(1) * towards for n in PEAK_STEPS], 1)  # (B, P, V)
    peak_known = measured.expand(size, P, V)
    baseline = 0.7 * usual[:, T:] + 0.3 * level
    baseline = torch.where(share, baseline.clamp(max=100), baseline) * measured
    return {
        "past": torch.stack([mean[:, :T] * seen, worst[:, :T] * seen], -1),
        "pastKnown": known,
        "seasonalPast": season[:, :T],
        "seasonalPastKnown": season_known[:, :T],
        "seasonal": season[:, T:],
        "seasonalKnown": season_known[:, T:],
        "yesterday": mean[:, :F] * (yesterday_known > 0),
        "yesterdayKnown": yesterday_known,
        "baseline": baseline,
        "recent": recent,
        "calendarPast": calendar[:, :T],
        "calendarFuture": calendar[:, T:],
        "statics": statics,
        "profile": (rand(size) * PROFILES).long(),
        "truth": future * truth_known,
        "truthKnown": truth_known,
        "peakTruth": peak_truth * peak_known,
        "peakKnown": peak_known,
    }
