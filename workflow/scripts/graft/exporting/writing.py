"""A model written in each format, through Keras's own `export`, with its facts inside the file."""

import json
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np

from graft import disk
from graft.config.export import Export
from graft.errors import UserError
from graft.exporting.answering import RANKS
from graft.machine import runtime
from graft.network.model_file import FACTS, add_facts

FILES = {"onnx": "model.onnx", "litert": "model.tflite", "openvino": "model.xml", "saved_model": "saved_model"}
TELEMETRY = ("openvino_telemetry",)  # it would tell Intel of every conversion, unasked


def write(model: keras.Model, export: Export, facts: dict[str, Any], photos: np.ndarray, folder: Path) -> Path:
    """Write an export into a folder; return its file, or its folder where it is one.

    Args:
        model: of `answering`.
        export: which format and precision.
        facts: of `facts_of_export`; they travel in the file, and beside it as graft.json.
        photos: (n, size, size, 3), uint8; training photos that the ranges of int8 are measured on; else of no matter.
        folder: that exists.

    Raises: UserError if the network does not fit the format.
    """
    path = folder / FILES[export.format]
    model(keras.Input(model.input_shape[1:], dtype="uint8"))  # Keras exports to ONNX only what was called before
    try:
        with runtime.quiet():
            WRITERS[export.format](model, export, facts, photos, path)
    except Exception as error:  # each converter has errors of its own
        if isinstance(error, UserError) or disk.is_full(error):
            raise
        reason = " ".join(str(error).split())[:300] or type(error).__name__
        raise UserError(f"the export {export.name} cannot be written: {reason}") from error
    (folder / FACTS).write_text(text_of(facts) + "\n", encoding="utf-8")
    return path


def text_of(facts: dict[str, Any]) -> str:
    """Return facts as JSON that a person can read."""
    return json.dumps(facts, indent=2, sort_keys=True, ensure_ascii=False)


def write_onnx(model: keras.Model, export: Export, facts: dict[str, Any], photos: np.ndarray, path: Path) -> None:
    """Write model.onnx; the facts are its metadata `graft`."""
    import onnx

    from graft.exporting import onnx_graph

    model.export(str(path), format="onnx", verbose=False)
    graph = onnx.load(path)
    onnx_graph.name_tensors(graph)
    if export.precision == "float16":
        graph = onnx_graph.in_half(graph)
    elif export.precision == "int8":
        graph = onnx_graph.in_eight_bits(graph, photos)
    onnx_graph.write_facts(graph, facts)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)


def write_litert(model: keras.Model, export: Export, facts: dict[str, Any], photos: np.ndarray, path: Path) -> None:
    """Write model.tflite; the facts lie in a zip at its end, as TensorFlow Lite's own metadata files do."""
    import tensorflow as tf

    # Operations of LiteRT alone: the runtime has no others, so what needs them should fail here, not on a phone.
    options: dict[str, Any] = {"target_spec": {"supported_ops": [tf.lite.OpsSet.TFLITE_BUILTINS]}}
    if export.precision != "float32":
        options["optimizations"] = [tf.lite.Optimize.DEFAULT]
    if export.precision == "float16":
        options["target_spec"]["supported_types"] = [tf.float16]
    if export.precision == "int8":
        options["representative_dataset"] = lambda: ([photo[None]] for photo in photos)
    model.export(str(path), format="litert", verbose=False, **options)
    add_facts(path, facts)


def write_openvino(model: keras.Model, export: Export, facts: dict[str, Any], photos: np.ndarray, path: Path) -> None:
    """Write model.xml and model.bin; the facts are runtime information `graft` of the first."""
    with runtime.hidden(TELEMETRY):
        import openvino as ov

    with tempfile.TemporaryDirectory() as folder:
        if export.precision == "int8":  # OpenVINO's own quantiser is a large package; it reads ONNX's result
            whole = Path(folder, "model.onnx")
            write_onnx(model, export, facts, photos, whole)
            network = ov.convert_model(whole)
        else:
            whole = Path(folder, "model.xml")
            model.export(str(whole), format="openvino", verbose=False)
            network = ov.Core().read_model(whole)
        for output in network.outputs:
            rank = len(output.get_partial_shape())
            output.get_tensor().set_names({next(name for name, of_rank in RANKS.items() if of_rank == rank)})
        network.set_rt_info(text_of(facts), "graft")
        ov.save_model(network, path, compress_to_fp16=export.precision == "float16")


def write_saved_model(
    model: keras.Model, export: Export, facts: dict[str, Any], photos: np.ndarray, path: Path
) -> None:
    """Write the folder saved_model; the facts are its assets.extra/graft.json."""
    model.export(str(path), format="tf_saved_model", verbose=False)
    extra = path / "assets.extra"
    extra.mkdir()
    (extra / FACTS).write_text(text_of(facts) + "\n", encoding="utf-8")


Writer = Callable[[keras.Model, Export, dict[str, Any], np.ndarray, Path], None]
WRITERS: dict[str, Writer] = {
    "onnx": write_onnx,
    "litert": write_litert,
    "openvino": write_openvino,
    "saved_model": write_saved_model,
}


def facts_in(path: Path) -> dict[str, Any]:
    """Return the facts that an export carries, read from the file itself as one who was given it would."""
    if path.suffix == ".onnx":
        import onnx

        return json.loads(next(entry.value for entry in onnx.load(path).metadata_props if entry.key == "graft"))
    if path.suffix == ".xml":
        with runtime.hidden(TELEMETRY):
            import openvino as ov
        return json.loads(ov.Core().read_model(path).get_rt_info("graft").astype(str))
    if path.suffix == ".tflite":
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(FACTS))
    return json.loads((path / "assets.extra" / FACTS).read_text(encoding="utf-8"))
