//! Compares the topics with what the checkpoint counts on. Where a topic lacks messages, the source goes back in the
//! log as far as it must.

use std::sync::Arc;

use bitacora_source::check::{PositionFault, examine_position};

use super::base::Base;
use super::clock::now_ms;
use super::life::{Compared, Life, Resume};
use super::position::place_of;
use super::status::SourceStatus;
use super::stored_catalog::parse_catalog;
use crate::checkpoint::{CheckpointStore, FormerMarks, Save, Saved, TopicMark};
use crate::error::{EngineError, ErrorClass, ErrorKind};
use crate::sink::Lane;
use crate::sink::compare::{Behind, compare};
use bitacora_config::LostMessages;

const LOST: &str = "put the topic's messages back, or take a new snapshot, which snapshot mode when_needed does by \
    itself; lost_messages = \"accept\" (bitacora.lost.messages) goes on without them, where they were deleted on \
    purpose";

impl Life {
    /// Compares each topic with what it has confirmed, and goes back in the log if a topic lacks messages.
    pub(super) async fn compare_topics(
        &mut self,
        store: &Arc<CheckpointStore>,
        resume: Resume,
    ) -> Result<Compared, EngineError> {
        let mut backoff = self.backoff();
        loop {
            let error = match self.try_compare(store, &resume).await {
                Ok(None) => return Ok(Compared::Ready(resume)),
                Ok(Some(earlier)) => return Ok(Compared::Ready(earlier)),
                Err(error) if error.kind == ErrorKind::ServerElsewhere => {
                    tracing::warn!(source = %self.config.name, "the server is checked again: {error}");
                    return Ok(Compared::CheckAgain);
                }
                Err(error) if error.class() == ErrorClass::Retry => error,
                Err(error) if error.kind == ErrorKind::MessagesLost && self.takes_new_snapshot() => {
                    tracing::warn!(source = %self.config.name, "a new snapshot is taken: {}", error.what);
                    return Ok(Compared::Unusable);
                }
                Err(error) => return Err(error),
            };
            let Some(pause) = backoff.next() else { return Err(error) };
            tracing::warn!(source = %self.config.name, pause_ms = pause.as_millis(), "{error}");
            self.status.send_replace(SourceStatus::Waiting { reason: error.to_string() });
            if self.pause(pause).await {
                return Ok(Compared::Stopped);
            }
        }
    }

    /// Returns the place to go back to, if a topic lacks messages.
    async fn try_compare(&self, store: &Arc<CheckpointStore>, resume: &Resume) -> Result<Option<Resume>, EngineError> {
        let marks = store.marks()?;
        let epoch = resume.checkpoint.epoch;
        let base = Base { server: resume.checkpoint.server.clone().unwrap_or_default(), epoch };
        let names = self.names(store, &base)?;
        let behind = compare(&self.client()?, &self.config.topic_namespace, &names, marks).await?;
        if behind.is_empty() {
            return Ok(None);
        }
        for Behind { mark, last } in &behind {
            tracing::warn!(source = %self.config.name, topic = %mark.topic, "{}", shortfall(mark, *last));
        }
        let (gone, present): (Vec<_>, Vec<_>) = behind.iter().partition(|behind| behind.last.is_none());
        let gone: Vec<TopicMark> = gone.into_iter().map(|behind| behind.mark.clone()).collect();
        let present: Vec<TopicMark> = present
            .into_iter()
            .map(|Behind { mark, last }| TopicMark {
                sequence_id: last.unwrap_or_default(),
                message: None,
                ..mark.clone()
            })
            .collect();
        if self.config.lost_messages == LostMessages::Accept {
            tracing::warn!(source = %self.config.name, "the source goes on without the messages that were deleted");
            let save = Save { marks: &present, gone: &gone, ..Save::of(&resume.checkpoint, now_ms()) };
            store.save(&save, FormerMarks::Keep)?;
            return Ok(None);
        }
        if let Some(lost) =
            behind.iter().find(|behind| behind.mark.lane == Lane::Snapshot || behind.mark.epoch != epoch)
        {
            let why = match lost.mark.lane {
                Lane::Snapshot => "the server's log does not have them",
                Lane::Stream => "they were read from another server's log",
            };
            return Err(lost_error(lost, why));
        }
        let target = behind.iter().map(|behind| behind.last.unwrap_or_default()).min().unwrap_or_default();
        let earlier = self.milestone(store, target, &behind).await?;
        let catalog = parse_catalog(earlier.catalog.as_deref())?;
        let checkpoint = earlier.checkpoint;
        let save = Save {
            catalog: earlier.catalog.as_deref(),
            marks: &present,
            gone: &gone,
            ..Save::of(&checkpoint, now_ms())
        };
        store.save(&save, FormerMarks::Keep)?;
        let position = place_of(&checkpoint)?.position;
        tracing::warn!(source = %self.config.name, %position,
            "the source goes back in the log and sends again what its topics lack");
        Ok(Some(Resume { checkpoint, catalog }))
    }

    /// Returns the newest milestone from which everything above `target` is sent again, if the server still has the
    /// log from there on.
    async fn milestone(
        &self,
        store: &Arc<CheckpointStore>,
        target: u64,
        behind: &[Behind],
    ) -> Result<Saved, EngineError> {
        let mut found = store.milestones(target)?.into_iter().next();
        if found.is_none() {
            // A topic without any message of the base: the base's beginning is the oldest milestone.
            let all = store.milestones(u64::MAX)?;
            found = all.into_iter().next_back().filter(|oldest| oldest.checkpoint.epoch.is_some());
        }
        let lost = behind.iter().min_by_key(|behind| behind.last);
        let error = |why: &str| match lost {
            Some(lost) => lost_error(lost, why),
            None => EngineError::new(ErrorKind::MessagesLost, why.to_owned()),
        };
        let Some(found) = found else {
            return Err(error("the checkpoint store knows no place in the log from which they could be sent again"));
        };
        let place = place_of(&found.checkpoint)?;
        match examine_position(&self.config.server, &place).await? {
            None => Ok(found),
            // The address may lead back to the server that has them; the checks wait for it, and know how long.
            Some(fault @ (PositionFault::NotYet(_) | PositionFault::Never(_))) => {
                Err(EngineError::new(ErrorKind::ServerElsewhere, fault.what()).remedy(fault.remedy()))
            }
            Some(fault @ (PositionFault::Purged(_) | PositionFault::OtherLog(_))) => {
                Err(error(&format!("they cannot be sent again: {}", fault.what())))
            }
        }
    }
}

fn what_of(mark: &TopicMark) -> &'static str {
    match mark.lane {
        Lane::Snapshot => "messages of the snapshot",
        Lane::Stream => "changes",
    }
}

fn shortfall(mark: &TopicMark, last: Option<u64>) -> String {
    let last = last.map_or_else(|| "has none".to_owned(), |last| format!("ends with sequence id {last}"));
    format!("topic {} {last} of the {} up to {} that it had confirmed", mark.topic, what_of(mark), mark.sequence_id)
}

fn lost_error(lost: &Behind, why: &str) -> EngineError {
    EngineError::new(ErrorKind::MessagesLost, format!("{}, and {why}", shortfall(&lost.mark, lost.last))).remedy(LOST)
}
