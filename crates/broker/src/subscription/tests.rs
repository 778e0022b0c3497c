use super::*;

const NO_LIMIT: u64 = 1_000;

fn dispatcher(kind: SubscriptionKind) -> Dispatcher {
    Dispatcher::new(kind, Cursor::new(0), Limits::default(), None)
}

fn spec(name: &str) -> ConsumerSpec {
    ConsumerSpec { name: name.to_owned(), ..ConsumerSpec::default() }
}

fn limits(end: u64) -> PlanLimits {
    PlanLimits { end, entry_count: NO_LIMIT, now_ms: 0 }
}

/// Plans and delivers until nothing more can be delivered; returns (consumer, offset, redelivery count).
fn drain(d: &mut Dispatcher, end: u64, view: impl Fn(u64) -> EntryView) -> Vec<(ConsumerKey, u64, u32)> {
    let mut out = Vec::new();
    while let Some(plan) = d.plan(&limits(end)) {
        let entries: Vec<EntryView> = plan.ranges.iter().flat_map(|(s, e)| *s..*e).map(&view).collect();
        let before = d.read_offset();
        let deliveries = d.deliver(plan.generation, &entries, 0);
        if deliveries.is_empty() && before == d.read_offset() {
            break;
        }
        out.extend(deliveries.iter().map(|x| (x.consumer, entries[x.index].offset, x.redelivery_count)));
    }
    out
}

fn single(offset: u64) -> EntryView {
    EntryView { offset, message_count: 1, bytes: 10, ..EntryView::default() }
}

fn offsets(deliveries: &[(ConsumerKey, u64, u32)], consumer: ConsumerKey) -> Vec<u64> {
    deliveries.iter().filter(|d| d.0 == consumer).map(|d| d.1).collect()
}

#[test]
fn exclusive_holds_one_consumer_and_counts_permits_in_messages() {
    let mut d = dispatcher(SubscriptionKind::Exclusive);
    d.add_consumer(1, SubscriptionKind::Exclusive, spec("a")).unwrap();
    let busy = d.add_consumer(2, SubscriptionKind::Exclusive, spec("b"));
    assert_eq!(busy, Err(AddError::Busy { holder: 1 }));
    assert_eq!(d.add_consumer(2, SubscriptionKind::Shared, spec("b")), Err(AddError::OtherKind { holder: 1 }));
    d.flow(1, 15);
    let batch = |offset| EntryView { message_count: 10, ..single(offset) };
    assert_eq!(offsets(&drain(&mut d, 9, batch), 1), vec![0, 1]);
    assert_eq!(d.consumer(1).unwrap().permits(), -5);
    d.flow(1, 5);
    assert!(drain(&mut d, 9, batch).is_empty());
    d.flow(1, 1);
    assert_eq!(offsets(&drain(&mut d, 9, batch), 1), vec![2]);
}

#[test]
fn a_reconnected_exclusive_consumer_gets_what_it_did_not_acknowledge() {
    let mut d = dispatcher(SubscriptionKind::Exclusive);
    d.add_consumer(1, SubscriptionKind::Exclusive, spec("a")).unwrap();
    d.flow(1, 10);
    assert_eq!(drain(&mut d, 5, single).len(), 5);
    d.ack(1, 0, None);
    d.ack(1, 2, None);
    d.remove_consumer(1);
    d.add_consumer(2, SubscriptionKind::Exclusive, spec("a")).unwrap();
    d.flow(2, 10);
    assert_eq!(offsets(&drain(&mut d, 5, single), 2), vec![1, 3, 4]);
}

#[test]
fn redeliver_rewinds_an_exclusive_consumer_and_echoes_its_epoch() {
    let mut d = dispatcher(SubscriptionKind::Exclusive);
    d.add_consumer(1, SubscriptionKind::Exclusive, spec("a")).unwrap();
    d.flow(1, 10);
    drain(&mut d, 3, single);
    d.redeliver(1, None, Some(7));
    let plan = d.plan(&limits(3)).unwrap();
    assert_eq!(plan.ranges, vec![(0, 3)]);
    let deliveries = d.deliver(plan.generation, &[single(0)], 0);
    assert_eq!(deliveries[0].consumer_epoch, 7);
}

#[test]
fn failover_moves_on_and_tells_everyone() {
    let mut d = dispatcher(SubscriptionKind::Failover);
    let told = |consumer, is_active| ActiveChange { consumer, is_active };
    assert_eq!(d.add_consumer(1, SubscriptionKind::Failover, spec("a")), Ok(vec![told(1, true)]));
    assert_eq!(d.add_consumer(2, SubscriptionKind::Failover, spec("b")), Ok(vec![told(2, false)]));
    d.flow(1, 10);
    d.flow(2, 10);
    assert_eq!(offsets(&drain(&mut d, 3, single), 1), vec![0, 1, 2]);
    d.ack(1, 0, None);
    assert_eq!(d.remove_consumer(1), vec![told(2, true)]);
    assert_eq!(offsets(&drain(&mut d, 3, single), 2), vec![1, 2]);
}

#[test]
fn failover_of_a_partition_follows_the_sorted_names() {
    let mut d = Dispatcher::new(SubscriptionKind::Failover, Cursor::new(0), Limits::default(), Some(1));
    d.add_consumer(1, SubscriptionKind::Failover, spec("b")).unwrap();
    d.add_consumer(2, SubscriptionKind::Failover, spec("a")).unwrap();
    assert_eq!(d.active(), Some(1));
    d.add_consumer(3, SubscriptionKind::Failover, ConsumerSpec { priority: 1, ..spec("0") }).unwrap();
    assert_eq!(d.active(), Some(1));
    d.remove_consumer(1);
    assert_eq!(d.active(), Some(2));
}

#[test]
fn shared_goes_round_and_requeues_in_order_with_exact_counts() {
    let mut d = dispatcher(SubscriptionKind::Shared);
    for key in [1, 2] {
        d.add_consumer(key, SubscriptionKind::Shared, spec(&key.to_string())).unwrap();
        d.flow(key, 3);
    }
    let first = drain(&mut d, 9, single);
    assert_eq!((offsets(&first, 1), offsets(&first, 2)), (vec![0, 2, 4], vec![1, 3, 5]));
    d.ack(1, 2, None);
    d.redeliver(1, Some(&[4, 0, 1]), None);
    d.flow(2, 10);
    let second = drain(&mut d, 7, single);
    assert_eq!(second, vec![(2, 0, 1), (2, 4, 1), (2, 6, 0)]);
    d.remove_consumer(2);
    d.flow(1, 10);
    assert_eq!(drain(&mut d, 7, single), vec![(1, 0, 2), (1, 1, 1), (1, 3, 1), (1, 4, 2), (1, 5, 1), (1, 6, 1)]);
}

#[test]
fn shared_serves_the_best_priority_that_has_permits() {
    let mut d = dispatcher(SubscriptionKind::Shared);
    d.add_consumer(1, SubscriptionKind::Shared, ConsumerSpec { priority: 1, ..spec("low") }).unwrap();
    d.add_consumer(2, SubscriptionKind::Shared, spec("high")).unwrap();
    d.flow(1, 5);
    d.flow(2, 2);
    let out = drain(&mut d, 4, single);
    assert_eq!((offsets(&out, 2), offsets(&out, 1)), (vec![0, 1], vec![2, 3]));
}

#[test]
fn delivery_stops_at_the_unacked_cap_and_resumes_at_half() {
    let limits = Limits { unacked_per_consumer: 4, unacked_per_subscription: 100 };
    let mut d = Dispatcher::new(SubscriptionKind::Shared, Cursor::new(0), limits, None);
    d.add_consumer(1, SubscriptionKind::Shared, spec("a")).unwrap();
    d.flow(1, 100);
    assert_eq!(drain(&mut d, 20, single).len(), 4);
    d.ack(1, 0, None);
    assert!(drain(&mut d, 20, single).is_empty());
    d.ack(1, 1, None);
    assert_eq!(drain(&mut d, 20, single).len(), 2);
    assert_eq!(d.consumer(1).unwrap().unacked(), 4);
}

#[test]
fn a_batch_acknowledged_in_part_comes_back_with_the_rest_only() {
    let mut d = dispatcher(SubscriptionKind::Shared);
    d.add_consumer(1, SubscriptionKind::Shared, spec("a")).unwrap();
    d.flow(1, 20);
    let batch = |offset| EntryView { message_count: 4, ..single(offset) };
    drain(&mut d, 1, batch);
    d.ack(1, 0, Some(AckSet::from_wire(&[0b1010])));
    assert_eq!(d.unacked(), 2);
    d.redeliver(1, None, None);
    let plan = d.plan(&limits(1)).unwrap();
    let deliveries = d.deliver(plan.generation, &[batch(0)], 0);
    assert_eq!(deliveries[0].ack_set, vec![0b1010]);
    assert_eq!(deliveries[0].redelivery_count, 1);
}

#[test]
fn all_chunks_of_a_message_reach_one_shared_consumer() {
    let mut d = dispatcher(SubscriptionKind::Shared);
    for key in [1, 2] {
        d.add_consumer(key, SubscriptionKind::Shared, spec(&key.to_string())).unwrap();
        d.flow(key, 100);
    }
    let chunk = |offset: u64| EntryView {
        chunk: (offset < 3).then_some(ChunkPart { uuid_hash: 9, is_last: offset == 2 }),
        ..single(offset)
    };
    let out = drain(&mut d, 5, chunk);
    assert!([vec![0, 1, 2], vec![0, 1, 2, 4], vec![0, 1, 2, 3]].contains(&offsets(&out, 1)), "{out:?}");
}

#[test]
fn a_delayed_entry_waits_and_others_pass() {
    let mut d = dispatcher(SubscriptionKind::Shared);
    d.add_consumer(1, SubscriptionKind::Shared, spec("a")).unwrap();
    d.flow(1, 10);
    let view = |offset| EntryView { deliver_at_ms: if offset == 0 { 500 } else { 0 }, ..single(offset) };
    assert_eq!(offsets(&drain(&mut d, 3, view), 1), vec![1, 2]);
    assert_eq!(d.next_due_ms(), Some(500));
    let plan = d.plan(&PlanLimits { now_ms: 500, ..limits(3) }).unwrap();
    assert_eq!(plan.ranges, vec![(0, 1)]);
    assert_eq!(d.deliver(plan.generation, &[view(0)], 500).len(), 1);
}

#[test]
fn key_shared_keeps_a_key_with_one_consumer_until_it_is_drained() {
    let mut d = dispatcher(SubscriptionKind::KeyShared);
    d.add_consumer(1, SubscriptionKind::KeyShared, spec("a")).unwrap();
    d.flow(1, 1_000);
    let view = |offset: u64| EntryView { key_hash: sticky_hash(&[(offset % 8) as u8]), ..single(offset) };
    assert_eq!(drain(&mut d, 8, view).len(), 8);
    d.add_consumer(2, SubscriptionKind::KeyShared, spec("b")).unwrap();
    d.flow(2, 1_000);
    let out = drain(&mut d, 16, view);
    let moved: Vec<u64> = (8..16).filter(|o| !out.iter().any(|x| x.1 == *o)).collect();
    assert!(out.iter().all(|x| x.0 == 1), "keys held by the first consumer must not move: {out:?}");
    assert!(!moved.is_empty(), "some keys belong to the new consumer");
    for offset in 0..8 {
        d.ack(1, offset, None);
    }
    assert_eq!(offsets(&drain(&mut d, 16, view), 2), moved);
}

/// The newest of several consumers of one name once got every key.
#[test]
fn key_shared_consumers_of_one_name_share_the_keys() {
    let mut d = dispatcher(SubscriptionKind::KeyShared);
    for consumer in 1..=3 {
        d.add_consumer(consumer, SubscriptionKind::KeyShared, spec("worker")).unwrap();
        d.flow(consumer, 1_000);
    }
    let view = |offset: u64| EntryView { key_hash: sticky_hash(&offset.to_be_bytes()), ..single(offset) };
    let out = drain(&mut d, 300, view);
    let shares = [1, 2, 3].map(|consumer| offsets(&out, consumer).len());
    assert!(shares.iter().all(|share| (50..=150).contains(share)), "{shares:?}");
}

#[test]
fn sticky_ranges_must_not_overlap() {
    let mut d = dispatcher(SubscriptionKind::KeyShared);
    let sticky = |s, e| ConsumerSpec { key_shared: KeySharedMode::Sticky(vec![(s, e)]), ..spec("x") };
    assert!(d.add_consumer(1, SubscriptionKind::KeyShared, sticky(0, 99)).is_ok());
    assert_eq!(d.add_consumer(2, SubscriptionKind::KeyShared, sticky(99, 200)), Err(AddError::Ranges));
    assert_eq!(d.add_consumer(2, SubscriptionKind::KeyShared, sticky(100, 70_000)), Err(AddError::Ranges));
    assert!(d.add_consumer(2, SubscriptionKind::KeyShared, sticky(100, 65_535)).is_ok());
}

#[test]
fn entries_read_before_a_seek_are_not_delivered_after_it() {
    let mut d = dispatcher(SubscriptionKind::Exclusive);
    d.add_consumer(1, SubscriptionKind::Exclusive, spec("a")).unwrap();
    d.flow(1, 10);
    let plan = d.plan(&limits(5)).unwrap();
    d.seek(3, None);
    assert!(d.deliver(plan.generation, &[single(0)], 0).is_empty());
    assert_eq!(d.plan(&limits(5)).unwrap().ranges, vec![(3, 5)]);
}

#[test]
fn an_unwritable_consumer_does_not_hold_up_the_others() {
    let mut d = dispatcher(SubscriptionKind::Shared);
    for key in [1, 2] {
        d.add_consumer(key, SubscriptionKind::Shared, spec(&key.to_string())).unwrap();
        d.flow(key, 100);
    }
    d.set_writable(1, false);
    assert_eq!(offsets(&drain(&mut d, 4, single), 2), vec![0, 1, 2, 3]);
}

mod model {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Op {
        Join,
        Leave(usize),
        Flow(usize, u32),
        Ack(u64),
        Nack(usize),
        Publish(u64),
    }

    fn op() -> impl Strategy<Value = Op> {
        prop_oneof![
            Just(Op::Join),
            (0usize..4).prop_map(Op::Leave),
            (0usize..4, 1u32..6).prop_map(|(c, n)| Op::Flow(c, n)),
            (0u64..30).prop_map(Op::Ack),
            (0usize..4).prop_map(Op::Nack),
            (1u64..4).prop_map(Op::Publish),
        ]
    }

    fn run(kind: SubscriptionKind, ops: Vec<Op>) -> Result<(), TestCaseError> {
        let view = |offset: u64| EntryView { key_hash: sticky_hash(&[(offset % 3) as u8]), ..single(offset) };
        let mut d = dispatcher(kind);
        let (mut end, mut next_key, mut acked) = (0u64, 1u64, BTreeSet::new());
        for op in ops {
            let member = |d: &Dispatcher, i: usize| d.consumers().get(i).map(|c| c.key());
            match op {
                Op::Join => {
                    let _ = d.add_consumer(next_key, kind, spec(&format!("c{next_key}")));
                    next_key += 1;
                }
                Op::Leave(i) => {
                    if let Some(key) = member(&d, i) {
                        d.remove_consumer(key);
                    }
                }
                Op::Flow(i, n) => {
                    if let Some(key) = member(&d, i) {
                        d.flow(key, n);
                    }
                }
                Op::Ack(offset) => {
                    if offset < end {
                        d.ack(0, offset, None);
                        acked.insert(offset);
                    }
                }
                Op::Nack(i) => {
                    if let Some(key) = member(&d, i) {
                        d.redeliver(key, None, None);
                    }
                }
                Op::Publish(n) => end += n,
            }
            for (_, offset, _) in drain(&mut d, end, view) {
                prop_assert!(!acked.contains(&offset), "acknowledged entry {} was delivered", offset);
            }
            let held: u64 = d.consumers().iter().map(|c| c.unacked()).sum();
            prop_assert_eq!(held, d.unacked());
        }
        // Whatever happened, a new consumer with permits gets everything that is left once all others have gone.
        for key in d.consumers().iter().map(|c| c.key()).collect::<Vec<_>>() {
            d.remove_consumer(key);
        }
        d.add_consumer(next_key, kind, spec("last")).unwrap();
        d.flow(next_key, 10_000);
        let got: BTreeSet<u64> = drain(&mut d, end, view).into_iter().map(|x| x.1).collect();
        let expected: BTreeSet<u64> = (0..end).filter(|o| !acked.contains(o)).collect();
        prop_assert_eq!(got, expected);
        Ok(())
    }

    proptest! {
        #[test]
        fn exclusive_loses_nothing(ops in proptest::collection::vec(op(), 0..60)) {
            run(SubscriptionKind::Exclusive, ops)?;
        }

        #[test]
        fn failover_loses_nothing(ops in proptest::collection::vec(op(), 0..60)) {
            run(SubscriptionKind::Failover, ops)?;
        }

        #[test]
        fn shared_loses_nothing(ops in proptest::collection::vec(op(), 0..60)) {
            run(SubscriptionKind::Shared, ops)?;
        }

        #[test]
        fn key_shared_loses_nothing(ops in proptest::collection::vec(op(), 0..60)) {
            run(SubscriptionKind::KeyShared, ops)?;
        }
    }
}
