"""An experiment: a recipe, a dataset, a backbone, a seed, and what it changes of the recipe."""

from typing import Any, Literal

from pydantic import Field, field_validator

from graft.config.averaging import AveragedViews
from graft.config.backbone import Backbone, Embedding
from graft.config.base import Settings
from graft.config.dataset import SQUASHED, Pictures
from graft.config.export import Export
from graft.config.recipe import Augmentation, FineTuning, FrozenPhase, Head, Precision, Recipe, Selection
from graft.config.submission import Submission


class Experiment(Settings):
    """One row of the comparison, or several if it has several seeds."""

    dataset: str
    """A key of `datasets`."""

    recipe: str
    """The name of a file in config/recipes, without `.yaml`; or the path of one."""

    backbone: Backbone = Backbone()
    """The network that the head is grafted on."""

    seed: int = Field(0, ge=0, lt=2**31)
    """All that is random in training comes from it."""

    seeds: int = Field(1, ge=1, le=1000)
    """How many runs to make, with the seeds `seed`, `seed` + 1 and so on; more than one names them NAME-seed0, ..."""

    override: dict[str, Any] = {}
    """Parts of the recipe that this experiment changes, laid out as a recipe is."""

    sweep: dict[str, list[Any] | Literal["all"]] | list[dict[str, Any]] = {}
    """Values to try, by key: `{backbone: [MobileNet, ResNet50], seed: [0, 1], override.finetune.epochs: [5, 10]}` makes
    an experiment of every combination, named NAME-MobileNet-seed0-epochs5 and so on; a list of points, `[{recipe:
    probe}, {recipe: graft, seed: 3}]`, one of each. The keys are `backbone`, `backbone.size` and the like, `dataset`,
    `recipe`, `seed`, and any key of `override`; `backbone: all` is every one of Keras. docs/sweeps.md."""

    choose: Literal["none", "log_loss", "accuracy", "mean_average_precision"] = "none"
    """With a sweep: pick a winner by this number, on photos that do not judge (docs/sweeps.md). `accuracy` is for one
    label a photo, `mean_average_precision` for several."""

    predict: list[Literal["train", "val", "test"]] = Field(["val", "test"], min_length=1)
    """Which photos the predictions cover."""

    exports: list[Export] = []
    """Forms of the model to write and prove beside model.keras: names such as `onnx`, or sections such as
    `{format: onnx, precision: int8}`."""

    submission: Submission | None = Field(None, exclude_if=lambda value: value is None)
    """Write runs/NAME/submission.csv, what a competition takes for its photos without labels: the name of the
    competition's sample, or a section; `{}` for a sample named sample_submission.csv. docs/competitions.md."""

    @field_validator("submission", mode="before")
    @classmethod
    def _sample(cls, value: Any) -> Any:
        return {"sample": value} if isinstance(value, str) else value

    @field_validator("exports")
    @classmethod
    def _differ(cls, exports: list[Export]) -> list[Export]:
        names = [export.name for export in exports]
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{twice[0]} stands there twice; name each format and precision once")
        return exports


class Choosing(Selection):
    """Which photos choose in a run, and whether its training needs any."""

    chooses: bool = False
    """Whether training chooses anything; temperature and threshold are chosen where photos are there for it."""


class Views(Settings):
    """The augmented views of the training photos that `embed_images` caches."""

    augmentation: Augmentation
    """How a view is drawn."""

    count: int
    """Views of every photo; 0: one for each of its visits in the frozen phase."""

    phase: FrozenPhase | None
    """The frozen phase's length, where `count` is 0."""

    choosing: Choosing | None
    """Which photos choose, and so do not train, where `count` is 0."""

    seed: int
    """What the views are drawn from."""


class EmbedSettings(Embedding):
    """What `embed_images` uses."""

    preprocessing: Literal["consistent", "as_published"]
    """As in the recipe."""

    precision: Precision
    """Arithmetic of the layers."""

    views: Views | None
    """The views to cache beside the photos as they are; null: none."""

    pictures: Pictures = SQUASHED
    """How the dataset's photos became squares, which the features' name tells."""

    fast_path: bool = True
    """As in the configuration."""


class ViewedSettings(Settings):
    """What `embed_test_views` uses."""

    embedding: EmbedSettings
    """As the features of the photos as they are."""

    test_views: AveragedViews
    """The views; the first, the photo as it is, is not cached with them."""


class PredictSettings(Settings):
    """What `predict` uses."""

    roles: list[Literal["train", "val", "test"]]
    """As the experiment's `predict`."""

    choosing: Choosing
    """Which photos choose: they are always predicted, since the temperature and the threshold are fitted to them."""

    fast_path: bool = True
    """As in the configuration."""

    test_views: AveragedViews | None = Field(None, exclude_if=lambda value: value is None)
    """What each prediction is averaged over; null: the photo as it is, alone."""


class UnlabelledSettings(Settings):
    """What `predict_unlabelled` uses."""

    fast_path: bool = True
    """As in the configuration."""

    test_views: AveragedViews | None = Field(None, exclude_if=lambda value: value is None)
    """As in `PredictSettings`."""


class HeadSettings(Settings):
    """What `train_head` uses."""

    backbone: Backbone
    """The network that the head is joined to."""

    preprocessing: Literal["consistent", "as_published"]
    """As in the recipe."""

    head: Head
    """The new layers."""

    class_weights: Any
    """As in the recipe."""

    frozen: FrozenPhase
    """The first phase."""

    choosing: Choosing = Choosing()
    """Which photos choose, and so do not train."""

    pictures: Pictures = SQUASHED
    """How the dataset's photos became squares, which the model file remembers."""

    seed: int
    """Of the head's first weights, the order of the photos and dropout."""

    fast_path: bool = True
    """As in the configuration."""


class FineTuneSettings(Settings):
    """What `fine_tune` uses."""

    preprocessing: Literal["consistent", "as_published"]
    """As in the recipe."""

    label_smoothing: float
    """As in the head."""

    class_weights: Any
    """As in the recipe."""

    augmentation: Augmentation | None
    """Random views, a fresh one at every visit."""

    finetune: FineTuning
    """The second phase."""

    choosing: Choosing = Choosing()
    """Which photos choose, and so do not train."""

    seed: int
    """Of the views, the order of the photos and dropout."""

    fast_path: bool = True
    """As in the configuration."""


def choosing_of(recipe: Recipe) -> Choosing:
    """Return which photos choose in a run of a recipe."""
    return Choosing(on=recipe.selection.on, chooses=recipe.chooses)


def embed_settings(
    backbone: Backbone, recipe: Recipe, seed: int, pictures: Pictures, fast_path: bool = True
) -> EmbedSettings:
    """Return what the features of a run depend on, and nothing else, so that runs share them."""
    frozen, views = recipe.frozen, None
    if frozen.views == "epoch":
        length = FrozenPhase(epochs=frozen.epochs, batch_size=frozen.batch_size, steps_per_epoch=frozen.steps_per_epoch)
        choosing = choosing_of(recipe)
        views = Views(augmentation=recipe.augmentation, count=0, phase=length, choosing=choosing, seed=seed)
    elif frozen.views:
        views = Views(augmentation=recipe.augmentation, count=frozen.views, phase=None, choosing=None, seed=seed)
    return EmbedSettings(
        backbone=backbone,
        pooling=recipe.head.pooling,
        preprocessing=recipe.preprocessing,
        precision=frozen.precision,
        views=views,
        pictures=pictures,
        fast_path=fast_path,
    )
