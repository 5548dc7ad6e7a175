"""Pictures of the optional install: DICOM through pydicom, HEIC through pillow-heif. No patient leaves a file."""

import io
import json
import logging
import re

import numpy as np
import pytest
from photo_files import picture, two_classes, write_files
from PIL import Image

import ingest_dataset
import pack_images
from graft.config.dataset import Ingest, Pictures
from graft.data.decode import look
from graft.data.pictures import upright_rgb
from graft.data.refusal import Refused
from graft.predicting.decoding import open_square

INSTALL = "needs envs/requirements-pictures.txt"
PATIENT = re.compile(rb"Secret|19700101|PID-42", re.IGNORECASE)
RAMP = np.tile(np.arange(0, 4096, 64, dtype=np.uint16), (32, 1))  # (32, 64), of 12 bits


@pytest.fixture(scope="module")
def dicom():
    """Return a function that writes a DICOM file of a patient, in memory."""
    pydicom = pytest.importorskip("pydicom", reason=INSTALL)
    from pydicom.dataset import FileDataset, FileMetaDataset
    from pydicom.uid import ExplicitVRLittleEndian, generate_uid

    def written(pixels, photometric="MONOCHROME2", frames=False, **tags):
        meta = FileMetaDataset()
        meta.TransferSyntaxUID = ExplicitVRLittleEndian
        meta.MediaStorageSOPClassUID = pydicom.uid.SecondaryCaptureImageStorage
        meta.MediaStorageSOPInstanceUID = generate_uid()
        dataset = FileDataset(None, {}, file_meta=meta, preamble=bytes(128))
        dataset.PatientName, dataset.PatientID, dataset.PatientBirthDate = "Secret^Person", "PID-42", "19700101"
        dataset.ImageComments = "Secret comment"
        shape = pixels.shape[1:] if frames else pixels.shape
        dataset.Rows, dataset.Columns = shape[:2]
        if frames:
            dataset.NumberOfFrames = len(pixels)
        dataset.SamplesPerPixel = shape[2] if len(shape) == 3 else 1
        if dataset.SamplesPerPixel > 1:
            dataset.PlanarConfiguration = 0
        dataset.PhotometricInterpretation = photometric
        dataset.BitsAllocated = dataset.BitsStored = 8 * pixels.dtype.itemsize
        dataset.HighBit = dataset.BitsStored - 1
        dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
        dataset.PixelData = pixels.tobytes()
        for name, value in tags.items():
            setattr(dataset, name, value)
        stream = io.BytesIO()
        dataset.save_as(stream, enforce_file_format=True)
        return stream.getvalue()

    return written


def grey(data, **pictures):
    return np.asarray(upright_rgb(io.BytesIO(data), pictures=Pictures(**pictures)))[0, :, 0].tolist()


def test_a_picture_without_a_window_uses_its_depth(dicom):
    assert grey(dicom(RAMP))[:2] == [0, 4]  # 64 of 4095
    assert grey(dicom(RAMP))[-1] == 251


def test_monochrome1_has_small_values_bright(dicom):
    assert grey(dicom(RAMP, "MONOCHROME1")) == [255 - value for value in grey(dicom(RAMP))]


def test_the_file_s_window_counts_in_rescaled_units(dicom):
    """Values from -1024 to 3008; of a window of 400 about 40, black is -160 and white 239."""
    found = grey(dicom(RAMP, WindowCenter=40, WindowWidth=400, RescaleSlope=1, RescaleIntercept=-1024))
    expected = [np.clip((64 * step - 1024 + 160) / 399 * 255, 0, 255) for step in range(64)]
    assert found == pytest.approx(expected, abs=1)


def test_the_first_of_several_windows_counts(dicom):
    several = dicom(RAMP, WindowCenter=[2048, 100], WindowWidth=[4096, 10])
    assert grey(several) == grey(dicom(RAMP, WindowCenter=2048, WindowWidth=4096))


def test_a_window_of_the_user_s_overrides_the_file_s(dicom):
    data = dicom(RAMP, WindowCenter=40, WindowWidth=400, RescaleSlope=1, RescaleIntercept=-1024)
    found = grey(data, window=(-1024, 3008))
    assert (found[0], found[32], found[63]) == (0, 130, 255)


def test_signed_values_are_read(dicom):
    signed = (RAMP.astype(np.int16) - 2048).astype(np.int16)
    assert grey(dicom(signed))[0] == 0
    assert grey(dicom(signed))[-1] == 255


def test_colours_are_read(dicom):
    pixels = np.zeros((32, 40, 3), np.uint8)
    pixels[..., 0] = 200
    image = upright_rgb(io.BytesIO(dicom(pixels, "RGB")))
    assert (image.size, image.getpixel((3, 3))) == ((40, 32), (200, 0, 0))


def test_a_frame_of_many_counts_by_its_number(dicom):
    frames = np.stack([np.full((32, 40), level, np.uint8) for level in (10, 20, 30)])
    data = dicom(frames, frames=True)
    assert [grey(data, page=page)[0] for page in (1, 2, 3)] == [10, 20, 30]
    with pytest.raises(Refused, match="it has 3 pages, and datasets"):
        grey(data, page=4)


def test_windows_of_single_frames_are_found(dicom):
    from pydicom.dataset import Dataset

    groups = []
    for centre in (1000, 3000):
        window, group = Dataset(), Dataset()
        window.WindowCenter, window.WindowWidth = centre, 1000
        group.FrameVOILUTSequence = [window]
        groups.append(group)
    data = dicom(np.stack([RAMP, RAMP]), frames=True, PerFrameFunctionalGroupsSequence=groups)
    white = [next(x for x, level in enumerate(grey(data, page=page)) if level == 255) for page in (1, 2)]
    assert white == [24, 55]  # 1500 and 3500, in steps of 64


def test_what_is_no_good_is_said_without_quoting_it(dicom, tmp_path):
    good = dicom(RAMP)
    bad = {
        "cut.dcm": (good[:-500], "damaged DICOM"),
        "report.dcm": (dicom(RAMP, Rows=0), "a DICOM file without a picture"),
        "four.dcm": (dicom(np.zeros((32, 32, 4), np.uint8), "ARGB"), "it has 4 channels that make no grey or RGB"),
    }
    for name, (data, told) in bad.items():
        (tmp_path / name).write_bytes(data)
        kind, detail = look(tmp_path / name, name, Ingest()).faults[0]
        assert (kind, detail[: len(told)]) == ("undecodable", told)
        assert open_square(str(tmp_path / name), 32) == detail


def test_no_patient_is_named_in_any_result_or_log(dicom, tmp_path, capfd, caplog):
    chance = np.random.default_rng(0)
    files = {}
    for number in range(8):
        clouds = np.asarray(picture(number).convert("L")).astype(np.uint16) * 16
        files[f"{'ab'[number % 2]}/{number}.dcm"] = dicom(clouds, WindowCenter=2048, WindowWidth=4096)
    files["a/cut.dcm"] = files["a/0.dcm"][:-300]
    wrong = dicom(np.asarray(picture(9).convert("L")), WindowCenter=204800, WindowWidth=4096)
    files["b/wrong.dcm"] = wrong.replace(b"204800", b"Secret")  # where a number belongs
    files["b/noise.dcm"] = bytes(128) + b"DICM" + chance.bytes(300) + b"Secret^Person"
    photos = write_files(tmp_path / "photos", files)
    output = tmp_path / "out"
    with caplog.at_level(logging.DEBUG):
        ingest_dataset.main(["--photos", str(photos), "--output", str(output)])
        pack = {
            "manifest": output / "manifest.csv",
            "images": output / "images",
            "size": 32,
            "output": output / "p.npy",
        }
        pack_images.main([text for key, value in pack.items() for text in (f"--{key}", str(value))])
    told = capfd.readouterr()
    assert not PATIENT.search(f"{told.out}{told.err}{caplog.text}".encode())
    written = [path for path in output.rglob("*") if path.is_file() and "images" not in path.parts]
    assert len(written) >= 6
    assert [path.name for path in written if PATIENT.search(path.read_bytes())] == []
    assert json.loads((output / "source.json").read_text())["photos"]["n"] == 8


# ------------------------------------------------------------------------------------------------------ HEIC


@pytest.fixture(scope="module")
def heic():
    """Return a function that writes a HEIC file in memory."""
    pillow_heif = pytest.importorskip("pillow_heif", reason=INSTALL)

    def written(image, exif=None):
        file, stream = pillow_heif.from_pillow(image), io.BytesIO()
        if exif:
            file.info["exif"] = exif.tobytes()
        file.save(stream, quality=90)
        return stream.getvalue()

    return written


def test_a_phone_s_heic_is_read_upright(heic, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    (tmp_path / "1.heic").write_bytes(heic(picture(0, 96, 64), exif))
    found = look(tmp_path / "1.heic", "1.heic", Ingest())
    assert ((found.width, found.height), found.faults) == ((64, 96), [])
    turned = np.rot90(np.asarray(picture(0, 96, 64)), -1).astype(int)
    assert np.abs(np.asarray(upright_rgb(tmp_path / "1.heic")) - turned).mean() < 8


def test_heic_trains_beside_other_photos(heic, tmp_path):
    photos = write_files(tmp_path / "photos", two_classes() | {"cats/9.heic": heic(picture(90, 96, 64))})
    ingest_dataset.main(["--photos", str(photos), "--output", str(tmp_path / "out")])
    assert "cats/9.heic" in (tmp_path / "out" / "manifest.csv").read_text()
