"""A finished chain, built once for all tests that look at its files."""

import pytest
from photo_files import two_classes, write_files

from made_chain import Chain


@pytest.fixture(scope="session")
def built(tmp_path_factory) -> Chain:
    """Return the results of every stage, of 24 photos; tests only read them, or copy them first."""
    folder = tmp_path_factory.mktemp("built")
    return Chain(folder / "results", write_files(folder / "photos", two_classes(12))).build()
