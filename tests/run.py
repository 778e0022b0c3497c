#!/usr/bin/env python3
"""`make test`: sets up what is needed, runs every suite that belongs to a change, and counts.

A suite is quiet when it passes, but for tests that it skipped and why, and shows its output when it does not. The last line is
`N passed, N failed`.

The build keeps every core busy, so it runs alone, once for all suites, and so do the lints behind it. The suites mostly wait (for
servers, for time to pass), so three lanes of them run at a time.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

ROOT = pathlib.Path(__file__).resolve().parents[1]
COUNT = re.compile(r"(\d+) (passed|failed|errors?)\b")


def run(name, command):
    """Runs a command; returns its exit code and all of its output."""
    start = time.monotonic()
    print(f"{name} …", flush=True)
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                             env={**os.environ, "CARGO_TERM_COLOR": "never"})
    output = child.communicate()[0]
    verdict = f"{name}: {'ok' if child.returncode == 0 else 'FAILED'} after {time.monotonic() - start:.0f} s"
    skipped = [line for line in output.splitlines() if line.startswith("SKIPPED ")]
    print("\n".join([*([output] if child.returncode else skipped), verdict]), flush=True)
    return child.returncode, output


def suite(name, command):
    """Runs a suite; returns how many of its tests passed and failed. A command that is no suite of tests counts as one."""
    code, output = run(name, command)
    return counted(code, output) if "test" in command or "pytest" in command else (int(code == 0), int(code != 0))


def counted(code, output):
    """Passed and failed tests by the lines in which cargo and pytest sum up; a suite that broke counts as one failure."""
    sums = [line for line in output.splitlines() if line.startswith("test result:") or re.search(r" in [\d.]+s(\s|$|=)", line)]
    found = {"passed": 0, "failed": 0}
    for line in sums:
        for count, what in COUNT.findall(line):
            found["passed" if what == "passed" else "failed"] += int(count)
    if code and not found["failed"]:
        found["failed"] = 1
    return found["passed"], found["failed"]


def main():
    setup = [["tools/cargo-env.sh"], ["tools/mysql-server.sh", "install"], ["tools/mariadb-server.sh", "install"],
             ["tools/mariadb-server.sh", "--release", "trixie", "install"], ["tools/python-env.sh"], ["tools/chromium.sh"]]
    for command in setup:
        if run(f"set-up: {' '.join(command)}", command)[0]:
            print("0 passed, 1 failed")
            return 1
    python = subprocess.run(["tools/python-env.sh"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    pytest = [python, "-m", "pytest", "-c", "tests/pytest.ini", "-m", "not conformance"]
    # What `cargo test` would build: with other features of shared crates, everything above them would be built twice.
    build = ["cargo", "build", "--quiet", "--workspace", "--all-targets"]
    # As `make check` has it: with the tests that `make conformance` runs, too.
    lints = ["cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--features", "bitacora-pulsar/real-pulsar", "--", "-D", "warnings"]
    lanes = [
        [("cargo test", ["cargo", "test", "--quiet", "--workspace", "--no-fail-fast"]),
         ("recorded pipeline", pytest + ["tests/golden"]),
         ("official client, hostile bytes", pytest + ["tests/interop"])],
        # The longest one, alone.
        [("faults", pytest + ["tests/faults"])],
        [("AeroAlpes", pytest + ["tests/aeroalpes"]),
         ("demo", [python, "demo/demo.py", "--check"])],
    ]
    counts = [suite("format", ["cargo", "fmt", "--all", "--", "--check"]), suite("build", build)]
    if not counts[-1][1]:
        counts.append(suite("lints", lints))
        with ThreadPoolExecutor(len(lanes)) as pool:
            for lane in pool.map(lambda lane: [suite(*each) for each in lane], lanes):
                counts += lane
    passed, failed = (sum(count) for count in zip(*counts))
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
