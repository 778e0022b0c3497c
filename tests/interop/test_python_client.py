"""The official Python client against the embedded broker: what a real Pulsar would do."""

import json
import time

import pulsar
import pytest

from harness import servers

EARLIEST = pulsar.InitialPosition.Earliest


def send_all(client, topic, payloads, **options):
    producer = client.create_producer(topic, **options)
    ids = [producer.send(p) for p in payloads]
    producer.close()
    return ids


def receive(consumer, count, ack=True, milliseconds=10_000):
    out = []
    for _ in range(count):
        message = consumer.receive(milliseconds)
        out.append(message.data())
        if ack:
            consumer.acknowledge(message)
    return out


def assert_silent(consumer, milliseconds=300):
    with pytest.raises(pulsar.Timeout):
        consumer.receive(milliseconds)


def test_messages_arrive_in_order_with_their_metadata(client, topic):
    producer = client.create_producer(topic)
    producer.send(b"one", properties={"p": "v"}, partition_key="k", event_timestamp=1234)
    producer.send("dós".encode())
    consumer = client.subscribe(topic, "s", initial_position=EARLIEST)
    first, second = consumer.receive(10_000), consumer.receive(10_000)
    assert (first.data(), first.properties(), first.partition_key(), first.event_timestamp()) == (b"one", {"p": "v"}, "k", 1234)
    assert second.data().decode() == "dós"
    assert first.message_id() < second.message_id()


@pytest.mark.parametrize("compression", [pulsar.CompressionType.NONE, pulsar.CompressionType.LZ4, pulsar.CompressionType.ZLib,
                                         pulsar.CompressionType.ZSTD, pulsar.CompressionType.SNAPPY])
def test_batches_of_every_codec(client, topic, compression):
    producer = client.create_producer(topic, batching_enabled=True, batching_max_publish_delay_ms=50, compression_type=compression)
    sent = [f"{i} {'x' * i}".encode() for i in range(200)]
    for payload in sent:
        producer.send_async(payload, None)
    producer.flush()
    consumer = client.subscribe(topic, "s", initial_position=EARLIEST)
    assert receive(consumer, 200) == sent


def test_exclusive_subscription_refuses_a_second_consumer(client, topic):
    consumer = client.subscribe(topic, "s")
    with pytest.raises(pulsar.ConsumerBusy):
        client.subscribe(topic, "s")
    consumer.close()
    client.subscribe(topic, "s").close()


def test_acknowledged_messages_do_not_come_again(client, topic):
    consumer = client.subscribe(topic, "s", initial_position=EARLIEST)
    send_all(client, topic, [b"a", b"b", b"c"])
    messages = [consumer.receive(10_000) for _ in range(3)]
    consumer.acknowledge(messages[1])
    time.sleep(0.3)  # the client collects acknowledgements before it sends them
    consumer.close()
    consumer = client.subscribe(topic, "s")
    assert receive(consumer, 2) == [b"a", b"c"]
    assert_silent(consumer)


def test_cumulative_acknowledgement(client, topic):
    consumer = client.subscribe(topic, "s", initial_position=EARLIEST)
    send_all(client, topic, [b"a", b"b", b"c"])
    messages = [consumer.receive(10_000) for _ in range(3)]
    consumer.acknowledge_cumulative(messages[1])
    time.sleep(0.3)
    consumer.close()
    assert receive(client.subscribe(topic, "s"), 1) == [b"c"]


def test_negative_acknowledgement_brings_the_message_back(client, topic):
    consumer = client.subscribe(topic, "s", pulsar.ConsumerType.Shared, initial_position=EARLIEST, negative_ack_redelivery_delay_ms=100)
    send_all(client, topic, [b"a"])
    first = consumer.receive(10_000)
    consumer.negative_acknowledge(first)
    again = consumer.receive(10_000)
    assert (again.data(), again.redelivery_count()) == (b"a", 1)
    consumer.acknowledge(again)


def test_shared_consumers_divide_the_messages(client, topic):
    consumers = [client.subscribe(topic, "s", pulsar.ConsumerType.Shared, receiver_queue_size=10, initial_position=EARLIEST) for _ in range(2)]
    producer = client.create_producer(topic, batching_enabled=False)
    for i in range(100):
        producer.send_async(b"%d" % i, None)
    producer.flush()
    seen = [set(), set()]
    deadline = time.monotonic() + 20
    while sum(map(len, seen)) < 100 and time.monotonic() < deadline:
        for consumer, mine in zip(consumers, seen):
            try:
                message = consumer.receive(50)
            except pulsar.Timeout:
                continue
            mine.add(message.data())
            consumer.acknowledge(message)
    assert seen[0] | seen[1] == {b"%d" % i for i in range(100)} and not seen[0] & seen[1]
    assert seen[0] and seen[1]


def test_failover_hands_over_when_the_active_consumer_goes(client, topic):
    a = client.subscribe(topic, "s", pulsar.ConsumerType.Failover, consumer_name="a", initial_position=EARLIEST)
    b = client.subscribe(topic, "s", pulsar.ConsumerType.Failover, consumer_name="b", initial_position=EARLIEST)
    send_all(client, topic, [b"1"])
    assert receive(a, 1) == [b"1"]
    assert_silent(b)
    time.sleep(0.3)
    a.close()
    send_all(client, topic, [b"2"])
    assert receive(b, 1) == [b"2"]


def test_reader_from_earliest_latest_and_a_message(client, topic):
    ids = send_all(client, topic, [b"a", b"b", b"c"], batching_enabled=False)

    def read(start, count):
        reader = client.create_reader(topic, start)
        return [reader.read_next(10_000).data() for _ in range(count)], reader

    assert read(pulsar.MessageId.earliest, 3)[0] == [b"a", b"b", b"c"]
    assert read(ids[0], 2)[0] == [b"b", b"c"]
    reader = read(pulsar.MessageId.latest, 0)[1]
    assert not reader.has_message_available()
    send_all(client, topic, [b"d"])
    assert reader.read_next(10_000).data() == b"d"


def test_seek_to_a_message_and_to_a_time(client, topic):
    ids = send_all(client, topic, [b"a", b"b"], batching_enabled=False)
    time.sleep(0.02)
    between_ms = int(time.time() * 1000)
    time.sleep(0.02)
    send_all(client, topic, [b"c"])
    consumer = client.subscribe(topic, "s", initial_position=EARLIEST)
    assert receive(consumer, 3) == [b"a", b"b", b"c"]
    consumer.seek(ids[1])
    assert receive(consumer, 1)[0] in (b"b", b"c")  # clients differ in whether the start is included
    consumer.seek(between_ms)
    assert receive(consumer, 1) == [b"c"]


def test_unsubscribe_forgets_the_position(client, topic):
    consumer = client.subscribe(topic, "s", initial_position=EARLIEST)
    send_all(client, topic, [b"a"])
    assert receive(consumer, 1) == [b"a"]
    consumer.unsubscribe()
    assert receive(client.subscribe(topic, "s", initial_position=EARLIEST), 1) == [b"a"]


def test_last_sequence_id_and_deduplication_by_producer_name(client, topic):
    producer = client.create_producer(topic, producer_name="p", initial_sequence_id=10, batching_enabled=False)
    producer.send(b"a")
    assert producer.last_sequence_id() == 11
    producer.close()
    producer = client.create_producer(topic, producer_name="p")
    assert producer.last_sequence_id() == 11


def test_schemas_make_versions_and_reach_the_registry(client, broker, topic):
    class Row(pulsar.schema.Record):
        a = pulsar.schema.Integer()

    producer = client.create_producer(topic, schema=pulsar.schema.JsonSchema(Row))
    producer.send(Row(a=7))
    consumer = client.subscribe(topic, "s", schema=pulsar.schema.JsonSchema(Row), initial_position=EARLIEST)
    assert consumer.receive(10_000).value().a == 7
    answer = servers.rest(broker.admin, f"schemas/{topic.removeprefix('persistent://')}/schema")
    assert (answer["version"], answer["type"]) == (0, "JSON")
    assert json.loads(answer["data"])["name"] == "Row"


def test_topics_are_listed(client, broker, topic):
    send_all(client, topic, [b"x"])
    assert topic in servers.topics(broker.admin)
    assert topic in client.get_topic_partitions(topic)
