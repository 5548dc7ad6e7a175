"""An exported model asked in the runtime that it was made for, on the processor, with as many threads as one says."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from graft.config.export import Export
from graft.errors import UserError
from graft.exporting.answering import INPUT
from graft.exporting.proof import Ask
from graft.exporting.writing import TELEMETRY
from graft.machine import runtime


def opened(export: Export, path: Path, threads: int) -> Ask:
    """Return what asks an export.

    Args:
        export: which format and precision.
        path: of `writing.write`.
        threads: of the processor.

    Raises: UserError if the runtime refuses the file.
    """
    try:
        with runtime.quiet():
            return OPENERS[export.format](export, path, threads)
    except Exception as error:  # each runtime has errors of its own
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the export {export.name} does not load in its own runtime: {reason}") from None


def open_onnx(export: Export, path: Path, threads: int) -> Ask:
    """Return what asks ONNX Runtime."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    return lambda pixels: session.run(None, {INPUT: pixels})[0]


def open_litert(export: Export, path: Path, threads: int) -> Ask:
    """Return what asks LiteRT, whose tensors are resized when the batch is another one."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(model_path=str(path), num_threads=threads)
    given, answered = interpreter.get_input_details()[0]["index"], interpreter.get_output_details()[0]["index"]
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


def open_openvino(export: Export, path: Path, threads: int) -> Ask:
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
    return lambda pixels: np.array(network(pixels)[0])


def open_saved_model(export: Export, path: Path, threads: int) -> Ask:
    """Return what asks TensorFlow, whose threads were fixed when it started."""
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))  # kept alive by the function below, or its weights would go
    return lambda pixels: np.asarray(loaded.serve(tf.constant(pixels)))


OPENERS: dict[str, Callable[[Export, Path, int], Ask]] = {
    "onnx": open_onnx,
    "litert": open_litert,
    "openvino": open_openvino,
    "saved_model": open_saved_model,
}
