//! Logins with every supported plugin and TLS mode, and the errors of refused logins.

use std::path::PathBuf;

use bitacora_source::Connection;
use bitacora_source::Encryption;
use bitacora_source::{Error, ErrorClass, PublicKeyRetrieval, ServerConfig, Tls, TlsMode};
use bitacora_testkit::{Mariadb, MariadbOptions, Mysql, MysqlOptions};

use crate::{config, config_of};

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/server/tls").join(name)
}

fn with_tls(config: &ServerConfig, mode: TlsMode, ca_file: Option<&str>) -> ServerConfig {
    let mut config = config.clone();
    config.tls = Tls { mode, ca_file: ca_file.map(file), ..Tls::default() };
    config
}

/// Returns a configuration without TLS that accepts whatever key the server sends.
fn without_tls(config: &ServerConfig) -> ServerConfig {
    let mut config = with_tls(config, TlsMode::Disabled, None);
    config.tls.public_key_retrieval = PublicKeyRetrieval::Allowed;
    config
}

/// Logs in, and asks the server for the account and the encryption of the session.
async fn logged_in(config: &ServerConfig, encryption: Encryption) {
    let mut connection = Connection::open(config).await.unwrap_or_else(|error| panic!("{:?}: {error}", config.tls));
    assert_eq!(connection.encryption(), encryption, "{:?}", config.tls);
    let user = connection.query("SELECT SUBSTRING_INDEX(CURRENT_USER(), '@', 1)").await.unwrap();
    assert_eq!(user.first().unwrap().text(0), Some(config.user.as_str()));
    let cipher = connection.query("SHOW STATUS LIKE 'Ssl_cipher'").await.unwrap();
    let encrypted = !cipher.first().unwrap().text(1).unwrap_or_default().is_empty();
    assert_eq!(encrypted, encryption == Encryption::Tls);
}

async fn refused(config: &ServerConfig) -> Error {
    Connection::open(config).await.expect_err("the connection must be refused")
}

fn server_tls() -> Vec<String> {
    vec![
        format!("--ssl-ca={}", file("ca.pem").display()),
        format!("--ssl-cert={}", file("server.pem").display()),
        format!("--ssl-key={}", file("server-key.pem").display()),
    ]
}

#[tokio::test]
async fn mysql_passwords_and_tls_modes() {
    let server = Mysql::start(MysqlOptions { extra: server_tls(), ..MysqlOptions::default() });
    let app = config(&server);

    // A full authentication with the server's RSA key, which the operator has named, or has allowed to ask for; then
    // one from the server's cache, which needs no key.
    let strict = with_tls(&app, TlsMode::Disabled, None);
    let mut pinned = strict.clone();
    pinned.tls.server_public_key_file = Some(server.data_dir().join("public_key.pem"));
    for config in [&pinned, &without_tls(&app)] {
        server.client("FLUSH PRIVILEGES");
        let error = refused(&strict).await;
        assert!(matches!(error, Error::UntrustedKey { plugin: "caching_sha2_password", .. }), "{error}");
        assert_eq!(error.class(), ErrorClass::FixConfiguration);
        assert!(error.remedy().contains("tls.server_public_key"), "{}", error.remedy());
        logged_in(config, Encryption::None).await;
        logged_in(&strict, Encryption::None).await;
    }
    let connection = Connection::open(&strict).await.unwrap();
    assert!(matches!(connection.latent_refusal(), Some(Error::UntrustedKey { .. })), "{connection:?}");
    pinned.tls.server_public_key_file = Some(file("none.pem"));
    assert!(matches!(refused(&pinned).await, Error::TlsFile { .. }));
    // A full authentication inside TLS.
    server.client("FLUSH PRIVILEGES");
    logged_in(&with_tls(&app, TlsMode::Preferred, None), Encryption::Tls).await;
    logged_in(&with_tls(&app, TlsMode::Required, None), Encryption::Tls).await;
    logged_in(&with_tls(&app, TlsMode::VerifyCa, Some("ca.pem")), Encryption::Tls).await;
    logged_in(&with_tls(&app, TlsMode::VerifyIdentity, Some("ca.pem")), Encryption::Tls).await;
    // An empty password, and a long one with characters of several bytes.
    let root = config_of(&server, "root", "");
    logged_in(&with_tls(&root, TlsMode::Disabled, None), Encryption::None).await;
    let long = "contraseña-".repeat(8);
    server.client(&format!("CREATE USER 'long'@'%' IDENTIFIED BY '{long}'"));
    logged_in(&without_tls(&config_of(&server, "long", &long)), Encryption::None).await;
    // For an account with another plugin than the server's default the server asks for a switch.
    server.client("CREATE USER 'older'@'%' IDENTIFIED WITH sha256_password BY 'o'");
    let older = config_of(&server, "older", "o");
    assert!(matches!(refused(&with_tls(&older, TlsMode::Disabled, None)).await, Error::UntrustedKey { .. }));
    pinned = with_tls(&older, TlsMode::Disabled, None);
    pinned.tls.server_public_key_file = Some(server.data_dir().join("public_key.pem"));
    logged_in(&pinned, Encryption::None).await;
    logged_in(&without_tls(&older), Encryption::None).await;
    logged_in(&with_tls(&older, TlsMode::Required, None), Encryption::Tls).await;

    for mode in [TlsMode::Disabled, TlsMode::Required] {
        let mut wrong = without_tls(&config_of(&server, "debezium", "wrong"));
        wrong.tls.mode = mode;
        let error = refused(&wrong).await;
        assert_eq!((error.server_code(), error.class()), (Some(1045), ErrorClass::FixConfiguration), "{error}");
        assert!(error.remedy().contains("password"), "{}", error.remedy());
        assert!(!error.to_string().contains("wrong"), "{error}");
    }

    // A CA file makes every mode verify, and a missing file is an error before anything is sent.
    for mode in [TlsMode::Preferred, TlsMode::Required, TlsMode::VerifyCa] {
        assert!(matches!(refused(&with_tls(&app, mode, Some("other-ca.pem"))).await, Error::Tls { .. }), "{mode:?}");
        assert!(matches!(refused(&with_tls(&app, mode, Some("none.pem"))).await, Error::TlsFile { .. }), "{mode:?}");
    }
    let error = refused(&with_tls(&app, TlsMode::Disabled, Some("ca.pem"))).await;
    assert!(matches!(error, Error::CaWithoutTls { .. }), "{error}");
    let error = refused(&with_tls(&app, TlsMode::VerifyCa, Some("other-ca.pem"))).await;
    assert!(error.remedy().contains("CA file"), "{}", error.remedy());
    let mut other_name = with_tls(&app, TlsMode::VerifyIdentity, Some("ca.pem"));
    other_name.host = "localhost".into();
    assert!(matches!(refused(&other_name).await, Error::Tls { .. }));
    other_name.tls.mode = TlsMode::VerifyCa;
    logged_in(&other_name, Encryption::Tls).await;
    // Without a CA file the public authorities are trusted, and none of them signed this certificate.
    assert!(matches!(refused(&with_tls(&app, TlsMode::VerifyCa, None)).await, Error::Tls { .. }));
    let error = refused(&with_tls(&app, TlsMode::VerifyCa, Some("none.pem"))).await;
    assert!(error.to_string().contains("none.pem"), "{error}");

    server.client("CREATE USER 'certified'@'%' IDENTIFIED BY 'c' REQUIRE X509");
    let mut certified = with_tls(&config_of(&server, "certified", "c"), TlsMode::Required, None);
    assert_eq!(refused(&certified).await.server_code(), Some(1045));
    certified.tls.certificate_file = Some(file("client.pem"));
    certified.tls.key_file = Some(file("client-key.pem"));
    logged_in(&certified, Encryption::Tls).await;
}

#[tokio::test]
async fn mariadb_passwords_and_tls_modes() {
    let server = Mariadb::start(MariadbOptions::default());
    let app = config(&server);
    logged_in(&with_tls(&app, TlsMode::Preferred, None), Encryption::None).await;
    for (mode, ca_file) in [(TlsMode::Required, None), (TlsMode::Preferred, Some("ca.pem"))] {
        let error = refused(&with_tls(&app, mode, ca_file)).await;
        assert!(matches!(error, Error::TlsNotOffered { .. }), "{error}");
    }
    let error = refused(&config_of(&server, "debezium", "wrong")).await;
    assert_eq!((error.server_code(), error.class()), (Some(1045), ErrorClass::FixConfiguration), "{error}");
    logged_in(&config_of(&server, "root", ""), Encryption::None).await;

    let server = Mariadb::start(MariadbOptions { extra: server_tls(), ..MariadbOptions::default() });
    let app = config(&server);
    for mode in [TlsMode::Preferred, TlsMode::VerifyCa, TlsMode::VerifyIdentity] {
        logged_in(&with_tls(&app, mode, Some("ca.pem")), Encryption::Tls).await;
    }
    assert!(matches!(refused(&with_tls(&app, TlsMode::VerifyCa, Some("other-ca.pem"))).await, Error::Tls { .. }));
}

#[tokio::test]
async fn nothing_listens() {
    let port = bitacora_testkit::free_port();
    let error = refused(&ServerConfig::new("127.0.0.1", port, "x", "y")).await;
    assert_eq!(error.class(), ErrorClass::Retry);
    assert!(error.remedy().contains("nothing listens"), "{}", error.remedy());
}

/// A peer that is not a database must give a clear error, whatever it sends.
#[tokio::test]
async fn a_peer_that_is_no_database() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let peer = tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        for answer in [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], b"\x01\x00\x00\x00\x09", b"\xff\xff\xff\x00", b""] {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.write_all(answer).await;
        }
    });
    for _ in 0..4 {
        let mut config = ServerConfig::new("127.0.0.1", port, "x", "y");
        config.connect_timeout_ms = 5_000;
        let error = refused(&config).await;
        assert!(
            matches!(error, Error::Malformed { .. } | Error::Lost { .. } | Error::PacketTooLarge { .. }),
            "{error}"
        );
    }
    peer.await.unwrap();
}
