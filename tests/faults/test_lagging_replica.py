"""The address leads for a while to a replica that lags, as it does in a failover that is taken back."""

import json
import socket
import threading

import pytest
from harness import servers, wire
from harness.process import free_port, wait_until
from harness.servers import streaming


class Forwarder:
    """Forwards TCP connections to a port that can be changed; a change cuts those that are open."""

    def __init__(self, target):
        self.target, self._open = target, []
        self._listener = socket.create_server(("127.0.0.1", free_port()))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self.target))
            except OSError:
                return
            self._open += [near, far]
            for one, other in [(near, far), (far, near)]:
                threading.Thread(target=self._carry, args=(one, other), daemon=True).start()

    def _carry(self, one, other):
        try:
            while data := one.recv(65536):
                other.sendall(data)
        except OSError:
            pass
        for end in (one, other):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def lead_to(self, target):
        self.target, cut, self._open = target, self._open, []
        for end in cut:
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def stop(self):
        self._listener.close()
        self.lead_to(0)


FOLLOW = {
    "mysql": "CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT={port}, SOURCE_USER='debezium', SOURCE_PASSWORD='dbz', "
             "SOURCE_AUTO_POSITION=1, GET_SOURCE_PUBLIC_KEY=1, SOURCE_DELAY=3600; START REPLICA;",
    "mariadb": "CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT={port}, MASTER_USER='debezium', MASTER_PASSWORD='dbz', "
               "MASTER_USE_GTID=slave_pos, MASTER_DELAY=3600; START SLAVE;",
}


@pytest.mark.parametrize("product", ["mysql", "mariadb"])
def test_a_replica_that_lags_is_waited_for_and_the_broker_goes_on(product):
    """The process ended, and with it the broker; its remedy, a new snapshot of the replica, would have read old rows."""
    leader, replica = servers.Database(product), servers.Database(product, extra="--server-id=2")
    leader.client("CREATE DATABASE faults; CREATE TABLE faults.t (id INT PRIMARY KEY)")
    replica.client(FOLLOW[product].format(port=leader.port))
    forwarder = Forwarder(leader.port)
    toml = servers.source_toml(leader, "s", ["faults.t"], snapshot="when_needed").replace(str(leader.port), str(forwarder.port))
    running = servers.Bitacora(toml)
    streaming(running.process)

    def ids():
        messages = wire.dump(running.url, "persistent://public/default/s.faults.t", 0.5)
        return [json.loads(m["payload"])["after"]["id"] for m in messages if m.get("payload")]

    leader.client("INSERT INTO faults.t VALUES (1)")
    wait_until("the first row", lambda: ids() == [1], 30)
    forwarder.lead_to(replica.port)
    wait_until("the source to wait", lambda: running.process.must_run() or "waiting for the server behind" in running.process.stderr(), 60)
    assert "never executed" in running.process.stderr()
    leader.client("INSERT INTO faults.t VALUES (2)")
    forwarder.lead_to(leader.port)
    wait_until("the row behind the replica's time", lambda: ids() == [1, 2], 60)
    assert "a new snapshot is taken" not in running.process.stderr()
    assert running.stop() == 0
    forwarder.stop()
    replica.stop()
    leader.stop()
