"""A receipt means: on disk."""

import pulsar

from harness import servers, wire


def kill(broker, connection):
    """Kills the broker, then closes its client, which may say by now that it has lost the connection."""
    broker.process.kill()
    try:
        connection.close()
    except pulsar.NotConnected:
        pass


def test_receipts_survive_kill_9():
    broker = servers.Bitacora()
    try:
        connection = pulsar.Client(broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        topic = "persistent://public/default/durable"
        producer = connection.create_producer(topic, batching_enabled=False)
        for i in range(50):
            producer.send(b"%d" % i)
        kill(broker, connection)
        broker.start()
        assert [m["payload"] for m in wire.dump(broker.url, topic, 0.5)] == [str(i) for i in range(50)]
    finally:
        broker.stop()


def test_subscription_position_survives_kill_9():
    broker = servers.Bitacora()
    try:
        connection = pulsar.Client(broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        topic = "persistent://public/default/durable"
        consumer = connection.subscribe(topic, "s", initial_position=pulsar.InitialPosition.Earliest)
        producer = connection.create_producer(topic, batching_enabled=False)
        for i in range(4):
            producer.send(b"%d" % i)
        for _ in range(2):
            consumer.acknowledge(consumer.receive(10_000))
        consumer.close()  # sends the collected acknowledgements
        producer.send(b"4")
        kill(broker, connection)
        broker.start()
        connection = pulsar.Client(broker.url, logger=pulsar.ConsoleLogger(pulsar.LoggerLevel.Error))
        consumer = connection.subscribe(topic, "s")
        assert [consumer.receive(10_000).data() for _ in range(3)] == [b"2", b"3", b"4"]
        connection.close()
    finally:
        broker.stop()
