//! The state of a connection, without a socket: who waits for which answer, who owns which id, when the peer is dead.

use std::collections::HashMap;

use bitacora_pulsar_wire::proto::{CommandPing, CommandPong};
use bitacora_pulsar_wire::{Command, Frame};

/// Where a received frame belongs. `W` is what waits for an answer.
#[derive(Debug, PartialEq)]
pub(super) enum Route<W> {
    /// The answer to a request.
    Answer(W, Command),
    /// For the producer of this id.
    Producer(u64, Command),
    /// For the consumer of this id.
    Consumer(u64, Frame),
    /// The peer wants this back.
    Reply(Command),
    /// The broker asks for fresh credentials.
    AuthChallenge,
    /// The broker refuses the connection itself.
    Refused(Command),
    /// Nothing to do: a keepalive, or a late answer for which nobody waits any more.
    Ignored,
}

/// What to do when the keepalive timer fires.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Keepalive {
    Ping,
    PeerIsDead,
}

#[derive(Debug)]
pub(super) struct ConnectionCore<W> {
    next_id: u64,
    waiting: HashMap<u64, W>,
    received_since_tick: bool,
    silent_ticks: u32,
}

impl<W> ConnectionCore<W> {
    pub(super) fn new() -> Self {
        Self { next_id: 0, waiting: HashMap::new(), received_since_tick: true, silent_ticks: 0 }
    }

    /// Returns an id not used before on this connection: for requests, producers, consumers.
    pub(super) fn next_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(super) fn expect_answer(&mut self, request_id: u64, waiter: W) {
        self.waiting.insert(request_id, waiter);
    }

    pub(super) fn forget(&mut self, request_id: u64) {
        self.waiting.remove(&request_id);
    }

    /// Removes all waiters, as when the connection ends.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = W> {
        std::mem::take(&mut self.waiting).into_values()
    }

    pub(super) fn on_frame(&mut self, frame: Frame) -> Route<W> {
        self.received_since_tick = true;
        let command = match frame.command {
            Command::Message(message) => {
                let id = message.consumer_id;
                return Route::Consumer(id, Frame { command: Command::Message(message), payload: frame.payload });
            }
            other => other,
        };
        match &command {
            Command::Ping(_) => Route::Reply(CommandPong {}.into()),
            Command::Pong(_) => Route::Ignored,
            Command::AuthChallenge(_) => Route::AuthChallenge,
            Command::SendReceipt(receipt) => Route::Producer(receipt.producer_id, command),
            Command::SendError(error) => Route::Producer(error.producer_id, command),
            Command::CloseProducer(close) => Route::Producer(close.producer_id, command),
            Command::CloseConsumer(close) => Route::Consumer(close.consumer_id, command.into()),
            Command::ActiveConsumerChange(change) => Route::Consumer(change.consumer_id, command.into()),
            Command::ReachedEndOfTopic(end) => Route::Consumer(end.consumer_id, command.into()),
            Command::Error(error) if error.request_id == u64::MAX => Route::Refused(command),
            // A producer that waits for exclusive access gets its answer twice; the second one counts.
            Command::ProducerSuccess(success) if !success.producer_ready() => Route::Ignored,
            _ => match command.request_id().and_then(|id| self.waiting.remove(&id)) {
                Some(waiter) => Route::Answer(waiter, command),
                None => Route::Ignored,
            },
        }
    }

    /// Decides what to do at the end of a keepalive interval. Any frame counts as a sign of life; after two silent
    /// intervals the peer is dead.
    pub(super) fn on_keepalive(&mut self) -> (Keepalive, Command) {
        self.silent_ticks = if std::mem::take(&mut self.received_since_tick) { 0 } else { self.silent_ticks + 1 };
        let decision = if self.silent_ticks >= 2 { Keepalive::PeerIsDead } else { Keepalive::Ping };
        (decision, CommandPing {}.into())
    }
}

#[cfg(test)]
mod tests {
    use bitacora_pulsar_wire::proto::{CommandProducerSuccess, CommandSendReceipt, CommandSuccess};

    use super::*;

    fn success(request_id: u64) -> Frame {
        CommandSuccess { request_id, schema: None }.into()
    }

    #[test]
    fn an_answer_finds_its_waiter_once() {
        let mut core = ConnectionCore::new();
        let id = core.next_id();
        core.expect_answer(id, "waiter");
        assert!(matches!(core.on_frame(success(id + 1)), Route::Ignored));
        assert!(matches!(core.on_frame(success(id)), Route::Answer("waiter", Command::Success(_))));
        assert!(matches!(core.on_frame(success(id)), Route::Ignored));
    }

    #[test]
    fn waiting_for_exclusive_access_goes_on_after_the_first_answer() {
        let mut core = ConnectionCore::new();
        core.expect_answer(1, ());
        let mut answer = CommandProducerSuccess { request_id: 1, producer_ready: Some(false), ..Default::default() };
        assert!(matches!(core.on_frame(answer.clone().into()), Route::Ignored));
        answer.producer_ready = Some(true);
        assert!(matches!(core.on_frame(answer.into()), Route::Answer((), Command::ProducerSuccess(_))));
    }

    #[test]
    fn pushes_go_to_their_owner_and_pings_are_answered() {
        let mut core = ConnectionCore::<()>::new();
        let receipt = CommandSendReceipt { producer_id: 7, sequence_id: 1, ..Default::default() };
        assert!(matches!(core.on_frame(receipt.into()), Route::Producer(7, _)));
        assert!(matches!(core.on_frame(CommandPing {}.into()), Route::Reply(Command::Pong(_))));
    }

    #[test]
    fn a_peer_is_dead_after_two_silent_intervals() {
        let mut core = ConnectionCore::<()>::new();
        assert_eq!(core.on_keepalive().0, Keepalive::Ping);
        assert_eq!(core.on_keepalive().0, Keepalive::Ping);
        core.on_frame(CommandPong {}.into());
        assert_eq!(core.on_keepalive().0, Keepalive::Ping);
        assert_eq!(core.on_keepalive().0, Keepalive::Ping);
        assert_eq!(core.on_keepalive().0, Keepalive::PeerIsDead);
    }
}
