"""The forms in which a run's model is given away, beside Keras's own."""

import re
from typing import Any, Literal

from pydantic import Field, model_validator

from graft.config.base import Settings

FORMATS = ("onnx", "litert", "openvino", "saved_model")
PRECISIONS = {  # of each format; a SavedModel is Keras's own graph, which has no other precision to offer
    "onnx": ("float32", "float16", "int8"),
    "litert": ("float32", "float16", "int8"),
    "openvino": ("float32", "float16", "int8"),
    "saved_model": ("float32",),
}
TOLERANCES = {"float32": 0.001, "float16": 0.2, "int8": 0.5}
NAME = re.compile(rf"(?P<format>{'|'.join(FORMATS)})(-(?P<precision>float16|int8))?")


class Export(Settings):
    """One more form of the model: written by Keras's `export`, then proved on every photo that judged the model."""

    format: Literal["onnx", "litert", "openvino", "saved_model"]
    """`onnx` (ONNX Runtime and many others), `litert` (phones; once TensorFlow Lite), `openvino` (Intel's processors),
    `saved_model` (TensorFlow Serving). All but the last need `make exports-setup`."""

    precision: Literal["float32", "float16", "int8"] = "float32"
    """Of weights and arithmetic. `float16`: half the size; `int8`: a quarter, its ranges measured on training photos.
    What that costs in accuracy stands in exports.csv. A SavedModel is float32."""

    tolerance: float = Field(0.0, ge=0, le=1)
    """How far a probability may lie from the model's own, for any judged photo and class, before the export fails; 0:
    0.001 in float32, 0.2 in float16, 0.5 in int8."""

    calibration_photos: int = Field(100, ge=1, le=100_000)
    """How many training photos the ranges of int8 are measured on."""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        return {"format": value} if isinstance(value, str) else value

    @model_validator(mode="after")
    def _possible(self) -> "Export":
        if self.precision not in PRECISIONS[self.format]:
            raise ValueError(f"precision is {self.precision!r}, but a {self.format} is float32; leave it out")
        return self

    @property
    def name(self) -> str:
        """Return the folder that the export is written to.

        >>> Export(format="onnx").name, Export(format="litert", precision="int8").name
        ('onnx', 'litert-int8')
        """
        return self.format if self.precision == "float32" else f"{self.format}-{self.precision}"

    @property
    def largest_difference(self) -> float:
        """Return the tolerance in force."""
        return self.tolerance or TOLERANCES[self.precision]


def export_named(name: str) -> Export:
    """Return the export that a name asks for, with every default.

    >>> export_named("onnx-int8").precision
    'int8'
    """
    found = NAME.fullmatch(name)
    if not found:
        raise ValueError(f"{name!r} names no export")
    return Export(format=found["format"], precision=found["precision"] or "float32")
