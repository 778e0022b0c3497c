//! `kill -9` at random moments under a steady write load: every committed change must arrive once, in order for each
//! key.
//!
//! `BITACORA_CHAOS_KILLS` sets the number of kills of each kind (default 10; `make chaos` uses 100), and
//! `BITACORA_CHAOS_SEED` the moments.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

mod moments;
mod scene;

use bitacora_testkit::BitacoraProcess;
use bitacora_testkit::delivery::SnapshotRule;
use bitacora_testkit::load::{Change, RowState, Step};
use moments::{Moments, setting};
use scene::Scene;

fn kill_count() -> u64 {
    setting("BITACORA_CHAOS_KILLS", 10)
}

/// Kills the process after a random time, which may be during its start, and starts the next one.
fn kill_and_start(process: &mut BitacoraProcess, moments: &mut Moments, start: impl Fn() -> BitacoraProcess) {
    std::thread::sleep(moments.within(1200)); // the random moment is what is tested, not a wait for a state
    assert!(process.is_running(), "bitacora ended by itself:\n{}", process.stderr());
    process.kill9();
    *process = start();
}

#[test]
fn of_the_whole_process() {
    let scene = Scene::new();
    let load = scene.load(11);
    let mut moments = Moments::new(1);
    let mut up = scene.start_up();
    scene.wait_for_broker(&mut up);
    scene.wait_for_stream(&mut up);
    for _ in 0..kill_count() {
        kill_and_start(&mut up, &mut moments, || scene.start_up());
    }
    scene.wait_for_broker(&mut up);
    let count = scene.verdict(load, SnapshotRule::Once);
    assert_eq!(up.interrupt(), 0, "{}", up.stderr());
    println!("chaos: {} kills of the whole process, {count} changes", kill_count());
}

#[test]
fn of_only_the_source() {
    let scene = Scene::new();
    let load = scene.load(12);
    let mut moments = Moments::new(2);
    let mut broker = scene.start_broker();
    scene.wait_for_broker(&mut broker);
    let mut source = scene.start_source();
    scene.wait_for_stream(&mut source);
    for _ in 0..kill_count() {
        kill_and_start(&mut source, &mut moments, || scene.start_source());
    }
    let count = scene.verdict(load, SnapshotRule::Once);
    assert_eq!(source.interrupt(), 0, "{}", source.stderr());
    assert_eq!(broker.interrupt(), 0, "{}", broker.stderr());
    println!("chaos: {} kills of the source, {count} changes", kill_count());
}

#[test]
fn of_only_the_broker() {
    let scene = Scene::new();
    let load = scene.load(13);
    let mut moments = Moments::new(3);
    let mut broker = scene.start_broker();
    scene.wait_for_broker(&mut broker);
    let mut source = scene.start_source();
    scene.wait_for_stream(&mut source);
    for _ in 0..kill_count() {
        kill_and_start(&mut broker, &mut moments, || scene.start_broker());
        assert!(source.is_running(), "the source must outlive its broker:\n{}", source.stderr());
    }
    scene.wait_for_broker(&mut broker);
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| scene.verdict(load, SnapshotRule::Once)));
    let count = outcome.unwrap_or_else(|fault| {
        println!("source:\n{}\nbroker:\n{}", source.stderr(), broker.stderr());
        std::panic::resume_unwind(fault)
    });
    assert_eq!(source.interrupt(), 0, "{}", source.stderr());
    assert_eq!(broker.interrupt(), 0, "{}", broker.stderr());
    println!("chaos: {} kills of the broker, {count} changes", kill_count());
}

/// An interrupted snapshot begins again: its rows may arrive again, newer each time, and no change of the stream may be
/// lost.
#[test]
fn during_the_first_snapshot() {
    let scene = Scene::new();
    let load = scene.load(14);
    let mut moments = Moments::new(4);
    let mut up = scene.start_up();
    for _ in 0..kill_count() {
        std::thread::sleep(moments.within(250));
        up.kill9();
        up = scene.start_up();
    }
    scene.wait_for_broker(&mut up);
    scene.wait_for_stream(&mut up);
    scene.verdict(load, SnapshotRule::MayRepeat);
    assert_eq!(up.interrupt(), 0, "{}", up.stderr());
}

/// The database server crashes and is started again: the source connects again and continues at its position.
#[test]
fn of_the_database_server() {
    let scene = Scene::new();
    let mut up = scene.start_up();
    scene.wait_for_broker(&mut up);
    let table = "CREATE TABLE carga.otra(id bigint NOT NULL PRIMARY KEY, clave int, n int, texto varchar(9))";
    scene.server.client(table); // a table that is not captured, for writes around each crash
    let load = scene.load(15);
    scene.wait_for_stream(&mut up);
    let mut history = load.stop();
    for id in 0..3 {
        scene.server.client(&format!("INSERT INTO carga.otra VALUES ({id}, 0, 0, '')"));
        scene.server.kill9();
        scene.server.restart();
        assert!(up.is_running(), "the source must outlive its server:\n{}", up.stderr());
    }
    scene.server.client("INSERT INTO carga.carga VALUES (999, 1, 1, 'after')");
    let row = RowState { clave: 1, n: 1, texto: "after".into() };
    history.steps.insert(999, vec![Step { change: Change::Insert, row }]);
    scene.verdict_on(&history, SnapshotRule::Once);
    assert_eq!(up.interrupt(), 0, "{}", up.stderr());
}
