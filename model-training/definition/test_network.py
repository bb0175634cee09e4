"""
What must hold for the network whatever its weights, and that it can learn at all.

    python model-training/definition/test_network.py
"""

import unittest

import torch
from torch import Tensor

from batches import make_batch
from contract import F, METRICS, P, PEAK_STEPS, Q, T, TRUTH_INPUTS, V, WINDOW_INPUTS
from export import Inference
from network import PLAIN, attended, monotone, unrolled_lstm
from parameters import (
    PARAMETERS,
    PROFILE_SCALE,
    THETA_SIZE,
    TRAINABLE,
    TRAINABLE_SIZE,
    initial_theta,
    unflattened,
)
from parity import theta_for_parity
from scaling import scaled
from train_step import loss, split_theta, train_step

infer = Inference()
IDLE = METRICS.index("cpu_idle_pct")


def answer(theta: Tensor, batch: dict[str, Tensor]) -> tuple[Tensor, ...]:
    with torch.no_grad():
        return infer(theta, *(batch[name] for name in WINDOW_INPUTS))


def nothing_known(size: int) -> dict[str, Tensor]:
    inputs = {**WINDOW_INPUTS, **TRUTH_INPUTS}
    batch = {name: torch.zeros(size, *shape) for name, shape in inputs.items()}
    batch["profile"] = batch["profile"].long()
    return batch


class Quantiles(unittest.TestCase):
    def test_rise_whatever_the_weights(self):
        for seed in range(3):
            theta = initial_theta(seed) * 5
            theta[TRAINABLE_SIZE:] = 3
            quantiles, peaks, *_ = answer(theta, make_batch(16, seed))
            self.assertTrue((quantiles[..., 1:] >= quantiles[..., :-1]).all())
            self.assertTrue((peaks[..., 1:] >= peaks[..., :-1]).all())

    def test_rise_even_for_absurd_numbers(self):
        u = torch.randn(1000, Q, generator=torch.Generator().manual_seed(0)) * 1e5
        rising = monotone(u, 0.0)
        self.assertTrue((rising[:, 1:] >= rising[:, :-1]).all())

    def test_start_as_the_baseline_with_one_scale_each_way(self):
        theta = initial_theta(0)
        theta[TRAINABLE_SIZE:] = 5
        batch = make_batch(32, 5)
        quantiles, *_ = answer(theta, batch)
        scale = scaled(split_theta(theta)[1], batch).scale.t().unsqueeze(1)  # (B, 1, V)
        share_of_scale = ((quantiles[..., 3] - batch["baseline"]) / scale).abs()
        self.assertLess(share_of_scale.mean().item(), 0.1)
        inside = (batch["baseline"] > 2 * scale) & (batch["baseline"] + 2 * scale < 100)
        width = ((quantiles[..., 5] - quantiles[..., 1]) / scale)[inside]
        self.assertLess((width.mean() - 2).abs().item(), 0.2)

    def test_stay_within_what_a_metric_can_be(self):
        quantiles, peaks, *_ = answer(initial_theta(1) * 20, make_batch(16, 3))
        for values in (quantiles, peaks):
            self.assertGreaterEqual(values.min().item(), 0)
            self.assertLessEqual(values[:, :, :7].max().item(), 100)


class UnknownReadings(unittest.TestCase):
    def test_leave_every_output_and_gradient_finite(self):
        batch = nothing_known(4)
        for value in answer(theta_for_parity(), batch):
            self.assertTrue(torch.isfinite(value).all())
        zero = torch.zeros(TRAINABLE_SIZE)
        for value in train_step(theta_for_parity(), zero, zero, torch.tensor(1e-3), torch.tensor(1.0), batch):
            self.assertTrue(torch.isfinite(value).all())

    def test_have_no_effect_whatever_stands_in_their_place(self):
        theta, batch = theta_for_parity(), make_batch(8, 4)
        changed = dict(batch)
        junk = lambda like: torch.rand(like.shape, generator=torch.Generator().manual_seed(1)) * 1000
        for name, mask in (
            ("seasonalPast", "seasonalPastKnown"),
            ("seasonal", "seasonalKnown"),
            ("yesterday", "yesterdayKnown"),
            ("truth", "truthKnown"),
            ("peakTruth", "peakKnown"),
        ):
            self.assertTrue((batch[mask] == 0).any())
            changed[name] = torch.where(batch[mask] > 0, batch[name], junk(batch[name]))
        unknown = (batch["pastKnown"] == 0).unsqueeze(-1)
        changed["past"] = torch.where(unknown, junk(batch["past"]), batch["past"])
        recent_known = batch["recent"][..., 3:] > 0
        values = torch.where(recent_known, batch["recent"], junk(batch["recent"]))
        changed["recent"] = torch.cat([values[..., :3], batch["recent"][..., 3:]], -1)

        for before, after in zip(answer(theta, batch), answer(theta, changed)):
            self.assertTrue(torch.equal(before, after))
        trainable, frozen = split_theta(theta)
        self.assertTrue(torch.equal(loss(trainable, frozen, batch), loss(trainable, frozen, changed)))

    def test_change_nothing_in_other_windows(self):
        theta, batch = theta_for_parity(), make_batch(8, 4)
        alone = answer(theta, {name: value[:1] for name, value in batch.items()})
        for one, all_of_them in zip(alone, answer(theta, batch)):
            self.assertTrue(torch.allclose(one, all_of_them[:1], rtol=1e-4, atol=1e-4))


class Weights(unittest.TestCase):
    def test_lie_one_after_the_other(self):
        end = 0
        for p in PARAMETERS:
            self.assertEqual(p.offset, end)
            end += p.size
        self.assertEqual(end, THETA_SIZE)
        self.assertEqual(PROFILE_SCALE.offset, TRAINABLE_SIZE)

    def test_are_all_trained_except_the_profile_scales(self):
        theta, zero = theta_for_parity(), torch.zeros(TRAINABLE_SIZE)
        _, _, after, m, _ = train_step(theta, zero, zero, torch.tensor(1e-3), torch.tensor(1.0), make_batch(16, 2))
        for p in TRAINABLE:
            self.assertTrue((m[p.offset : p.offset + p.size] != 0).any(), p.name)
        self.assertTrue(torch.equal(after[TRAINABLE_SIZE:], theta[TRAINABLE_SIZE:]))


class Parts(unittest.TestCase):
    """Against PyTorch's own layers and the paper's sums."""

    weights = unflattened(split_theta(theta_for_parity())[0], TRAINABLE)

    def test_the_recurrence_is_an_lstm(self):
        x = torch.randn(7, 3, 32, generator=torch.Generator().manual_seed(2))
        lstm = torch.nn.LSTM(32, 32)
        # PyTorch orders the gates input, forget, cell, output; these are input, output, forget, cell.
        order = lambda p: torch.cat([p[..., 32 * k : 32 * k + 32] for k in (0, 2, 3, 1)], -1)
        with torch.no_grad():
            lstm.weight_ih_l0.copy_(order(self.weights["encode.input"]).t())
            lstm.weight_hh_l0.copy_(order(self.weights["encode.hidden"]).t())
            lstm.bias_ih_l0.copy_(order(self.weights["encode.bias"]))
            lstm.bias_hh_l0.zero_()
            start = torch.zeros(3, 32)
            theirs, (h, c) = lstm(x)
            ours = unrolled_lstm(self.weights, "encode", x, start, start)
        for a, b in zip(ours, (theirs, h[0], c[0])):
            self.assertTrue(torch.allclose(a, b, atol=1e-5))

    def test_attention_is_a_weight_per_step_and_looks_at_no_later_one(self):
        x = torch.randn(T + F, 2, 32, generator=torch.Generator().manual_seed(2))
        _, weights = attended(self.weights, x, PLAIN)
        self.assertTrue(torch.allclose(weights.sum(-1), torch.ones(2, F), atol=1e-5))
        for step in range(F):
            self.assertEqual(weights[:, step, T + step + 1 :].abs().sum().item(), 0)

    def test_selection_weights_sum_to_one(self):
        _, _, past, future, attention = answer(theta_for_parity(), make_batch(5, 6))
        for weights in (past, future):
            self.assertEqual(weights.shape, (5, V + 1))
            self.assertTrue(torch.allclose(weights.sum(-1), torch.ones(5), atol=1e-5))
        self.assertTrue((attention >= 0).all() and (attention.sum(-1) <= 1).all())

    def test_the_peaks_start_from_the_worst_step_of_their_window(self):
        theta, batch = initial_theta(0) * 0, make_batch(4, 6)
        theta[TRAINABLE_SIZE:] = 1e-3
        batch["past"], batch["pastKnown"] = batch["past"] * 0, batch["pastKnown"] * 0
        _, peaks, *_ = answer(theta, batch)
        for k, n in enumerate(PEAK_STEPS):
            worst = batch["baseline"][:, :n].amax(1)
            worst[:, IDLE] = batch["baseline"][:, :n, IDLE].amin(1)
            self.assertTrue(torch.allclose(peaks[:, k, :, 3], worst, atol=0.1))
        self.assertEqual(peaks.shape[1], P)


class Training(unittest.TestCase):
    def test_can_overfit_eight_windows(self):
        theta, batch = initial_theta(0), make_batch(8, 11)
        theta[TRAINABLE_SIZE:] = 5
        m, v, losses = torch.zeros(TRAINABLE_SIZE), torch.zeros(TRAINABLE_SIZE), []
        for step in range(1, 201):
            value, _, theta, m, v = train_step(theta, m, v, torch.tensor(3e-3), torch.tensor(float(step)), batch)
            losses.append(value.item())
        print(f"overfit: {losses[0]:.4f} -> {losses[-1]:.4f}")
        self.assertLess(losses[-1], 0.35 * losses[0])


if __name__ == "__main__":
    torch.set_num_threads(2)
    unittest.main(verbosity=2)
