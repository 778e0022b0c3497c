//! Checks the messages that a consumer got of a [`crate::load`]: every committed change arrived once, in order, and
//! each before image equals the after image of the previous change.
//!
//! Input: the committed [`History`] and, in the order of arrival, the messages of the table's topic. For each id the
//! streamed events must be exactly the committed steps from some step to the last one. The snapshot must have shown the
//! row as it was before that step: by its `r` event, or by none if there was no row.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::load::{Change, History, RowState, Step};

/// Whether the snapshot was interrupted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SnapshotRule {
    /// The snapshot ran once, to its end: each id has at most one `r` event, and the stream continues exactly after it.
    Once,
    /// The snapshot was interrupted and began again: `r` events may repeat, newer each time, and rows may have been
    /// deleted in between.
    MayRepeat,
}

/// Collects events and compares them with the history.
#[derive(Debug, Default)]
pub struct Delivery {
    arrived: BTreeMap<i64, Vec<Event>>,
    streamed_count: usize,
    faults: Vec<String>,
}

#[derive(Debug, Clone)]
struct Event {
    op: String,
    before: Option<RowState>,
    after: Option<RowState>,
    has_tombstone: bool,
}

impl Delivery {
    /// Adds an event: the JSON texts of its key and of its value, which is the envelope without its schema. An empty
    /// value is a tombstone, which must follow the delete of its key exactly once.
    pub fn add(&mut self, key: &str, value: &[u8]) {
        if value.is_empty() {
            self.add_tombstone(key);
            return;
        }
        match parse(key, value) {
            Ok((id, event)) => {
                self.streamed_count += usize::from(event.op != "r");
                self.arrived.entry(id).or_default().push(event);
            }
            Err(fault) => self.faults.push(fault),
        }
    }

    fn add_tombstone(&mut self, key: &str) {
        let id = serde_json::from_str::<Value>(key).ok().and_then(|key| key["id"].as_i64());
        let last = id.and_then(|id| self.arrived.get_mut(&id)).and_then(|events| events.last_mut());
        match last {
            Some(event) if event.op == "d" && !event.has_tombstone => event.has_tombstone = true,
            _ => self.faults.push(format!("a tombstone that does not follow a delete, or follows it twice: key {key}")),
        }
    }

    /// Returns the number of streamed events so far.
    pub fn streamed_count(&self) -> usize {
        self.streamed_count
    }

    /// Returns whether the last committed step of every id has arrived.
    pub fn has_all_ends(&self, history: &History) -> bool {
        history.steps.iter().all(|(id, steps)| {
            let Some(step) = steps.last() else { return true };
            // No event shows a row that was inserted and deleted before the snapshot.
            let Some(events) = self.arrived.get(id) else { return step.change == Change::Delete };
            events.last().is_some_and(|event| event.shows(step) || event.is_snapshot_of(step))
        })
    }

    /// Compares everything that arrived with everything that was committed. The error names at most 20 faults.
    pub fn check(&self, history: &History, snapshot: SnapshotRule) -> Result<(), String> {
        let mut faults = self.faults.clone();
        for id in self.arrived.keys().filter(|id| !history.steps.contains_key(id)) {
            faults.push(format!("id {id}: an event of a row that was never committed"));
        }
        for (id, steps) in &history.steps {
            let events = self.arrived.get(id).map(Vec::as_slice).unwrap_or_default();
            if let Err(fault) = check_row(steps, events, snapshot) {
                faults.push(format!("id {id}: {fault}"));
            }
        }
        let count = faults.len();
        faults.truncate(20);
        if faults.is_empty() { Ok(()) } else { Err(format!("{count} faults:\n  {}", faults.join("\n  "))) }
    }
}

fn check_row(steps: &[Step], events: &[Event], snapshot: SnapshotRule) -> Result<(), String> {
    let snapshot_count = events.iter().take_while(|event| event.op == "r").count();
    let (shown, streamed) = events.split_at(snapshot_count);
    let mut resume = 0; // the first step that the stream may begin with
    for (place, event) in shown.iter().enumerate() {
        if place > 0 && snapshot == SnapshotRule::Once {
            return Err(format!("{} events `r` of one snapshot", shown.len()));
        }
        let step = steps.iter().position(|step| event.is_snapshot_of(step));
        let step = step.ok_or_else(|| format!("the snapshot shows a row that was never committed: {event:?}"))?;
        if step + 1 < resume {
            return Err(format!("the snapshot went back to {event:?}"));
        }
        resume = step + 1;
    }
    let first = match streamed.first() {
        None => steps.len(),
        Some(event) => (resume..steps.len()).find(|step| event.shows(&steps[*step])).ok_or_else(|| {
            format!("the stream begins with {event:?}, which is repeated, out of order or never committed")
        })?,
    };
    let gone_before = first == 0 || steps[first - 1].change == Change::Delete;
    let continues = match (shown.is_empty(), snapshot) {
        (true, _) => gone_before,
        (false, SnapshotRule::Once) => first == resume,
        (false, SnapshotRule::MayRepeat) => first == resume || gone_before,
    };
    if !continues {
        return Err(format!("lost: step {resume} ({:?}) and those before step {first} never arrived", steps[resume]));
    }
    for (place, step) in steps[first..].iter().enumerate() {
        let Some(event) = streamed.get(place) else {
            return Err(format!("lost: {step:?} and {} later steps never arrived", steps.len() - first - place - 1));
        };
        if !event.shows(step) {
            return Err(format!("in the place of {step:?} arrived {event:?}"));
        }
        if event.before != row_before(steps, first + place) {
            return Err(format!(
                "the before image does not continue the row: {event:?} after {:?}",
                steps.get(first + place - 1)
            ));
        }
    }
    match streamed.get(steps.len() - first) {
        Some(event) => Err(format!("arrived twice or was never committed: {event:?}")),
        None => Ok(()),
    }
}

fn row_before(steps: &[Step], step: usize) -> Option<RowState> {
    let before = steps.get(step.checked_sub(1)?)?;
    (before.change != Change::Delete).then(|| before.row.clone())
}

impl Event {
    fn shows(&self, step: &Step) -> bool {
        match step.change {
            Change::Insert => self.op == "c" && self.after.as_ref() == Some(&step.row),
            Change::Update => self.op == "u" && self.after.as_ref() == Some(&step.row),
            Change::Delete => self.op == "d" && self.after.is_none() && self.before.as_ref() == Some(&step.row),
        }
    }

    fn is_snapshot_of(&self, step: &Step) -> bool {
        self.op == "r" && step.change != Change::Delete && self.after.as_ref() == Some(&step.row)
    }
}

fn parse(key: &str, value: &[u8]) -> Result<(i64, Event), String> {
    let fault = |what: &str| format!("{what}: key {key}, value {}", String::from_utf8_lossy(value));
    let key_json: Value = serde_json::from_str(key).map_err(|_| fault("the key is no JSON"))?;
    let value_json: Value = serde_json::from_slice(value).map_err(|_| fault("the value is no JSON"))?;
    let id = key_json["id"].as_i64().ok_or_else(|| fault("the key has no id"))?;
    let row = |name: &str| -> Result<Option<RowState>, String> {
        let image = &value_json[name];
        if image.is_null() {
            return Ok(None);
        }
        let number = |column: &str| image[column].as_i64().and_then(|n| i32::try_from(n).ok());
        match (image["id"].as_i64() == Some(id), number("clave"), number("n"), image["texto"].as_str()) {
            (true, Some(clave), Some(n), Some(texto)) => Ok(Some(RowState { clave, n, texto: texto.to_owned() })),
            _ => Err(fault("an image is not complete or not of the key's row")),
        }
    };
    let op = value_json["op"].as_str().ok_or_else(|| fault("the value has no op"))?.to_owned();
    Ok((id, Event { op, before: row("before")?, after: row("after")?, has_tombstone: false }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(n: i32) -> RowState {
        RowState { clave: 5, n, texto: format!("t{n}") }
    }

    fn step(change: Change, n: i32) -> Step {
        Step { change, row: row(n) }
    }

    /// Returns the event of a text `op before after`, in which an image is given by its `n`, and `-` is null.
    fn event(text: &str) -> (String, String) {
        let mut parts = text.split(' ');
        let op = parts.next().unwrap();
        let mut image = || match parts.next().unwrap() {
            "-" => "null".to_owned(),
            n => format!(r#"{{"id":1,"clave":5,"n":{n},"texto":"t{n}"}}"#),
        };
        let (before, after) = (image(), image());
        (r#"{"id":1}"#.to_owned(), format!(r#"{{"before":{before},"after":{after},"op":"{op}"}}"#))
    }

    fn verdict(events: &[&str], snapshot: SnapshotRule) -> Result<(), String> {
        use Change::{Delete, Insert, Update};
        let steps = vec![step(Insert, 1), step(Update, 2), step(Delete, 2), step(Insert, 3), step(Update, 4)];
        let history = History { steps: BTreeMap::from([(1, steps)]) };
        let mut delivery = Delivery::default();
        for (key, value) in events.iter().map(|text| event(text)) {
            delivery.add(&key, value.as_bytes());
        }
        delivery.check(&history, snapshot)
    }

    #[test]
    fn accepts_what_was_committed() {
        for events in [
            &["c - 1", "u 1 2", "d 2 -", "c - 3", "u 3 4"][..],
            &["r - 2", "d 2 -", "c - 3", "u 3 4"],
            &["c - 3", "u 3 4"], // the snapshot fell between delete and insert
            &["r - 4"],
        ] {
            assert_eq!(verdict(events, SnapshotRule::Once), Ok(()), "{events:?}");
        }
        assert_eq!(verdict(&["r - 1", "r - 3", "u 3 4"], SnapshotRule::MayRepeat), Ok(()));
        assert_eq!(verdict(&["r - 1", "c - 3", "u 3 4"], SnapshotRule::MayRepeat), Ok(()));
    }

    #[test]
    fn finds_each_kind_of_fault() {
        for (events, fault) in [
            (&["c - 1", "u 1 2", "d 2 -", "c - 3"][..], "lost"),
            (&["r - 1", "d 2 -", "c - 3", "u 3 4"], "lost"),
            (&["u 1 2", "d 2 -", "c - 3", "u 3 4"], "lost"),
            (&[], "lost"),
            (&["c - 1", "u 1 2", "d 2 -", "c - 3", "u 3 4", "u 3 4"], "twice"),
            (&["c - 1", "c - 1", "u 1 2", "d 2 -", "c - 3", "u 3 4"], "in the place of"),
            (&["c - 1", "d 2 -", "u 1 2", "c - 3", "u 3 4"], "in the place of"),
            (&["c - 1", "u - 2", "d 2 -", "c - 3", "u 3 4"], "does not continue"),
            (&["r - 1", "r - 2", "d 2 -", "c - 3", "u 3 4"], "of one snapshot"),
            (&["r - 9", "u 3 4"], "never committed"),
        ] {
            let found = verdict(events, SnapshotRule::Once).unwrap_err();
            assert!(found.contains(fault), "{events:?} gives {found}");
        }
        assert!(verdict(&["r - 3", "r - 1", "u 3 4"], SnapshotRule::MayRepeat).unwrap_err().contains("went back"));
    }
}
