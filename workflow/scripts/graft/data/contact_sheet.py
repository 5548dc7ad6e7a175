"""A picture of the audit: kept photos as the network sees them, then what was dropped or flagged, and why."""

from collections import defaultdict
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from graft.config.dataset import SQUASHED, Pictures
from graft.data.audit import ALWAYS_DROPPED, GRAVITY, Entry, outcome
from graft.data.pictures import squared, upright_rgb

TILE_PX, HEAD_PX, TEXT_PX, GAP_PX, TITLE_PX, COLUMNS = 164, 20, 52, 14, 56, 8
KIND_PX = 18  # the strip that says how a copy was made
TILES_PER_VERDICT = 16
COLOURS = {"dropped": "#b3261e", "warned": "#9a6700", "kept": "#1a7f37"}
INK, PAPER, GREY = "#1f2328", "#ffffff", "#e7e9ec"


def contact_sheet(entries: list[Entry], title: str, pictures: Pictures = SQUASHED) -> Image.Image:
    """Return the sheet, under `title`.

    Its first row are kept photos from all over the set, as the network sees them. Thumbnails of the dropped and flagged
    files follow, gravest first, at most 16 of a verdict, uncut.
    """
    groups = defaultdict(list)
    for entry in entries:
        if entry.verdict != "kept" and entry.verdict not in ALWAYS_DROPPED:
            groups[outcome(entry), entry.verdict].append(entry)
    ordered = sorted(groups.items(), key=lambda group: (group[0][0], GRAVITY.index(group[0][1])))
    tiles = [
        (entry, f"{end}: {verdict.replace('_', ' ')}{of(position, len(files))}", COLOURS[end])
        for (end, verdict), files in ordered
        for position, entry in enumerate(files[:TILES_PER_VERDICT], 1)
    ]
    cell = HEAD_PX + TILE_PX + TEXT_PX + GAP_PX
    size = (COLUMNS * (TILE_PX + GAP_PX) + GAP_PX, TITLE_PX + cell * (1 + -(-len(tiles) // COLUMNS)))
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP_PX, 16), title, INK, ImageFont.load_default(20))
    for position, entry in enumerate(spread([entry for entry in entries if entry.kept], COLUMNS)):
        draw_seen(sheet, draw, entry, GAP_PX + position * (TILE_PX + GAP_PX), TITLE_PX, pictures)
    for position, (entry, heading, colour) in enumerate(tiles, COLUMNS):
        left = GAP_PX + (position % COLUMNS) * (TILE_PX + GAP_PX)
        draw_tile(sheet, draw, entry, heading, left, TITLE_PX + (position // COLUMNS) * cell, colour, pictures)
    return sheet


def spread(entries: list[Entry], count: int) -> list[Entry]:
    """Return `count` entries from all over a list, or all if there are fewer."""
    count = min(count, len(entries))
    return [entries[(2 * number + 1) * len(entries) // (2 * count)] for number in range(count)]


def draw_seen(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, entry: Entry, left: int, top: int, pictures: Pictures
) -> None:
    """Draw a kept photo as the network sees it, with its name and size."""
    heading = f"as the network sees it: {pictures.fit}"
    draw.text(
        (left, top + 3), fitted(draw, heading, ImageFont.load_default(12)), COLOURS["kept"], ImageFont.load_default(12)
    )
    top += HEAD_PX
    draw.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), GREY)
    photo = readable(entry.file.local, 2 * TILE_PX, pictures)
    if photo:
        sheet.paste(squared(photo, TILE_PX, pictures.fit), (left, top))
    draw.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), outline=COLOURS["kept"])
    font = ImageFont.load_default(11)
    lines = [fitted(draw, entry.name, font, keep_end=True), f"{entry.look.width} x {entry.look.height} pixels"]
    draw.multiline_text((left, top + TILE_PX + 3), "\n".join(lines), INK, font, spacing=3)


def of(position: int, total: int) -> str:
    """Return which one of several a tile is.

    >>> of(2, 5), of(1, 1)
    (' 2/5', '')
    """
    return f" {position}/{total}" if total > 1 else ""


def draw_tile(
    sheet: Image.Image,
    draw: ImageDraw.ImageDraw,
    entry: Entry,
    heading: str,
    left: int,
    top: int,
    colour: str,
    pictures: Pictures,
) -> None:
    """Draw one file, beside what it copies if it is a copy, with its verdict, its name and the reason."""
    font = ImageFont.load_default(12)
    draw.text((left, top + 3), fitted(draw, heading, font), colour, font)
    top += HEAD_PX
    pictures = [one for one in [entry, *entry.partners[:1]] if one.look and one.look.phash is not None]
    draw.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), GREY)
    for position, one in enumerate(pictures):
        width = TILE_PX // len(pictures)
        picture = thumbnail(one.file.local, width, pictures)
        if picture:
            centred = (left + position * width + (width - picture.width) // 2, top + (TILE_PX - picture.height) // 2)
            sheet.paste(picture, centred)
    if not pictures:
        draw.text((left + TILE_PX // 2, top + TILE_PX // 2), "no picture", INK, ImageFont.load_default(13), "mm")
    if entry.copy_kind and len(pictures) > 1:
        kind = fitted(draw, entry.copy_kind, font)
        draw.rectangle((left, top + TILE_PX - KIND_PX, left + TILE_PX - 1, top + TILE_PX - 1), PAPER)
        draw.text((left + TILE_PX // 2, top + TILE_PX - KIND_PX // 2), kind, colour, font, "mm")
    draw.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), outline=colour)
    font = ImageFont.load_default(11)
    lines = [fitted(draw, entry.name, font, keep_end=True), *wrapped(draw, entry.detail, font, 2)]
    draw.multiline_text((left, top + TILE_PX + 3), "\n".join(lines), INK, font, spacing=3)


def thumbnail(path: Path, side: int, pictures: Pictures) -> Image.Image | None:
    """Return a photo at most `side` pixels wide and TILE_PX high, or None if it is gone."""
    picture = readable(path, side, pictures)
    if picture:
        picture.thumbnail((side - 2, TILE_PX - 2))
    return picture


def readable(path: Path, at_least_px: int, pictures: Pictures) -> Image.Image | None:
    """Return a photo, or None where it cannot be read: the sheet shows what it can, and the verdict stands in words."""
    try:
        return upright_rgb(path, at_least_px, truncated=True, pictures=pictures)
    except Exception:  # a decoder raises almost anything
        return None


def fitted(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.ImageFont, keep_end: bool = False) -> str:
    """Return as much of a text as a tile is wide."""
    text = "".join(letter if letter.isascii() else "?" for letter in text)  # all that the built-in font has
    short = text
    while draw.textlength(short, font) > TILE_PX and len(text) > 1:
        text = text[1:] if keep_end else text[:-1]
        short = f"...{text}" if keep_end else f"{text}..."
    return short


def wrapped(draw: ImageDraw.ImageDraw, text: str, font: ImageFont.ImageFont, n_lines: int) -> list[str]:
    """Return a text in at most `n_lines` lines of a tile's width."""
    lines, line = [], ""
    for word in text.split():
        longer = f"{line} {word}".strip()
        if line and draw.textlength(longer, font) > TILE_PX:
            lines.append(line)
            longer = word
        line = longer
    lines.append(line)
    if len(lines) > n_lines:
        lines = [*lines[: n_lines - 1], " ".join(lines[n_lines - 1 :])]
    return [fitted(draw, one, font) for one in lines]
