"""A project on drawn photos that was run to its end once."""

from pathlib import Path

import pytest

from project import COLOURS, Project, draw_photos, quick


@pytest.fixture(scope="module")
def photos(tmp_path_factory) -> Path:
    """Return a folder of three classes of nine drawn photos."""
    return draw_photos(tmp_path_factory.mktemp("photos") / "mine", COLOURS, 9)


@pytest.fixture(scope="module")
def built(tmp_path_factory, photos) -> Project:
    """Return a project on the drawn photos that was run to its end once."""
    project = Project(tmp_path_factory.mktemp("built"), quick({"source": {"folder": str(photos)}}))
    project.said = project.run()
    return project
