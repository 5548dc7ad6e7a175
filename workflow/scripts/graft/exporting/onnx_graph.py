"""An ONNX file made fit to be given away: tensors with names, half precision, eight bits, facts inside."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from graft.errors import UserError
from graft.exporting.answering import INPUT, RANKS

if TYPE_CHECKING:
    import onnx

# What is computed in eight bits: the layers that cost time. Sigmoids and products, as in squeeze-and-excitation, stay
# in float32: they are cheap, and their wide ranges suffer most.
IN_EIGHT_BITS = ("Conv", "MatMul", "Gemm", "Add", "Relu", "Clip", "MaxPool", "AveragePool", "GlobalAveragePool")


def name_tensors(model: "onnx.ModelProto") -> None:
    """Give the one input, the outputs and the batch the names that every export has, in place.

    Raises: UserError if there are more inputs, which are parts of the network that the converter left outside.
    """
    graph = model.graph
    if others := [tensor.name for tensor in graph.input[1:]]:
        raise UserError(f"this network does not fit ONNX: its converter leaves {', '.join(others)} outside the file")
    rename = {graph.input[0].name: INPUT}
    for tensor in graph.output:
        rank = len(tensor.type.tensor_type.shape.dim)
        rename[tensor.name] = next(name for name, of_rank in RANKS.items() if of_rank == rank)
    for node in graph.node:
        node.input[:] = [rename.get(name, name) for name in node.input]
        node.output[:] = [rename.get(name, name) for name in node.output]
    for tensor in (graph.input[0], *graph.output):
        tensor.name = rename[tensor.name]
        tensor.type.tensor_type.shape.dim[0].dim_param = "batch"


def write_facts(model: "onnx.ModelProto", facts: dict[str, Any]) -> None:
    """Put the facts into the model's metadata, as JSON under `graft`."""
    from onnx import helper

    helper.set_model_props(model, {"graft": json.dumps(facts, sort_keys=True, ensure_ascii=False)})


def tail_of(graph: "onnx.GraphProto") -> list[str]:
    """Return the names of the nodes from the last dense layer to the outputs.

    They stay in float32 whatever the precision: they cost nothing, and eight bits would round the probabilities
    themselves to steps of 1/256. So does what makes the distance of the features, up to their length.
    """
    makers = {name: node for node in graph.node for name in node.output}
    found, waiting = [], [tensor.name for tensor in graph.output]
    while waiting:
        node = makers.get(waiting.pop())
        if node is not None and node.name not in found:
            found.append(node.name)
            waiting += [] if node.op_type in ("MatMul", "Gemm") else node.input
    return found


def in_half(model: "onnx.ModelProto") -> "onnx.ModelProto":
    """Return the model in float16, its input and output as they were."""
    from onnxruntime.transformers.float16 import convert_float_to_float16
    from onnxruntime.transformers.onnx_model import OnnxModel

    half = convert_float_to_float16(model, keep_io_types=True, node_block_list=tail_of(model.graph))
    OnnxModel.graph_topological_sort(half.graph)  # the conversions between precisions were put at the end
    return half


def in_eight_bits(model: "onnx.ModelProto", photos: np.ndarray) -> "onnx.ModelProto":
    """Return the model with weights and activations of its layers in int8.

    Args:
        model: in float32.
        photos: (n, size, size, 3), uint8; what the ranges of the activations are measured on.
    """
    import onnx
    from onnxruntime import quantization
    from onnxruntime.quantization.shape_inference import quant_pre_process

    class Photos(quantization.CalibrationDataReader):
        """The photos one by one, as the calibrator asks for them."""

        def __init__(self) -> None:
            self.left: Iterator[np.ndarray] = iter(photos)

        def get_next(self) -> dict[str, np.ndarray] | None:
            photo = next(self.left, None)
            return None if photo is None else {INPUT: photo[None]}

    with tempfile.TemporaryDirectory() as folder:
        plain, prepared, quantised = (Path(folder, f"{name}.onnx") for name in ("plain", "prepared", "int8"))
        onnx.save(model, plain)  # of a model in memory the next line would lose the weights (onnxruntime 1.32)
        quant_pre_process(plain, prepared, skip_symbolic_shape=True)
        tail = tail_of(onnx.load(prepared).graph)
        quantization.quantize_static(
            prepared,
            quantised,
            Photos(),
            per_channel=True,
            op_types_to_quantize=list(IN_EIGHT_BITS),
            nodes_to_exclude=tail,
        )
        return onnx.load(quantised)
