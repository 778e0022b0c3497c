"""What keeps `bitacora` from starting: one sentence with the remedy, an exit code that is not zero, nothing else."""

import re
import signal

import pytest

from harness.process import Process, free_port, wait_until
from harness.servers import Bitacora, bitacora_binary, source_toml


def run(*arguments, seconds=60):
    """Runs the binary to its end; returns its exit code and the lines of its standard error."""
    process = Process([bitacora_binary(), *arguments])
    try:
        code = process.wait(seconds)
    finally:
        process.kill()
    return code, process.stderr().splitlines()


def refuses(outcome, *parts):
    """Checks that the last line is the one sentence, that it holds all `parts`, and that no debug print came."""
    code, lines = outcome
    text = "\n".join(lines)
    assert code not in (0, 101) and code > 0, (code, text)
    assert not re.search(r"panicked|stack backtrace|RUST_BACKTRACE|\bErr\(|Error \{", text), text
    assert lines and lines[-1].startswith("bitacora: "), text
    for part in parts:
        assert re.search(part, lines[-1], re.IGNORECASE), (part, text)


def up(folder, sources, extra_broker=""):
    file = folder / "bitacora.toml"
    file.write_text(f'data_dir = "{folder / "data"}"\n\n[broker]\nlisten = "127.0.0.1:{free_port()}"\n'
                    f'http = "127.0.0.1:{free_port()}"\n{extra_broker}\n{sources}')
    return "up", "-c", file


@pytest.fixture(scope="module")
def held():
    """A broker whose addresses and folder are taken."""
    running = Bitacora()
    yield running
    assert running.stop() == 0, running.process.stderr()


@pytest.mark.parametrize("user, password", [("debezium", "wrong"), ("nobody_of_that_name", "dbz")])
def test_login_refused(database, tmp_path, user, password):
    refuses(run(*up(tmp_path, source_toml(database, "s", ["faults.t"], user=user, password=password))), user)


def test_broker_listen_in_use(held, tmp_path):
    refuses(run("broker", "--listen", f"127.0.0.1:{held.port}", "--http", f"127.0.0.1:{free_port()}", "--data-dir", tmp_path), str(held.port))


@pytest.mark.parametrize("option", ["--listen", "--http"])
def test_an_address_for_other_machines_needs_leave(tmp_path, option):
    addresses = {"--listen": f"127.0.0.1:{free_port()}", "--http": f"127.0.0.1:{free_port()}", option: f"0.0.0.0:{free_port()}"}
    refuses(run("broker", *sum(addresses.items(), ()), "--data-dir", tmp_path), "no authentication", "--allow-remote")


def test_broker_http_in_use(held, tmp_path):
    refuses(run("broker", "--listen", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{held.http}", "--data-dir", tmp_path), str(held.http))


def test_data_directory_locked(held):
    outcome = run("broker", "--listen", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{free_port()}", "--data-dir", held.data_dir)
    refuses(outcome, re.escape(str(held.data_dir)))


def test_configuration_file_missing(tmp_path):
    refuses(run("up", "-c", tmp_path / "absent.toml"), "absent.toml")


def test_misspelt_key_names_the_nearest(tmp_path):
    refuses(run(*up(tmp_path, "", 'liste = "127.0.0.1:1"')), "liste", "listen")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_broker_ends_with_zero(tmp_path, end):
    http = free_port()
    process = Process([bitacora_binary(), "broker", "--listen", f"127.0.0.1:{free_port()}", "--http", f"127.0.0.1:{http}", "--data-dir", tmp_path])
    wait_until("the ready line", lambda: not process.running() or process.stdout() or process.stderr())
    code = process.stop() if end == signal.SIGINT else process.terminate()
    assert code == 0, process.stderr()
