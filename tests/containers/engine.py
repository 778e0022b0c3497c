"""A container engine of this machine's own packages, with its folders below the cache, and the versions of compose."""

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

HERE = pathlib.Path(__file__).resolve().parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "bitacora/containers"
PACKAGES = {"/usr/sbin/dockerd": "docker.io", "/usr/bin/docker-compose": "docker-compose", "/usr/sbin/debootstrap": "debootstrap"}
# Debian releases whose docker-compose is a version 2; 1.29 is this machine's own package.
RELEASES = {"2.26": "trixie", "2.40": "sid"}
COMPOSE = ["1.29", *RELEASES]


def install():
    """Installs the packages that are absent, as root."""
    absent = [package for file, package in PACKAGES.items() if not os.path.exists(file)]
    if absent:
        subprocess.run(["apt-get", "-qq", "update"], check=True)
        # The engine that the package would start is not ours.
        env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
        subprocess.run(["apt-get", "-qq", "install", "-y", "--no-install-recommends", *absent], check=True, env=env, stdout=subprocess.DEVNULL)


@contextlib.contextmanager
def engine():
    """Gives the address of a running engine: that of DOCKER_HOST, or one that is started here and ended afterwards."""
    if "DOCKER_HOST" in os.environ:
        yield os.environ["DOCKER_HOST"]
        return
    CACHE.mkdir(parents=True, exist_ok=True)
    socket = CACHE / "docker.sock"
    with open(CACHE / "dockerd.log", "w") as log:
        daemon = subprocess.Popen(
            ["/usr/sbin/dockerd", "--data-root", CACHE / "data", "--exec-root", CACHE / "exec", "--pidfile", CACHE / "pid", "--host", f"unix://{socket}"],
            stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(["/usr/bin/docker", "--host", f"unix://{socket}", "info"], capture_output=True).returncode:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"dockerd did not start; its log is {CACHE / 'dockerd.log'}")
            time.sleep(0.2)
        yield f"unix://{socket}"
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait(120)


def programs(version):
    """Returns a folder with `docker` and `docker-compose`, and the plugins' folder, for a version of compose."""
    folder = CACHE / f"compose-{version}"
    plugins = folder / "config/cli-plugins"
    if not (folder / "docker-compose").exists():
        plugins.mkdir(parents=True, exist_ok=True)
        if version in RELEASES:
            subprocess.run([HERE / "unpack.sh", RELEASES[version], folder / "root", "docker-compose", "docker-buildx"], check=True)
            for plugin in (folder / "root/usr/libexec/docker/cli-plugins").iterdir():
                shutil.copy2(plugin, plugins)
        (folder / "docker").unlink(missing_ok=True)
        os.symlink("/usr/bin/docker", folder / "docker")
        os.symlink(plugins / "docker-compose" if version in RELEASES else "/usr/bin/docker-compose", folder / "docker-compose")
    return folder


def environment(version, host):
    """Returns the environment of a reader with a version of compose; 1.29 goes with the older builder, as in Debian 12."""
    folder = programs(version)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "DOCKER_", "SMTP_", "CORREO_"))}
    return {**kept, "DOCKER_HOST": host, "PATH": f"{folder}:{os.environ['PATH']}", "DOCKER_CONFIG": str(folder / "config"),
            "DOCKER_BUILDKIT": "1" if version in RELEASES else "0", "LC_ALL": "C.UTF-8", "BUILDKIT_PROGRESS": "plain"}
