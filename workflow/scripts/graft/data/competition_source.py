"""A competition of Kaggle's, through its official client: its photos down, and a submission up."""

import functools
from pathlib import Path
from typing import Any

from graft.data.kaggle_source import WAYS_OUT, answered, ensure_config_folder, has_credentials, limited, untrusted
from graft.data.transfer import Fault, clean

SITE = "https://www.kaggle.com"
SIGN_IN = f"make a token at {SITE}/settings and set KAGGLE_API_TOKEN"


def fetch_competition(request: dict[str, Any], target: Path) -> dict[str, Any]:
    """Download a competition's files as one archive, resuming what an earlier call left at `target`.

    Runs in a process of its own, as `kaggle_source.fetch_kaggle` does, and for the same reasons.

    Args:
        request: `competition`, the last part of its address.
        target: where the archive goes; named COMPETITION.zip, as the client insists.

    Returns: `version`, None, since competitions have none, and `licence`.
    Raises: what the client raises.
    """
    client = signed_in()
    # One try a call: the caller decides on more, and knows of Retry-After and of stalls.
    client.download_file = functools.partial(client.download_file, max_retries=0)
    slug = request["competition"]
    client.competition_download_files(slug, path=str(target.parent), force=False, quiet=True)
    return {"version": None, "licence": f"the rules of the competition, {rules_of(slug)}"}


def hand_in(request: dict[str, Any], target: Path) -> dict[str, Any]:
    """Send a submission, once; in a process of its own, as `fetch_competition`.

    Args:
        request: `competition` and `message`.
        target: the file.

    Returns: `ref`, the submission's number, 0 where nothing was handed in, and `message`, in Kaggle's words.
    Raises: what the client raises, unless Kaggle says what it does not like.
    """
    import requests

    client = signed_in()
    try:
        answer = client.competition_submit(str(target), request["message"], request["competition"], quiet=True)
    except requests.HTTPError as error:
        if error.response is None or error.response.status_code != 400:
            raise
        return {"ref": 0, "message": clean(" ".join(str(error).split()))}
    return {"ref": int(answer.ref or 0), "message": str(answer.message)}


def signed_in() -> Any:
    """Return the client with the user's credentials, as far as there are any."""
    ensure_config_folder()
    import kaggle  # signs in as it is imported

    return kaggle.api


def page_of(competition: str) -> str:
    """Return the address of a competition's page."""
    return f"{SITE}/competitions/{competition}"


def rules_of(competition: str) -> str:
    """Return the address where a competition's rules are read and accepted.

    >>> rules_of("titanic")
    'https://www.kaggle.com/competitions/titanic/rules'
    """
    return f"{page_of(competition)}/rules"


def advice(competition: str, fault: Fault) -> str:
    """Return one sentence on a failed download: what happened, and what to do."""
    return f"{refusal(competition, fault) or passing(competition, fault, 'run again later, which resumes')}; {WAYS_OUT}"


def refusal(competition: str, fault: Fault) -> str:
    """Return why Kaggle lets nobody in, and what to do; '' where it did not refuse."""
    if fault.kind != "http" or fault.at_storage or fault.status not in (401, 403, 404):
        return ""
    if fault.status == 404:
        return f"Kaggle has no competition {competition} (404): check its name against {page_of(competition)}"
    if not has_credentials():
        return f"Kaggle lets nobody into the competition {competition} without signing in ({fault.status}): {SIGN_IN}"
    if fault.status == 401:
        return f"Kaggle refuses the credentials (401) for the competition {competition}: renew KAGGLE_API_TOKEN"
    return (
        f"Kaggle keeps the competition {competition} closed to you (403), most likely because its rules were not "
        f"accepted: join it and accept them at {rules_of(competition)}, which no program can do for you"
    )


def passing(competition: str, fault: Fault, again: str) -> str:
    """Return what went wrong on the way, and what to do."""
    if fault.kind == "http" and fault.status == 429:
        return f"{limited(fault)}: {again}"
    if fault.kind == "http":
        return f"{answered(fault)} for the competition {competition}: {again}"
    if fault.kind == "certificate":
        return untrusted(fault)
    return f"the competition {competition} cannot be reached: {fault.text}; {again}"
