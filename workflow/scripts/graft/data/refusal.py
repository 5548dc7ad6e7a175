"""Pictures that are not damaged, but are not taken."""


class Refused(Exception):
    """A picture that is no damaged one, but that cannot be taken; the text says why, and names no patient."""


def several_channels(count: int) -> str:
    """Return why a picture of several channels is not taken."""
    return f"it has {count} channels that make no grey or RGB picture; save those that count as one"
