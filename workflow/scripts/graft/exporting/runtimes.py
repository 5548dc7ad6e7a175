"""An exported model asked in the runtime that it was made for, on the processor, with as many threads as one says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from graft.config.export import Export
from graft.errors import UserError
from graft.exporting.answering import INPUT, OUTPUT, RANKS
from graft.exporting.proof import Ask
from graft.exporting.writing import TELEMETRY
from graft.machine import runtime


def opened(export: Export, path: Path, threads: int, output: str = OUTPUT) -> Ask:
    """Return what asks an export for one of its outputs.

    Args:
        export: which format and precision.
        path: of `writing.write`.
        threads: of the processor.
        output: probabilities or distance.

    Raises: UserError if the runtime refuses the file.
    """
    try:
        with runtime.quiet():
            return OPENERS[export.format](export, path, threads, output)
    except Exception as error:  # each runtime has errors of its own
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the export {export.name} does not load in its own runtime: {reason}") from None


def open_onnx(export: Export, path: Path, threads: int, output: str) -> Ask:
    """Return what asks ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run([output], {INPUT: pixels})[0]


def open_litert(export: Export, path: Path, threads: int, output: str) -> Ask:
    """Return what asks LiteRT, whose tensors are resized when the batch is another one."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    given = interpreter.get_input_details()[0]["index"]
    outputs = interpreter.get_output_details()
    answered = next(one["index"] for one in outputs if len(one["shape_signature"]) == RANKS[output])
    shape: list[int] = []

    def ask(pixels: np.ndarray) -> np.ndarray:
        if shape != list(pixels.shape):
            shape[:] = pixels.shape
            interpreter.resize_tensor_input(given, shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(given, pixels)
        interpreter.invoke()
        return interpreter.get_tensor(answered)

    return ask


def open_openvino(export: Export, path: Path, threads: int, output: str) -> Ask:
    """Return what asks OpenVINO: float16 in whatever its processor is fastest at, all else in float32.

    Without being told, OpenVINO computes a float32 file in bfloat16 where the processor can: probabilities then differ
    in the second digit.
    """
    with runtime.hidden(TELEMETRY):
        import openvino as ov

    told = {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY"}
    if export.precision != "float16":
        told["INFERENCE_PRECISION_HINT"] = "f32"
    network = ov.Core().compile_model(path, "CPU", told)
    return lambda pixels: np.array(network(pixels)[output])


def open_saved_model(export: Export, path: Path, threads: int, output: str) -> Ask:
    """Return what asks TensorFlow, whose threads were fixed when it started."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))  # kept alive by the function below, or its weights would go

    def ask(pixels: np.ndarray) -> np.ndarray:
        answers = tf.nest.flatten(loaded.serve(tf.constant(pixels)))
        return np.asarray(next(one for one in answers if len(one.shape) == RANKS[output]))

    return ask


OPENERS: dict[str, Callable[[Export, Path, int, str], Ask]] = {
    "onnx": open_onnx,
    "litert": open_litert,
    "openvino": open_openvino,
    "saved_model": open_saved_model,
}
