//! SEEK and GET_LAST_MESSAGE_ID.

use bitacora_pulsar_wire::proto::{CommandGetLastMessageId, CommandGetLastMessageIdResponse, CommandSeek, ServerError};

use super::Session;
use crate::{refused::Refused, topic::StartAt};

impl Session {
    pub(super) async fn seek(&self, command: CommandSeek) {
        let to = match (command.message_id, command.message_publish_time) {
            (Some(id), _) => StartAt::Id(id),
            (None, Some(time_ms)) => StartAt::Time(time_ms),
            (None, None) => {
                let refused = Refused::new(ServerError::MetadataError, "SEEK names neither a message nor a time");
                return self.refuse(command.request_id, refused);
            }
        };
        let Some((topic, subscription, _)) = self.consumer(command.consumer_id) else {
            let refused = Refused::new(ServerError::MetadataError, "the consumer does not exist");
            return self.refuse(command.request_id, refused);
        };
        match topic.seek(&subscription, &to).await {
            Ok(()) => self.success(command.request_id),
            Err(refused) => self.refuse(command.request_id, refused),
        }
    }

    pub(super) async fn last_message_id(&self, command: &CommandGetLastMessageId) {
        let Some((topic, subscription, _)) = self.consumer(command.consumer_id) else {
            let refused = Refused::new(ServerError::MetadataError, "the consumer does not exist");
            return self.refuse(command.request_id, refused);
        };
        let mark_delete = subscription.lock().dispatcher.cursor().mark_delete();
        match topic.last_message_id().await {
            Ok(last_message_id) => self.push(CommandGetLastMessageIdResponse {
                last_message_id,
                request_id: command.request_id,
                consumer_mark_delete_position: Some(topic.position_before(mark_delete)),
            }),
            Err(refused) => self.refuse(command.request_id, refused),
        }
    }
}
