//! One writer of a load: runs a seeded sequence of transactions on its own ids at a steady rate.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use mysql_async::prelude::Queryable;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::history::{Change, History, RowState, Step};
use super::options::LoadOptions;

/// Distance between the first ids of two writers.
const IDS_PER_WRITER: i64 = 1_000_000;
/// Number of ids that a writer uses. It is small, so that the same row changes often.
const LIVE_ID_RANGE: i64 = 50;

const WORDS: [&str; 6] = ["reserva", "vuelo", "asiento", "niña", "a \"quoted\" \\ word", "日本"];

pub(super) struct Writer {
    random: StdRng,
    first_id: i64,
    pause: Duration,
    live: BTreeMap<i64, RowState>,
    counters: BTreeMap<i64, i32>,
}

/// The statement of one step, and the changes that it makes if it is committed.
struct Planned {
    sql: String,
    steps: Vec<(i64, Step)>,
}

impl Writer {
    pub(super) fn new(number: u32, options: &LoadOptions) -> Writer {
        Writer {
            random: StdRng::seed_from_u64(options.seed.wrapping_mul(1_000_003).wrapping_add(u64::from(number))),
            first_id: i64::from(number) * IDS_PER_WRITER + 1,
            pause: Duration::from_secs_f64(f64::from(options.writer_count) / options.transactions_per_s),
            live: BTreeMap::new(),
            counters: BTreeMap::new(),
        }
    }

    pub(super) fn run(mut self, url: &str, history: &Mutex<History>, committed: &AtomicU64, stopping: &AtomicBool) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let options = mysql_async::Opts::from_url(url).expect("the URL is well formed");
            let mut session = mysql_async::Conn::new(options).await.expect("the server takes the writer's session");
            let mut due = Instant::now();
            while !stopping.load(Ordering::Relaxed) {
                self.transaction(&mut session, history, committed).await;
                due += self.pause;
                tokio::time::sleep_until(due.into()).await; // the rate is the load's, not a wait for a state
            }
            session.disconnect().await.expect("the session ends");
        });
    }

    async fn transaction(&mut self, session: &mut mysql_async::Conn, history: &Mutex<History>, committed: &AtomicU64) {
        let (live, counters) = (self.live.clone(), self.counters.clone());
        let plan: Vec<Planned> = (0..self.random.gen_range(1..=4)).map(|_| self.step()).collect();
        let rolled_back = self.random.gen_bool(0.05);
        session.query_drop("BEGIN").await.expect("BEGIN");
        for planned in &plan {
            session.query_drop(&planned.sql).await.unwrap_or_else(|error| panic!("{error} in {}", planned.sql));
        }
        if rolled_back {
            session.query_drop("ROLLBACK").await.expect("ROLLBACK");
            (self.live, self.counters) = (live, counters);
            return;
        }
        session.query_drop("COMMIT").await.expect("COMMIT");
        let mut history = history.lock().expect("no writer panicked");
        for (id, step) in plan.into_iter().flat_map(|planned| planned.steps) {
            history.steps.entry(id).or_default().push(step);
            committed.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn step(&mut self) -> Planned {
        let id = self.first_id + self.random.gen_range(0..LIVE_ID_RANGE);
        match (self.live.get(&id).cloned(), self.random.gen_range(0..10)) {
            (None, _) => self.insert(id),
            (Some(_), 0..=6) => self.update(id),
            (Some(row), 7..=8) => self.delete(id, row),
            (Some(row), _) => self.change_key(id, row),
        }
    }

    fn insert(&mut self, id: i64) -> Planned {
        let row = self.next_row(id);
        let sql = format!("INSERT INTO carga.carga VALUES ({id}, {}, {}, '{}')", row.clave, row.n, quoted(&row.texto));
        self.live.insert(id, row.clone());
        Planned { sql, steps: vec![(id, Step { change: Change::Insert, row })] }
    }

    fn update(&mut self, id: i64) -> Planned {
        let row = self.next_row(id);
        let (clave, n, texto) = (row.clave, row.n, quoted(&row.texto));
        let sql = format!("UPDATE carga.carga SET clave = {clave}, n = {n}, texto = '{texto}' WHERE id = {id}");
        self.live.insert(id, row.clone());
        Planned { sql, steps: vec![(id, Step { change: Change::Update, row })] }
    }

    fn delete(&mut self, id: i64, row: RowState) -> Planned {
        self.live.remove(&id);
        let sql = format!("DELETE FROM carga.carga WHERE id = {id}");
        Planned { sql, steps: vec![(id, Step { change: Change::Delete, row })] }
    }

    /// Moves a row to a free id, or updates the row if no id is free.
    fn change_key(&mut self, id: i64, before: RowState) -> Planned {
        let range = self.first_id..self.first_id + LIVE_ID_RANGE;
        let Some(new_id) = range.into_iter().find(|id| !self.live.contains_key(id)) else { return self.update(id) };
        let row = self.next_row(new_id);
        let (clave, n, texto) = (row.clave, row.n, quoted(&row.texto));
        let sql = format!(
            "UPDATE carga.carga SET id = {new_id}, clave = {clave}, n = {n}, texto = '{texto}' WHERE id = {id}"
        );
        self.live.remove(&id);
        self.live.insert(new_id, row.clone());
        let steps =
            vec![(id, Step { change: Change::Delete, row: before }), (new_id, Step { change: Change::Insert, row })];
        Planned { sql, steps }
    }

    fn next_row(&mut self, id: i64) -> RowState {
        let counter = self.counters.entry(id).or_insert(0);
        *counter += 1;
        let n = *counter;
        let word = WORDS[self.random.gen_range(0..WORDS.len())];
        let texto = format!("{word} {}", self.random.r#gen::<u32>());
        RowState { clave: self.random.gen_range(0..1000), n, texto }
    }
}

fn quoted(text: &str) -> String {
    text.replace('\\', "\\\\").replace('\'', "''")
}
