//! CONNECT.

use bitacora_pulsar_wire::{
    PROTOCOL_VERSION,
    proto::{CommandConnect, CommandConnected, FeatureFlags},
};

use super::{Session, Violation};
use crate::peer::ClientInfo;

/// The server's name and version in CONNECTED.
const SERVER_VERSION: &str = concat!("Bitacora-", env!("CARGO_PKG_VERSION"));

impl Session {
    pub(super) fn connect(&self, command: CommandConnect) -> Result<(), Violation> {
        let protocol_version = command.protocol_version().clamp(0, PROTOCOL_VERSION);
        if !self.connection.set_client(ClientInfo { version: command.client_version, protocol_version }) {
            return Err(Violation("the client sent a second CONNECT".to_owned()));
        }
        self.push(CommandConnected {
            server_version: SERVER_VERSION.to_owned(),
            protocol_version: Some(protocol_version),
            max_message_size: i32::try_from(self.shared.config.max_message_bytes).ok(),
            feature_flags: Some(FeatureFlags {
                // The Java client 4 relies on this flag. The others would make clients send commands that this broker
                // does not support.
                supports_get_partitioned_metadata_without_auto_creation: Some(true),
                ..FeatureFlags::default()
            }),
        });
        Ok(())
    }
}
