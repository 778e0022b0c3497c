"""Child processes that end with this process, also when it is killed; free ports; waiting on states."""

import ctypes
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import weakref

ROOT = pathlib.Path(__file__).resolve().parents[2]
_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl


def free_port():
    """Below the range of outgoing connections: a killed server must find its port free when it comes back."""
    while True:
        port = random.randrange(12_000, 32_000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(what, state, seconds=30.0, pause=0.02):
    """Calls `state` until it gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        value = state()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {seconds:g} s in vain for: {what}")
        time.sleep(pause)


class Process:
    """A child with its output in files; killed by the kernel when this process ends."""

    known = weakref.WeakSet()

    def __init__(self, arguments, env=None, cwd=None, limit=None):
        self.arguments = [str(a) for a in arguments]
        self._out = tempfile.TemporaryFile()
        self._err = tempfile.TemporaryFile()

        def before_exec():
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if limit:
                limit()

        self.started = time.monotonic()
        self._child = subprocess.Popen(
            self.arguments, stdin=subprocess.DEVNULL, stdout=self._out, stderr=self._err,
            env={**os.environ, "RUST_BACKTRACE": "1", **(env or {})}, cwd=cwd, preexec_fn=before_exec)
        self.pid = self._child.pid
        Process.known.add(self)

    def stdout(self):
        return os.pread(self._out.fileno(), 1 << 26, 0).decode(errors="replace")

    def stderr(self):
        return os.pread(self._err.fileno(), 1 << 26, 0).decode(errors="replace")

    def running(self):
        return self._child.poll() is None

    def wait(self, seconds=60):
        return self._child.wait(seconds)

    def stop(self, seconds=60):
        """Ctrl-C; returns the exit code."""
        if self.running():
            self._child.send_signal(signal.SIGINT)
        return self.wait(seconds)

    def terminate(self, seconds=60):
        if self.running():
            self._child.terminate()
        return self.wait(seconds)

    def kill(self):
        if self.running():
            self._child.kill()
        self._child.wait(30)

    def peak_bytes(self):
        """Peak resident memory, VmHWM of proc(5)."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmHWM:"):
                    return int(line.split()[1]) * 1024
        return 0

    def cpu_seconds(self):
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def report(self):
        """The command, how it ended and the end of its output, for whoever reads that a test failed."""
        state = "runs" if self.running() else f"ended with {self._child.returncode}"
        return f"{' '.join(self.arguments)}\n{state}\n{self.stdout()[-1000:]}\n{self.stderr()[-3000:]}"

    def must_run(self):
        if not self.running():
            print(self.stdout()[-2000:], self.stderr()[-4000:], sep="\n", file=sys.stderr)
            raise RuntimeError(f"{' '.join(self.arguments[:4])} ended with {self._child.returncode}: {self.stderr()[-800:]}")
