//! Listeners, sockets and in-process connections. Each connection gets a session, a reader and a writer.

mod connection;

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bitacora_pulsar_wire::Frame;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    error::BrokerError,
    peer::Connection,
    session::{Session, Violation},
    shared::Shared,
};
use connection::{FrameReader, write_frames};

/// Time within which a client must send CONNECT.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Time without an accepted byte after which a peer's connection is closed.
const WRITE_STALL: Duration = Duration::from_secs(60);
/// Pause of the listener after a failed accept, so that it does not spin while no file descriptor is left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Binds a listener, if one is configured.
pub(crate) async fn bind(
    address: Option<SocketAddr>,
    purpose: &'static str,
) -> Result<Option<TcpListener>, BrokerError> {
    let Some(address) = address else { return Ok(None) };
    let bound = TcpListener::bind(address).await;
    bound.map(Some).map_err(|cause| BrokerError::Listen { address, purpose, cause })
}

/// Accepts connections until the broker stops.
pub(crate) async fn accept(shared: Arc<Shared>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((socket, peer)) => {
                    let _ = socket.set_nodelay(true);
                    connections.spawn(serve_socket(Arc::clone(&shared), socket, peer.to_string()));
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
    drop(listener);
    while connections.join_next().await.is_some() {}
}

async fn serve_socket(shared: Arc<Shared>, socket: TcpStream, peer: String) {
    let max_message_bytes = shared.config.max_message_bytes;
    let keepalive = shared.config.keepalive;
    let session = Session::new(shared, peer);
    let connection = Arc::clone(session.connection());
    let (read, write) = socket.into_split();
    let mut frames = FrameReader::new(read, max_message_bytes);
    let reader = async {
        let first = timeout(HANDSHAKE, frames.next()).await;
        let mut next = first.map_err(|_| "no CONNECT came within 10 s".to_owned())?;
        loop {
            let Some(frame) = next.map_err(|error| error.to_string())? else { return Ok(()) };
            session.on_frame(frame).await.map_err(|Violation(reason)| reason)?;
            next = frames.next().await;
        }
    };
    let outcome = run(&connection, reader, write_frames(write, &connection.outbound, WRITE_STALL), keepalive).await;
    if let Err(reason) = outcome {
        tracing::warn!(peer = connection.remote, reason, "connection closed");
    }
    session.end().await;
}

/// Serves a connection inside the process.
pub(crate) async fn serve_local(
    shared: Arc<Shared>,
    mut from_client: mpsc::Receiver<Frame>,
    to_client: mpsc::Sender<Frame>,
) {
    let keepalive = shared.config.keepalive;
    let session = Session::new(shared, "local".to_owned());
    let connection = Arc::clone(session.connection());
    let reader = async {
        while let Some(frame) = from_client.recv().await {
            session.on_frame(frame).await.map_err(|Violation(reason)| reason)?;
        }
        Ok(())
    };
    let writer = async {
        while let Some(batch) = connection.outbound.next_batch().await {
            for frame in batch {
                if to_client.send(frame).await.is_err() {
                    return Ok(());
                }
            }
        }
        Ok(())
    };
    let outcome = run(&connection, reader, writer, keepalive).await;
    if let Err(reason) = outcome {
        tracing::warn!(peer = connection.remote, reason, "connection closed");
    }
    session.end().await;
}

/// Runs reader, writer and keepalive until one of them ends.
async fn run(
    connection: &Connection,
    reader: impl Future<Output = Result<(), String>>,
    writer: impl Future<Output = io::Result<()>>,
    keepalive: Duration,
) -> Result<(), String> {
    tokio::pin!(writer);
    let outcome = tokio::select! {
        outcome = reader => outcome,
        outcome = &mut writer => return outcome.map_err(|error| error.to_string()),
        outcome = watch_life(connection, keepalive) => outcome,
        () = connection.ended() => Ok(()),
    };
    // Frames that are queued already, such as the answer to the client's last request, still go out.
    connection.finish();
    let _ = timeout(Duration::from_secs(1), writer).await;
    outcome
}

/// Pings a peer that was silent for one interval, and fails after a second silent interval.
async fn watch_life(connection: &Connection, keepalive: Duration) -> Result<(), String> {
    let mut heard = connection.frames_heard();
    loop {
        tokio::time::sleep(keepalive).await;
        if connection.frames_heard() == heard && !connection.is_alive(keepalive).await {
            return Err(format!("the peer was silent for {} s", 2 * keepalive.as_secs()));
        }
        heard = connection.frames_heard();
    }
}
