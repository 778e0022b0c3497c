"""A shell on a terminal of its own, as a reader has one: what is typed is echoed, Ctrl-C is a key, and `docker exec -it` works."""

import fcntl
import os
import pty
import re
import signal
import struct
import termios
import threading
import time

# Colours, moves of the cursor and titles.
CONTROL = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07]*\x07|\x1b[=>()][0-9A-Z]?")
PROMPT = re.compile(r"(?:^|\n|\^C)(?:\$ |> |[\w.-]+@[\w.-]+:[^\n]*[#$] |bash-[\d.]+[#$] )$")


class Terminal:
    """One terminal; `folder` is where its shell begins."""

    def __init__(self, folder, env):
        self._pid, self._fd = pty.fork()
        if self._pid == 0:
            os.chdir(folder)
            # The prompt begins a line even where an output does not end one.
            env = {**env, "PS1": "\n$ ", "PS2": "> ", "TERM": "dumb", "HISTFILE": ""}
            os.execvpe("bash", ["bash", "--norc", "--noprofile", "-i"], env)
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 1000, 0, 0))
        self._raw = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.wait_for_prompt(30)

    def _read(self):
        try:
            while chunk := os.read(self._fd, 65536):
                self._raw += chunk
        except OSError:
            pass

    def text(self):
        """Everything that was shown so far, without colours."""
        return CONTROL.sub("", self._raw.decode(errors="replace")).replace("\r\n", "\n").replace("\r", "\n")

    def is_at_prompt(self):
        """Returns whether the shell waits for a command, the terminal's or one within a container."""
        before = len(self._raw)
        if not PROMPT.search(self.text()):
            return False
        time.sleep(0.15)
        return len(self._raw) == before

    def wait_for_prompt(self, seconds):
        deadline = time.monotonic() + seconds
        while not self.is_at_prompt():
            if time.monotonic() > deadline:
                raise TimeoutError(f"no prompt after {seconds:g} s; the end of the terminal is:\n{self.text()[-3000:]}")
            time.sleep(0.05)

    def type(self, text, seconds):
        """Types the lines of a command, each once the shell has taken the one before it, and returns where its output begins."""
        self.wait_for_prompt(30)
        lines = text.splitlines()
        for number, line in enumerate(lines):
            if number:
                self.wait_for_prompt(seconds)
            start = len(self.text())
            os.write(self._fd, line.encode() + b"\n")
            while "\n" not in self.text()[start:]:
                time.sleep(0.01)
        return start + self.text()[start:].index("\n") + 1

    def press_ctrl_c(self, seconds):
        os.write(self._fd, b"\x03")
        self.wait_for_prompt(seconds)

    def exit_code(self):
        """The exit code of the last command of the outermost shell; None within a container."""
        if not self.text().endswith("\n$ "):
            return None
        start = self.type('echo "código $?"', 10)
        self.wait_for_prompt(10)
        return int(re.search(r"código (\d+)", self.text()[start:])[1])

    def close(self):
        os.kill(self._pid, signal.SIGHUP)
        os.close(self._fd)
        os.waitpid(self._pid, 0)
