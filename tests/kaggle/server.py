"""A loopback stand-in for Kaggle, and for any web server, with every fault that a download can meet.

The official client reaches it unpatched, from any process: `environment` points it at this server as its proxy. Each
request takes the next fault of its queue; the last one stays. By hand, without faults:

    python tests/kaggle/server.py --archive FILE
"""

import argparse
import hashlib
import http.server
import json
import os
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

SECRET = "SIGNED-LINK-SECRET"
PAGE = b"<!DOCTYPE html><html><body>Please sign in to the network</body></html>"
REASONS = {
    400: "You have used all 5 submissions of today",
    401: "Unauthenticated",
    403: "Permission 'datasets.get' was denied",
    404: "Dataset not found",
}
FILE_PATH = "/files/archive.zip"
UPLOAD_PATH = "/uploads/1"


class KaggleServer(http.server.ThreadingHTTPServer):
    """Serves one archive, as a dataset and as a competition's files; use it as a context manager.

    What is handed in to a competition is in `submissions`: its name, the message, and the bytes that were uploaded.

    Args:
        archive: the bytes of the archive.
        api: faults of Kaggle's API, one a request for the archive: "ok", a status such as 404, "html", "stall".
        uploads: faults of the storage that a submission is uploaded to, as `storage`: "ok" or a status.
        submits: faults of the last step, which hands in what was uploaded, as `api`.
        storage: faults of the storage, one a whole request: "ok", a status, "html", "stall", "cut" (after a third),
            "short" (the same, and no length was named), "zeros" (in place of the archive's end), "flip" (of one bit).
        ranged: the same for requests of a part.
        etags: one a storage request, as the faults.
        ranges: False ignores Range and sends the whole.
        retry_after: seconds, sent with 429.
        port: 0 for any that is free.
    """

    daemon_threads = True

    def __init__(
        self,
        archive,
        *,
        api=("ok",),
        storage=("ok",),
        ranged=("ok",),
        etags=('"1"',),
        ranges=True,
        retry_after=1,
        uploads=("ok",),
        submits=("ok",),
        port=0,
    ):
        super().__init__(("127.0.0.1", port), Handler)
        self.archive, self.ranges, self.retry_after = archive, ranges, retry_after
        self.queues = {"api": list(api), "storage": list(storage), "ranged": list(ranged), "etags": list(etags)}
        self.queues |= {"uploads": list(uploads), "submits": list(submits)}
        self.submissions, self.uploaded = [], b""
        self.requests = []  # (time, method, target, headers)
        self.lock, self.closing = threading.Lock(), threading.Event()

    def __enter__(self):
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, *_):
        """Say nothing: clients that hang up are what this server is for."""

    def next(self, queue):
        """Return a queue's next fault; the last one stays."""
        with self.lock:
            faults = self.queues[queue]
            return faults.pop(0) if len(faults) > 1 else faults[0]

    @property
    def url(self):
        """Return the address of the archive as any web server would have it, with a secret in its query.

        The secret comes from the environment, where a configuration may not hold it.
        """
        os.environ["GRAFT_TEST_QUERY"] = f"key={SECRET}"
        return f"http://127.0.0.1:{self.server_port}{FILE_PATH}?${{GRAFT_TEST_QUERY}}"

    def environment(self, home):
        """Return the variables under which the official client talks to this server, and finds no credentials."""
        return {
            "KAGGLE_API_ENVIRONMENT": "LOCALHOST",
            "http_proxy": f"http://127.0.0.1:{self.server_port}",
            "no_proxy": "",
            "NO_PROXY": "",
            "HOME": str(home),
            "KAGGLE_CONFIG_DIR": str(Path(home) / ".kaggle"),
        }

    def asked(self, what):
        """Return the requests whose target ends in, or names the path, `what`."""
        return [request for request in self.requests if what in urlsplit(request[2]).path]


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers the client's requests, in the form that a proxy gets them in, and plain ones."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Keep quiet."""

    def do_POST(self):
        """Answer an API call."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.note()
        call = urlsplit(self.path).path.rsplit("/", 1)[-1]
        if call == "IntrospectToken":
            return self.reply(200, json.dumps({"active": True, "username": "somebody"}).encode())
        if call == "GetDataset":
            about = {"id": 1, "currentVersionNumber": 7, "licenseName": "CC0: Public Domain"}
            return self.reply(200, json.dumps(about).encode())
        if call == "StartSubmissionUpload":
            place = {"token": "a-token", "createUrl": f"http://storage.test{UPLOAD_PATH}?X-Goog-Signature={SECRET}"}
            return self.failed("api") or self.reply(200, json.dumps(place).encode())
        if call == "CreateSubmission":
            return self.failed("submits") or self.take_submission(json.loads(content))
        if call not in ("DownloadDataset", "DownloadDataFiles", "DownloadModelInstanceVersion"):
            return self.reply(404, b"{}")
        return self.failed("api") or self.reply(
            302, b"", None, Location=f"http://storage.test{FILE_PATH}?X-Goog-Signature={SECRET}"
        )

    def failed(self, queue):
        """Answer with a queue's next fault; return whether there was one."""
        fault = self.server.next(queue)
        if fault == "ok":
            return False
        if fault == "stall":
            self.server.closing.wait()
        elif fault == "html":
            self.reply(200, PAGE, "text/html")
        else:
            message = {"code": fault, "message": REASONS.get(fault, "No")}
            self.reply(fault, json.dumps(message).encode(), **self.patience(fault))
        return True

    def take_submission(self, asked):
        """Hand in what was uploaded."""
        with self.server.lock:
            self.server.submissions.append(
                (asked["competitionName"], asked.get("submissionDescription"), self.server.uploaded)
            )
        answer = {"message": f"Successfully submitted to {asked['competitionName']}", "ref": 41}
        return self.reply(200, json.dumps(answer).encode())

    def do_PUT(self):
        """Take an upload, as the storage does."""
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.note()
        fault = self.server.next("uploads")
        if fault != "ok":
            return self.reply(fault, b"<Error/>", "application/xml")
        self.server.uploaded = content
        return self.reply(200, b"")

    def do_GET(self):
        """Answer as the storage does, or as a plain web server."""
        self.note()
        if urlsplit(self.path).path != FILE_PATH:
            return self.reply(404, b"nothing here", "text/plain")
        ranged = "Range" in self.headers
        fault, etag = self.server.next("ranged" if ranged else "storage"), self.server.next("etags")
        if isinstance(fault, int):
            return self.reply(fault, b"<Error><Code>No</Code></Error>", "application/xml", **self.patience(fault))
        if fault == "html":
            return self.reply(200, PAGE, "text/html")
        return self.send_archive(fault, etag)

    def send_archive(self, fault, etag):
        """Send the archive or a part of it, as whole and as true as the fault lets it be."""
        body, start = damaged(self.server.archive, fault), 0
        same = self.headers.get("If-Range") in (None, etag)
        if "Range" in self.headers and self.server.ranges and same:
            start = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
            if start >= len(body):
                return self.reply(416, b"", **{"Content-Range": f"bytes */{len(body)}"})
        part = body[start:]
        self.send_response(206 if start else 200)
        headers = {"Content-Type": "application/zip", "ETag": etag, "Last-Modified": "Fri, 01 Dec 2017 12:00:00 GMT"}
        if self.server.ranges:
            headers["Accept-Ranges"] = "bytes"
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
        if fault == "short":
            headers["Connection"] = "close"
        else:
            headers["Content-Length"] = str(len(part))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if fault in ("cut", "short", "stall"):
            self.wfile.write(part[: max(1, len(part) // 3)])
            self.wfile.flush()
            if fault == "stall":
                self.server.closing.wait()
            self.close_connection = True
            return self.connection.shutdown(2)
        return self.wfile.write(part)

    def patience(self, status):
        """Return the header that goes with 429."""
        return {"Retry-After": str(self.server.retry_after)} if status == 429 else {}

    def reply(self, status, body, kind="application/json", **headers):
        """Send a short answer."""
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            if value is not None:
                self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def note(self):
        """Remember the request."""
        with self.server.lock:
            self.server.requests.append((time.monotonic(), self.command, self.path, dict(self.headers)))


def damaged(archive, fault):
    """Return the archive as a broken disk or wire would have it: as long as before, and not the same."""
    if fault == "zeros":
        return archive[:-200] + bytes(200)
    if fault == "flip":
        middle = len(archive) // 2
        return archive[:middle] + bytes([archive[middle] ^ 1]) + archive[middle + 1 :]
    return archive


def sha256(data):
    """Return a digest to compare downloads by."""
    return hashlib.sha256(data).hexdigest()


def main():
    """Serve a file until the process is ended, and print the port."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--archive", required=True, type=Path)
    parser.add_argument("--port", type=int, default=0)
    arguments = parser.parse_args()
    server = KaggleServer(arguments.archive.read_bytes(), port=arguments.port)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
