"""Progress of long work, a line every few seconds: how far, how fast, how long it will still take."""

import time


class Progress:
    """Prints a line when at least `every` seconds have passed since the last, and one at the end.

    Args:
        tag: what works, such as `embed_images`.
        total: units of work in all.
        unit: what is counted, in the plural.
        every: seconds between lines.
    """

    def __init__(self, tag: str, total: int, unit: str, every: float = 5.0):
        self.tag, self.total, self.unit, self.every = tag, total, unit, every
        self.done = 0
        self.start = self.last = time.monotonic()

    def advance(self, n: int) -> None:
        """Count `n` more units as done."""
        self.done += n
        now = time.monotonic()
        if self.done >= self.total or now - self.last >= self.every:
            self.last = now
            seconds = max(now - self.start, 1e-9)
            rate = self.done / seconds
            left = (self.total - self.done) / rate
            reached = f"{self.tag}: {self.done:,}/{self.total:,} {self.unit}"
            print(f"{reached}, {seconds:.1f} s, {rate:.0f}/s, {left:.0f} s left", flush=True)
