"""What a user may set about the pictures: how many photos they show, how finely, and in which formats."""

from typing import Literal

from pydantic import Field

from graft.config.base import Settings

OF_A_RUN = (
    *("learning_curves", "prediction_grid", "confusion_matrix", "roc_pr", "reliability"),
    *("mistakes", "feature_map", "gradcam"),
)
# Of a run of several labels a photo:
OF_A_MULTILABEL_RUN = (
    *("learning_curves", "prediction_grid", "label_curves"),
    *("co_occurrence", "reliability", "mistakes", "feature_map", "gradcam"),
)
OF_ALL_RUNS = ("comparison", "cost")


class PredictionGrid(Settings):
    """A sample of judged photos, each with what the model said of it, how surely, and the truth."""

    columns: int = Field(4, ge=1, le=12)
    """Photos in a row."""
    rows: int = Field(3, ge=1, le=25)
    """Rows of photos; fewer are drawn where there are fewer photos."""
    seed: int = Field(0, ge=0)
    """The seed of the sample; whether an answer is right does not matter for the draw."""


class Mistakes(Settings):
    """The photos that the model got wrong while it was most sure of itself."""

    photos: int = Field(12, ge=1, le=100)
    """The most photos shown."""
    columns: int = Field(4, ge=1, le=12)
    """Photos in a row."""


class Reliability(Settings):
    """How often the model is right, against how sure it says it is."""

    bins: int = Field(10, ge=2, le=50)
    """Bins of confidence, all equally wide; more are finer and noisier."""


class FeatureMap(Settings):
    """The photos in the space of the frozen backbone's features, drawn on a plane."""

    method: Literal["pca", "tsne"] = "pca"
    """`pca` keeps distances as far as two axes can and takes a second; `tsne` keeps neighbours and takes longer."""
    perplexity: float = Field(30.0, gt=1, le=200)
    """How many neighbours t-SNE heeds for each photo; lowered by itself where there are few photos."""
    seed: int = Field(0, ge=0)
    """The seed of t-SNE, and of the choice of photos where there are more than `photos`."""
    photos: int = Field(5000, ge=10, le=50000)
    """The most photos drawn; a data set with more is sampled."""


class GradCam(Settings):
    """Where in a photo the model looked: Grad-CAM laid over right and wrong examples of each class."""

    examples: int = Field(2, ge=1, le=10)
    """Right examples, and as many wrong ones, of each class, as far as there are any."""
    classes: int = Field(10, ge=1, le=100)
    """The most classes shown; those with the most mistakes come first."""
    seed: int = Field(0, ge=0)
    """The seed by which the examples are drawn."""


class Figures(Settings):
    """Everything about the pictures of a run. None of it changes a model or a number."""

    dpi: int = Field(150, ge=50, le=600)
    """Dots per inch of the PNG files."""
    vector_copies: list[Literal["svg", "pdf"]] = []
    """Formats that every figure is also written in, beside its PNG: for papers and slides."""
    prediction_grid: PredictionGrid = PredictionGrid()
    """Sample of predictions: `prediction_grid.png`."""
    mistakes: Mistakes = Mistakes()
    """Most confident mistakes and possible label errors: `mistakes.png`."""
    reliability: Reliability = Reliability()
    """Reliability diagram: `reliability.png`."""
    feature_map: FeatureMap = FeatureMap()
    """Map of the feature space: `feature_map.png`."""
    gradcam: GradCam = GradCam()
    """Grad-CAM overlays: `gradcam.png`."""
