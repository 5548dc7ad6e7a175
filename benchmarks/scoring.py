"""Photos a second that `classify --output` scores from JPEG files, against plain `model.predict` over a loaded array.

    python benchmarks/scoring.py                                            # MobileNet 0.25 and ResNet50 at 224 pixels
    python benchmarks/scoring.py --photos 64 --rounds 1 --backbones MobileNet --size 64                # does it work?

Plain Keras gets the decoded photos from memory; what it takes to read and decode them is not counted. Graft gets files:
drawn JPEGs of 500 x 375 pixels. Both are counted from the loaded model to the last answer. Networks are untrained:
weights do not change the speed. Graft folds batch normalisation into convolutions, as its `predict` does.
"""

import argparse
import functools
import sys
import tempfile
import time
from pathlib import Path

import timing
from chain import SCRIPTS

sys.path.insert(0, str(SCRIPTS))
WAYS = {"Keras's predict, loaded array": "plain", "Graft, one process": "alone", "Graft, processes beside": "beside"}
WORKERS = {"alone": 0, "beside": None}
SIZE_OF_FILES = (500, 375)
SPEED = "photos_per_s"


def main() -> None:
    arguments = parsed()
    if arguments.measure:
        measure(arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), max(arguments.photos, arguments.photos_of_large))
        variants = {
            (backbone, who): functools.partial(process, way, backbone, folder, arguments)
            for backbone in arguments.backbones
            for who, way in WAYS.items()
        }
        measured = timing.rounds_of(variants, arguments.rounds)
    rows = []
    for backbone in arguments.backbones:
        of_backbone = [
            {"backbone": backbone, "who": who} | timing.medians(rounds) | {"range": timing.spread(rounds, SPEED)}
            for (name, who), rounds in measured.items()
            if name == backbone
        ]
        base = next((row for row in of_backbone if row["who"] == next(iter(WAYS))), None)
        rows += timing.with_ratios(of_backbone, SPEED, base, "of_predict", faster_is="more")
    timing.report(rows, arguments.output)


def parsed() -> argparse.Namespace:
    parser = timing.parser_of(__doc__, "scoring.csv")
    parser.add_argument("--photos", type=int, default=2000, help="of MobileNet; default 2000")
    parser.add_argument("--photos-of-large", type=int, default=256, help="of other networks; default 256")
    parser.add_argument("--backbones", nargs="+", default=["MobileNet", "ResNet50"])
    parser.add_argument("--size", type=int, default=224, help="pixels; default 224")
    parser.add_argument("--threads", type=int, default=2, help="of the network; default 2")
    parser.add_argument("--measure", nargs=3, metavar=("WAY", "BACKBONE", "FOLDER"), help=argparse.SUPPRESS)
    return parser.parse_args()


def draw(folder: Path, n: int) -> None:
    """Write n JPEGs of smooth noise, about as large as photos from the web."""
    import numpy as np
    from PIL import Image

    rng = np.random.default_rng(0)
    for index in range(n):
        coarse = Image.fromarray(rng.integers(0, 256, (48, 64, 3), dtype=np.uint8))
        coarse.resize(SIZE_OF_FILES, Image.Resampling.BICUBIC).save(folder / f"{index:05}.jpg", quality=90)


def process(way: str, backbone: str, folder: str, arguments: argparse.Namespace) -> timing.Numbers:
    """Return what one process measured."""
    names = ("photos", "photos-of-large", "size", "threads")
    settings = [word for name in names for word in (f"--{name}", getattr(arguments, name.replace("-", "_")))]
    command = timing.this_python("scoring.py", "--measure", way, backbone, folder, *settings)
    finished = timing.whole_process(command)
    return finished.numbers() | {"seconds_of_command": finished.seconds, "peak_mb": finished.peak_mb}


def measure(arguments: argparse.Namespace) -> None:
    """Score the photos in one way, and tell how fast."""
    import numpy as np

    from graft.config.backbone import Backbone
    from graft.config.recipe import Head
    from graft.machine import runtime

    way, name, folder = arguments.measure
    runtime.start(seed=0, threads=arguments.threads)
    from graft.network.assembly import assemble
    from graft.network.backbones import build_backbone
    from graft.network.forms import in_prediction_form
    from graft.network.head import build_head
    from graft.predicting import score_tables, scoring
    from graft.predicting.decoding import Decoder, workers_for

    small = name == "MobileNet"
    settings = {"alpha": 0.25} if small else {}
    backbone = build_backbone(Backbone(name=name, weights="none", size=arguments.size, **settings))
    model = assemble(backbone, build_head(Head(), backbone.output_shape[-1], 5, 0), "tf", "avg")
    paths = sorted(map(str, Path(folder).glob("*.jpg")))[: arguments.photos if small else arguments.photos_of_large]
    facts = {"classes": list("abcde"), "size": arguments.size}
    if way == "plain":
        pixels = np.concatenate([Decoder(arguments.size)(paths).pixels])
        model.predict(pixels[:32], verbose=0)
        start = time.perf_counter()
        model.predict(pixels, verbose=0)
    else:
        form, workers = in_prediction_form(model), workers_for(10**9, WORKERS[way])
        form.predict_on_batch(np.zeros((32, arguments.size, arguments.size, 3), np.float32))
        start = time.perf_counter()
        with tempfile.TemporaryDirectory() as at:
            lines = scoring.Lines(Path(at, "t.part"), {})
            score_tables.write_scores(
                scoring.score(form, facts, paths, workers, lines), facts["classes"], Path(at, "t.csv")
            )
    seconds = time.perf_counter() - start
    timing.tell(photos_per_s=len(paths) / seconds, photos=len(paths), seconds=seconds)


if __name__ == "__main__":
    main()
