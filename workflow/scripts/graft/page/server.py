"""The page's server: Python's own, for this machine; it gives out one page and takes one photo at a time.

A photo comes as the body of a POST, so there is no form to take apart. Nothing that is sent is kept.
"""

import html
import json
import secrets
import tempfile
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).resolve().parents[3] / "resources" / "page.html"
SECONDS = 60  # that a photo may take to arrive
Answer = Callable[[Path], dict[str, Any]]


class Server(ThreadingHTTPServer):
    """A server that knows what to answer.

    Args:
        address: host and port; port 0: any that is free.
        answer: gives what is shown of a photo.
        about: what the page says of model and run: its `run`, and sentences.
        most_bytes: of a photo.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], answer: Answer, about: dict[str, str], most_bytes: int):
        super().__init__(address, Handler)
        self.answer, self.about, self.most_bytes = answer, about, most_bytes

    @property
    def names(self) -> set[str]:
        """Return what browsers may call this server: a page elsewhere cannot reach it by a name of its own."""
        host, port = self.server_address[:2]
        return {f"{name}:{port}" for name in (str(host), "127.0.0.1", "localhost")}


class Handler(BaseHTTPRequestHandler):
    """What a request gets."""

    server: Server
    timeout = SECONDS
    server_version, sys_version = "graft", ""

    def do_GET(self) -> None:
        """Give the page."""
        if not self.is_meant():
            return
        if self.path != "/":
            self.send_problem(HTTPStatus.NOT_FOUND, "there is nothing here but the page itself")
            return
        nonce = secrets.token_urlsafe(16)
        text = TEMPLATE.read_text(encoding="utf-8").replace("{nonce}", nonce)
        text = text.replace("{most_mb}", f"{self.server.most_bytes / 1e6:g}")
        for name, value in self.server.about.items():
            text = text.replace(f"{{{name}}}", html.escape(value))
        policy = f"default-src 'none'; img-src data:; connect-src 'self'; script-src 'nonce-{nonce}';"
        policy += f" style-src 'nonce-{nonce}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        self.send(HTTPStatus.OK, "text/html; charset=utf-8", text.encode(), {"Content-Security-Policy": policy})

    def do_POST(self) -> None:
        """Answer about the photo that is the body."""
        if not self.is_meant():
            return
        length = self.headers.get("Content-Length", "")
        if self.path != "/answer" or not length.isdigit():
            self.send_problem(HTTPStatus.BAD_REQUEST, "a photo is sent to /answer, with its length")
            return
        if int(length) > self.server.most_bytes:
            most = f"{self.server.most_bytes / 1e6:g} MB"
            self.send_problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"larger than the {most} that are taken here")
            return
        body = self.rfile.read(int(length))
        with tempfile.TemporaryDirectory(prefix="graft-page-") as folder:
            path = Path(folder, "photo")
            path.write_bytes(body)
            found = self.server.answer(path)
        self.send(HTTPStatus.OK, "application/json", json.dumps(found).encode())

    def is_meant(self) -> bool:
        """Return whether the request names this server, and, where it says so, comes from its page; else refuse it."""
        origin = self.headers.get("Origin", "")
        if self.server.server_address[0] not in ("127.0.0.1", "::1"):
            return True  # the user opened it to others, who call it by any name
        if self.headers.get("Host") in self.server.names and origin.removeprefix("http://") in {"", *self.server.names}:
            return True
        self.send_problem(HTTPStatus.FORBIDDEN, "this page is for this machine alone")
        return False

    def send_problem(self, status: HTTPStatus, sentence: str) -> None:
        """Say what is wrong; what else was sent is not read."""
        self.close_connection = True
        self.send(status, "application/json", json.dumps({"fault": sentence}).encode())

    def send(self, status: HTTPStatus, kind: str, body: bytes, more: dict[str, str] | None = None) -> None:
        """Send an answer whole."""
        self.send_response(status)
        headers = {"Content-Type": kind, "Content-Length": str(len(body)), "X-Content-Type-Options": "nosniff"}
        for name, value in (
            headers | {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"} | (more or {})
        ).items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Print nothing: what people look at is nobody's business."""
