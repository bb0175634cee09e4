"""
Writes the two graphs and the contract they were made under.

    python model-training/definition/export.py        # into model-training/graphs
    python model-training/definition/export.py OUT    # elsewhere

train.onnx    one training step at a fixed batch, weights as inputs and outputs
infer.onnx    the forecast at any batch; its weights are read from weights.bin beside it (theta, little-endian float32)
contract.json names and sizes of everything that goes in and out, where each weight lies and how it starts
"""

import hashlib
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper, numpy_helper
from torch import Tensor
from torch._decomp import core_aten_decompositions
from torch.fx.experimental.proxy_tensor import make_fx

import contract
import network
import parameters
import train_step as training
from batches import make_batch
from contract import FORECAST_OUTPUTS, INTEGER_INPUTS, TRAINING_BATCH, TRUTH_INPUTS, WINDOW_INPUTS

HERE = Path(__file__).resolve().parent
# What decides the graphs; the hash of these files is in the contract, and a test compares.
SOURCES = ("by_hand.py", "contract.py", "export.py", "network.py", "parameters.py", "scaling.py", "train_step.py")
STATE = ("theta", "m", "v", "lr", "step")
TRAINED = ("loss", "gradNorm", "thetaNext", "mNext", "vNext")
WEIGHTS_FILE = "weights.bin"


def definition_hash() -> str:
    digest = hashlib.sha256()
    for name in SOURCES:
        digest.update(name.encode() + b"\0" + (HERE / name).read_bytes() + b"\0")
    return digest.hexdigest()


def onnx_lstm(w: parameters.Weights, name: str, x: Tensor, h: Tensor, c: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The same recurrence as network.unrolled_lstm, as ONNX's one operator."""
    steps, batch, size = x.shape
    bias = w[f"{name}.bias"]
    states, h, c = torch.onnx.ops.symbolic_multi_out(
        "LSTM",
        [
            x,
            w[f"{name}.input"].t().unsqueeze(0),  # (1, 4 D, D)
            w[f"{name}.hidden"].t().unsqueeze(0),
            torch.cat([bias, torch.zeros_like(bias)]).unsqueeze(0),  # (1, 8 D): ONNX keeps two biases
            None,
            h.unsqueeze(0),
            c.unsqueeze(0),
        ],
        {"hidden_size": size},
        dtypes=[x.dtype] * 3,
        shapes=[(steps, 1, batch, size), (1, batch, size), (1, batch, size)],
    )
    return states.squeeze(1), h.squeeze(0), c.squeeze(0)


class Inference(torch.nn.Module):
    """Raw units in, raw units out, held to what each metric can be."""

    def __init__(self, parts: network.Parts = network.PLAIN):
        super().__init__()
        self.parts = parts

    def forward(self, theta: Tensor, *values: Tensor) -> tuple[Tensor, ...]:
        trainable, profile_scale = training.split_theta(theta)
        weights = parameters.unflattened(trainable, parameters.TRAINABLE)
        f = network.forecast(weights, profile_scale, dict(zip(WINDOW_INPUTS, values)), self.parts)

        highest = torch.tensor([100.0 if m.endswith("_pct") else 3.0e38 for m in contract.METRICS])

        def in_units(baseline: Tensor, offsets: Tensor) -> Tensor:
            value = baseline.unsqueeze(-1) + f.window.scale.unsqueeze(1).unsqueeze(-1) * offsets  # (V, steps, B, Q)
            value = value.permute(2, 1, 0, 3)  # (B, steps, V, Q)
            return torch.minimum(torch.clamp(value, min=0.0), highest.unsqueeze(-1))

        return (
            in_units(f.window.baseline, f.offsets),
            in_units(f.peak_baseline, f.peak_offsets),
            f.selection_past.mean(0),
            f.selection_future.mean(0),
            f.attention[:, :, : contract.T].mean(1),
        )


def cleaned(path: Path) -> onnx.ModelProto:
    """Without the exporter's diary: source lines, long names, and shapes that the runtime infers anyway."""
    model = onnx.load(str(path))
    kept = {"", *(value.name for value in [*model.graph.input, *model.graph.output])}
    short: dict[str, str] = {}

    def shortened(name: str) -> str:
        return name if name in kept else short.setdefault(name, f"x{len(short)}")

    given = {value.name for value in model.graph.input}

    def made(name: str) -> str:
        # The exporter gives its values names of their own and then the inputs ours: an unused output was called v as well.
        return short.setdefault(f"made {name}", f"x{len(short)}") if name in given else shortened(name)

    for initializer in model.graph.initializer:
        initializer.name = shortened(initializer.name)
    del model.metadata_props[:], model.graph.metadata_props[:], model.graph.value_info[:]
    for node in model.graph.node:
        del node.metadata_props[:]
        node.name = node.doc_string = ""
        node.input[:] = [shortened(name) for name in node.input]
        node.output[:] = [made(name) for name in node.output]
    for value in [*model.graph.input, *model.graph.output, *model.graph.initializer]:
        del value.metadata_props[:]
        value.doc_string = ""
    return model


def without_uniform_constants(model: onnx.ModelProto) -> onnx.ModelProto:
    """Megabytes of one repeated number become its shape; the runtime unfolds them when it loads the graph."""
    graph, nodes = model.graph, []
    for initializer in list(graph.initializer):
        values = numpy_helper.to_array(initializer)
        if values.size < 256 or (values != values.flat[0]).any():
            continue
        graph.initializer.remove(initializer)
        shape = numpy_helper.from_array(np.array(values.shape, np.int64), f"{initializer.name}.shape")
        graph.initializer.append(shape)
        value = numpy_helper.from_array(values.reshape(-1)[:1])
        nodes.append(helper.make_node("ConstantOfShape", [shape.name], [initializer.name], value=value))
    nodes.extend(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    return model


def write_train_graph(out: Path) -> None:
    batch = {name: value.contiguous() for name, value in make_batch(TRAINING_BATCH, 0).items()}
    memory = torch.zeros(parameters.TRAINABLE_SIZE)
    theta = parameters.initial_theta(0)
    arguments = (theta, memory, memory.clone(), torch.tensor(1e-3), torch.tensor(1.0), *batch.values())

    def flat_step(theta, m, v, lr, step, *values):
        return training.train_step(theta, m, v, lr, step, dict(zip(batch, values)), training.BY_HAND)

    graph = make_fx(flat_step, decomposition_table=core_aten_decompositions())(*arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "train.onnx"
        torch.onnx.export(
            graph,
            arguments,
            str(path),
            dynamo=True,
            external_data=False,
            input_names=[*STATE, *batch],
            output_names=list(TRAINED),
        )
        onnx.save(without_uniform_constants(cleaned(path)), str(out / "train.onnx"))


def write_inference_graph(out: Path) -> None:
    batch = make_batch(3, 0)
    windows = tuple(batch[name].contiguous() for name in WINDOW_INPUTS)
    rows = torch.export.Dim("batch", min=1, max=4096)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "infer.onnx"
        torch.onnx.export(
            Inference(network.Parts(lstm=onnx_lstm)),
            (parameters.initial_theta(0), *windows),
            str(path),
            dynamo=True,
            external_data=False,
            input_names=["theta", *WINDOW_INPUTS],
            output_names=list(FORECAST_OUTPUTS),
            dynamic_shapes=(None, tuple({0: rows} for _ in windows)),
        )
        model = cleaned(path)

    # The weights are a file of their own, so that a new model is a new weights file.
    graph = model.graph
    graph.input.remove(next(i for i in graph.input if i.name == "theta"))
    theta = onnx.TensorProto(name="theta", data_type=onnx.TensorProto.FLOAT, dims=[parameters.THETA_SIZE])
    theta.data_location = onnx.TensorProto.EXTERNAL
    for key, value in {"location": WEIGHTS_FILE, "offset": "0", "length": str(4 * parameters.THETA_SIZE)}.items():
        theta.external_data.add(key=key, value=value)
    graph.initializer.append(theta)
    (out / "infer.onnx").write_bytes(model.SerializeToString())


def described(sizes: dict[str, tuple[int, ...]], batch: int | str) -> list[dict]:
    return [
        {"name": name, "type": "int64" if name in INTEGER_INPUTS else "float32", "shape": [batch, *shape]}
        for name, shape in sizes.items()
    ]


def write_contract(out: Path) -> None:
    theta = [parameters.THETA_SIZE]
    trainable = [parameters.TRAINABLE_SIZE]
    state_shapes = {"theta": theta, "m": trainable, "v": trainable, "lr": [], "step": []}
    trained_shapes = {"loss": [], "gradNorm": [], "thetaNext": theta, "mNext": trainable, "vNext": trainable}
    plain = lambda shapes: [{"name": n, "type": "float32", "shape": s} for n, s in shapes.items()]
    text = {
        "definition": {"sources": list(SOURCES), "sha256": definition_hash()},
        "metrics": list(contract.METRICS),
        "quantiles": list(contract.QUANTILES),
        "peakSteps": list(contract.PEAK_STEPS),
        "profiles": contract.PROFILES,
        "historySteps": contract.T,
        "forecastSteps": contract.F,
        "stepMinutes": 15,
        "hidden": contract.D,
        "heads": contract.HEADS,
        "thetaSize": parameters.THETA_SIZE,
        "trainableSize": parameters.TRAINABLE_SIZE,
        "weightsFile": WEIGHTS_FILE,
        "hyperparameters": {
            "kink": training.KINK,
            "peakWeight": training.PEAK_WEIGHT,
            "ownScaleShare": training.OWN_SCALE_SHARE,
            "clipNorm": training.CLIP_NORM,
            "betas": list(training.BETAS),
            "epsilon": training.EPSILON,
            "weightDecay": training.WEIGHT_DECAY,
        },
        "train": {
            "file": "train.onnx",
            "sha256": hashlib.sha256((out / "train.onnx").read_bytes()).hexdigest(),
            "batch": TRAINING_BATCH,
            "inputs": [*plain(state_shapes), *described({**WINDOW_INPUTS, **TRUTH_INPUTS}, TRAINING_BATCH)],
            "outputs": plain(trained_shapes),
        },
        "infer": {
            "file": "infer.onnx",
            "sha256": hashlib.sha256((out / "infer.onnx").read_bytes()).hexdigest(),
            "batch": None,
            "inputs": described(WINDOW_INPUTS, "batch"),
            "outputs": described(FORECAST_OUTPUTS, "batch"),
        },
        "parameters": [
            {
                "name": p.name,
                "shape": list(p.shape),
                "offset": p.offset,
                "init": {"kind": p.kind, "bound": p.bound},
            }
            for p in parameters.PARAMETERS
        ],
    }
    (out / "contract.json").write_text(json.dumps(text, indent=2) + "\n")


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else HERE.parent / "graphs"
    out.mkdir(parents=True, exist_ok=True)
    write_inference_graph(out)
    write_train_graph(out)
    write_contract(out)
    for name in ("train.onnx", "infer.onnx"):
        nodes = len(onnx.load(str(out / name), load_external_data=False).graph.node)
        print(name, nodes, "nodes,", (out / name).stat().st_size, "bytes")
