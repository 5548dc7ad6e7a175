"""Altered copies of photos: mirrored, turned, cropped, shifted, framed, captioned or inverted.

Three steps, each slower than the one before and on fewer pairs:

1. Every photo is described by the lowest frequencies of its small grey picture (a discrete cosine transform), and so
   are views of it: mirrored, turned, cropped. Descriptions of two photos are compared by a matrix product.
2. For the pairs whose descriptions agree best, the affine map from one picture to the other is found by least squares
   (Lucas and Kanade, An iterative image registration technique, 1981). It needs a rough start, which is the view.
3. A pair counts as a copy if its fine detail agrees under that map, too. Unrelated photos are often alike in light and
   shade (sky above, grass below), but not in their edges.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from math import atan2, cos, degrees, hypot, radians, sin, sqrt

import numpy as np
from threadpoolctl import threadpool_limits

from graft.data.decode import PICTURE_PX as PX
from graft.data.duplicates import FLAT, DisjointSets
from graft.data.neighbours import Agreeing, Cells
from graft.data.small_pictures import Chosen

COARSE_PX = 32  # side of those that are described, and of the grid of points that alignment looks at
N_FREQUENCIES = 8  # of either axis
LIKELY = 0.65  # correlation of descriptions from which a pair is looked at more closely
SAME_SHADE = 0.7  # correlation of grey levels
SAME_DETAIL = 0.65  # correlation of fine detail; 84,000 pairs of unrelated photos stay below 0.55
BLOCK = 4_000_000  # correlations of descriptions at once, which take 16 MB
EXACT = 2000  # photos up to which all descriptions are compared with all, and photos described at once
HELD_PER_PHOTO, HELD_AT_LEAST = 16, 4_000_000  # pairs held at most, before the likeliest are picked; 25 bytes each
BATCH = 128  # pairs that are aligned at once, which takes 50 MB
PER_PHOTO, AT_LEAST = 0.5, 500  # pairs aligned at most, the likeliest first: this bounds the time of large sets
PER_ROW = 8  # pairs of one photo that are aligned at most: a thousand frames of one film are half a million pairs
INNER = 0.9  # only this part of both pictures is compared, since rims hold borders and black corners
CORE = 0.6  # this part must agree by itself, too: unrelated photos in equal frames agree at the rim
OVERLAP = 0.2  # share of the points that both pictures must show
STRETCH = 1.6  # most that a copy may be stretched along one axis against the other, beyond the squeeze to a square
FLIPS = (  # quarter turns are clockwise
    *("", "mirrored", "upside down", "turned 180"),
    *("mirrored, turned 270", "turned 90", "turned 270", "mirrored, turned 90"),
)
BACK = {"turned 90": "turned 270", "turned 270": "turned 90", "cropped": "wider", "wider": "cropped"}


@dataclass(frozen=True, slots=True)
class View:
    """A part or a turn of a photo that a copy may show.

    `window` is the 2 x 3 map of places in the view to places in the flipped photo, both from -1 to 1; `flip` is a
    position in FLIPS; `part` names which part of the copy is compared with it, a key of PARTS.
    """

    window: np.ndarray
    flip: int = 0
    part: str = "all"


def crop(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    """Return the window of a photo less these shares of its sides."""
    return np.array([[1 - left - right, 0, left - right], [0, 1 - top - bottom, top - bottom]], float)


def turn(angle: float, scale: float = 1.0) -> np.ndarray:
    """Return the window of a photo turned by `angle` degrees, cut to `scale` of its side."""
    cosine, sine = scale * cos(radians(angle)), scale * sin(radians(angle))
    return np.array([[cosine, sine, 0], [-sine, cosine, 0]])


WHOLE = crop(0, 0, 0, 0)
PARTS = {  # of a copy: its window, and the rows that are compared
    "all": (WHOLE, (-1.0, 1.0)),
    "top": (crop(0, 0, 0, 0.12), (-1.0, 0.72)),
    "bottom": (crop(0, 0.12, 0, 0), (-0.72, 1.0)),
}
VIEWS = [
    *[View(crop(share, share, share, share)) for share in (0, 0.05, 0.1, 0.15, 0.2)],
    *[View(turn(angle, scale)) for angle in (-10, 10) for scale in (1, 0.8)],
    *[View(turn(angle)) for angle in (-5, 5)],
    *[View(crop(*0.12 * np.eye(4)[side])) for side in range(4)],
    *[View(WHOLE, flip) for flip in range(1, 8)],
    View(PARTS["top"][0], part="top"),
    View(PARTS["bottom"][0], part="bottom"),
]


@dataclass(frozen=True, slots=True)
class Link:
    """Two photos of which one is an altered copy: `kind` says what the later one is to the earlier one."""

    earlier: int
    later: int
    kind: str


def altered_links(pictures: Sequence[bytes]) -> list[Link]:
    """Return links between photos of which one is an altered copy of the other: enough to join all that are.

    Args:
        pictures: n small pictures of PX x PX grey levels, a byte a pixel.
    """
    spread = [stacked(pictures[at : at + EXACT]).std((1, 2)) for at in range(0, len(pictures), EXACT)]
    detailed = np.flatnonzero(np.concatenate(spread) >= FLAT).tolist() if spread else []
    if len(detailed) < 2:
        return []
    pictures = Chosen(pictures, detailed)
    pairs = likely_pairs(pictures)
    groups, links = DisjointSets(len(detailed)), []
    for start in range(0, len(pairs), BATCH):
        batch = [pair for pair in pairs[start : start + BATCH] if groups.find(pair[0]) != groups.find(pair[1])]
        if not batch:
            continue
        for (source, copy, _), kind in zip(batch, kinds(pictures, batch), strict=True):
            if kind and groups.find(source) != groups.find(copy):
                groups.union(source, copy)
                earlier, later = sorted((detailed[source], detailed[copy]))
                links.append(Link(earlier, later, kind if source < copy else reverse(kind)))
    return links


def stacked(pictures: Sequence[bytes] | np.ndarray) -> np.ndarray:
    """Return small pictures as one array (n, PX, PX), uint8."""
    return np.frombuffer(b"".join(pictures), np.uint8).reshape(-1, PX, PX)


def reverse(kind: str) -> str:
    """Return what the first of two photos is to the second, of what the second is to the first.

    >>> reverse("mirrored, cropped")
    'mirrored, wider'
    """
    changes = kind.split(", ")
    # mirroring reverses a turn, so what is mirrored and turned is undone by doing the same again
    stays = [change.startswith("turned") and "mirrored" in changes for change in changes]
    return ", ".join(one if still else BACK.get(one, one) for one, still in zip(changes, stays, strict=True))


# ---------------------------------------------------------------------------------------------- 1. descriptions


def likely_pairs(pictures: Sequence[bytes]) -> list[tuple[int, int, int]]:
    """Return the (source, copy, position in VIEWS) whose descriptions agree best, the likeliest first.

    Up to EXACT photos are all compared with each other; of more, each view is compared with the photos of its
    neighbourhood, which takes about twice as long for twice as many. Its many small products are fastest on one thread:
    several would mostly wait for each other.
    """
    with threadpool_limits(1 if len(pictures) > EXACT else None, "blas"):
        return compared_views(pictures)


def compared_views(pictures: Sequence[bytes]) -> list[tuple[int, int, int]]:
    """Return the likely pairs, as `likely_pairs` does."""
    n = len(pictures)
    whole = described(pictures, WHOLE)
    among = {part: search_among(described(pictures, window)) for part, (window, _) in PARTS.items() if part != "all"}
    among["all"] = search_among(whole)
    windows = [view.window for view in VIEWS if not view.flip]
    step = max(1, BLOCK // n) if n <= EXACT else EXACT
    likely = Likely(n)
    for start in range(0, n, step):
        straight = iter(describe(stacked(pictures[start : start + step]), windows))
        for number, view in enumerate(VIEWS):
            own = flipped_description(whole[start : start + step], view.flip) if view.flip else next(straight)
            for row, column, agreement in among[view.part](own, likely.at_least):
                likely.add(row + start, column, number, agreement)
    return likely.best()


def search_among(wanted: np.ndarray) -> Callable[[np.ndarray, float], Iterator[Agreeing]]:
    """Return the search for those of (n, d) descriptions that agree with others: among all, or in cells of many."""
    return partial(all_agreeing, wanted) if len(wanted) <= EXACT else Cells(wanted).agreeing


def all_agreeing(wanted: np.ndarray, own: np.ndarray, at_least: float) -> Iterator[Agreeing]:
    """Yield, once, which descriptions agree with which, as `Cells.agreeing` does, by comparing all with all."""
    agreement = np.abs(own @ wanted.T)
    row, column = np.nonzero(agreement >= at_least)
    yield row, column, agreement[row, column]


def among_first(pairs: np.ndarray, count: int) -> np.ndarray:
    """Return which pairs, (n, 2), the likeliest first, are among the first `count` of both of their photos.

    >>> among_first(np.array([[0, 1], [0, 2], [0, 3], [2, 3]]), 2).tolist()
    [True, True, False, True]
    """
    photos = pairs.ravel()
    order = np.argsort(photos, kind="stable")
    rank = np.empty(len(photos), int)
    rank[order] = np.arange(len(photos)) - np.searchsorted(photos[order], photos[order])
    return np.all(rank.reshape(-1, 2) < count, axis=1)


def described(pictures: Sequence[bytes], window: np.ndarray) -> np.ndarray:
    """Return the descriptions of a window of all pictures, (n, N_FREQUENCIES ** 2 - 1)."""
    parts = [describe(stacked(pictures[at : at + EXACT]), [window])[0] for at in range(0, len(pictures), EXACT)]
    return np.concatenate(parts)


class Likely:
    """The likeliest pairs found so far, no more of them than are worth keeping.

    Args:
        n: photos.
    """

    def __init__(self, n: int):
        self.n, self.at_least = n, LIKELY
        self.room = max(HELD_AT_LEAST, HELD_PER_PHOTO * n)
        self.parts: list[tuple[np.ndarray, ...]] = []
        self.held = 0

    def add(self, source: np.ndarray, copy: np.ndarray, view: int, agreement: np.ndarray) -> None:
        """Add pairs that agree under a view; a photo is no pair with itself."""
        apart = source != copy
        self.parts.append((source[apart], copy[apart], np.full(apart.sum(), view, np.int8), agreement[apart]))
        self.held += int(apart.sum())
        if self.held > self.room:
            self.thin_out()

    def thin_out(self) -> None:
        """Keep the best view of each pair; where that is too many, the likeliest pairs, and ask for as much from now.

        Sets of up to EXACT photos have no more pairs than may be kept, so they lose none.
        """
        source, copy, view, agreement = self.arrays()
        best = likeliest_views(source, copy, agreement, self.n)
        if len(best) > self.room // 2:
            best = best[among_first(np.stack([source[best], copy[best]], 1), 4 * PER_ROW)]
        if len(best) > self.room // 2:
            best = best[: self.room // 2]
            self.at_least = float(agreement[best[-1]])
        self.parts = [(source[best], copy[best], view[best], agreement[best])]
        self.held = len(best)

    def arrays(self) -> tuple[np.ndarray, ...]:
        """Return sources, copies, views and agreements of all pairs."""
        self.parts = [tuple(np.concatenate(one) for one in zip(*self.parts, strict=True))]
        return self.parts[0]

    def best(self) -> list[tuple[int, int, int]]:
        """Return the best view of every pair, of PER_ROW pairs for each photo, up to the number that may be aligned."""
        source, copy, view, agreement = self.arrays()
        used = [0] * self.n
        chosen = []
        for one in likeliest_views(source, copy, agreement, self.n).tolist():
            pair = int(source[one]), int(copy[one])
            if max(used[pair[0]], used[pair[1]]) < PER_ROW:
                used[pair[0]] += 1
                used[pair[1]] += 1
                chosen.append((*pair, int(view[one])))
                if len(chosen) >= max(AT_LEAST, PER_PHOTO * self.n):
                    break
        return chosen


def likeliest_views(source: np.ndarray, copy: np.ndarray, agreement: np.ndarray, n: int) -> np.ndarray:
    """Return where the best view of every pair stands, the likeliest pair first."""
    order = np.argsort(-agreement, kind="stable")
    pairs = np.minimum(source, copy)[order] * n + np.maximum(source, copy)[order]
    _, first = np.unique(pairs, return_index=True)  # the best of each pair
    return order[np.sort(first)]


def describe(pictures: np.ndarray, windows: Sequence[np.ndarray]) -> np.ndarray:
    """Return unit vectors (windows, n, N_FREQUENCIES ** 2 - 1) of the lowest frequencies of what a window shows."""
    coarse = pictures.reshape(len(pictures), COARSE_PX, PX // COARSE_PX, COARSE_PX, -1).mean((2, 4), dtype=np.float32)
    operators = np.stack([operator(window.tobytes()) for window in windows])  # (windows, pixels, frequencies)
    return unit(coarse.reshape(len(pictures), -1) @ operators)


@cache
def operator(window: bytes) -> np.ndarray:
    """Return the matrix (pixels, frequencies) that takes a picture to the frequencies of a window, but the mean.

    Each frequency is multiplied by its root mean square wave number, since amplitudes fall about as fast as that grows.
    """
    waves = np.arange(N_FREQUENCIES)
    places = np.arange(COARSE_PX) + 0.5
    basis = np.cos(np.pi / COARSE_PX * places * waves[:, None])  # (frequencies, places)
    basis[0] /= sqrt(2)
    weight = np.hypot(waves[:, None], waves)
    spectrum = np.einsum("uv,ui,vj->uvij", weight, basis, basis).reshape(N_FREQUENCIES**2, -1)
    return (spectrum @ sampling(np.frombuffer(window).reshape(2, 3)))[1:].T.astype(np.float32)


def sampling(window: np.ndarray) -> np.ndarray:
    """Return the matrix (points, pixels) that samples a picture of COARSE_PX at a window's points, bilinearly."""
    x, y = (window @ grid(COARSE_PX) + 1) / 2 * COARSE_PX - 0.5
    x, y = np.clip(x, 0, COARSE_PX - 1), np.clip(y, 0, COARSE_PX - 1)
    left, top = (np.minimum(one.astype(int), COARSE_PX - 2) for one in (x, y))
    matrix = np.zeros((COARSE_PX**2, COARSE_PX**2), np.float32)
    points = np.arange(COARSE_PX**2)
    for right, share in ((0, 1 - (x - left)), (1, x - left)):
        for below, part in ((0, 1 - (y - top)), (1, y - top)):
            np.add.at(matrix, (points, (top + below) * COARSE_PX + left + right), share * part)
    return matrix


@cache
def grid(side: int) -> np.ndarray:
    """Return the places (x, y, 1) of a square's points, from -1 to 1, row by row: (3, side * side)."""
    axis = (np.arange(side) + 0.5) / side * 2 - 1
    x, y = np.meshgrid(axis, axis)
    return np.stack([x.ravel(), y.ravel(), np.ones(side * side)]).astype(np.float32)


def flipped_description(descriptions: np.ndarray, flip: int) -> np.ndarray:
    """Return the descriptions of flipped photos: odd waves change their sign, and a transposition swaps the axes."""
    square = np.zeros((len(descriptions), N_FREQUENCIES, N_FREQUENCIES), np.float32)
    square.reshape(len(descriptions), -1)[:, 1:] = descriptions
    if flip >= 4:
        square = square.transpose(0, 2, 1)
    sign = 1 - 2 * (np.arange(N_FREQUENCIES) % 2)
    square = square * (sign if flip % 2 else 1) * (sign[:, None] if flip % 4 >= 2 else 1)
    return square.reshape(len(descriptions), -1)[:, 1:].astype(np.float32)


def unit(vectors: np.ndarray) -> np.ndarray:
    """Return vectors of length 1."""
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-6)


# ---------------------------------------------------------------------------------------------- 2. alignment


def kinds(pictures: Sequence[bytes], pairs: Sequence[tuple[int, int, int]]) -> list[str]:
    """Return for each (source, copy, view) what the copy is to the source, such as "mirrored"; "" if it is none."""
    views = [VIEWS[view] for _, _, view in pairs]
    originals = stacked([pictures[source] for source, _, _ in pairs])
    sources = np.stack([flipped(one, view.flip) for one, view in zip(originals, views, strict=True)])
    copies = stacked([pictures[copy] for _, copy, _ in pairs])
    rows = np.array([PARTS[view.part][1] for view in views], np.float32)
    maps = np.stack([view.window if view.part == "all" else WHOLE for view in views]).astype(np.float32)
    sources, copies = sources.astype(np.float32), copies.astype(np.float32)
    maps = aligned(sources, copies, maps, rows, blur=2.5, side=16, steps=6)
    maps = aligned(sources, copies, maps, rows, blur=1.0, side=24, steps=4)
    agreement, overlap = agreements(sources, copies, maps, rows)
    core, _ = agreements(sources, copies, maps, rows, CORE)
    same = same_picture(agreement, maps) & same_picture(core, maps) & (overlap >= OVERLAP)
    entire, _ = agreements(sources, copies, maps, np.broadcast_to(np.array([-1, 1], np.float32), rows.shape))
    captioned = ~same_picture(entire, maps)
    found = []
    for number, view in enumerate(views):
        kind = alterations(maps[number], view.flip, agreement[number, 0] < 0, captioned[number])
        found.append(kind if same[number] else "")
    return found


def flipped(picture: np.ndarray, flip: int) -> np.ndarray:
    """Return a square picture flipped as FLIPS says; quarter turns are clockwise."""
    if flip >= 4:
        picture = picture.T
    if flip % 2:
        picture = picture[:, ::-1]
    return picture[::-1] if flip % 4 >= 2 else picture


def aligned(
    sources: np.ndarray, copies: np.ndarray, maps: np.ndarray, rows: np.ndarray, blur: float, side: int, steps: int
) -> np.ndarray:
    """Return the maps (B, 2, 3) of places in copies to places in sources, improved by `steps` of least squares.

    Each step fits copy = contrast * source + brightness, to first order in the map, at side x side points.
    """
    places = grid(side)
    x, y, _ = places
    smooth, slope = blurring(blur), np.gradient(blurring(blur), axis=0)
    layers = np.stack(
        [smooth @ sources @ smooth.T, smooth @ sources @ slope.T * (PX / 2), slope @ sources @ smooth.T * (PX / 2)], -1
    )  # (B, PX, PX, 3): grey levels and their slopes
    target = sampled((smooth @ copies @ smooth.T)[..., None], np.broadcast_to(places[:2], (len(maps), 2, side**2)))
    compared = (y >= rows[:, :1]) & (y <= rows[:, 1:])
    for _ in range(steps):
        at = maps @ places
        grey, across, down = np.moveaxis(sampled(layers, at), -1, 0)  # (B, points) each
        weight = (compared & (np.abs(at) <= 1).all(1))[:, None].astype(np.float32)
        one = np.ones_like(grey)
        terms = np.stack([across * x, across * y, across, down * x, down * y, down, grey, one], 1) * weight
        normal = terms @ terms.transpose(0, 2, 1)
        diagonal = np.arange(8)
        normal[:, diagonal, diagonal] = normal[:, diagonal, diagonal] * 1.001 + 1e-3
        fit = np.linalg.solve(normal, terms @ target)[..., 0]
        contrast = np.where(fit[:, 6] < 0, np.minimum(fit[:, 6], -0.1), np.maximum(fit[:, 6], 0.1))
        maps = maps + np.clip(fit[:, :6] / contrast[:, None], -0.15, 0.15).reshape(-1, 2, 3)
    return maps


@cache
def blurring(deviation: float) -> np.ndarray:
    """Return the matrix that blurs a picture's columns by a Gaussian of `deviation` pixels, cut off at the rim."""
    apart = np.arange(PX)[:, None] - np.arange(PX)
    weights = np.exp(-(apart**2) / (2 * deviation**2))
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


def sampled(layers: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the values (B, points, layers) of pictures (B, PX, PX, layers) at places (B, 2, points), bilinearly."""
    n_pictures, _, _, depth = layers.shape
    at = np.clip((places + 1) * (PX / 2) - 0.5, 0, PX - 1.001)
    corner = at.astype(np.int32)
    share = (at - corner).astype(np.float32)[..., None]
    first = np.arange(n_pictures, dtype=np.int32)[:, None] * PX**2 + corner[:, 1] * PX + corner[:, 0]
    flat = layers.reshape(-1, depth)
    top = flat[first] * (1 - share[:, 0]) + flat[first + 1] * share[:, 0]
    bottom = flat[first + PX] * (1 - share[:, 0]) + flat[first + PX + 1] * share[:, 0]
    return top * (1 - share[:, 1]) + bottom * share[:, 1]


# ---------------------------------------------------------------------------------------------- 3. detail


def agreements(
    sources: np.ndarray, copies: np.ndarray, maps: np.ndarray, rows: np.ndarray, inner: float = INNER
) -> tuple[np.ndarray, np.ndarray]:
    """Return correlations (B, 3) of grey, of edges and of edges at even contrast, and the share of points compared.

    Only the part up to `inner` from the middle of either picture counts.
    """
    places = grid(COARSE_PX)
    at = maps @ places
    compared = (np.abs(at) <= inner).all(1) & (np.abs(places[:2]) <= inner).all(0)
    compared &= (places[1] >= rows[:, :1]) & (places[1] <= rows[:, 1:])
    weight = compared[..., None].astype(np.float32)
    count = np.maximum(weight.sum(1, keepdims=True), 1)
    one = sampled(details(sources), at)
    other = sampled(details(copies), np.broadcast_to(places[:2], at.shape))
    one, other = ((part - (part * weight).sum(1, keepdims=True) / count) * weight for part in (one, other))
    spread = np.sqrt((one**2).sum(1) * (other**2).sum(1))
    return (one * other).sum(1) / np.maximum(spread, 1e-3), compared.mean(1)


def details(pictures: np.ndarray) -> np.ndarray:
    """Return three layers (B, PX, PX, 3): grey levels, what is finer than 3 pixels, and that at even contrast."""
    fine, wide = blurring(0.7), blurring(3.0)
    grey = fine @ pictures @ fine.T
    edges = grey - wide @ grey @ wide.T
    energy = np.sqrt(np.maximum(wide @ edges**2 @ wide.T, 0))
    return np.stack([grey, edges, edges / (energy + 1)], -1)


def same_picture(agreement: np.ndarray, maps: np.ndarray) -> np.ndarray:
    """Return which pairs (B,) agree in shade and detail, both upright or both inverted, under a map that is sound."""
    agreement = agreement * np.where(agreement[:, :1] < 0, -1, 1)
    long, short = np.linalg.svd(maps[:, :, :2], compute_uv=False).T
    sound = (short > 0.4) & (long < 2.5) & (long < STRETCH * short)
    return sound & (agreement[:, 0] >= SAME_SHADE) & (agreement[:, 1:] >= SAME_DETAIL).all(1)


def alterations(window: np.ndarray, flip: int, inverted: bool, captioned: bool) -> str:
    """Return what a copy is, of the map from it to its source.

    >>> alterations(crop(0.1, 0.1, 0.1, 0.1), 1, False, False)
    'mirrored, cropped'
    >>> alterations(turn(10), 0, True, False), alterations(WHOLE, 0, False, False)
    ('turned 10, inverted', 'alike')
    """
    (a, b, x), (c, d, y) = window.tolist()
    scale, angle = sqrt(abs(a * d - b * c)), degrees(atan2(b - c, a + d))
    changes = [FLIPS[flip]] if flip else []
    if abs(angle) > 1.5:
        changes.append(f"turned {abs(angle):.0f}")
    if abs(scale - 1) > 0.03:
        changes.append("cropped" if scale < 1 else "wider")
    elif not changes and hypot(x, y) > 0.02:
        changes.append("shifted")
    if captioned:
        changes.append("captioned")
    if inverted:
        changes.append("inverted")
    return ", ".join(changes) or "alike"
