"""What each format needs beside Graft's own packages, and what to say where it is missing."""

import importlib.util
from importlib.metadata import version

from graft.config.export import Export
from graft.errors import UserError

NEEDED = {  # modules by format; the first is its runtime
    "onnx": ("onnxruntime", "onnx", "tf2onnx"),
    "litert": ("ai_edge_litert",),
    "openvino": ("openvino",),
    "saved_model": ("tensorflow",),
}
DISTRIBUTIONS = {"onnx": "onnxruntime", "litert": "ai-edge-litert", "openvino": "openvino"}


def missing(export: Export) -> list[str]:
    """Return the modules that an export needs and this environment lacks."""
    needed = NEEDED[export.format]
    if (export.format, export.precision) == ("openvino", "int8"):
        needed += NEEDED["onnx"]  # it is made from the int8 ONNX file
    return [name for name in needed if importlib.util.find_spec(name) is None]


def check_installed(export: Export, run: str) -> None:
    """Refuse an export whose packages are missing.

    Raises: UserError that names them, and the command that installs them.
    """
    if lacking := missing(export):
        raise UserError(
            f"the export {export.name} of {run} needs {', '.join(lacking)}: run make exports-setup, or leave it out of "
            "the experiment's exports"
        )


def runtime_of(export: Export) -> str:
    """Return the name and version of the runtime that an export is proved in."""
    if export.format == "saved_model":
        import tensorflow as tf

        return f"tensorflow {tf.__version__}"
    name = DISTRIBUTIONS[export.format]
    return f"{name} {version(name)}"
