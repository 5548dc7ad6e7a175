"""Pushing a run to an MLflow server, by MLflow's own client, an optional install.

A run is known by its name and by the digest of its provenance.json, both tags: pushed twice, it is there once.
"""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

from graft.errors import UserError
from graft.reporting.tracking import PROVENANCE, RUN, Told

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities import Run

COMPLETE = "graft.complete"
PARAMETERS_AT_ONCE, NUMBERS_AT_ONCE = 100, 900  # the server takes 100, and 1000 of all kinds
QUIET = {  # MLflow's client: few attempts at a server that is not there, no statistics to its makers, no progress bars
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
}


@dataclass(frozen=True)
class Server:
    """An MLflow server.

    Attributes:
        address: without user name, password and query; may be printed.
        user: the name to log in by; empty for none.
        password: is never printed.
    """

    address: str
    user: str = ""
    password: str = ""


def server_of(uri: str) -> Server:
    """Return the server that a user named.

    Raises: UserError, without what was written, which may hold a password, if it is no address of a server.

    >>> server_of("https://ada:secret@example.org:5000/")
    Server(address='https://example.org:5000', user='ada', password='secret')
    """
    if not uri:
        raise UserError("name the MLflow server: make track RUN=name URI=http://localhost:5000, or set "
                        "MLFLOW_TRACKING_URI")  # fmt: skip
    try:
        parts = urlsplit(uri)
        address = f"{parts.scheme}://{host_of(parts)}{parts.path.rstrip('/')}"
    except ValueError:
        parts, address = SplitResult("", "", "", "", ""), ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UserError("the MLflow server's address must begin with http:// or https:// and name a host")
    return Server(address, unquote(parts.username or ""), unquote(parts.password or ""))


def host_of(parts: SplitResult) -> str:
    """Return host and port, without who logs in there."""
    return parts.netloc.rpartition("@")[2]


def check_installed() -> None:
    """Refuse to go on without MLflow's client.

    Raises: UserError that names the command that installs it.
    """
    if importlib.util.find_spec("mlflow") is None:
        raise UserError(
            "tracking needs MLflow's client, which is an optional install: make track installs it, or "
            "pip install --require-hashes -r envs/requirements-mlflow.txt"
        )


def push(told: Told, server: Server, experiment: str, replace: bool) -> tuple[str, bool]:
    """Tell a server of a run; return the address to look at it, and whether anything had to be told.

    A push that was cut off is taken up in the same entry. Where the server has the same run of another provenance, made
    before or elsewhere, nothing is told, unless it is to be replaced.

    Args:
        told: what to say.
        server: where.
        experiment: MLflow's experiment, a group of runs; it is made if it is not there.
        replace: put an entry of the same name and other provenance into MLflow's trash.

    Raises: UserError if the server does not answer or does not agree, or has another run of this name.
    """
    tell_client(server)
    from mlflow import MlflowClient

    with one_sentence(server):
        client = MlflowClient(tracking_uri=server.address)
        group = experiment_of(client, experiment)
        found = client.search_runs([group], f"tags.`{RUN}` = '{told.name}'")
        same = [run for run in found if run.data.tags.get(PROVENANCE) == told.tags[PROVENANCE]]
        others = [run for run in found if run not in same]
        if others and not replace:
            recorded = others[0].data.tags.get("graft.recorded", "an unknown time")
            raise UserError(
                f"{server.address} has another {told.name} in {experiment}, recorded {recorded}: REPLACE=1 puts that "
                "one into MLflow's trash, EXPERIMENT=name keeps both"
            )
        new = not same or COMPLETE not in same[0].data.tags
        entry = tell(client, told, group, same) if new else same[0].info.run_id
        for other in others:
            client.delete_run(other.info.run_id)
    return f"{server.address}/#/experiments/{group}/runs/{entry}", new


def tell_client(server: Server) -> None:
    """Set the environment by which MLflow's client finds a server and logs in, before it is loaded."""
    os.environ.update({name: os.environ.get(name, value) for name, value in QUIET.items()})
    os.environ["MLFLOW_TRACKING_URI"] = server.address  # which may have held the password
    if server.user:
        os.environ.update({"MLFLOW_TRACKING_USERNAME": server.user, "MLFLOW_TRACKING_PASSWORD": server.password})


def experiment_of(client: MlflowClient, name: str) -> str:
    """Return the identifier of an experiment, which is made if it is not there."""
    found = client.get_experiment_by_name(name)
    return str(found.experiment_id if found else client.create_experiment(name))


def tell(client: MlflowClient, told: Told, group: str, begun: list[Run]) -> str:
    """Tell all of a run, in a new entry or in one that was begun; return its identifier.

    Every number has the time at which the run was recorded, so a number that is told twice is kept once.
    """
    from mlflow.entities import Metric, Param

    entry = str((begun[0] if begun else client.create_run(group, told.began, told.tags, told.name)).info.run_id)
    parameters = [Param(name, value) for name, value in told.parameters.items()]
    for start in range(0, len(parameters), PARAMETERS_AT_ONCE):
        client.log_batch(entry, params=parameters[start : start + PARAMETERS_AT_ONCE])
    numbers = [Metric(number.name, number.value, told.ended, number.step) for number in told.numbers]
    for start in range(0, len(numbers), NUMBERS_AT_ONCE):
        client.log_batch(entry, metrics=numbers[start : start + NUMBERS_AT_ONCE])
    for path, folder in told.files:
        client.log_artifact(entry, str(path), folder or None)
    client.set_terminated(entry, "FINISHED", told.ended)
    client.set_tag(entry, COMPLETE, "yes")
    return entry


@contextmanager
def one_sentence(server: Server) -> Iterator[None]:
    """Turn what MLflow's client complains of into one sentence that holds no password."""
    from mlflow.exceptions import MlflowException
    from requests.exceptions import RequestException

    try:
        yield
    except (MlflowException, RequestException) as error:
        text = " ".join(str(error).split())
        raise UserError(reason(server, text, getattr(error, "get_http_status_code", lambda: 0)())) from None


def reason(server: Server, text: str, status: int) -> str:
    """Return why a server was not told, in one sentence.

    >>> reason(Server("http://host"), "API request failed: Max retries exceeded with url: /api", 500)
    'the MLflow server http://host does not answer: start it, or mend the address'
    """
    if re.search(r"Max retries exceeded|[Cc]onnection|timed out|Name or service not known", text):
        return f"the MLflow server {server.address} does not answer: start it, or mend the address"
    if status in (401, 403) or re.search(r"\b40[13]\b|[Uu]nauthorized|[Ff]orbidden", text):
        return (
            f"the MLflow server {server.address} does not let you in: set MLFLOW_TRACKING_USERNAME and "
            "MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
        )
    if server.password:
        text = text.replace(server.password, "…")
    return f"the MLflow server {server.address} does not take the run: {text[:300]}"
