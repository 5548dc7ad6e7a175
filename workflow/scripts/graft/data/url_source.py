"""An archive at an http or https address, resumed where a download broke off."""

import json
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from graft.data.transfer import Fault, clean, discard, marker_of, size_of
from graft.errors import UserError

if TYPE_CHECKING:
    import requests

VARIABLE = re.compile(r"\$\{(\w+)\}")
CHUNK = 1 << 16
TIMEOUT_S = (30, 120)  # to connect, and between two packets


def fetch_url(request: dict[str, Any], target: Path) -> dict[str, Any]:
    """Download an address to `target`, resuming what an earlier call left there of the very same file.

    Args:
        request: `url`, in which ${NAME} stands for an environment variable.
        target: where the bytes go.

    Returns: an empty dict: an address tells no version and no licence.
    Raises: requests.RequestException, whatever went wrong.
    """
    import requests

    headers = {"Accept-Encoding": "identity", "User-Agent": "graft"}
    have, note = size_of(target), noted(target)
    if have and note:
        headers |= {"Range": f"bytes={have}-", "If-Range": note["validator"]}
    with requests.get(resolved(request["url"]), headers=headers, stream=True, timeout=TIMEOUT_S) as response:
        if response.status_code == 416:  # the server has fewer bytes than we: another file
            discard(target)
            raise requests.exceptions.ChunkedEncodingError("the server's file is shorter than ours")
        response.raise_for_status()
        resumes = response.status_code == 206 and begins_at(response.headers.get("Content-Range", ""), have)
        size = length_of(response, have if resumes else 0)
        if not resumes:
            note_down(target, response, size)
        with open(target, "ab" if resumes else "wb") as out:
            for chunk in response.iter_content(CHUNK):
                out.write(chunk)
                out.flush()
    if size is not None and size_of(target) != size:
        raise requests.exceptions.ChunkedEncodingError("the connection was cut")
    marker_of(target).unlink(missing_ok=True)
    return {}


def resolved(url: str) -> str:
    """Return an address with its ${NAME} replaced by environment variables.

    Raises: UserError if one is not set.
    """
    missing = [name for name in VARIABLE.findall(url) if not os.environ.get(name)]
    if missing:
        raise UserError(f"source.url names the environment variable {missing[0]}, which is not set; export it")
    return VARIABLE.sub(lambda found: os.environ[found[1]], url)


def noted(target: Path) -> dict[str, Any] | None:
    """Return the note that an earlier call left: what its bytes are part of."""
    try:
        note = json.loads(marker_of(target).read_text(encoding="utf-8"))
        return note if isinstance(note.get("validator"), str) else None
    except (OSError, ValueError, AttributeError):
        return None


def note_down(target: Path, response: "requests.Response", size: int | None) -> None:
    """Note the file's identity before its bytes, so that a later call can resume.

    A weak ETag does not identify a file's bytes: the time of its last change takes its place.
    """
    etag = response.headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
    marker_of(target).unlink(missing_ok=True)
    if validator:
        marker_of(target).write_text(json.dumps({"validator": validator, "size": size}), encoding="utf-8")


def begins_at(content_range: str, have: int) -> bool:
    """Return whether a partial answer continues where our bytes end.

    >>> begins_at("bytes 10-19/20", 10), begins_at("bytes 0-19/20", 10)
    (True, False)
    """
    return content_range.startswith(f"bytes {have}-")


def length_of(response: "requests.Response", have: int) -> int | None:
    """Return the bytes of the whole file, as far as the answer tells."""
    length = response.headers.get("Content-Length", "")
    return have + int(length) if length.isdigit() else None


def advice(url: str, fault: Fault) -> str:
    """Return one sentence on a failed download: what happened, and what to do."""
    shown = clean(url)
    if fault.kind == "http" and fault.status in (401, 403):
        return f"{shown} denies access ({fault.status}): download it by hand and set `source: {{archive: PATH}}`"
    if fault.kind == "http" and fault.status in (404, 410):
        return f"{shown} does not exist ({fault.status}): check source.url"
    if fault.kind == "http" and fault.status == 429 and fault.retry_after_s:
        return f"{shown} limits requests (429) and asks to wait {fault.retry_after_s:.0f} s: run again then"
    if fault.kind == "http":
        return f"{shown} answered {fault.status}: run again later, or set `source: {{archive: PATH}}`"
    if fault.kind == "certificate":
        return f"{shown}: {fault.text}; behind a proxy that opens TLS, set REQUESTS_CA_BUNDLE to its certificate"
    return (
        f"{shown} did not come: {fault.text}; check the network and run again, which resumes, "
        "or set `source: {archive: PATH}`"
    )
