"""Chromium without a window, spoken to through its own pipe: enough to open a page, use it and look at it."""

import base64
import itertools
import json
import os
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """One tab, driven by the Chrome DevTools Protocol."""

    def __init__(self, profile: Path):
        to_browser, from_browser = os.pipe(), os.pipe()
        arguments = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        arguments += ["--disable-quic", "--disable-background-networking", "--disable-component-update"]
        arguments += ["--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"]
        here = (to_browser[0], from_browser[1])

        def plugged() -> None:
            safe = [os.dup2(end, number) for end, number in zip(here, (203, 204), strict=True)]
            for end, number in zip(safe, (3, 4), strict=True):  # where Chromium looks for the pipe
                os.dup2(end, number, inheritable=True)

        self.process = subprocess.Popen(
            [CHROMIUM, *arguments], preexec_fn=plugged, close_fds=False, stderr=subprocess.DEVNULL
        )
        for end in here:
            os.close(end)
        self.out, self.into = os.fdopen(to_browser[1], "wb", 0), os.fdopen(from_browser[0], "rb", 0)
        self.numbers, self.session, self.left, self.events = itertools.count(1), None, b"", []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "DOM", "Accessibility", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return what a command of the protocol answers."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": parameters}
        message |= {"sessionId": self.session} if self.session else {}
        self.out.write(json.dumps(message).encode() + b"\0")
        while True:
            told = self.read()
            if told.get("id") == number:
                assert "error" not in told, told
                return told["result"]
            self.events.append(told)

    def read(self) -> dict[str, Any]:
        """Return the next message."""
        while b"\0" not in self.left:
            part = self.into.read(1 << 16)
            assert part, "the browser ended"
            self.left += part
        first, _, self.left = self.left.partition(b"\0")
        return json.loads(first)

    def run(self, script: str) -> Any:
        """Return the value of a line of JavaScript."""
        found = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, script: str, seconds: float = 30) -> Any:
        """Return a value once it is true."""
        deadline = time.monotonic() + seconds
        while not (found := self.run(script)):
            assert time.monotonic() < deadline, f"never true: {script}"
            time.sleep(0.05)
        return found

    def open(self, address: str, width: int = 1000, height: int = 900) -> None:
        """Open an address in a window of a size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Page.navigate", url=address)
        self.wait(f"location.href == {address!r} && document.readyState == 'complete'")

    def upload(self, selector: str, *files: Path) -> None:
        """Put files into an input, as a user who chooses them does."""
        root = self.call("DOM.getDocument")["root"]["nodeId"]
        node = self.call("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.call("DOM.setFileInputFiles", nodeId=node, files=[str(file) for file in files])

    def press(self, key: str) -> None:
        """Press and release a key."""
        code = {"Tab": 9, "Enter": 13}[key]
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            more = text if kind == "keyDown" else {}
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **more)

    def spoken(self) -> list[tuple[str, str]]:
        """Return what a screen reader is told: the role and the name of everything."""
        nodes = self.call("Accessibility.getFullAXTree")["nodes"]
        seen = [node for node in nodes if not node.get("ignored")]
        return [(node["role"]["value"], node.get("name", {}).get("value", "")) for node in seen]

    def complaints(self) -> list[dict[str, Any]]:
        """Return what the console was told of errors."""
        self.run("1")
        errors = [one for one in self.events if one.get("method") == "Runtime.exceptionThrown"]
        logged = [one for one in self.events if one.get("method") == "Log.entryAdded"]
        errors += [one for one in logged if one["params"]["entry"]["level"] == "error"]
        called = [one for one in self.events if one.get("method") == "Runtime.consoleAPICalled"]
        return errors + [one for one in called if one["params"]["type"] in ("error", "assert")]

    def requests(self) -> set[str]:
        """Return the addresses that pages asked for, but for what they hold themselves."""
        sent = [one for one in self.events if one.get("method") == "Network.requestWillBeSent"]
        asked = {one["params"]["request"]["url"] for one in sent}
        return {address for address in asked if not address.startswith(("data:", "blob:"))}

    def picture(self, path: Path) -> None:
        """Write what the page looks like, whole."""
        shot = self.call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def close(self) -> None:
        """End the browser."""
        self.process.terminate()
        self.process.wait(20)
