//! ACK and REDELIVER_UNACKNOWLEDGED_MESSAGES.

use bitacora_pulsar_wire::proto::{
    AckType, CommandAck, CommandAckResponse, CommandRedeliverUnacknowledgedMessages, MessageIdData, ServerError,
};

use super::Session;
use crate::{refused::Refused, subscription::AckSet};

impl Session {
    pub(super) fn ack(&self, command: &CommandAck) {
        let outcome = self.try_ack(command);
        let Some(request_id) = command.request_id else { return };
        let (error, message) = match outcome {
            Ok(()) => (None, None),
            Err(refused) => (Some(refused.code as i32), Some(refused.message)),
        };
        self.push(CommandAckResponse {
            consumer_id: command.consumer_id,
            error,
            message,
            request_id: Some(request_id),
            ..CommandAckResponse::default()
        });
    }

    fn try_ack(&self, command: &CommandAck) -> Result<(), Refused> {
        if command.txnid_least_bits.is_some() || command.txnid_most_bits.is_some() {
            return Err(Refused::new(ServerError::NotAllowedError, "transactions are not supported"));
        }
        let Some((topic, subscription, key)) = self.consumer(command.consumer_id) else {
            return Err(Refused::new(ServerError::ConsumerNotFound, "the consumer does not exist"));
        };
        let is_cumulative = command.ack_type == AckType::Cumulative as i32;
        if is_cumulative && command.message_id.len() != 1 {
            return Err(Refused::new(
                ServerError::NotAllowedError,
                "a cumulative acknowledgement needs exactly one message id",
            ));
        }
        let mut core = subscription.lock();
        if is_cumulative && !core.dispatcher.kind().is_single_active() {
            return Err(Refused::new(
                ServerError::NotAllowedError,
                "shared subscriptions have no cumulative acknowledgement",
            ));
        }
        for id in &command.message_id {
            // An entry that was removed, or never existed, needs no acknowledgement.
            let Some(offset) = topic.offset_of(id) else { continue };
            let set = (!id.ack_set.is_empty()).then(|| AckSet::from_wire(&id.ack_set));
            if is_cumulative {
                core.dispatcher.ack_cumulative(offset, set);
            } else {
                core.dispatcher.ack(key, offset, set);
            }
        }
        drop(core);
        subscription.mark_dirty();
        subscription.wake();
        Ok(())
    }

    pub(super) fn redeliver(&self, command: &CommandRedeliverUnacknowledgedMessages) {
        let Some((topic, subscription, key)) = self.consumer(command.consumer_id) else { return };
        let offsets: Vec<u64> =
            command.message_ids.iter().filter_map(|id: &MessageIdData| topic.offset_of(id)).collect();
        let list = (!command.message_ids.is_empty()).then_some(offsets.as_slice());
        subscription.lock().dispatcher.redeliver(key, list, command.consumer_epoch);
        subscription.wake();
    }
}
