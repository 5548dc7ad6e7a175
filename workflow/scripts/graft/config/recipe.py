"""How to train: the head, the augmentation, the frozen phase, the fine-tuning phase."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from graft.config.base import Settings


class Head(Settings):
    """The layers that are grafted on the backbone."""

    pooling: Literal["avg", "max", "avg+max", "flatten"] = "avg"
    """How the last feature map becomes a vector; `avg+max` joins both, `flatten` keeps every place."""

    hidden: list[Annotated[int, Field(ge=1, le=65536)]] = []
    """Widths of dense layers with ReLU between the vector and the output; empty: none."""

    dropout: float = Field(0.0, ge=0, lt=1)
    """Fraction of the units dropped in training, before every dense layer."""

    output: Literal["logit", "softmax", "sigmoid"] = "softmax"
    """`logit`: one unit and binary cross-entropy from logits, two classes only; `softmax`: one unit a class; `sigmoid`:
    one unit a label and binary cross-entropy, for photos of several labels (docs/several_labels.md)."""

    kernel: Literal["glorot_uniform", "random_uniform", "zeros"] = "glorot_uniform"
    """Where the last layer's weights start; `random_uniform` is Keras's, from -0.05 to 0.05."""

    label_smoothing: float = Field(0.0, ge=0, lt=1)
    """Share of the target that is spread over all classes (Szegedy et al., 2016)."""


class Augmentation(Settings):
    """A random view of a photo: one affine map, drawn from the seed, the photo and the visit."""

    rotation: float = Field(0.0, ge=0, le=180)
    """Largest turn either way, in degrees."""

    zoom: float = Field(0.0, ge=0, lt=1)
    """Largest relative zoom, drawn for height and width apart: 0.1 is 0.9 to 1.1."""

    shift: float = Field(0.0, ge=0, lt=1)
    """Largest shift, as a fraction of height and of width."""

    shear: float = Field(0.0, ge=0, lt=90)
    """Largest shear angle either way, in degrees."""

    horizontal_flip: bool = False
    """Mirror left and right, every second time."""

    vertical_flip: bool = False
    """Mirror top and bottom, every second time."""


class ViewsToAverage(Settings):
    """Test-time views: each prediction is the mean over several views of its photo, by its logits."""

    count: int = Field(ge=2, le=100)
    """Views, the first of which is the photo as it is. Predicting takes as many times as long."""

    augmentation: Augmentation | None = None
    """How the others are drawn: the same maps for every photo. Null: as `augmentation` of the recipe; where it has
    none, mirrored every second time, shifted and zoomed by up to a tenth. Give one where a mirrored photo means
    something else."""

    seed: int = Field(0, ge=0, lt=2**31)
    """What the views are drawn from."""


class Optimizer(Settings):
    """One step of gradient descent."""

    name: Literal["sgd", "rmsprop", "adam", "adamw"] = "rmsprop"
    """Keras's optimiser of that name, with Keras's defaults where nothing else is said."""

    learning_rate: float = Field(1e-3, gt=0, le=10)
    """Step size at its highest."""

    momentum: float = Field(0.0, ge=0, lt=1)
    """Momentum; SGD and RMSprop only."""

    weight_decay: float = Field(0.0, ge=0, lt=1)
    """Decoupled weight decay; AdamW's usual value is 0.004."""

    clip_norm: float = Field(0.0, ge=0)
    """Largest norm of the whole gradient, or, with `layer_decay`, of each block's; 0: no clipping."""

    accumulate: int = Field(1, ge=1, le=1024)
    """Batches whose gradients are averaged into one step."""

    ema: float = Field(0.0, ge=0, lt=1)
    """Momentum of an exponential moving average of the weights, which is then the result; 0: none."""


class Schedule(Settings):
    """How the learning rate moves."""

    name: Literal["constant", "cosine", "plateau"] = "constant"
    """`cosine`: down to 0 at the end; `plateau`: times `factor` when the validation loss stalls."""

    warmup_epochs: float = Field(0.0, ge=0)
    """Epochs of linear rise from 0; cosine only."""

    factor: float = Field(0.2, gt=0, lt=1)
    """What a plateau multiplies the rate by."""

    patience: int = Field(3, ge=1)
    """Epochs without a better validation loss that make a plateau."""

    @model_validator(mode="after")
    def _check(self) -> "Schedule":
        if self.warmup_epochs and self.name != "cosine":
            raise ValueError("warmup_epochs needs the schedule 'cosine'")
        return self


class EarlyStopping(Settings):
    """Stop when nothing improves, and go back to the best epoch, whether it stopped or not."""

    monitor: Literal["val_loss", "val_accuracy", "loss"] = "val_loss"
    """What has to improve."""

    patience: int = Field(5, ge=1)
    """Epochs without improvement before it stops."""

    min_delta: float = Field(0.0, ge=0)
    """The least change that counts as an improvement."""


class Selection(Settings):
    """Which photos choose: the epoch, the plateaus, whether fine-tuning is kept, temperature and threshold."""

    on: Literal["auto", "inner", "val", "none", "held_out"] = "auto"
    """`inner`: the inner part of the training photos (`split.inner`), which then trains no weights. `val`: the
    validation photos; where no test photos judge, they judge what they chose, and every number says so. `none`:
    nothing is chosen. `auto`: the validation photos if there are test photos to judge; else the inner part if the
    recipe chooses anything in training; else none, and all training photos train. `held_out`: as `auto`, but the inner
    part chooses too where training chooses nothing; a sweep with `choose` sets it."""

    @model_validator(mode="before")
    @classmethod
    def _a_bare_on(cls, values: Any) -> Any:
        if isinstance(values, dict) and True in values:  # YAML 1.1 takes a bare `on` for true
            return {"on" if key is True else key: value for key, value in values.items()}
        return values


class Phase(Settings):
    """What both phases share."""

    epochs: int = Field(20, ge=1, le=10000)
    """Epochs at most."""

    batch_size: int = Field(8, ge=1, le=4096)
    """Photos a step."""

    steps_per_epoch: int = Field(0, ge=0)
    """Steps an epoch; 0: one pass over the training photos."""

    optimizer: Optimizer = Optimizer()
    """How weights move."""

    schedule: Schedule = Schedule()
    """How the learning rate moves."""

    early_stopping: EarlyStopping | None = None
    """When to stop; null: never before the last epoch."""

    @property
    def chooses(self) -> bool:
        """Return whether the phase looks at photos that it does not train on, to stop or to slow down."""
        stops = self.early_stopping is not None and self.early_stopping.monitor.startswith("val_")
        return stops or self.schedule.name == "plateau"

    def images_seen(self, n_train: int) -> int:
        """Return how many training images all epochs together look at, repeats counted."""
        return self.epochs * (self.steps_per_epoch * self.batch_size or n_train)


Precision = Literal["auto", "float32", "bfloat16"]


class FrozenPhase(Phase):
    """Training the head while the backbone keeps its pretrained weights, on cached features."""

    method: Literal["gradient", "probe"] = "gradient"
    """`gradient`: epochs of an optimiser; `probe`: a cross-validated logistic regression, run to convergence."""

    views: Annotated[int, Field(ge=0, le=1000)] | Literal["epoch"] = 0
    """Augmented views of each training photo: 0 trains on the photos as they are, n reuses n views in
    turn, `epoch` draws a fresh one at every visit, which is augmentation as the lesson has it."""

    precision: Precision = "float32"
    """Arithmetic of the backbone while its features are computed. `auto`: bfloat16 on a GPU, and on a processor
    that multiplies it in hardware unless the backbone has depthwise or grouped convolutions, as MobileNet."""


class FineTuning(Phase):
    """Training the backbone too, or its upper part."""

    epochs: int = Field(10, ge=1, le=10000)
    """Epochs at most."""

    unfreeze: Literal["all"] | Annotated[int, Field(ge=1)] | Annotated[float, Field(gt=0, lt=1)] | str = "all"
    """`all`; a whole number: the last n blocks; a fraction: that share of the blocks, the upper ones, rounded up; or
    the name of the first layer to unfreeze."""

    batch_norm: Literal["lesson", "frozen", "folded"] = "lesson"
    """Batch normalisation always keeps its statistics. `lesson`: scale and offset train;
    `frozen`: they do not; `folded`: they are merged into the convolutions first (same function, faster)."""

    layer_decay: float = Field(1.0, gt=0, le=1)
    """Factor on the learning rate from one block to the one below it, and none for blocks below a hundredth of it;
    1: the same rate everywhere."""

    mix: Literal["none", "mixup", "cutmix"] = "none"
    """Blend pairs of photos and their labels, as Keras's MixUp or CutMix does."""

    rand_augment: bool = False
    """Keras's RandAugment on top of the affine view."""

    precision: Precision = "float32"
    """Arithmetic of the layers; weights stay float32. `auto`: as in the frozen phase."""

    interpolation: float = Field(1.0, gt=0, le=1)
    """Share of the fine-tuned weights in the result; the rest are those that fine-tuning began with, weight by weight
    (WiSE-FT: Wortsman et al., CVPR 2022). 1: the fine-tuned weights alone. These are taken alone, too, where the mean
    of the weights fits the training photos worse than either: then training went too far from where it began for a mean
    to make sense (Frankle et al., ICML 2020)."""

    min_mistakes: int = Field(0, ge=0)
    """For a probe: nothing is fine-tuned where cross-validation finds fewer mistakes of it among the training photos.
    Fine-tuning can only mend mistakes. Of nine, it would have to mend six and make none for a sign test to tell
    (p = 0.03), and on as few photos it may as well unsettle what is right."""

    keep: Literal["always", "better", "fits"] = "always"
    """`always`: the fine-tuned model is the result. `better`: only if its log loss on the photos that choose is below
    that of the head's model, which otherwise stays; it stays too where no photos can choose. `fits`, for a probe: only
    if its log loss on the training photos is below what cross-validation expects of the probe on other photos; a
    training that is not even that good on the photos it saw has failed. No photos are held out for it."""

    @model_validator(mode="after")
    def _check(self) -> "FineTuning":
        if self.layer_decay < 1 and self.schedule.name == "plateau":
            raise ValueError(
                "layer_decay gives every block a rate of its own, which a plateau cannot lower; use 'cosine'"
            )
        return self


class Expected(Settings):
    """What to expect of a recipe on the first lesson's 92 photos with MobileNet 0.25: accuracy, 95% intervals.

    Measured by `python benchmarks/recipes.py PHOTOS --backbone MobileNet:0.25 --folds 5 --repeats 2`.
    """

    head: tuple[float, float]
    """Of the head."""

    finetuned: tuple[float, float] | None = None
    """Of the fine-tuned network; null where there is no second phase."""


class Recipe(Settings):
    """A way to train, apart from data, backbone and seed."""

    head: Head = Head()
    """The new layers."""

    class_weights: Literal["none", "balanced"] | dict[str, Annotated[float, Field(gt=0)]] = "none"
    """Weight of each class in the loss: `balanced` is inverse to its frequency; or a weight for each class. Of several
    labels, `balanced` gives photos with a label and photos without it the same weight together; a number weighs the
    whole loss of a label."""

    augmentation: Augmentation | None = None
    """Random views; null: none."""

    preprocessing: Literal["consistent", "as_published"] = "consistent"
    """`consistent`: the backbone's own, in training and prediction alike. `as_published`: the mismatch of
    the first lesson, for study: mean-centred photos in training, ImageNet means in prediction."""

    frozen: FrozenPhase = FrozenPhase()
    """The first phase."""

    finetune: FineTuning | None = None
    """The second phase; null: the head is the result."""

    selection: Selection = Selection()
    """Which photos choose."""

    test_views: ViewsToAverage | None = Field(None, exclude_if=lambda value: value is None)
    """Average every prediction over this many views of its photo, in the tables, in calibration and in the published
    model: `test_views: 4`, or a section. Null: the photo as it is, alone."""

    expected: Expected | None = None
    """What the recipe gave where it was measured. It changes nothing; a test compares."""

    @field_validator("test_views", mode="before")
    @classmethod
    def _counted(cls, value: Any) -> Any:
        return {"count": value} if isinstance(value, int) else value

    @property
    def chooses(self) -> bool:
        """Return whether training chooses anything by photos that it does not train on."""
        finetune = self.finetune
        return self.frozen.chooses or bool(finetune and (finetune.chooses or finetune.keep == "better"))

    @model_validator(mode="after")
    def _check(self) -> "Recipe":
        if self.selection.on == "none" and self.chooses:
            raise ValueError(
                "selection.on is 'none', but early stopping, a plateau or keep: better needs photos that choose; "
                "use 'inner', or take those out"
            )
        views = self.frozen.views
        if views and self.augmentation is None:
            raise ValueError(f"frozen.views is {views!r}, but there is no augmentation to draw views with; add one")
        if self.finetune and self.finetune.keep == "fits" and self.frozen.method != "probe":
            raise ValueError("finetune.keep is 'fits', which compares with a probe; set frozen.method to 'probe'")
        if self.frozen.method == "probe" and self.head.hidden:
            raise ValueError(
                "frozen.method is 'probe', which has no hidden layers; empty head.hidden or use 'gradient'"
            )
        if self.frozen.method == "probe" and views == "epoch":
            raise ValueError("frozen.method is 'probe', which has no epochs; give frozen.views a number")
        return self
