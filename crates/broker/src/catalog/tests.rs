use std::{collections::HashMap, sync::Arc, time::Duration};

use bitacora_pulsar_wire::{BatchBuilder, Codec, EntryHeader, OutgoingMessage, TopicName};
use bytes::Bytes;

use super::*;
use crate::{
    config::BrokerConfig,
    peer::Connection,
    storage::key,
    topic::{AccessMode, Counter, Epochs, ProducerHandle, Publish, StartAt, Topic},
};

fn name() -> TopicName {
    TopicName::parse("t").unwrap()
}

/// Returns a catalog with one topic and its durable subscription `s`, whose cursor has moved since it was stored.
async fn with_a_moved_cursor(folder: &tempfile::TempDir) -> (Arc<Catalog>, Arc<Topic>) {
    let (catalog, _) = Catalog::open(&BrokerConfig::new(folder.path())).await.unwrap();
    let topic = catalog.topic(&name(), Missing::Create).await.unwrap();
    topic.create_subscription("s", StartAt::Earliest, HashMap::new()).await.unwrap();
    topic.subscription("s").unwrap().mark_dirty();
    (Arc::new(catalog), topic)
}

fn stored_cursors(catalog: &Catalog) -> usize {
    catalog.store.list::<serde_json::Value>(&["cursor", &name().to_string()]).unwrap().len()
}

/// A cursor written after its topic's deletion would belong to the next topic of that name, at a wrong place.
#[tokio::test(flavor = "multi_thread")]
async fn no_cursor_of_a_deleted_topic_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let (catalog, topic) = with_a_moved_cursor(&folder).await;
    let subscription = topic.subscription("s").unwrap();
    catalog.delete_topic(&name()).await.unwrap();
    topic.flush_cursor(&subscription).await.unwrap();
    assert_eq!(stored_cursors(&catalog), 0, "by the end of a consumer");
    topic.create_subscription("late", StartAt::Earliest, HashMap::new()).await.unwrap_err();
    assert_eq!(stored_cursors(&catalog), 0, "by a subscription");
    topic.seek(&subscription, &StartAt::Earliest).await.unwrap_err();
    assert_eq!(stored_cursors(&catalog), 0, "by a seek");
    topic.store_epoch(1).await.unwrap_err();
    assert_eq!(catalog.store.get::<u64>(&key(&["epoch", &name().to_string()])).unwrap(), None);
}

/// The deletion comes when a flush has read the cursors, but not yet written them.
#[tokio::test(flavor = "multi_thread")]
async fn a_deletion_waits_for_a_flush_that_has_begun() {
    let folder = tempfile::tempdir().unwrap();
    let (catalog, topic) = with_a_moved_cursor(&folder).await;
    let write_order = catalog.store.lock_write_order().await;
    let changes = topic.dirty_cursors().unwrap();
    assert_eq!(changes.len(), 1);
    let own = Arc::clone(&catalog);
    let mut deletion = tokio::spawn(async move { own.delete_topic(&name()).await });
    let early = tokio::time::timeout(Duration::from_millis(300), &mut deletion).await;
    catalog.store.apply(changes).await.unwrap();
    drop(write_order);
    if early.is_err() {
        deletion.await.unwrap().unwrap();
    }
    assert_eq!(stored_cursors(&catalog), 0);
}

/// Bytes on their way to the disk of a deleted topic once counted against their connection for ever. With enough of
/// them the broker never read from the connection again.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_deleted_topic_has_not_written_does_not_count_against_its_connection() {
    let folder = tempfile::tempdir().unwrap();
    let (_, topic) = with_a_moved_cursor(&folder).await;
    let connection = Arc::new(Connection::new(1, "test".to_owned(), 1 << 20));
    let producer = Arc::new(ProducerHandle {
        key: topic.next_member_key(),
        producer_id: 1,
        name: "p".to_owned(),
        is_named_by_user: true,
        mode: AccessMode::Shared,
        request_id: 1,
        schema_version: Bytes::new(),
        metadata: Vec::new(),
        connection: Arc::clone(&connection),
        connected_since_ms: 0,
        published: Counter::default(),
    });
    topic.admit_producer(&producer, Epochs::default()).await.unwrap();
    let mut builder = BatchBuilder::new();
    builder.append(&OutgoingMessage { value: Some(b"v"), ..OutgoingMessage::default() }).unwrap();
    let header = EntryHeader { producer_name: "p", publish_time_ms: 1, schema_version: None, codec: Codec::None };
    let entry = builder.finish(&header).unwrap().unwrap().entry;
    // From here on the commit thread skips the log, as it does if the deletion comes first.
    topic.log().delete();
    topic.publish(&producer, Publish { sequence_id: 0, highest_sequence_id: None, entry });
    topic.delete_log();
    let empty = connection.wait_for_inflight(0);
    tokio::time::timeout(Duration::from_secs(5), empty).await.expect("nothing on its way");
}
