//! A man in the middle speaks the protocol well, offers no TLS and asks for the password. He once got it, because the
//! client encrypted it with any RSA key that the other end sent.

use std::sync::LazyLock;

use bitacora_source::Connection;
use bitacora_source::{Error, ErrorClass, PublicKeyRetrieval, ServerConfig, TlsMode};
use rsa::pkcs8::{EncodePublicKey, LineEnding};
use rsa::{Oaep, RsaPrivateKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const PASSWORD: &str = "the-real-password";
const NONCE: &[u8; 20] = b"ABCDEFGHIJKLMNOPQRST";

static KEY: LazyLock<RsaPrivateKey> = LazyLock::new(|| RsaPrivateKey::new(&mut rand::thread_rng(), 1024).unwrap());

fn public_key_pem() -> String {
    KEY.to_public_key().to_public_key_pem(LineEnding::LF).unwrap()
}

/// What the man in the middle says after the client's answer to his greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Trick {
    /// He asks for a full authentication, like a server whose cache is empty.
    FullLogin,
    /// He sends his key, although nobody asked for it.
    KeyUnasked,
    /// He asks for another plugin, which has no scramble.
    Switch(&'static str),
    /// His greeting already names the plugin that has no scramble; then he sends his key.
    Sha256Greeting,
}

async fn send(socket: &mut TcpStream, sequence: u8, payload: &[u8]) {
    let mut packet = u32::try_from(payload.len()).unwrap().to_le_bytes()[..3].to_vec();
    packet.push(sequence);
    packet.extend_from_slice(payload);
    let _ = socket.write_all(&packet).await;
}

/// Reads a packet; `None` if the client has closed the connection.
async fn receive(socket: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 4];
    socket.read_exact(&mut head).await.ok()?;
    let mut payload = vec![0; u32::from_le_bytes([head[0], head[1], head[2], 0]) as usize];
    socket.read_exact(&mut payload).await.ok()?;
    Some((head[3], payload))
}

fn greeting(plugin: &str) -> Vec<u8> {
    // Long passwords and flags, protocol 4.1, transactions, secure connection, plugins, attributes; no TLS.
    let capabilities: u32 = 0x1 | 0x4 | 0x200 | 0x2000 | 0x8000 | 0x8_0000 | 0x10_0000 | 0x20_0000;
    let [a, b, c, d] = capabilities.to_le_bytes();
    let mut packet = b"\x0a9.7.0\0\x07\0\0\0ABCDEFGH\0".to_vec();
    packet.extend_from_slice(&[a, b, 45, 2, 0, c, d, 21]);
    packet.extend_from_slice(&[0; 10]);
    packet.extend_from_slice(b"IJKLMNOPQRST\0");
    packet.extend_from_slice(plugin.as_bytes());
    packet.push(0);
    packet
}

/// Plays the trick on one client, and returns the password if the client sent it in clear or encrypted with his key.
async fn play(listener: TcpListener, trick: Trick) -> Option<String> {
    let (mut socket, _) = listener.accept().await.unwrap();
    let plugin = if trick == Trick::Sha256Greeting { "sha256_password" } else { "caching_sha2_password" };
    send(&mut socket, 0, &greeting(plugin)).await;
    let (sequence, _) = receive(&mut socket).await?;
    let pem = [b"\x01", public_key_pem().as_bytes()].concat();
    let first = match trick {
        Trick::FullLogin => b"\x01\x04".to_vec(),
        Trick::KeyUnasked | Trick::Sha256Greeting => pem.clone(),
        Trick::Switch(plugin) => [b"\xfe", plugin.as_bytes(), b"\0", NONCE, b"\0"].concat(),
    };
    send(&mut socket, sequence + 1, &first).await;
    loop {
        let (sequence, answer) = receive(&mut socket).await?;
        let masked = KEY.decrypt(Oaep::new::<sha1::Sha1>(), &answer).unwrap_or_default();
        let unmasked: Vec<u8> = masked.iter().zip(NONCE.iter().cycle()).map(|(a, b)| a ^ b).collect();
        for learned in [answer, unmasked] {
            if learned.starts_with(PASSWORD.as_bytes()) {
                return Some(PASSWORD.to_owned());
            }
        }
        send(&mut socket, sequence + 1, &pem).await;
    }
}

/// Logs in at the man in the middle, and returns what he learned and the error of the login.
async fn meet(trick: Trick, change: impl FnOnce(&mut ServerConfig)) -> (Option<String>, Error) {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let mut config = ServerConfig::new("127.0.0.1", listener.local_addr().unwrap().port(), "debezium", PASSWORD);
    change(&mut config);
    let rogue = tokio::spawn(play(listener, trick));
    let error = Connection::open(&config).await.expect_err("this is no server");
    (rogue.await.unwrap(), error)
}

const TRICKS: [Trick; 6] = [
    Trick::FullLogin,
    Trick::KeyUnasked,
    Trick::Sha256Greeting,
    Trick::Switch("sha256_password"),
    Trick::Switch("mysql_clear_password"),
    Trick::Switch("mysql_old_password"),
];

#[tokio::test]
async fn a_password_is_not_given_to_a_key_that_nobody_vouches_for() {
    for mode in [TlsMode::Preferred, TlsMode::Disabled] {
        for trick in TRICKS {
            let (learned, error) = meet(trick, |config| config.tls.mode = mode).await;
            assert_eq!(learned, None, "{trick:?}");
            match trick {
                Trick::Switch("mysql_clear_password" | "mysql_old_password") => {
                    assert!(matches!(error, Error::AuthenticationPlugin { .. }), "{trick:?}: {error}");
                }
                Trick::KeyUnasked => assert!(matches!(error, Error::Malformed { .. }), "{trick:?}: {error}"),
                _ => {
                    assert!(matches!(error, Error::UntrustedKey { .. }), "{trick:?}: {error}");
                    assert_eq!(error.class(), ErrorClass::FixConfiguration);
                }
            }
        }
    }
    // A named CA does not let the login fall back to a connection without TLS.
    let ca = std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/server/tls/ca.pem");
    let (learned, error) = meet(Trick::FullLogin, |config| config.tls.ca_file = Some(ca)).await;
    assert_eq!(learned, None);
    assert!(matches!(error, Error::TlsNotOffered { .. }), "{error}");
}

#[tokio::test]
async fn under_a_pinned_key_the_password_is_of_no_use_to_another() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("public_key.pem");
    let servers_own = RsaPrivateKey::new(&mut rand::thread_rng(), 1024).unwrap();
    std::fs::write(&path, servers_own.to_public_key().to_public_key_pem(LineEnding::LF).unwrap()).unwrap();
    for trick in TRICKS {
        let (learned, _) = meet(trick, |config| config.tls.server_public_key_file = Some(path.clone())).await;
        assert_eq!(learned, None, "{trick:?}");
    }
}

/// The same man in the middle gets the password if the operator allows any key. That proves that the tests above can
/// fail.
#[tokio::test]
async fn an_operator_who_allows_any_key_is_believed() {
    for trick in [Trick::FullLogin, Trick::Sha256Greeting, Trick::Switch("sha256_password")] {
        let (learned, _) = meet(trick, |config| config.tls.public_key_retrieval = PublicKeyRetrieval::Allowed).await;
        assert_eq!(learned.as_deref(), Some(PASSWORD), "{trick:?}");
    }
}
