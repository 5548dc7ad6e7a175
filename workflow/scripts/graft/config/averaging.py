"""Test-time views, resolved: how many, and how they are drawn."""

from graft.config.base import Settings
from graft.config.recipe import Augmentation, Recipe

DRAWN = Augmentation(zoom=0.1, shift=0.1, horizontal_flip=True)  # where a recipe has no augmentation of its own


class AveragedViews(Settings):
    """The views that a prediction is averaged over; the model file remembers them."""

    count: int
    """Views, the first of which is the photo as it is."""

    augmentation: Augmentation
    """How the others are drawn."""

    seed: int
    """What they are drawn from."""


def averaged_views(recipe: Recipe) -> AveragedViews | None:
    """Return the views of a recipe's predictions; None where the photo as it is counts alone.

    >>> averaged_views(Recipe(test_views=4)).count
    4
    """
    asked = recipe.test_views
    if asked is None:
        return None
    drawn = asked.augmentation or recipe.augmentation or DRAWN
    return AveragedViews(count=asked.count, augmentation=drawn, seed=asked.seed)
