"""The images a second of timm's networks in PyTorch, channels last; `train.py` and `gpu.py` start it.

The same computation as Graft's: batch normalisation keeps its statistics, scale and offset do not train, one logit,
RMSprop. bfloat16 is PyTorch's autocast: weights stay float32. Needs torch, timm and NumPy.
"""

import argparse

import numpy as np
import timm
import torch

import timing
from loop_keras import parsed, photos

NAMES = {"ResNet50": "resnet50", "MobileNet": "mobilenetv1_100"}


def main() -> None:
    arguments = parsed(__doc__, forms=["frozen"])
    torch.manual_seed(0)
    torch.set_num_threads(arguments.threads)
    if arguments.device == "gpu" and not torch.cuda.is_available():
        raise SystemExit("Error: torch finds no GPU; for the processor: --device cpu")
    run = fine_tuning(arguments) if arguments.task == "finetune" else embedding(arguments)
    timing.tell(images_per_s=timing.images_per_second(run, arguments.batch, arguments.seconds))


def fine_tuning(arguments: argparse.Namespace):
    """Return the function that trains a number of steps."""
    model, batch, device = prepared(arguments, n_logits=1)
    targets = torch.from_numpy(np.arange(arguments.batch) % 2)[:, None].float().to(device)
    keep_batch_norm(model)
    optimizer = torch.optim.RMSprop([weight for weight in model.parameters() if weight.requires_grad], lr=1e-5)
    loss_of = torch.nn.BCEWithLogitsLoss()

    def run(steps: int) -> None:
        for _ in range(steps):
            optimizer.zero_grad(set_to_none=True)
            with precision_of(arguments, device):
                logits = model(moved(batch, device))
            loss = loss_of(logits.float(), targets)
            loss.backward()
            optimizer.step()
        loss.item()  # waits for the device

    return run


def embedding(arguments: argparse.Namespace):
    """Return the function that embeds a number of batches."""
    model, batch, device = prepared(arguments, n_logits=0)
    model.eval()

    def run(steps: int) -> None:
        with torch.inference_mode(), precision_of(arguments, device):
            for _ in range(steps):
                features = model(moved(batch, device))
        features.float().sum().item()  # waits for the device

    return run


def prepared(arguments: argparse.Namespace, n_logits: int):
    """Return the network on its device, a batch of photos in the host's memory, and the device; channels last."""
    device = torch.device("cuda" if arguments.device == "gpu" else "cpu")
    model = timm.create_model(NAMES[arguments.backbone], num_classes=n_logits)
    pixels = torch.from_numpy(photos(arguments)).permute(0, 3, 1, 2) / 127.5 - 1.0
    pixels = pixels.contiguous(memory_format=torch.channels_last)
    if device.type == "cuda":
        pixels = pixels.pin_memory()
    return model.to(device, memory_format=torch.channels_last), pixels, device


def moved(batch: torch.Tensor, device: torch.device) -> torch.Tensor:
    """Return a batch on the device; every step moves its own, as Keras's loops do."""
    return batch.to(device, non_blocking=True)


def keep_batch_norm(model: torch.nn.Module) -> None:
    """Train everything but batch normalisation, which stays in inference mode."""
    model.train()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.eval()
            module.requires_grad_(False)


def precision_of(arguments: argparse.Namespace, device: torch.device):
    """Return the context of the arithmetic."""
    return torch.autocast(device.type, torch.bfloat16, enabled=arguments.precision == "bfloat16")


if __name__ == "__main__":
    main()
