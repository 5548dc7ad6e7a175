"""Into how many jobs the work on every photo is cut."""

from pydantic import Field

from graft.config.base import Settings


class Shards(Settings):
    """Into how many jobs the work on every photo is cut; results keep their bytes, on machines of one kind.

    Settle it before the first run: for Snakemake, a file that is joined is another than one made whole, and it repeats
    what was built and all that follows. docs/cluster.md says how to keep it.
    """

    pack: int = Field(1, ge=1, le=250)
    """Jobs that decode and resize a dataset's photos (`pack_images`), each with 4 threads."""

    embed: int = Field(1, ge=1, le=250)
    """Jobs that compute the features of a dataset's photos (`embed_images`), each with a GPU."""

    predict: int = Field(1, ge=1, le=250)
    """Jobs that ask a run's models about the photos that judge and choose (`predict`), each with a GPU."""
