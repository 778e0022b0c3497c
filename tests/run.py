#!/usr/bin/env python3
"""`make test`: sets up what is needed, runs every suite that belongs to a change, and counts.

  tests/run.py                                      everything
  tests/run.py api                                  a part of AeroAlpes: api, sidecar, notificaciones, ui
  tests/run.py faults                               one suite: a folder of tests/, or format, line-width, circles, lints, demo
  tests/run.py tests/interop/test_masks.py::test_x  a file or a test of pytest
  tests/run.py bitacora-change                      the tests of a crate (also: change, crates/change)
  tests/run.py change::words                        those of its tests whose names have these words;
                                                    `aeroalpes::` is the crate, `aeroalpes` the suite
  tests/run.py --self-test                          that each of these forms means what it says

A suite is quiet when it passes, but for tests that it skipped and why, and shows its output when it does not. The last two
lines are the times of the suites and `N passed, N failed`.

The build keeps every core busy, so it runs alone, once for all suites. The suites mostly wait (for servers, for time to
pass), so four lanes of them run at a time; the lints beside them take what they leave. One suite alone builds only what it
runs: the programs, or a crate.
"""

import os
import pathlib
import re
import subprocess
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[1]
COUNT = re.compile(r"(\d+) (passed|failed|errors?)\b")

SERVERS = [["tools/cargo-env.sh"], ["tools/mysql-server.sh", "install"], ["tools/mariadb-server.sh", "install"],
           ["tools/mariadb-server.sh", "--release", "trixie", "install"], ["tools/python-env.sh"]]
BROWSER = ["tools/chromium.sh"]
PYTEST = ["{python}", "-m", "pytest", "-c", "tests/pytest.ini", "-m", "not conformance"]
# As `make check` has it: with the tests that `make conformance` runs, too.
LINTS = ["nice", "-n", "10", "cargo", "clippy", "--quiet", "--workspace", "--all-targets", "--features", "bitacora-pulsar/real-pulsar", "--",
         "-D", "warnings"]
# Rooms that depend on each other in a circle (docs/decisions/0013).
CIRCLES = ["python3", "tools/circles.py"]
WIDTH = ["python3", "tools/line-width.py"]
FORMAT = ["cargo", "fmt", "--all", "--", "--check"]
# What a student runs who changed a line of one part of AeroAlpes.
PARTS = {part: sorted(str(file.relative_to(ROOT)) for file in (ROOT / "tests/aeroalpes").glob(f"test_{part}*.py"))
         for part in ("api", "sidecar", "notificaciones", "ui")}
DEMO = ["{python}", "demo/demo.py", "--check"]
# What `cargo test` would build: with other features of shared crates, everything above them would be built twice.
BUILD_ALL = ["cargo", "build", "--quiet", "--workspace", "--lib", "--bins", "--tests", "--examples"]
BUILD_PROGRAMS = ["cargo", "build", "--quiet", "--workspace", "--bins"]


@dataclass
class Plan:
    """Suites are pairs of a name and a command. Those of `alone` run one after the other, then the lanes; nothing follows a
    build that failed."""

    setup: list = field(default_factory=list)
    alone: list = field(default_factory=list)
    lanes: list = field(default_factory=list)


# Two files of tests/faults that wait about as long as all the others.
PATIENT = ["tests/faults/test_passing_states.py", "tests/faults/test_while_running.py"]


def whole_plan():
    lanes = [
        [("cargo test", ["cargo", "test", "--quiet", "--workspace", "--no-fail-fast"]),
         ("recorded pipeline", PYTEST + ["tests/golden"]),
         ("official client, hostile bytes", PYTEST + ["tests/interop"]),
         ("twins", PYTEST + ["tests/differential"])],
        [("faults that are waited for", PYTEST + PATIENT)],
        [("other faults", PYTEST + ["tests/faults", *(f"--ignore={file}" for file in PATIENT)])],
        [("AeroAlpes", PYTEST + ["tests/aeroalpes"]),
         ("demo", DEMO)],
        [("lints", LINTS)],
    ]
    return Plan(SERVERS + [BROWSER], [("format", FORMAT), ("line-width", WIDTH), ("circles", CIRCLES), ("build", BUILD_ALL)], lanes)


def plan_of(only):
    """Returns what runs for the word after `ONLY=`; raises ValueError where it means nothing."""
    checks = {"format": FORMAT, "line-width": WIDTH, "circles": CIRCLES, "lints": LINTS}
    if only in checks:
        return Plan([SERVERS[0]], [(only, checks[only])])
    if only == "demo":
        return Plan(SERVERS + [BROWSER], [("build", BUILD_PROGRAMS)], [[(only, DEMO)]])
    if only in PARTS:
        return Plan(SERVERS + [BROWSER], [("build", BUILD_PROGRAMS)], [[(only, PYTEST + PARTS[only])]])
    file = only.split("::")[0]
    path = next((path for path in (file, f"tests/{file}") if path.startswith("tests/") and is_suite(path, only)), None)
    if path:
        setup = SERVERS + [BROWSER] if path.startswith("tests/aeroalpes") else SERVERS
        target = path + only[len(file):]
        return Plan(setup, [("build", BUILD_PROGRAMS)], [[(target, PYTEST + [target])]])
    crate, _, words = only.partition("::")
    for name in (crate, f"bitacora-{crate}", f"bitacora-{pathlib.PurePath(crate).name}"):
        if name in crates():
            command = ["cargo", "test", "--quiet", "--no-fail-fast", "-p", name, *([words] if words else [])]
            return Plan(SERVERS, [], [[(only, command)]])
    suites = sorted(path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py")))
    raise ValueError(f"ONLY={only} names nothing. Suites: {', '.join(suites)}, {', '.join(PARTS)}, demo, format, line-width, circles, lints; "
                     f"files: tests/…/test_….py[::test]; crates: {', '.join(sorted(crates()))}, each also with ::words of its tests' names")


def is_suite(path, only):
    """Returns whether pytest finds tests at a path; only a file of them can have `::` and a name behind it."""
    place = ROOT / path
    return (place.name.startswith("test_") and place.is_file()) or ("::" not in only and any(place.glob("test_*.py")))


def crates():
    """Returns the names of the workspace's crates."""
    manifests = [*ROOT.glob("crates/*/Cargo.toml"), ROOT / "aeroalpes/Cargo.toml"]
    return {tomllib.loads(manifest.read_text())["package"]["name"] for manifest in manifests}


def run(name, command):
    """Runs a command; returns its exit code, all of its output and its seconds."""
    start = time.monotonic()
    print(f"{name} …", flush=True)
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             errors="replace", env={**os.environ, "CARGO_TERM_COLOR": "never"})
    output = child.communicate()[0]
    seconds = time.monotonic() - start
    verdict = f"{name}: {'ok' if child.returncode == 0 else 'FAILED'} after {seconds:.0f} s"
    skipped = [line for line in output.splitlines() if line.startswith("SKIPPED ")]
    print("\n".join([*([output] if child.returncode else skipped), verdict]), flush=True)
    return child.returncode, output, seconds


def suite(name, command):
    """Runs a suite; returns its passed and failed tests, its name and its seconds. Another command counts as one test."""
    code, output, seconds = run(name, command)
    is_suite_of_tests = "test" in command or "pytest" in command
    passed, failed = counted(code, output) if is_suite_of_tests else (int(code == 0), int(code != 0))
    return passed, failed, name, seconds


def counted(code, output):
    """Returns passed and failed tests by the lines in which cargo and pytest sum up; a suite that broke is one failure."""
    of_pytest = re.compile(r" in [\d.]+s(\s|$|=)")
    sums = [line for line in output.splitlines() if line.startswith("test result:") or of_pytest.search(line)]
    found = {"passed": 0, "failed": 0}
    for line in sums:
        for count, what in COUNT.findall(line):
            found["passed" if what == "passed" else "failed"] += int(count)
    if code and not found["failed"]:
        found["failed"] = 1
    return found["passed"], found["failed"]


def self_test():
    """Checks the forms of ONLY against this repository."""
    def check(only, command, builds, has_browser):
        plan = plan_of(only)
        commands = [command for suites in [plan.alone, *plan.lanes] for _, command in suites]
        assert commands == ([BUILD_PROGRAMS] if builds else []) + [command], (only, commands)
        assert (BROWSER in plan.setup) == has_browser, only

    cargo_test = ["cargo", "test", "--quiet", "--no-fail-fast", "-p"]
    check("interop", PYTEST + ["tests/interop"], True, False)
    check("tests/aeroalpes", PYTEST + ["tests/aeroalpes"], True, True)
    check("faults/test_log.py::test_x", PYTEST + ["tests/faults/test_log.py::test_x"], True, False)
    one = "tests/interop/test_masks.py::test_a[b::c]"
    check(one, PYTEST + [one], True, False)
    check("demo", DEMO, True, True)
    check("sidecar", PYTEST + ["tests/aeroalpes/test_sidecar.py"], True, True)
    assert all(PARTS.values())
    check("lints", LINTS, False, False)
    check("circles", CIRCLES, False, False)
    check("line-width", WIDTH, False, False)
    for name in ("bitacora-change", "change", "crates/change"):
        check(name, cargo_test + ["bitacora-change"], False, False)
    check("change::avro::schema", cargo_test + ["bitacora-change", "avro::schema"], False, False)
    check("aeroalpes::reserva", cargo_test + ["aeroalpes", "reserva"], False, False)
    for wrong in ("charge", "tests/interop/test_none.py", "", "tests/run.py", "faults::words"):
        try:
            plan_of(wrong)
        except ValueError as error:
            assert "bitacora-change" in str(error) and "faults" in str(error), error
        else:
            raise AssertionError(f"{wrong!r} was taken for something")
    folders = {path.name for path in (ROOT / "tests").iterdir() if any(path.glob("test_*.py"))}
    whole = {target for lane in whole_plan().lanes for _, command in lane for target in command}
    assert {f"tests/{folder}" for folder in folders} <= whole, "a folder of tests/ is in no lane"
    assert all((ROOT / file).is_file() for file in PATIENT)
    assert counted(0, "test result: ok. 3 passed; 0 failed; 1 ignored\n2 passed, 1 skipped in 0.5s") == (5, 0)
    assert counted(1, "nothing was summed up") == (0, 1)


def main(arguments):
    if arguments == ["--self-test"]:
        self_test()
        return 0
    try:
        plan = plan_of(arguments[0]) if arguments else whole_plan()
    except ValueError as error:
        sys.exit(str(error))
    for command in plan.setup:
        if run(f"set-up: {' '.join(command)}", command)[0]:
            print("0 passed, 1 failed")
            return 1
    python = subprocess.run(["tools/python-env.sh"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    of = lambda each: (each[0], [python if word == "{python}" else word for word in each[1]])
    results, is_built = [], True
    for each in plan.alone:
        if is_built:
            results.append(suite(*of(each)))
            is_built = each[0] != "build" or not results[-1][1]
    if plan.lanes and is_built:
        with ThreadPoolExecutor(len(plan.lanes)) as pool:
            for lane in pool.map(lambda lane: [suite(*of(each)) for each in lane], plan.lanes):
                results += lane
    print("times: " + ", ".join(f"{name} {seconds:.0f} s" for _, _, name, seconds in results))
    print(f"{sum(each[0] for each in results)} passed, {sum(each[1] for each in results)} failed")
    return 1 if any(each[1] for each in results) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
