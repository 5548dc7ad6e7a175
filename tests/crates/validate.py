"""Crates in; what the public validator (roc-validator) finds wrong with each out, as JSON. It asks no network.

    .venv-crate/bin/python tests/crates/validate.py CRATE...

The validator reads the JSON-LD context of RO-Crate 1.1 from the web, or from its cache. The cache is filled here with
context-1.1.json: the terms that Graft's crates use, as https://w3id.org/ro/crate/1.1/context has them (CC0).
"""

import io
import json
import sys
import tempfile
from pathlib import Path

import requests
from requests.adapters import HTTPAdapter
from requests_cache import CachedSession
from rocrate_validator import models, services

CONTEXT = Path(__file__).with_name("context-1.1.json")
ADDRESS = "https://w3id.org/ro/crate/1.1/context"
PROFILE = "workflow-run-crate-0.5"


def main() -> None:
    """Validate each crate by the profile and all that it builds on, recommendations included."""
    with tempfile.TemporaryDirectory() as scratch:
        cache = Path(scratch) / "http"
        fill(cache)
        print(json.dumps({crate: issues(crate, cache) for crate in sys.argv[1:]}))


def fill(cache: Path) -> None:
    """Put the context into the validator's cache, as if it had been fetched."""
    request = requests.Request("GET", ADDRESS).prepare()
    answer = HTTPAdapter().build_response(request, Raw(CONTEXT.read_bytes()))
    CachedSession(cache_name=str(cache), backend="sqlite", expire_after=-1).cache.save_response(answer)


class Raw(io.BytesIO):
    """The body of an answer, with the few attributes that requests asks of one."""

    status, reason, version, headers = 200, "OK", 11, {"Content-Type": "application/ld+json"}
    _request_url, decode_content, release_conn = ADDRESS, False, io.BytesIO.close

    def stream(self, size: int, decode_content: bool = False):
        """Yield the body."""
        yield self.read()


def issues(crate: str, cache: Path) -> list[dict[str, str]]:
    """Return every issue: how severe it is, which check found it, and its message."""
    settings = services.ValidationSettings(
        rocrate_uri=crate,
        profile_identifier=PROFILE,
        requirement_severity=models.Severity.RECOMMENDED,
        offline=True,
        cache_path=cache,
        skip_availability_check=True,
    )
    found = services.validate(settings).get_issues()
    return [
        {"severity": issue.severity.name, "check": issue.check.identifier, "message": issue.message} for issue in found
    ]


if __name__ == "__main__":
    main()
