"""A Pulsar that asks who its clients are: the source and the commands say it as Pulsar's own tools do."""

import base64
import hashlib
import hmac
import json
import subprocess

import pytest
from harness import servers
from harness.process import wait_until

KEY = b"a secret of thirty-two bytes, ok"
CONFIGURATION = """authenticationEnabled=true
authenticationProviders=org.apache.pulsar.broker.authentication.AuthenticationProviderToken
tokenSecretKey=data:;base64,{key}
superUserRoles=admin
brokerClientAuthenticationPlugin=org.apache.pulsar.client.impl.auth.AuthenticationToken
brokerClientAuthenticationParameters=token:{token}
brokerDeduplicationEnabled=true"""


def token(role):
    """A JSON web token of a role, by HS256."""
    part = lambda content: base64.urlsafe_b64encode(content).rstrip(b"=")
    text = part(b'{"alg":"HS256"}') + b"." + part(json.dumps({"sub": role}).encode())
    return (text + b"." + part(hmac.new(KEY, text, hashlib.sha256).digest())).decode()


@pytest.fixture(scope="module")
def pulsar():
    running = servers.Pulsar(CONFIGURATION.format(key=base64.b64encode(KEY).decode(), token=token("admin")), token("admin"))
    yield running
    running.stop()


def run(*arguments, env=None):
    return subprocess.run([servers.bitacora_binary(), *arguments], capture_output=True, text=True, timeout=60, env=env)


@pytest.mark.conformance
def test_commands(pulsar, tmp_path):
    file = tmp_path / "token"
    file.write_text(token("admin") + "\n")
    known = ["client", "--url", pulsar.url, "--auth-plugin", "org.apache.pulsar.client.impl.auth.AuthenticationToken", "--auth-params"]
    done = run(*known, f"file://{file}", "produce", "-m", "hola", "persistent://public/default/known")
    assert done.returncode == 0, done.stderr
    done = run(*known, f"token:{token('admin')}", "consume", "-s", "s", "-p", "Earliest", "persistent://public/default/known")
    assert done.returncode == 0 and "hola" in done.stdout, done.stderr
    done = run("topics", "--url", pulsar.url, "--auth-params", f"token:{token('admin')}", "list", "public/default")
    assert "persistent://public/default/known" in done.stdout, done.stderr
    for wrong in [], ["--auth-params", "token:wrong.wrong.wrong"]:
        done = run("topics", "--url", pulsar.url, *wrong, "list", "public/default")
        assert done.returncode == 1 and "Authentication" in done.stderr and "wrong.wrong" not in done.stderr, done.stderr


@pytest.mark.conformance
def test_a_source(pulsar, tmp_path):
    database = servers.Database("mysql")
    try:
        database.client("CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)")
        file = tmp_path / "token"
        file.write_text(token("admin"))
        text = servers.source_toml(database, "known", ["d.t"], destination=pulsar.url)
        running = servers.Bitacora(text.rstrip("\n") + f'\nauth_params = "file://{file}"\n')
        wait_until("the stream", lambda: running.process.must_run() or "streaming from" in running.process.stdout(), 60)
        database.client("INSERT INTO d.t VALUES (2)")
        command = ["client", "--url", pulsar.url, "--auth-params", f"file://{file}", "consume", "-s", "s", "-p", "Earliest", "-n", "2"]
        done = run(*command, "persistent://public/default/known.d.t")
        assert '"id":1' in done.stdout and '"id":2' in done.stdout, done.stderr
        assert running.stop() == 0
    finally:
        database.stop()
