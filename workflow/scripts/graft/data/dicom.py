"""DICOM pictures, as one more format of Pillow. It needs pydicom, of the optional install.

Nothing but pixels, and what turns them into shades, is read: no name, date or number of a patient, and no text of an
error or a warning that might quote one.
"""

import logging
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image, ImageFile

from graft.data.depth import INVERTED, SHADES
from graft.data.pictures import Refused, several_channels

if TYPE_CHECKING:
    from pydicom import Dataset

logging.getLogger("pydicom").setLevel(logging.CRITICAL + 1)  # its warnings quote what a file holds
GROUPS = ("FrameVOILUTSequence", "PixelValueTransformationSequence")  # where files of many frames keep what follows
TAGS = [
    *("Rows", "Columns", "NumberOfFrames", "SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation"),
    *("WindowCenter", "WindowWidth", "VOILUTFunction", "RescaleSlope", "RescaleIntercept", "ModalityLUTSequence"),
    *(
        f"{colour}PaletteColorLookupTable{part}"
        for colour in ("Red", "Green", "Blue")
        for part in ("Descriptor", "Data")
    ),
    *("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"),
    *("PixelData", "FloatPixelData", "DoubleFloatPixelData", "ExtendedOffsetTable", "ExtendedOffsetTableLengths"),
]


class DicomImage(ImageFile.ImageFile):
    """A DICOM picture: RGB, or deep grey (F) in the units of its file, such as Hounsfield's, with its own window."""

    format = "DICOM"
    format_description = "DICOM"

    def _open(self) -> None:
        header = read(self.fp, pixels=False)
        samples = int(header.get("SamplesPerPixel", 1))
        if not header.get("Rows") or not header.get("Columns"):
            raise Refused("a DICOM file without a picture")
        if samples not in (1, 3):
            raise Refused(several_channels(samples))
        self._mode = "RGB" if samples == 3 or is_palette(header) else "F"
        self._size = int(header.Columns), int(header.Rows)
        self.n_frames = max(1, int(header.get("NumberOfFrames") or 1))
        self.is_animated = self.n_frames > 1
        self.frame = 0

    def seek(self, frame: int) -> None:
        """Turn to a frame, counted from 0."""
        if not 0 <= frame < self.n_frames:
            raise EOFError("no such frame")
        self.frame = frame

    def tell(self) -> int:
        """Return the frame that counts."""
        return self.frame

    def load(self) -> Any:
        """Decode the frame."""
        if self._im is None:
            image = decoded(read(self.fp, pixels=True), self.frame)
            self.im, self._mode, self._size = image.im, image.mode, image.size
            self.info |= image.info
        return super().load()


def read(stream: Any, pixels: bool) -> "Dataset":
    """Return what is read of a file.

    Raises: Refused if it is damaged.
    """
    import pydicom

    try:
        with warnings.catch_warnings(action="ignore"):
            stream.seek(0)
            return pydicom.dcmread(stream, stop_before_pixels=not pixels, specific_tags=TAGS)
    except Exception:  # a reader raises almost anything on hostile bytes, and its text may quote them
        raise Refused("damaged DICOM") from None


def decoded(dataset: "Dataset", frame: int) -> Image.Image:
    """Return a frame as an image, RGB or F.

    Raises: Refused if it cannot be decoded.
    """
    from pydicom.pixels import apply_color_lut, pixel_array

    try:
        with warnings.catch_warnings(action="ignore"):
            values = pixel_array(dataset, index=frame)
            if is_palette(dataset):
                return coloured(apply_color_lut(values, dataset), dataset.RedPaletteColorLookupTableDescriptor[2])
            if values.ndim == 3:
                return coloured(values, dataset.BitsStored)
            return grey(values, dataset, frame)
    except Exception:  # as above
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax is not None and syntax.is_compressed:
            raise Refused(f"DICOM that is damaged, or of a compression that pydicom lacks: {syntax.name}") from None
        raise Refused("damaged DICOM") from None


def is_palette(dataset: "Dataset") -> bool:
    """Return whether a picture's values are numbers of colours."""
    return str(dataset.get("PhotometricInterpretation", "")).strip() == "PALETTE COLOR"


def coloured(values: np.ndarray, bits: int) -> Image.Image:
    """Return colours of `bits` bits, (height, width, 3), as an image: their upper eight."""
    return Image.fromarray((values >> max(0, int(bits) - 8)).astype(np.uint8))


def grey(values: np.ndarray, dataset: "Dataset", frame: int) -> Image.Image:
    """Return grey values as an image in the units of the file, with the window and the direction that it names."""
    if "ModalityLUTSequence" in dataset:
        from pydicom.pixels import apply_modality_lut

        values = apply_modality_lut(values, dataset)
    else:
        slope, intercept = number(dataset, "RescaleSlope", frame), number(dataset, "RescaleIntercept", frame)
        values = values * (1.0 if slope is None else slope) + (intercept or 0.0)
    image = Image.fromarray(values.astype(np.float32))
    centre, width = number(dataset, "WindowCenter", frame), number(dataset, "WindowWidth", frame)
    if centre is not None and width is not None and width >= 1:
        exact = found_in(dataset, "VOILUTFunction", frame) == "LINEAR_EXACT"
        image.info[SHADES] = shades(centre, width, exact)
    if str(dataset.get("PhotometricInterpretation", "")).strip() == "MONOCHROME1":
        image.info[INVERTED] = True
    return image


def shades(centre: float, width: float, exact: bool) -> tuple[float, float]:
    """Return the values of black and white of a window; a sigmoid is taken as linear.

    Source: DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3.2.

    >>> shades(40, 400, exact=True), shades(2048, 4096, exact=False)
    ((-160.0, 240.0), (0.0, 4095.0))
    """
    if exact:
        return centre - width / 2, centre + width / 2
    return centre - 0.5 - (width - 1) / 2, centre - 0.5 + (width - 1) / 2


def number(dataset: "Dataset", name: str, frame: int) -> float | None:
    """Return a number that a file names, the first where it names several; None where it names none."""
    value = found_in(dataset, name, frame)
    values = [value] if value is None or isinstance(value, int | float | str) else list(value)
    return float(values[0]) if values and values[0] not in (None, "") else None


def found_in(dataset: "Dataset", name: str, frame: int) -> Any:
    """Return an element of the file, or of its groups of the frame, or of all frames."""
    if name in dataset:
        return dataset[name].value
    own = dataset.get("PerFrameFunctionalGroupsSequence") or []
    groups = [*own[frame : frame + 1], *(dataset.get("SharedFunctionalGroupsSequence") or [])]
    inner = [item for group in groups for kind in GROUPS for item in group.get(kind) or []]
    return next((item[name].value for item in inner if name in item), None)
