"""
PyTorch's own answers, for comparison with ONNX Runtime's.

    python model-training/definition/parity.py OUT

Writes raw little-endian files into OUT: theta, the batches and after ten training steps the weights; for inference at
batch 1, 3 and 90 the windows and the forecasts. parity.json names them and holds loss and gradient norm of each step.
"""

import json
import sys
from pathlib import Path

import torch
from torch import Tensor

from batches import make_batch
from contract import FORECAST_OUTPUTS, TRAINING_BATCH, WINDOW_INPUTS
from export import Inference, WEIGHTS_FILE
from parameters import PROFILE_SCALE, TRAINABLE_SIZE, initial_theta
from train_step import train_step

STEPS = 10
BATCHES = 2  # taken in turn
LEARNING_RATE = 1e-3
INFERENCE = (1, 3, 90)


def theta_for_parity() -> Tensor:
    """Away from the start, where zero weights would hide mistakes."""
    generator = torch.Generator().manual_seed(9)
    theta = initial_theta(3)
    theta[:TRAINABLE_SIZE] += 0.05 * torch.randn(TRAINABLE_SIZE, generator=generator)
    theta[TRAINABLE_SIZE:] = 1 + 5 * torch.rand(PROFILE_SCALE.size, generator=generator)
    return theta


def write(folder: Path, values: dict[str, Tensor]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in values.items():
        value.contiguous().numpy().tofile(folder / f"{name}.bin")


def main(out: Path) -> None:
    torch.manual_seed(0)
    theta = theta_for_parity()
    write(out, {"theta": theta})
    theta.numpy().tofile(out / WEIGHTS_FILE)

    batches = [make_batch(TRAINING_BATCH, 100 + i) for i in range(BATCHES)]
    for i, batch in enumerate(batches):
        write(out / f"train-{i}", batch)
    m, v, trace = torch.zeros(TRAINABLE_SIZE), torch.zeros(TRAINABLE_SIZE), []
    trained = theta
    for step in range(1, STEPS + 1):
        loss, norm, trained, m, v = train_step(
            trained, m, v, torch.tensor(LEARNING_RATE), torch.tensor(float(step)), batches[(step - 1) % BATCHES]
        )
        trace.append({"loss": loss.item(), "gradNorm": norm.item()})
    write(out, {"thetaTrained": trained, "mTrained": m, "vTrained": v})

    infer = Inference()
    for size in INFERENCE:
        batch = make_batch(size, 200 + size)
        windows = {name: batch[name] for name in WINDOW_INPUTS}
        with torch.no_grad():
            outputs = infer(theta, *windows.values())
        write(out / f"infer-{size}", {**windows, **dict(zip(FORECAST_OUTPUTS, outputs))})

    summary = {"learningRate": LEARNING_RATE, "batches": BATCHES, "steps": trace, "inference": list(INFERENCE)}
    (out / "parity.json").write_text(json.dumps(summary, indent=2) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
