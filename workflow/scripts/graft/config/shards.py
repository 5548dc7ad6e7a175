"""Into how many jobs the work on every photo is cut."""

from pydantic import Field

from graft.config.base import Settings


class Shards(Settings):
    """Into how many jobs the work on every photo is cut; results keep their bytes, on machines of one kind.

    Choose it before the first run: to Snakemake, a file that was joined from shards is another file than one that a
    single job wrote, so a later change rebuilds the file and all that depends on it. docs/cluster.md says how to avoid
    that.
    """

    pack: int = Field(1, ge=1, le=250)
    """Jobs that decode and resize a dataset's photos (`pack_images`), each with 4 threads."""

    embed: int = Field(1, ge=1, le=250)
    """Jobs that compute the features of a dataset's photos (`embed_images`), each with a GPU."""

    predict: int = Field(1, ge=1, le=250)
    """Jobs that ask a run's models about the photos that judge and choose (`predict`), each with a GPU."""
