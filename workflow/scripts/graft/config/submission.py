"""A competition's submission: which form it takes, and what fills it."""

from typing import Any, Literal

from pydantic import Field, field_validator

from graft.config.base import Settings


class Submission(Settings):
    """The file that a competition takes, in the form of its sample."""

    sample: str = Field("sample_submission.csv", min_length=1)
    """The sample: a CSV at a path on this machine or, where there is no such file, within the photo set. `submission:
    sampleSubmission.csv` is short for `submission: {sample: sampleSubmission.csv}`."""

    id: str | None = None
    """The column that names the photos; null: the first."""

    values: Literal["auto", "classes", "probabilities"] = "auto"
    """What the other columns take. classes: the answer in the one column, or 1 in its class's column and 0 in the
    others. probabilities: of each class in its column, or of `positive` in the one column. auto: probabilities where
    there is a column for each class, else what the sample's own values are."""

    positive: str | None = None
    """The class whose probability one column takes; null: the second of two classes."""

    names: dict[str, str] = {}
    """What the sample calls a class, where that is not its name in the photo set: {dog: "1", cat: "0"}."""

    top: int | None = Field(None, ge=1)
    """How many classes one column takes, the likeliest first, with spaces between them, as MAP@k wants it; null: as
    many as each row of the sample has."""

    missing: Literal["error", "sample"] = "error"
    """What becomes of an id of the sample without a photo that could be predicted. sample: it keeps the sample's own
    value."""

    @field_validator("names", mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        return {str(name): other if isinstance(other, str | bool) else str(other) for name, other in value.items()}
