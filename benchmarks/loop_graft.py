"""The images a second of Graft's own functions, as fine_tune.py and embed_images.py call them; `train.py` starts it.

One process, one network, one loop, the same photos in memory again and again: no augmentation and no disk, like the
loops it is compared with. Form `streamed` is `folded` with photos on disk and the lesson's augmentation, as in a run:
what it is slower by is the share of time in which training waits for its input.
"""

import argparse
import sys
import tempfile

import numpy as np

import timing
from chain import SCRIPTS
from loop_keras import parsed, photos

sys.path.insert(0, str(SCRIPTS))


def main() -> None:
    arguments = parsed(__doc__, forms=["lesson", "frozen", "folded", "streamed"])
    from graft.machine import runtime

    runtime.start(seed=0, threads=arguments.threads)
    run = fine_tuning(arguments) if arguments.task == "finetune" else embedding(arguments)
    timing.tell(images_per_s=timing.images_per_second(run, arguments.batch, arguments.seconds))


def fine_tuning(arguments: argparse.Namespace):
    """Return the function that trains a number of steps, the model made as `graft.training.finetune.fine_tune` does."""
    from graft.config.recipe import FineTuning, Head, Optimizer
    from graft.machine.runtime import streamed
    from graft.network.assembly import assemble, parts_of
    from graft.network.forms import in_training_form
    from graft.network.head import build_head
    from graft.network.precision import policy_of
    from graft.network.preprocessing import mode_of
    from graft.training.batches import Batches
    from graft.training.finetune import block_optimizer, folded, unfreeze
    from graft.training.targets import loss_and_metric
    from graft.training.visits import Visits

    phase = FineTuning(
        batch_size=arguments.batch,
        batch_norm="folded" if arguments.form == "streamed" else arguments.form,
        precision=arguments.precision,
        optimizer=Optimizer(name="rmsprop", learning_rate=1e-5),
    )
    mode, network = mode_of(arguments.backbone), backbone_of(arguments)
    head = build_head(Head(output="logit"), network.output_shape[-1], n_classes=2, seed=0)
    model = assemble(network, head, mode, "avg")
    plain = folded(model) if phase.batch_norm == "folded" else model
    model = in_training_form(plain, mode, policy_of(phase.precision, network))
    trained, _ = parts_of(model)
    unfreeze(trained, phase)
    loss, metric = loss_and_metric(1, 0.0)
    model.compile(optimizer=block_optimizer(model, trained, phase, 12), loss=loss, weighted_metrics=[metric])
    n = max(arguments.batch, 96)
    targets = (np.arange(n) % 2).astype(np.float32)[:, None]
    visits, load = Visits(n, arguments.batch, 12, 0), loader_of(arguments, phase, n)
    batches = Batches(visits, load, targets, np.ones(n, np.float32))

    def run(steps: int) -> None:
        model.fit(streamed(batches), steps_per_epoch=steps, epochs=1, shuffle=False, verbose=0)

    return run


def loader_of(arguments: argparse.Namespace, phase, n: int):
    """Return what loads a batch: always the same photos from memory, or fresh views of n photos on disk."""
    if arguments.form != "streamed":
        pixels = photos(arguments)
        return lambda rows, visits: pixels
    from graft.config.experiment import FineTuneSettings
    from graft.config.recipe import Augmentation
    from graft.training.finetune import views_of

    lesson = Augmentation(rotation=10, zoom=0.1, shift=0.1, horizontal_flip=True)
    settings = FineTuneSettings(
        preprocessing="consistent", label_smoothing=0, class_weights=None, augmentation=lesson, finetune=phase, seed=0
    )
    shape = (n, arguments.size, arguments.size, 3)
    with tempfile.TemporaryFile() as file:  # its pages live on in the array
        on_disk = np.memmap(file, np.uint8, "w+", shape=shape)
    on_disk[:] = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    return views_of(settings, on_disk, np.arange(n))


def embedding(arguments: argparse.Namespace):
    """Return the function that embeds a number of batches, as `graft.training.features.embed_photos` does."""
    from graft.network.assembly import embedder
    from graft.network.forms import in_embedding_form
    from graft.network.precision import policy_of
    from graft.network.preprocessing import mode_of
    from graft.training.features import forward

    network = backbone_of(arguments)
    network = in_embedding_form(network, policy_of(arguments.precision, network))
    model, batch = embedder(network, mode_of(arguments.backbone), "avg"), photos(arguments)

    def run(steps: int) -> None:
        for _ in range(steps):
            forward(model, batch)

    return run


def backbone_of(arguments: argparse.Namespace):
    """Return the network with random weights."""
    from graft.config.backbone import Backbone
    from graft.network.backbones import build_backbone

    return build_backbone(Backbone(name=arguments.backbone, weights="none", size=arguments.size))


if __name__ == "__main__":
    main()
