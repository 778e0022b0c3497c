"""A headless Chromium with an empty profile, driven by Debian's own driver."""

import ctypes
import json
import os
import shutil
import signal
import subprocess

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from .process import ROOT, wait_until
from .servers import Folder

_FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
          "--disable-component-update", "--disable-sync", "--hide-scrollbars"]
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


class Browser:
    """One browser; what it asked the network for and what it complained about is recorded."""

    def __init__(self, width=1280, height=900, color_scheme="light", language="es-ES"):
        self._folder = Folder("chromium")
        options = webdriver.ChromeOptions()
        options.binary_location = subprocess.run([ROOT / "tools/chromium.sh"], check=True, capture_output=True, text=True).stdout.strip()
        for flag in [*_FLAGS, f"--user-data-dir={self._folder.path}", f"--window-size={width},{height}", f"--lang={language}"]:
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
        # With both paths given nothing is looked for, let alone downloaded.
        service = Service(shutil.which("chromedriver"), env={**os.environ, "SE_OFFLINE": "true", "LANGUAGE": language.split("-")[0]},
                          popen_kw={"preexec_fn": lambda: _prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)})
        self.driver = webdriver.Chrome(options=options, service=service)
        self._requests, self._frames = [], []
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": color_scheme}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                    {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})

    def open(self, url):
        self.driver.get(url)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """Texts of all elements, hidden ones too, read at one moment."""
        return self.driver.execute_script("return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)", selector)

    def count(self, selector):
        return self.driver.execute_script("return document.querySelectorAll(arguments[0]).length", selector)

    def wait_for(self, selector, seconds=30):
        """Waits until there is such an element that is shown, and returns it."""
        shown = ("return [...document.querySelectorAll(arguments[0])].find((e) => e.checkVisibility({visibilityProperty: true})) || null")
        return wait_until(f"{selector} on the page", lambda: self.driver.execute_script(shown, selector), seconds)

    def write(self, selector, text):
        """Puts a value into a field as a person would, whatever its kind."""
        self.driver.execute_script(
            "arguments[0].value = arguments[1]; for (const kind of ['input', 'change'])"
            " arguments[0].dispatchEvent(new Event(kind, {bubbles: true}));", self.one(selector), text)

    def _read_log(self):
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._requests.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                self._requests.append(message["params"]["url"])
            elif message["method"] == "Network.webSocketFrameReceived":
                self._frames.append(message["params"]["response"]["payloadData"])

    def requests(self):
        """Addresses of everything that was asked for so far."""
        self._read_log()
        return self._requests

    def frames(self):
        """Payloads of every websocket message that came so far."""
        self._read_log()
        return self._frames

    def complaints(self):
        """What the console says since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def stop(self):
        self.driver.quit()
        self._folder.remove()
