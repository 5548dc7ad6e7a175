"""Downloads in a process of their own: progress, stalls, and which failures are worth another attempt."""

import contextlib
import importlib
import json
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

LONGEST_PAUSE_S = 600.0  # if a server asks for a longer pause, the download is given up
ENOUGH_BYTES = 64 << 20  # an attempt that got this much further than all before does not count as failed
PROGRESS_S = 10.0
POLL_S = 0.05
SCRIPTS = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Patience:
    """How long a download waits; each value can be set by an environment variable.

    `stall_s`: seconds without new bytes until a connection counts as dead (GRAFT_DOWNLOAD_STALL_SECONDS). The clients
    write up to 1 MiB at a time, so this is also a least speed: 1 MiB in `stall_s`.
    `tries`: attempts that may fail in a row (GRAFT_DOWNLOAD_TRIES).
    `pause_s`: seconds before the second attempt, doubled for each further one (GRAFT_DOWNLOAD_PAUSE_SECONDS).
    """

    stall_s: float = 180.0
    tries: int = 5
    pause_s: float = 2.0

    @classmethod
    def from_environment(cls) -> "Patience":
        """Return the defaults, overridden by what the environment sets."""
        stall, tries, pause = (
            os.environ.get(f"GRAFT_DOWNLOAD_{name}") for name in ("STALL_SECONDS", "TRIES", "PAUSE_SECONDS")
        )
        return cls(float(stall or cls.stall_s), int(tries or cls.tries), float(pause or cls.pause_s))


@dataclass(frozen=True)
class Fault:
    """What went wrong with one attempt.

    `kind`: http, unreachable, network, certificate, stall, or bug. `status` is HTTP's; `at_storage` is true where the
    host that keeps the bytes answered, not the one that was asked. `text` carries no secret.
    """

    kind: str
    text: str
    status: int = 0
    at_storage: bool = False
    retry_after_s: float | None = None

    def tries(self, patience: "Patience") -> int:
        """Return how many attempts may end so: one where a second cannot help."""
        stale_link = self.at_storage and self.status in (400, 401, 403, 404, 410)  # signed links expire
        if stale_link or self.kind == "unreachable":
            return min(2, patience.tries)
        passes = self.status in (408, 425, 429) or self.status >= 500 or self.kind in ("network", "stall")
        return patience.tries if passes else 1


class Failed(Exception):
    """A download that was given up; `fault` says why."""

    def __init__(self, fault: Fault):
        super().__init__(fault.text)
        self.fault = fault


Fetch = Callable[[dict[str, Any], Path], dict[str, Any]]


def download(fetch: Fetch, request: dict[str, Any], target: Path, patience: Patience) -> dict[str, Any]:
    """Call `fetch(request, target)` in a process of its own until it succeeds, and return what it returns.

    The process can be ended when it stalls, whatever library hangs in it; and what that library prints, secrets
    included, is seen by nobody. `fetch` is a function of a module. It writes `target` as bytes arrive, leaves it behind
    when it fails, and resumes from it when it is called again.

    Raises: Failed once attempts are used up or cannot help.
    """
    failures, farthest = 0, 0
    while True:
        before = size_of(target)
        result = attempt(fetch, request, target, patience.stall_s)
        if isinstance(result, dict):
            return result
        if size_of(target) < before:
            discard(target)  # what shrank was overwritten, perhaps by an error message: resume from nothing
        reached = size_of(target)
        failures = 1 if reached - before >= ENOUGH_BYTES and reached > farthest else failures + 1
        farthest = max(farthest, reached)
        pause = patience.pause_s * 2 ** (failures - 1) if result.retry_after_s is None else result.retry_after_s
        tries = result.tries(patience)
        if failures >= tries or pause > LONGEST_PAUSE_S:
            raise Failed(result)
        print(f"{result.text}; trying again in {pause:g} s ({failures} of {tries - 1})", flush=True)
        time.sleep(pause)


def attempt(fetch: Fetch, request: dict[str, Any], target: Path, stall_s: float) -> dict[str, Any] | Fault:
    """Run one attempt in a process and watch it: return its result, or its fault."""
    program = "from graft.data.transfer import child; child()"
    paths = os.pathsep.join(path for path in (str(SCRIPTS), os.environ.get("PYTHONPATH")) if path)
    process = subprocess.Popen(
        [sys.executable, "-c", program, fetch.__module__, fetch.__name__, json.dumps(request), str(target)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**quiet_environment(), "PYTHONPATH": paths},
    )
    try:
        return watched(process, target, stall_s)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()


def quiet_environment() -> dict[str, str]:
    """Return the environment without what makes the Kaggle client print credentials."""
    return {name: value for name, value in os.environ.items() if name not in ("VERBOSE", "VERBOSE_OUTPUT")}


def watched(process: subprocess.Popen[bytes], target: Path, stall_s: float) -> dict[str, Any] | Fault:
    """Wait for a child's answer, saying how far it is; give up on it when nothing arrives."""
    output = process.stdout
    assert output is not None  # a pipe
    output.readline()  # the libraries are loaded: the clock starts
    size, moved, reported = size_of(target), time.monotonic(), time.monotonic()
    while process.poll() is None:
        time.sleep(POLL_S)
        now, current = time.monotonic(), size_of(target)
        if current != size:
            size, moved = current, now
        if now - moved > stall_s:
            return Fault("stall", f"no bytes came for {stall_s:g} s")
        if now - reported > PROGRESS_S and current:
            reported = now
            print(f"{current / 1e6:,.0f}{total_of(target)} MB", flush=True)
    try:
        answer = json.loads(output.read())
    except ValueError:
        return Fault("network", f"the download's process ended without an answer ({process.returncode})")
    return Fault(**answer["fault"]) if "fault" in answer else answer["result"]


def child() -> None:
    """Call the function that the command line names, all that it prints thrown away, and print its answer as JSON."""
    module, name, request, target = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    import requests  # noqa: F401 (slow to load: not to be counted as a stall)

    print("started", file=answers, flush=True)
    try:
        answer = {"result": getattr(importlib.import_module(module), name)(json.loads(request), Path(target))}
    except (Exception, SystemExit) as error:
        answer = {"fault": asdict(fault_of(error))}
    json.dump(answer, answers)
    answers.flush()
    os._exit(0)  # a thread of the client's must not keep the process


def fault_of(error: BaseException) -> Fault:
    """Return an exception of a client as a fault, its text free of secrets."""
    import requests

    response = getattr(error, "response", None)
    if isinstance(error, requests.HTTPError) and response is not None:
        after = seconds_of(response.headers.get("Retry-After"))
        text = f"the server answered {response.status_code} {response.reason or ''}".strip()
        return Fault("http", text, response.status_code, bool(response.history), after)
    if isinstance(error, requests.exceptions.SSLError):
        return Fault("certificate", "the server's certificate cannot be verified")
    if isinstance(error, requests.exceptions.ProxyError):
        return Fault("network", "the proxy cannot be reached, or refuses")
    if isinstance(error, requests.exceptions.ChunkedEncodingError) or "does not match expected size" in str(error):
        return Fault("network", "the connection was cut")
    if isinstance(error, requests.exceptions.Timeout):
        return Fault("stall", "the server does not answer")
    if isinstance(error, requests.exceptions.ConnectionError):
        met = "Max retries exceeded" not in str(error)  # urllib3's words for a connection that never came about
        return (
            Fault("network", "the connection was cut") if met else Fault("unreachable", "the server cannot be reached")
        )
    if isinstance(error, OSError) and error.errno and not isinstance(error, requests.RequestException):
        return Fault("bug", f"{type(error).__name__}: {error.strerror}: {clean(str(error.filename or ''))}")
    return Fault("bug", clean("".join(traceback.format_exception(error))))


def seconds_of(retry_after: str | None) -> float | None:
    """Return a Retry-After header as seconds from now, or None if there is none that can be read.

    >>> seconds_of("7"), seconds_of("soon"), seconds_of("Wed, 01 Jan 2020 00:00:00 GMT")
    (7.0, None, 0.0)
    """
    if retry_after is None:
        return None
    with contextlib.suppress(ValueError):
        return max(0.0, float(retry_after))
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    return None


def clean(text: str) -> str:
    """Return a text without what may hold a secret: query strings, and user names and passwords in addresses.

    >>> clean("GET https://me:pw@host/a.zip?X-Signature=abc failed")
    'GET https://host/a.zip failed'
    """
    text = re.sub(r"(\w+://)[^/\s@'\"]*@", r"\1", text)
    text = re.sub(r"\?[^\s'\")>]*=[^\s'\")>]*", "", text)
    return re.sub(r"(?i)(authorization|bearer|basic|token|password)(['\"]?[:= ]+['\"]?)[^\s'\",}]+", r"\1\2***", text)


def marker_of(target: Path) -> Path:
    """Return the file in which a client notes what a partial download is part of; the name is Kaggle's."""
    return target.with_name(f"{target.name}.kaggle-partial")


def discard(target: Path) -> None:
    """Remove a download and the note that would let a client resume it."""
    target.unlink(missing_ok=True)
    marker_of(target).unlink(missing_ok=True)


def size_of(path: Path) -> int:
    """Return a file's bytes, 0 if it is not there."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def total_of(target: Path) -> str:
    """Return " of N", in MB, if the client has noted how much there is."""
    try:
        return f" of {int(json.loads(marker_of(target).read_text())['size']) / 1e6:,.0f}"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
