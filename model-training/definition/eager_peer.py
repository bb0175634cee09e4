"""
The same training step as PyTorch runs it eagerly: the peer that the training graph is measured against.

    python model-training/definition/eager_peer.py FOLDER THREADS

Same network functions, loss, clipping and AdamW; its own fused LSTM in place of the unrolled one, autograd in place of
the traced backward, PyTorch's own optimiser. FOLDER holds theta.bin, contract.json of the graphs and batch-0/, batch-1/ …
with one raw little-endian file per input. Then a line of JSON in, a line of JSON out:

    {"first": 1, "count": 5, "lr": 0.001}  ->  {"ms": [..], "loss": [..]}

Step s takes batch (s - 1) % batches.
"""

import json
import sys
import time
from pathlib import Path

import torch
from torch import Tensor

import network
import parameters
import train_step as training

# Ours lies input, output, forget, cell; PyTorch's input, forget, cell, output.
ORDER = (0, 2, 3, 1)


class FusedLstms(torch.nn.Module):
    """torch.nn.LSTM in the place of network.unrolled_lstm."""

    def __init__(self, weights: parameters.Weights, names: list[str]):
        super().__init__()
        self.layers = torch.nn.ModuleDict({name: self.filled(weights, name) for name in names})

    @staticmethod
    def filled(w: parameters.Weights, name: str) -> torch.nn.LSTM:
        size = w[f"{name}.input"].shape[0]
        layer = torch.nn.LSTM(size, size)

        def gates(x: Tensor) -> Tensor:  # (..., 4 D) -> (4 D, ...)
            parts = x.chunk(4, -1)
            return torch.cat([parts[i] for i in ORDER], -1).t().contiguous() if x.dim() > 1 else torch.cat([parts[i] for i in ORDER])

        with torch.no_grad():
            layer.weight_ih_l0.copy_(gates(w[f"{name}.input"]))
            layer.weight_hh_l0.copy_(gates(w[f"{name}.hidden"]))
            layer.bias_ih_l0.copy_(gates(w[f"{name}.bias"]))
            layer.bias_hh_l0.zero_()
        # One bias is enough for the same network.
        layer.bias_hh_l0.requires_grad_(False)
        return layer

    def forward(self, w: parameters.Weights, name: str, x: Tensor, h: Tensor, c: Tensor):
        states, (h, c) = self.layers[name](x, (h.unsqueeze(0), c.unsqueeze(0)))
        return states, h.squeeze(0), c.squeeze(0)


def read(path: Path, kind: str, shape: list[int]) -> Tensor:
    dtype = torch.int64 if kind == "int64" else torch.float32
    return torch.frombuffer(bytearray(path.read_bytes()), dtype=dtype).reshape(shape)


def main(folder: Path, threads: int) -> None:
    torch.set_num_threads(threads)
    inputs = json.loads((folder / "contract.json").read_text())["train"]["inputs"]
    inputs = [i for i in inputs if i["name"] not in ("theta", "m", "v", "lr", "step")]
    batches = [
        {i["name"]: read(path / f"{i['name']}.bin", i["type"], i["shape"]) for i in inputs}
        for path in sorted(folder.glob("batch-*"))
    ]
    theta = torch.frombuffer(bytearray((folder / "theta.bin").read_bytes()), dtype=torch.float32)
    if theta.numel() != parameters.THETA_SIZE:
        raise SystemExit(f"theta.bin holds {theta.numel()} weights, this definition has {parameters.THETA_SIZE}")
    trainable, profile_scale = training.split_theta(theta)
    weights = {name: w.clone().contiguous() for name, w in parameters.unflattened(trainable, parameters.TRAINABLE).items()}
    recurrent = [name.removesuffix(".hidden") for name in weights if f"{name.removesuffix('.hidden')}.input" in weights and name.endswith(".hidden")]
    lstms = FusedLstms(weights, recurrent)
    for name in recurrent:
        for part in ("input", "hidden", "bias"):
            del weights[f"{name}.{part}"]
    for w in weights.values():
        w.requires_grad_(True)
    trained = [*weights.values(), *(p for p in lstms.parameters() if p.requires_grad)]
    optimiser = torch.optim.AdamW(
        trained, betas=training.BETAS, eps=training.EPSILON, weight_decay=training.WEIGHT_DECAY, fused=True
    )

    def step(batch: dict[str, Tensor]) -> float:
        loss = training.loss_of(network.forecast(weights, profile_scale, batch, network.Parts(lstm=lstms)), batch)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(trained, training.CLIP_NORM)
        optimiser.step()
        return loss.item()

    print(json.dumps({"torch": torch.__version__, "threads": torch.get_num_threads()}), flush=True)
    for line in sys.stdin:
        order = json.loads(line)
        for group in optimiser.param_groups:
            group["lr"] = order["lr"]
        ms, losses = [], []
        for s in range(order["first"], order["first"] + order["count"]):
            began = time.perf_counter()
            losses.append(step(batches[(s - 1) % len(batches)]))
            ms.append(1000 * (time.perf_counter() - began))
        print(json.dumps({"ms": ms, "loss": losses}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
