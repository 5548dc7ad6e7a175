"""A dataset or a model of Kaggle's, through its official client."""

import contextlib
import functools
import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from graft.data.transfer import Fault

WAYS_OUT = "or put the zip on this machine and set `source: {archive: PATH}`, or see the demo offline: make demo"


def fetch_kaggle(request: dict[str, Any], target: Path) -> dict[str, Any]:
    """Download a dataset's archive with the official client, resuming what an earlier call left at `target`.

    Runs in a process of its own (transfer.download): the client prints, reads credentials and may call its server as
    soon as it is imported.

    Args:
        request: `dataset`, as owner/slug or owner/slug/VERSION.
        target: where the archive goes; named slug.zip, as the client insists.

    Returns: the dataset's `version` and `licence`, None where Kaggle does not tell.
    Raises: what the client raises.
    """
    ensure_config_folder()
    import kaggle  # signs in, if there are credentials; public datasets need none

    client = kaggle.api
    # One try a call: the caller decides on more, and knows of Retry-After and of stalls.
    client.download_file = functools.partial(client.download_file, max_retries=0)
    owner, slug, version = parts_of(request["dataset"])
    name = "/".join(part for part in (owner, slug, version) if part)
    client.dataset_download_files(name, path=str(target.parent), force=False, quiet=True, unzip=False)
    return facts(client, owner, slug, version)


def fetch_model(request: dict[str, Any], target: Path) -> dict[str, Any]:
    """Download a model's archive, as `fetch_kaggle` does a dataset's.

    Args:
        request: `model`, as owner/model/framework/variation/version.
        target: where the archive goes; named model.tar.gz, as the client insists.
    """
    ensure_config_folder()
    import kaggle

    client = kaggle.api
    client.download_file = functools.partial(client.download_file, max_retries=0)
    client.model_instance_version_download(request["model"], path=str(target.parent), force=False, quiet=True)
    return {}


def facts(client: Any, owner: str, slug: str, version: str | None) -> dict[str, Any]:
    """Return the version and the licence, None where the server does not give them."""
    from kagglesdk.datasets.types.dataset_api_service import ApiGetDatasetRequest

    request = ApiGetDatasetRequest()
    request.owner_slug, request.dataset_slug = owner, slug
    try:
        with client.build_kaggle_client() as kaggle:
            answer = kaggle.datasets.dataset_api_client.get_dataset(request)
        return {"version": int(version or answer.current_version_number), "licence": answer.license_name or None}
    except Exception:
        return {"version": int(version) if version else None, "licence": None}


def parts_of(dataset: str) -> tuple[str, str, str | None]:
    """Return owner, slug and version of owner/slug, owner/slug/3 or owner/slug/versions/3.

    >>> parts_of("dansbecker/urban-and-rural-photos/versions/1")
    ('dansbecker', 'urban-and-rural-photos', '1')
    """
    owner, slug, *version = dataset.split("/")
    return owner, slug, version[-1] if version else None


def ensure_config_folder() -> None:
    """Give the client a folder to start in where the home folder cannot be written; it fails without one."""
    if os.environ.get("KAGGLE_CONFIG_DIR"):
        return
    try:
        home = Path.home()
        config = Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config") / "kaggle"
        if not (home / ".kaggle").exists():
            config.mkdir(parents=True, exist_ok=True)
    except (OSError, RuntimeError):
        os.environ["KAGGLE_CONFIG_DIR"] = tempfile.mkdtemp(prefix="graft-kaggle-")


def has_credentials() -> bool:
    """Return whether the user has given the client any credentials, without reading them."""
    folders = [Path(os.environ["KAGGLE_CONFIG_DIR"])] if os.environ.get("KAGGLE_CONFIG_DIR") else []
    with contextlib.suppress(RuntimeError):  # no home
        folders += [Path.home() / ".kaggle", Path.home() / ".config" / "kaggle"]
    files = ("kaggle.json", "access_token", "access_token.txt", "credentials.json")
    given = os.environ.get("KAGGLE_API_TOKEN") or (os.environ.get("KAGGLE_USERNAME") and os.environ.get("KAGGLE_KEY"))
    return bool(given) or any((folder / name).is_file() for folder in folders for name in files)


@dataclass(frozen=True)
class Thing:
    """What Kaggle keeps, in words: a dataset or a model, its name and page, the key that names it, the way out."""

    kind: str
    name: str
    page: str
    key: str
    way_out: str


def advice(dataset: str, fault: Fault) -> str:
    """Return one sentence on a failed download: what happened, and what to do."""
    page = f"https://www.kaggle.com/datasets/{'/'.join(parts_of(dataset)[:2])}"
    return advice_on(Thing("dataset", dataset, page, "source.kaggle", WAYS_OUT), fault)


def limited(fault: Fault) -> str:
    """Say that there were too many requests."""
    wait = f" {fault.retry_after_s:.0f} s" if fault.retry_after_s else " some minutes"
    return f"Kaggle limits requests (429) and asks to wait{wait}"


def answered(fault: Fault) -> str:
    """Say who answered with which status."""
    where = "Kaggle's storage" if fault.at_storage else "Kaggle"
    return f"{where} answered {fault.status}"


def untrusted(fault: Fault) -> str:
    """Say what to do where a certificate is not trusted."""
    return f"{fault.text}: behind a proxy that opens TLS, set REQUESTS_CA_BUNDLE to its certificate"


def advice_on(thing: Thing, fault: Fault) -> str:
    """Return one sentence on a failed download of a dataset or a model."""
    name, page, way_out = thing.name, thing.page, thing.way_out
    if fault.kind == "http" and not fault.at_storage and fault.status == 401:
        return (
            f"Kaggle refuses the credentials (401) for {name}: renew KAGGLE_API_TOKEN or ~/.kaggle/kaggle.json; "
            f"a public {thing.kind} needs none; {way_out}"
        )
    if fault.kind == "http" and not fault.at_storage and fault.status == 403:
        how = "ask its owner, or accept its terms" if has_credentials() else "set KAGGLE_API_TOKEN if you have access"
        return f"Kaggle denies access to {name} (403), which may be private: {how} at {page}; {way_out}"
    if fault.kind == "http" and not fault.at_storage and fault.status == 404:
        hidden = "" if has_credentials() else " (a private one looks the same without credentials)"
        return (
            f"Kaggle has no {thing.kind} or version {name} (404){hidden}: check {thing.key} against {page}; {way_out}"
        )
    if fault.kind == "http" and fault.status == 429:
        return f"{limited(fault)}: run again then; {way_out}"
    if fault.kind == "http":
        return f"{answered(fault)} for {name} again and again: run again later; {way_out}"
    if fault.kind == "certificate":
        return f"{untrusted(fault)}; {way_out}"
    return (
        f"{name} did not come from Kaggle: {fault.text}; connect and run again, which resumes "
        f"(a private one also needs KAGGLE_API_TOKEN); {way_out}"
    )
