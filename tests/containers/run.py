#!/usr/bin/env python3
"""`make containers`: does what the tutorial's pages say, word for word, with a real container engine.

  run.py [--compose VERSION]... [--programs FOLDER] [--page FILE]... [--keep]

Every block of commands of a page is typed into a terminal, in order, and what is then seen is compared with what the page promises
(page.py). This is done with each version of compose: 1.29 with the older builder, 2.x with BuildKit and `docker compose`. Images are
made as the Dockerfile says the first time; later versions of compose take the programs out of these images, because each builder would
compile them again. --programs takes the programs of a folder from the start. --keep leaves containers and the copy of the checkout.

Then the whole airline runs under crashes (airline.py), unless --page asks for pages alone.

Needs root: it installs Debian's docker.io, docker-compose and debootstrap where they are absent, and starts an engine of its own
below the cache, unless DOCKER_HOST names one.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import airline
import engine
import page
from terminal import Terminal

ROOT = pathlib.Path(__file__).resolve().parents[2]
PAGES = ["tutorial/README.md", "tutorial/aprender.md"]
# Images that a page starts without compose.
ALONE = ["aeroalpes/flask", "aeroalpes/adaptador", "aeroalpes/notificacion", "aeroalpes/ui"]
# Enough for a build of the programs.
PATIENCE = 3600
# Enough for what a running command shows.
SIGHT = 300
# What a student's umask may hide is read all the same; only this file is read by the database's own user.
PUBLIC = {"tutorial/init.sql"}


class Failed(Exception):
    """A page that is not true."""


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--compose", action="append", choices=engine.COMPOSE)
    parser.add_argument("--programs", type=pathlib.Path)
    parser.add_argument("--page", action="append")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if os.getuid():
        sys.exit("run.py: run it as root, which an engine needs")
    engine.install()
    failed = 0
    with engine.engine() as host:
        subprocess.run([engine.HERE / "base-images.sh"], check=True, env={**os.environ, "DOCKER_HOST": host, "PATH": f"/usr/bin:{os.environ['PATH']}"})
        programs = options.programs
        for version in options.compose or engine.COMPOSE:
            env = engine.environment(version, host)
            try:
                with checkout(programs, options.keep) as folder:
                    walk(folder, version, env, options)
                    programs = programs or taken_from_images(env)
            except Failed as failure:
                print(f"compose {version}: {failure}", file=sys.stderr, flush=True)
                failed += 1
    return min(failed, 1)


class checkout:
    """A copy of the files of this checkout, closed to other users as by a umask of 077."""

    def __init__(self, programs, keep):
        self._programs, self._keep = programs, keep
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="bitacora-tutorial-"))

    def __enter__(self):
        listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for name in listed.splitlines():
            source, target = ROOT / name, self.folder / name
            if source.is_file():
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
                executable = 0o100 if os.access(source, os.X_OK) else 0
                target.chmod(0o644 if name in PUBLIC else 0o600 | executable)
        if self._programs:
            take_programs(self.folder, self._programs)
        return self.folder

    def __exit__(self, *_):
        if not self._keep:
            shutil.rmtree(self.folder)


def take_programs(folder, programs):
    """Puts programs that are there already in the place of the stage that compiles them."""
    dockerfile = folder / "deploy/Dockerfile"
    text = dockerfile.read_text()
    begin, end = text.index("FROM --platform"), text.index("FROM scratch AS aeroalpes")
    stage = ("FROM debian:bookworm-slim AS build\nWORKDIR /src\nCOPY . .\n"
             "RUN install -D -t /out/usr/local/bin programas/bitacora programas/aeroalpes "
             "&& install -D -m 644 -t /out/etc/bitacora deploy/bitacora.toml && install -d -m 700 /out/datos\n\n")
    rest = text[end:]
    if any(is_dynamic(programs / name) for name in ("bitacora", "aeroalpes")):
        rest = rest.replace("FROM scratch", "FROM debian:bookworm-slim")
    dockerfile.write_text(text[:begin] + stage + rest)
    (folder / ".dockerignore").write_text("*\n!programas\n!deploy/bitacora.toml\n")
    (folder / "programas").mkdir()
    for name in ("bitacora", "aeroalpes"):
        shutil.copy(programs / name, folder / "programas")


def is_dynamic(program):
    return "interpreter" in subprocess.run(["readelf", "-l", program], capture_output=True, text=True, check=True).stdout


def taken_from_images(env):
    """The programs as the images have them."""
    folder = engine.CACHE / "programs"
    folder.mkdir(exist_ok=True)
    name = subprocess.run(["docker", "create", "localhost/aeroalpes/programas"], env=env, capture_output=True, text=True, check=True).stdout.strip()
    for program in ("bitacora", "aeroalpes"):
        subprocess.run(["docker", "cp", f"{name}:/usr/local/bin/{program}", folder], env=env, check=True, stdout=subprocess.DEVNULL)
    subprocess.run(["docker", "rm", name], env=env, check=True, stdout=subprocess.DEVNULL)
    return folder


def walk(folder, version, env, options):
    """Does what the pages say, in one folder, one after the other."""
    tutorial = folder / "tutorial"
    pages, keep, only_pages = options.page or PAGES, options.keep, options.page
    clean(tutorial, env)
    try:
        for name in pages:
            reader = Reader(tutorial, version, env, name)
            start = time.monotonic()
            try:
                reader.read((folder / name).read_text())
            finally:
                reader.close()
            print(f"compose {version}: {name}: {reader.done} blocks as promised after {time.monotonic() - start:.0f} s", flush=True)
        if not only_pages:
            # The client of the sidecar also calls from outside.
            os.environ["AEROALPES_BIN"] = str((options.programs or taken_from_images(env)).resolve() / "aeroalpes")
            try:
                airline.verify(tutorial, env, ["-d", "--wait"] if version in engine.RELEASES else ["-d"])
            except (airline.check.Failed, AssertionError, RuntimeError, TimeoutError, OSError) as error:
                raise Failed(f"under crashes: {error}") from error
            print(f"compose {version}: the airline under crashes, as it must be", flush=True)
    finally:
        if not keep:
            clean(tutorial, env)


def clean(tutorial, env):
    """Removes the containers and volumes of a walk."""
    alone = subprocess.run(["docker", "ps", "-aq", *[f"--filter=ancestor={image}" for image in ALONE]], env=env, capture_output=True, text=True).stdout.split()
    if alone:
        subprocess.run(["docker", "rm", "-f", *alone], env=env, capture_output=True)
    profiles = ["--profile", "pulsar", "--profile", "aeroalpes", "--profile", "pulsar-real"]
    done = subprocess.run(["docker-compose", *profiles, "down", "-v", "-t", "60"], cwd=tutorial, env=env, capture_output=True, text=True)
    if done.returncode:
        raise Failed(f"docker-compose down: {done.stderr[-2000:]}")


class Reader:
    """Who follows a page."""

    def __init__(self, folder, version, env, name):
        self._folder, self._version, self._env, self._name = folder, version, env, name
        self._terminals, self._seen = {}, {}
        self.done = 0

    def read(self, text):
        for step in page.steps(text):
            try:
                getattr(self, f"_{step.kind}")(self._terminal(step.terminal), step)
            except (TimeoutError, RuntimeError, OSError) as error:
                raise Failed(f"{self._name}:{step.line}: {step.text!r}: {error}") from error

    def _terminal(self, name):
        if name not in self._terminals:
            self._terminals[name] = Terminal(self._folder, self._env)
        return self._terminals[name]

    def _type(self, terminal, step):
        text = step.text
        if self._version in engine.RELEASES:
            text = text.replace("docker-compose ", "docker compose ")
        start = time.monotonic()
        self._seen[step.terminal] = terminal.type(text, PATIENCE)
        if step.promised is not None:
            self._see(terminal, step)
        elif step.ends:
            begin = self._seen[step.terminal]
            terminal.wait_for_prompt(PATIENCE)
            code = terminal.exit_code()
            if code:
                raise RuntimeError(f"ended with {code}:\n{terminal.text()[begin:][-3000:]}")
        self._tell(step, text, start)

    def _see(self, terminal, step):
        start, begin = time.monotonic(), self._seen.get(step.terminal, 0)
        pattern = page.pattern(step.promised)
        while not (found := pattern.search(terminal.text(), begin)):
            # At the prompt nothing more will come.
            idle = terminal.is_at_prompt() and not pattern.search(terminal.text(), begin)
            if idle or time.monotonic() > start + SIGHT:
                raise RuntimeError(f"promised was\n{step.promised}\nbut the terminal has\n{terminal.text()[begin:][-6000:]}")
            time.sleep(0.1)
        self._seen[step.terminal] = found.end()
        if step.kind == "see":
            self._tell(step, "as promised", start)

    def _tell(self, step, text, start):
        self.done += 1
        seconds = time.monotonic() - start
        print(f"  {self._name}:{step.line} [{step.terminal}] {text.splitlines()[0][:110]} ({seconds:.1f} s)", flush=True)

    def _press(self, terminal, _step):
        terminal.press_ctrl_c(120)

    def _wait(self, terminal, step):
        deadline = time.monotonic() + 300
        while subprocess.run(step.text, shell=True, cwd=self._folder, env=self._env, capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise TimeoutError("waited 300 s in vain")
            time.sleep(0.5)

    def close(self):
        for terminal in self._terminals.values():
            terminal.close()


if __name__ == "__main__":
    sys.exit(main())
