"""A picture of the audit: what was dropped or flagged, and why."""

from collections import defaultdict
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from graft.data.audit import ALWAYS_DROPPED, GRAVITY, Entry, outcome
from graft.data.decode import upright_rgb

TILE_PX, TEXT_PX, GAP_PX, COLUMNS = 150, 46, 10, 8
TILES_PER_VERDICT = 16
COLOURS = {"dropped": "#b3261e", "warned": "#9a6700"}
INK, PAPER, GREY = "#1f2328", "#ffffff", "#e7e9ec"


def contact_sheet(entries: list[Entry], title: str) -> Image.Image:
    """Return thumbnails of all dropped and flagged files, in a block for each verdict, under `title`."""
    blocks = defaultdict(list)
    for entry in entries:
        if entry.verdict != "kept" and entry.verdict not in ALWAYS_DROPPED:
            blocks[outcome(entry), entry.verdict].append(entry)
    chosen = sorted(blocks.items(), key=lambda block: (block[0][0], GRAVITY.index(block[0][1])))
    cell = TILE_PX + TEXT_PX + GAP_PX
    rows = [-(-min(len(files), TILES_PER_VERDICT) // COLUMNS) for _, files in chosen]
    height = 60 + sum(40 + cell * n for n in rows)
    sheet = Image.new("RGB", (COLUMNS * (TILE_PX + GAP_PX) + GAP_PX, height), PAPER)
    draw = ImageDraw.Draw(sheet)
    draw.text((GAP_PX, 16), title, INK, ImageFont.load_default(20))
    top = 60
    for ((end, verdict), files), n in zip(chosen, rows, strict=True):
        shown = files[:TILES_PER_VERDICT]
        more = f", {len(shown)} of them shown" if len(shown) < len(files) else ""
        heading = f"{end}: {verdict.replace('_', ' ')} ({len(files)}{more})"
        draw.text((GAP_PX, top + 8), heading, COLOURS[end], ImageFont.load_default(16))
        for position, entry in enumerate(shown):
            left = GAP_PX + (position % COLUMNS) * (TILE_PX + GAP_PX)
            draw_tile(sheet, draw, entry, left, top + 40 + (position // COLUMNS) * cell, COLOURS[end])
        top += 40 + cell * n
    return sheet


def draw_tile(sheet: Image.Image, draw: ImageDraw.ImageDraw, entry: Entry, left: int, top: int, colour: str) -> None:
    """Draw one file, halved with its partner if it is a copy, its name and its fault."""
    pictures = [one for one in [entry, *entry.partners[:1]] if one.look and one.look.phash is not None]
    draw.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), GREY)
    for position, one in enumerate(pictures):
        width = TILE_PX // len(pictures)
        picture = thumbnail(one.file.local, width)
        if picture:
            centred = (left + position * width + (width - picture.width) // 2, top + (TILE_PX - picture.height) // 2)
            sheet.paste(picture, centred)
    if not pictures:
        draw.text((left + TILE_PX // 2, top + TILE_PX // 2), "no picture", INK, ImageFont.load_default(13), "mm")
    draw.rectangle((left, top, left + TILE_PX - 1, top + TILE_PX - 1), outline=colour)
    font = ImageFont.load_default(11)
    lines = [fitted(draw, entry.name, font, keep_end=True), *wrapped(draw, entry.detail, font, 2)]
    draw.multiline_text((left, top + TILE_PX + 3), "\n".join(lines), INK, font, spacing=2)


def thumbnail(path: Path, side: int) -> Image.Image | None:
    """Return a photo at most `side` pixels wide and TILE_PX high, or None if it is gone."""
    try:
        picture = upright_rgb(path, side, truncated=True)
    except Exception:  # the sheet shows what it can; the verdict stands in words
        return None
    picture.thumbnail((side - 2, TILE_PX - 2))
    return picture


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
