//! A TCP forwarder with a target that can be changed, like an address that moves to another server.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// Forwards connections from a port of its own to a loopback port. Dropping it ends it.
#[derive(Debug)]
pub struct Forwarder {
    /// The port that clients connect to, on 127.0.0.1.
    pub port: u16,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: AtomicU16,
    is_closed: AtomicBool,
    /// Both ends of every connection, so that they can be cut.
    open: Mutex<Vec<TcpStream>>,
}

impl Forwarder {
    /// Starts a forwarder to the loopback port `target`.
    pub fn start(target: u16) -> Forwarder {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a loopback port can be bound");
        let port = listener.local_addr().expect("a bound listener has an address").port();
        let shared = Arc::new(Shared {
            target: AtomicU16::new(target),
            is_closed: AtomicBool::new(false),
            open: Mutex::new(Vec::new()),
        });
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if accepting.is_closed.load(Ordering::Acquire) {
                    return;
                }
                accepting.forward(client);
            }
        });
        Forwarder { port, shared }
    }

    /// Sends new connections to `target` and cuts those that are open.
    pub fn switch_to(&self, target: u16) {
        self.shared.target.store(target, Ordering::Release);
        self.cut();
    }

    /// Cuts every open connection.
    pub fn cut(&self) {
        for end in self.shared.open.lock().expect("no holder panicked").drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.shared.is_closed.store(true, Ordering::Release);
        self.cut();
        // The accepting thread waits for a connection. This one wakes it, so that it ends.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    /// Connects a client with the current target. If the target refuses, the client's connection ends, as if no server
    /// were there.
    fn forward(&self, client: TcpStream) {
        // The target is read under this lock, so that a switch either cuts this connection or happens before it.
        let mut open = self.open.lock().expect("no holder panicked");
        let Ok(server) = TcpStream::connect(("127.0.0.1", self.target.load(Ordering::Acquire))) else { return };
        let pairs = [(&client, &server), (&server, &client)];
        for (from, to) in pairs.map(|(from, to)| (from.try_clone(), to.try_clone())) {
            let (Ok(from), Ok(to)) = (from, to) else { return };
            thread::spawn(move || pump(from, to));
        }
        open.extend([client, server]);
    }
}

fn pump(mut from: TcpStream, mut to: TcpStream) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answering(text: &'static str) -> u16 {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for mut client in listener.incoming().map_while(Result::ok) {
                let _ = client.write_all(text.as_bytes());
                thread::spawn(move || client.read(&mut [0; 1]));
            }
        });
        port
    }

    #[test]
    fn a_switch_cuts_and_leads_elsewhere() {
        let forwarder = Forwarder::start(answering("one"));
        let mut heard = [0; 3];
        let mut client = TcpStream::connect(("127.0.0.1", forwarder.port)).unwrap();
        client.read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"one");
        forwarder.switch_to(answering("two"));
        assert!(matches!(client.read(&mut heard), Ok(0) | Err(_)), "the connection lives on");
        TcpStream::connect(("127.0.0.1", forwarder.port)).unwrap().read_exact(&mut heard).unwrap();
        assert_eq!(&heard, b"two");
    }
}
