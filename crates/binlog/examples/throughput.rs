//! Measures on one core how fast a binlog file is framed and verified, and how fast its rows are indexed.
//!
//! `cargo run --release -p bitacora-binlog --example throughput -- FILE [SECONDS]`
//!
//! The file is a log as the server keeps it. It is read into memory first; each measurement then goes over it again and
//! again for SECONDS (2 without).

use bitacora_binlog::{Body, Cell, Decoder, Error, Event, RowScratch, RowsEvent, RowsKind, TableMap};
use std::{
    error::Error as StdError,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

fn main() -> Result<(), Box<dyn StdError>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("the first argument is a binlog file")?;
    let seconds: f64 = arguments.next().map_or(Ok(2.0), |text| text.parse())?;
    let log = Log::new(&std::fs::read(&path)?)?;
    let least = Duration::from_secs_f64(seconds);
    println!("{path}: {} bytes, {} events, {} rows in {} images", log.bytes, log.events, log.rows, log.images);

    let time = measure(least, || log.frame())?;
    print("frame and verify", &log, log.bytes, time);
    let time = measure(least, || log.index())?;
    print("index rows", &log, log.image_bytes, time);
    let time = measure(least, || log.touch())?;
    print("index rows and look at each cell", &log, log.image_bytes, time);
    let time = measure(least, || log.all())?;
    print("all together, from the file's bytes", &log, log.bytes, time);
    Ok(())
}

/// A log in memory, framed once beforehand.
struct Log {
    file: Vec<u8>,
    bytes: usize,
    events: u64,
    rows: u64,
    images: u64,
    image_bytes: usize,
    blocks: Vec<Block>,
}

/// The images of one rows event.
struct Block {
    kind: RowsKind,
    table: Arc<TableMap>,
    images: Vec<u8>,
}

impl Log {
    fn new(file: &[u8]) -> Result<Self, Box<dyn StdError>> {
        let file =
            file.strip_prefix(b"\xfebin").ok_or("this is no binlog file: its first bytes are not FE 62 69 6E")?;
        let mut log = Self {
            file: file.to_vec(),
            bytes: file.len(),
            events: 0,
            rows: 0,
            images: 0,
            image_bytes: 0,
            blocks: Vec::new(),
        };
        let (mut decoder, mut scratch, mut blocks) = (Decoder::new(), RowScratch::new(), Vec::new());
        let (mut events, mut rows, mut images) = (0, 0, 0);
        for event in Events(&log.file) {
            events += 1;
            walk(&mut decoder, event, &mut |event| {
                let mut reader = event.reader(&mut scratch);
                while let Some(row) = reader.next_row()? {
                    rows += 1;
                    images += u64::from(row.before.is_some()) + u64::from(row.after.is_some());
                }
                // What is kept stands for itself only with all columns present.
                if !event.is_partial() {
                    let (kind, table) = (event.kind, Arc::clone(event.table));
                    blocks.push(Block { kind, table, images: event.image_bytes().to_vec() });
                }
                Ok(())
            })?;
        }
        (log.events, log.rows, log.images) = (events, rows, images);
        log.image_bytes = blocks.iter().map(|block| block.images.len()).sum();
        log.blocks = blocks;
        Ok(log)
    }

    /// Splits the file into events, verifies and decodes each, and leaves rows alone.
    fn frame(&self) -> Result<(), Error> {
        let mut decoder = Decoder::new();
        for event in Events(&self.file) {
            black_box(decoder.decode(event)?);
        }
        Ok(())
    }

    /// Notes for each row where its columns lie.
    fn index(&self) -> Result<(), Error> {
        let mut scratch = RowScratch::new();
        for block in &self.blocks {
            let event = RowsEvent::from_images(block.kind, &block.table, &block.images);
            let mut reader = event.reader(&mut scratch);
            while let Some(row) = reader.next_row()? {
                black_box(row);
            }
        }
        Ok(())
    }

    /// As `index`, and asks for each cell.
    fn touch(&self) -> Result<(), Error> {
        let mut scratch = RowScratch::new();
        for block in &self.blocks {
            let event = RowsEvent::from_images(block.kind, &block.table, &block.images);
            let mut reader = event.reader(&mut scratch);
            while let Some(row) = reader.next_row()? {
                for image in row.before.iter().chain(&row.after) {
                    for index in 0..image.column_count() {
                        if let Cell::Value(bytes) = image.column(index) {
                            black_box(bytes);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Frames, verifies and indexes.
    fn all(&self) -> Result<(), Error> {
        let (mut decoder, mut scratch) = (Decoder::new(), RowScratch::new());
        for event in Events(&self.file) {
            walk(&mut decoder, event, &mut |event| {
                let mut reader = event.reader(&mut scratch);
                while let Some(row) = reader.next_row()? {
                    black_box(row);
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

/// Decodes an event and gives its rows events, those of a compressed transaction too, to `take`.
fn walk(
    decoder: &mut Decoder,
    event: &[u8],
    take: &mut impl FnMut(&RowsEvent<'_>) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut one = |event: Event<'_>| match event.body {
        Body::Rows(rows) => take(&rows),
        _ => Ok(()),
    };
    match decoder.decode(event)? {
        Event { body: Body::TransactionPayload(mut payload), .. } => {
            while let Some(event) = payload.next_event()? {
                one(event)?;
            }
            Ok(())
        }
        event => one(event),
    }
}

/// The events of a file, one after the other; bytes that are no whole event come out as the last one.
struct Events<'a>(&'a [u8]);

impl<'a> Iterator for Events<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        if self.0.is_empty() {
            return None;
        }
        let length = match self.0.get(9..13) {
            Some(&[a, b, c, d]) => u32::from_le_bytes([a, b, c, d]) as usize,
            _ => self.0.len(),
        };
        let (event, rest) = self.0.split_at_checked(length.max(1)).unwrap_or((self.0, &[]));
        self.0 = rest;
        Some(event)
    }
}

/// Runs `work` until `least` has gone and returns the mean time of a run.
fn measure(least: Duration, work: impl Fn() -> Result<(), Error>) -> Result<Duration, Error> {
    work()?;
    let start = Instant::now();
    let mut runs = 0;
    while runs == 0 || start.elapsed() < least {
        work()?;
        runs += 1;
    }
    Ok(start.elapsed() / runs)
}

fn print(what: &str, log: &Log, bytes: usize, time: Duration) {
    let seconds = time.as_secs_f64();
    let (megabytes, rows) = (bytes as f64 / seconds / 1e6, log.rows as f64 / seconds / 1e6);
    println!("{what:36} {megabytes:8.0} MB/s {rows:8.2} M rows/s");
}
