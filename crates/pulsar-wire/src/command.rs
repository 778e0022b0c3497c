//! The envelope of all commands: a type number and the one sub-message whose field number equals it.

use bytes::{Buf, BufMut};
use prost::Message;
use prost::encoding::{
    DecodeContext, WireType, decode_key, decode_varint, encode_key, encode_varint, encoded_len_varint, skip_field,
};

use crate::error::Error;
use crate::proto::*;

/// A command that this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownCommand {
    /// Its type number.
    pub kind: i32,
    /// Its request id (field 1 in every request since protocol version 12), so that it can be refused with an answer.
    pub request_id: Option<u64>,
}

macro_rules! commands {
    ($($variant:ident($message:ty) = $number:literal, $name:literal, $size:ident;)*) => {
        /// Any command of the protocol; PulsarApi.proto's `BaseCommand`.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs, reason = "the variants are the commands of PulsarApi.proto")]
        pub enum Command {
            $($variant(commands!(@field $size $message)),)*
            /// A command of a newer protocol version.
            Unknown(UnknownCommand),
        }

        impl Command {
            /// Returns the protocol's number of the command.
            pub fn kind(&self) -> i32 {
                match self {
                    $(Self::$variant(_) => $number,)*
                    Self::Unknown(unknown) => unknown.kind,
                }
            }

            /// Returns the protocol's name of the command, such as `SEND_RECEIPT`.
            pub fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant(_) => $name,)*
                    Self::Unknown(_) => "UNKNOWN",
                }
            }

            fn message_bytes(&self) -> usize {
                match self {
                    $(Self::$variant(message) => message.encoded_len(),)*
                    Self::Unknown(_) => 0,
                }
            }

            fn write_message(&self, out: &mut impl BufMut) {
                match self {
                    $(Self::$variant(message) => message.encode_raw(out),)*
                    Self::Unknown(_) => {}
                }
            }

            /// Decodes the sub-message of field `number`, or `None` when the number is not known.
            fn read_message(number: u32, body: impl Buf) -> Result<Option<Self>, prost::DecodeError> {
                Ok(match number {
                    $($number => Some(Self::$variant(commands!(@wrap $size <$message>::decode(body)?))),)*
                    _ => None,
                })
            }

            /// Returns the empty command of this number, which a peer means that sends the type alone (PING, PONG).
            fn empty(number: i32) -> Option<Self> {
                match number {
                    $($number => Some(Self::$variant(Default::default())),)*
                    _ => None,
                }
            }
        }

        $(impl From<$message> for Command {
            fn from(message: $message) -> Self {
                Self::$variant(commands!(@wrap $size message))
            }
        })*
    };
    (@field plain $message:ty) => { $message };
    (@field boxed $message:ty) => { Box<$message> };
    (@wrap plain $value:expr) => { $value };
    (@wrap boxed $value:expr) => { Box::new($value) };
}

commands! {
    Connect(CommandConnect) = 2, "CONNECT", boxed;
    Connected(CommandConnected) = 3, "CONNECTED", plain;
    Subscribe(CommandSubscribe) = 4, "SUBSCRIBE", boxed;
    Producer(CommandProducer) = 5, "PRODUCER", boxed;
    Send(CommandSend) = 6, "SEND", plain;
    SendReceipt(CommandSendReceipt) = 7, "SEND_RECEIPT", plain;
    SendError(CommandSendError) = 8, "SEND_ERROR", plain;
    Message(CommandMessage) = 9, "MESSAGE", plain;
    Ack(CommandAck) = 10, "ACK", plain;
    Flow(CommandFlow) = 11, "FLOW", plain;
    Unsubscribe(CommandUnsubscribe) = 12, "UNSUBSCRIBE", plain;
    Success(CommandSuccess) = 13, "SUCCESS", plain;
    Error(CommandError) = 14, "ERROR", plain;
    CloseProducer(CommandCloseProducer) = 15, "CLOSE_PRODUCER", plain;
    CloseConsumer(CommandCloseConsumer) = 16, "CLOSE_CONSUMER", plain;
    ProducerSuccess(CommandProducerSuccess) = 17, "PRODUCER_SUCCESS", plain;
    Ping(CommandPing) = 18, "PING", plain;
    Pong(CommandPong) = 19, "PONG", plain;
    RedeliverUnacknowledgedMessages(CommandRedeliverUnacknowledgedMessages) = 20,
        "REDELIVER_UNACKNOWLEDGED_MESSAGES", plain;
    PartitionedTopicMetadata(CommandPartitionedTopicMetadata) = 21, "PARTITIONED_METADATA", plain;
    PartitionedTopicMetadataResponse(CommandPartitionedTopicMetadataResponse) = 22,
        "PARTITIONED_METADATA_RESPONSE", plain;
    LookupTopic(CommandLookupTopic) = 23, "LOOKUP", plain;
    LookupTopicResponse(CommandLookupTopicResponse) = 24, "LOOKUP_RESPONSE", plain;
    ConsumerStats(CommandConsumerStats) = 25, "CONSUMER_STATS", plain;
    ConsumerStatsResponse(CommandConsumerStatsResponse) = 26, "CONSUMER_STATS_RESPONSE", boxed;
    ReachedEndOfTopic(CommandReachedEndOfTopic) = 27, "REACHED_END_OF_TOPIC", plain;
    Seek(CommandSeek) = 28, "SEEK", plain;
    GetLastMessageId(CommandGetLastMessageId) = 29, "GET_LAST_MESSAGE_ID", plain;
    GetLastMessageIdResponse(CommandGetLastMessageIdResponse) = 30, "GET_LAST_MESSAGE_ID_RESPONSE", boxed;
    ActiveConsumerChange(CommandActiveConsumerChange) = 31, "ACTIVE_CONSUMER_CHANGE", plain;
    GetTopicsOfNamespace(CommandGetTopicsOfNamespace) = 32, "GET_TOPICS_OF_NAMESPACE", plain;
    GetTopicsOfNamespaceResponse(CommandGetTopicsOfNamespaceResponse) = 33, "GET_TOPICS_OF_NAMESPACE_RESPONSE", plain;
    GetSchema(CommandGetSchema) = 34, "GET_SCHEMA", plain;
    GetSchemaResponse(CommandGetSchemaResponse) = 35, "GET_SCHEMA_RESPONSE", boxed;
    AuthChallenge(CommandAuthChallenge) = 36, "AUTH_CHALLENGE", plain;
    AuthResponse(CommandAuthResponse) = 37, "AUTH_RESPONSE", plain;
    AckResponse(CommandAckResponse) = 38, "ACK_RESPONSE", plain;
    GetOrCreateSchema(CommandGetOrCreateSchema) = 39, "GET_OR_CREATE_SCHEMA", plain;
    GetOrCreateSchemaResponse(CommandGetOrCreateSchemaResponse) = 40, "GET_OR_CREATE_SCHEMA_RESPONSE", plain;
    NewTxn(CommandNewTxn) = 50, "NEW_TXN", plain;
    NewTxnResponse(CommandNewTxnResponse) = 51, "NEW_TXN_RESPONSE", plain;
    AddPartitionToTxn(CommandAddPartitionToTxn) = 52, "ADD_PARTITION_TO_TXN", plain;
    AddPartitionToTxnResponse(CommandAddPartitionToTxnResponse) = 53, "ADD_PARTITION_TO_TXN_RESPONSE", plain;
    AddSubscriptionToTxn(CommandAddSubscriptionToTxn) = 54, "ADD_SUBSCRIPTION_TO_TXN", plain;
    AddSubscriptionToTxnResponse(CommandAddSubscriptionToTxnResponse) = 55, "ADD_SUBSCRIPTION_TO_TXN_RESPONSE", plain;
    EndTxn(CommandEndTxn) = 56, "END_TXN", plain;
    EndTxnResponse(CommandEndTxnResponse) = 57, "END_TXN_RESPONSE", plain;
    EndTxnOnPartition(CommandEndTxnOnPartition) = 58, "END_TXN_ON_PARTITION", plain;
    EndTxnOnPartitionResponse(CommandEndTxnOnPartitionResponse) = 59, "END_TXN_ON_PARTITION_RESPONSE", plain;
    EndTxnOnSubscription(CommandEndTxnOnSubscription) = 60, "END_TXN_ON_SUBSCRIPTION", plain;
    EndTxnOnSubscriptionResponse(CommandEndTxnOnSubscriptionResponse) = 61, "END_TXN_ON_SUBSCRIPTION_RESPONSE", plain;
    TcClientConnectRequest(CommandTcClientConnectRequest) = 62, "TC_CLIENT_CONNECT_REQUEST", plain;
    TcClientConnectResponse(CommandTcClientConnectResponse) = 63, "TC_CLIENT_CONNECT_RESPONSE", plain;
    WatchTopicList(CommandWatchTopicList) = 64, "WATCH_TOPIC_LIST", plain;
    WatchTopicListSuccess(CommandWatchTopicListSuccess) = 65, "WATCH_TOPIC_LIST_SUCCESS", plain;
    WatchTopicUpdate(CommandWatchTopicUpdate) = 66, "WATCH_TOPIC_UPDATE", plain;
    WatchTopicListClose(CommandWatchTopicListClose) = 67, "WATCH_TOPIC_LIST_CLOSE", plain;
    TopicMigrated(CommandTopicMigrated) = 68, "TOPIC_MIGRATED", plain;
}

impl Command {
    /// Returns the request id of a request or of the answer to one; `None` for pushes and one-way commands.
    ///
    /// An ACK has one only when it asks for a receipt. Every command for which this returns an id must be answered.
    pub fn request_id(&self) -> Option<u64> {
        match self {
            Self::Subscribe(c) => Some(c.request_id),
            Self::Producer(c) => Some(c.request_id),
            Self::Ack(c) => c.request_id,
            Self::Unsubscribe(c) => Some(c.request_id),
            Self::Success(c) => Some(c.request_id),
            Self::Error(c) => Some(c.request_id),
            Self::CloseProducer(c) => Some(c.request_id),
            Self::CloseConsumer(c) => Some(c.request_id),
            Self::ProducerSuccess(c) => Some(c.request_id),
            Self::PartitionedTopicMetadata(c) => Some(c.request_id),
            Self::PartitionedTopicMetadataResponse(c) => Some(c.request_id),
            Self::LookupTopic(c) => Some(c.request_id),
            Self::LookupTopicResponse(c) => Some(c.request_id),
            Self::ConsumerStats(c) => Some(c.request_id),
            Self::ConsumerStatsResponse(c) => Some(c.request_id),
            Self::Seek(c) => Some(c.request_id),
            Self::GetLastMessageId(c) => Some(c.request_id),
            Self::GetLastMessageIdResponse(c) => Some(c.request_id),
            Self::GetTopicsOfNamespace(c) => Some(c.request_id),
            Self::GetTopicsOfNamespaceResponse(c) => Some(c.request_id),
            Self::GetSchema(c) => Some(c.request_id),
            Self::GetSchemaResponse(c) => Some(c.request_id),
            Self::AckResponse(c) => c.request_id,
            Self::GetOrCreateSchema(c) => Some(c.request_id),
            Self::GetOrCreateSchemaResponse(c) => Some(c.request_id),
            Self::NewTxn(c) => Some(c.request_id),
            Self::NewTxnResponse(c) => Some(c.request_id),
            Self::AddPartitionToTxn(c) => Some(c.request_id),
            Self::AddPartitionToTxnResponse(c) => Some(c.request_id),
            Self::AddSubscriptionToTxn(c) => Some(c.request_id),
            Self::AddSubscriptionToTxnResponse(c) => Some(c.request_id),
            Self::EndTxn(c) => Some(c.request_id),
            Self::EndTxnResponse(c) => Some(c.request_id),
            Self::EndTxnOnPartition(c) => Some(c.request_id),
            Self::EndTxnOnPartitionResponse(c) => Some(c.request_id),
            Self::EndTxnOnSubscription(c) => Some(c.request_id),
            Self::EndTxnOnSubscriptionResponse(c) => Some(c.request_id),
            Self::TcClientConnectRequest(c) => Some(c.request_id),
            Self::TcClientConnectResponse(c) => Some(c.request_id),
            Self::WatchTopicList(c) => Some(c.request_id),
            Self::WatchTopicListSuccess(c) => Some(c.request_id),
            Self::WatchTopicListClose(c) => Some(c.request_id),
            Self::Unknown(c) => c.request_id,
            _ => None,
        }
    }

    /// Returns whether frames of this command carry an entry after it (SEND and MESSAGE).
    pub fn carries_entry(&self) -> bool {
        matches!(self, Self::Send(_) | Self::Message(_))
    }

    /// Returns the number of bytes that [`Command::write`] writes.
    pub fn encoded_bytes(&self) -> usize {
        let kind = 1 + encoded_len_varint(i64::from(self.kind()).cast_unsigned());
        if matches!(self, Self::Unknown(_)) {
            return kind;
        }
        let message = self.message_bytes();
        kind + encoded_len_varint((i64::from(self.kind()).cast_unsigned()) << 3)
            + encoded_len_varint(message as u64)
            + message
    }

    /// Writes the command as a `BaseCommand`.
    pub fn write(&self, out: &mut impl BufMut) {
        encode_key(1, WireType::Varint, out);
        encode_varint(i64::from(self.kind()).cast_unsigned(), out);
        if matches!(self, Self::Unknown(_)) {
            return;
        }
        encode_key(self.kind().unsigned_abs(), WireType::LengthDelimited, out);
        encode_varint(self.message_bytes() as u64, out);
        self.write_message(out);
    }

    /// Reads a `BaseCommand` that fills `bytes`.
    ///
    /// # Errors
    /// [`Error::Command`] when the bytes are not protobuf, [`Error::MalformedFrame`] when type and content differ.
    pub fn read(mut bytes: &[u8]) -> Result<Self, Error> {
        let mut kind = None;
        let mut command = None;
        let mut first_request_id = None;
        while !bytes.is_empty() {
            let (number, wire) = decode_key(&mut bytes).map_err(Error::Command)?;
            match (number, wire) {
                (1, WireType::Varint) => kind = Some(decode_varint(&mut bytes).map_err(Error::Command)?),
                (_, WireType::LengthDelimited) => {
                    let announced = decode_varint(&mut bytes).map_err(Error::Command)?;
                    let Some((body, rest)) = usize::try_from(announced).ok().and_then(|n| bytes.split_at_checked(n))
                    else {
                        return Err(Error::MalformedFrame { reason: "the command ends inside a field" });
                    };
                    bytes = rest;
                    match Self::read_message(number, body).map_err(Error::Command)? {
                        Some(read) => command = Some(read),
                        None => first_request_id = request_id_of_unknown(body),
                    }
                }
                _ => skip_field(wire, number, &mut bytes, DecodeContext::default()).map_err(Error::Command)?,
            }
        }
        let kind = kind.ok_or(Error::MalformedFrame { reason: "the command has no type" })?;
        let kind =
            i32::try_from(kind).map_err(|_| Error::MalformedFrame { reason: "the command type is out of range" })?;
        match command {
            Some(command) if command.kind() == kind => Ok(command),
            Some(_) => Err(Error::MalformedFrame { reason: "the command's type and content differ" }),
            None => {
                Ok(Self::empty(kind).unwrap_or(Self::Unknown(UnknownCommand { kind, request_id: first_request_id })))
            }
        }
    }
}

fn request_id_of_unknown(mut body: &[u8]) -> Option<u64> {
    match decode_key(&mut body) {
        Ok((1, WireType::Varint)) => decode_varint(&mut body).ok(),
        _ => None,
    }
}
