//! A steady load with a crash now and then: no change may be lost or arrive twice, and memory must stay below its
//! ceiling.
//!
//! `BITACORA_SOAK_MINUTES` sets the time (default 20 seconds).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod scene;

use std::time::{Duration, Instant};

use bitacora_testkit::delivery::SnapshotRule;
use scene::Scene;

const MEMORY_CEILING_BYTES: u64 = 256 << 20;

#[test]
fn under_a_steady_load() {
    let minutes: Option<f64> = std::env::var("BITACORA_SOAK_MINUTES").ok().map(|text| text.parse().expect("minutes"));
    let end =
        Instant::now() + minutes.map_or(Duration::from_secs(20), |minutes| Duration::from_secs_f64(minutes * 60.0));
    let life = Duration::from_secs(if minutes.is_some() { 60 } else { 5 });
    let scene = Scene::new();
    let load = scene.load(31);
    let mut up = scene.start_up();
    scene.wait_for_broker(&mut up);
    scene.wait_for_stream(&mut up);
    let mut peak = 0;
    while Instant::now() < end {
        std::thread::sleep(life.min(end.saturating_duration_since(Instant::now()))); // the load runs meanwhile
        assert!(up.is_running(), "bitacora ended by itself:\n{}", up.stderr());
        peak = peak.max(up.peak_resident_bytes().unwrap());
        up.kill9();
        up = scene.start_up();
        scene.wait_for_broker(&mut up);
    }
    let count = scene.verdict(load, SnapshotRule::Once);
    println!("soak: {count} changes, peak resident memory {} MiB", peak >> 20);
    assert!(peak <= MEMORY_CEILING_BYTES, "resident memory reached {peak} bytes");
    assert_eq!(up.interrupt(), 0, "{}", up.stderr());
}
