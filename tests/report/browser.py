# SPDX-License-Identifier: EUPL-1.2
"""Drives a headless Chromium over a pipe: no other library is needed."""
import base64
import json
import os
import re
import select
import shutil
import subprocess
import tempfile
import time

NAMES = ("chromium", "chromium-browser", "google-chrome")


def program():
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page at a time."""

    def __init__(self, seconds=60):
        self.seconds, self.rest, self.last = seconds, b"", 0
        self.home = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_it, self.write = os.pipe()
        self.read, from_it = os.pipe()

        def as_3_and_4():  # where --remote-debugging-pipe looks
            os.dup2(to_it, 13)
            os.dup2(from_it, 14)
            os.dup2(13, 3)
            os.dup2(14, 4)
            os.close(13)
            os.close(14)

        self.process = subprocess.Popen(
            [program(), "--headless", "--no-sandbox", "--disable-gpu",
             "--disable-dev-shm-usage", "--hide-scrollbars",
             "--no-first-run", "--disable-extensions", "--disable-sync",
             "--disable-quic", "--disable-component-update",
             "--disable-background-networking",
             "--remote-debugging-pipe",
             f"--user-data-dir={self.home.name}", "about:blank"],
            preexec_fn=as_3_and_4, pass_fds=(3, 4), close_fds=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": self.home.name},
        )
        os.close(to_it)
        os.close(from_it)
        target = self.call("Target.createTarget", url="about:blank")
        self.session = None
        self.session = self.call("Target.attachToTarget", flatten=True,
                                 targetId=target["targetId"])["sessionId"]
        self.requests = []
        for domain in ("Page", "Runtime", "Network"):
            self.call(domain + ".enable")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.read)
        os.close(self.write)
        self.home.cleanup()

    def message(self, until):
        while b"\0" not in self.rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self.read], [], [], left)[0]:
                raise TimeoutError("the browser does not answer")
            more = os.read(self.read, 1 << 20)
            if not more:
                raise EOFError("the browser has ended")
            self.rest += more
        one, self.rest = self.rest.split(b"\0", 1)
        return json.loads(one)

    def wait(self, wanted):
        until = time.monotonic() + self.seconds
        while True:
            message = self.message(until)
            if message.get("method") == "Network.requestWillBeSent":
                self.requests.append(message["params"]["request"]["url"])
            if wanted(message):
                return message

    def call(self, method, **params):
        self.last += 1
        number = self.last
        ask = {"id": number, "method": method, "params": params}
        if getattr(self, "session", None):
            ask["sessionId"] = self.session
        data = json.dumps(ask).encode() + b"\0"
        while data:
            data = data[os.write(self.write, data):]
        answer = self.wait(lambda m: m.get("id") == number)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def open(self, path, width, height=900):
        """Returns the URLs that were asked for."""
        self.call("Emulation.setDeviceMetricsOverride", width=width,
                  height=height, deviceScaleFactor=1, mobile=False)
        self.requests = []
        self.call("Page.navigate", url=f"file://{path}")
        self.wait(lambda m: m.get("method") == "Page.loadEventFired")
        return list(self.requests)

    def run(self, expression):
        result = self.call("Runtime.evaluate", expression=expression,
                           awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def screenshot(self, path):
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def sheets(self):
        """How many sheets the page takes in print."""
        return len(re.findall(rb"/Type\s*/Page\b", self.printed()))

    def printed(self):
        sheet = self.call("Page.printToPDF", preferCSSPageSize=True,
                          printBackground=False, paperWidth=8.27,
                          paperHeight=11.69)
        return base64.b64decode(sheet["data"])

    def pdf(self, path):
        path.write_bytes(self.printed())
