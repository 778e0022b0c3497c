//! The login: greeting, TLS, password.
//!
//! Exchange: greeting → [TLS request, handshake] → response → any number of "switch plugin" and "more data" → OK.

use tokio::net::TcpStream;

use super::{Connection, Stream};
use crate::wire::auth::{self, Plugin};
use crate::wire::buffer::PacketBuffer;
use crate::wire::handshake::{Greeting, Response, capability};
use crate::wire::read::Reader;
use crate::wire::tls;
use crate::{Error, ServerConfig, ServerVersion, TlsMode};

impl Connection {
    /// Connects, reads the greeting and authenticates.
    pub(super) async fn log_in(config: &ServerConfig) -> Result<Connection, Error> {
        let address = config.address();
        let socket = TcpStream::connect((config.host.as_str(), config.port))
            .await
            .map_err(|source| Error::Connect { address: address.clone(), source })?;
        socket.set_nodelay(true).map_err(|source| Error::Connect { address: address.clone(), source })?;
        let mut connection = Connection {
            stream: Stream::Plain(socket),
            buffer: PacketBuffer::new(config.max_packet_bytes),
            sequence: 0,
            version: ServerVersion::parse(""),
            connection_id: 0,
            capabilities: 0,
            address,
            query_timeout_ms: config.query_timeout_ms,
            batches: Default::default(),
        };
        let packet = connection.packet_of_exchange("connecting").await?;
        let packet = connection.buffer.get(packet);
        if packet.first() == Some(&0xff) {
            return Err(connection.server_error(packet, "the connection"));
        }
        let greeting = Greeting::parse(packet).ok_or_else(|| connection.malformed("greeting"))?;
        connection.version = ServerVersion::parse(&greeting.version);
        connection.connection_id = greeting.connection_id;
        connection.authenticate(config, &greeting).await?;
        Ok(connection)
    }

    async fn authenticate(&mut self, config: &ServerConfig, greeting: &Greeting) -> Result<(), Error> {
        let wanted = capability::LONG_PASSWORD
            | capability::LONG_FLAG
            | capability::PROTOCOL_41
            | capability::TRANSACTIONS
            | capability::SECURE_CONNECTION
            | capability::PLUGIN_AUTH
            | capability::PLUGIN_AUTH_LENENC
            | capability::CONNECT_ATTRS;
        let needed = capability::PROTOCOL_41 | capability::SECURE_CONNECTION;
        if greeting.capabilities & needed != needed {
            return Err(self.malformed("greeting (a server older than protocol 4.1)"));
        }
        self.capabilities = wanted & greeting.capabilities;
        let offered = greeting.capabilities & capability::SSL != 0;
        let encrypt = match config.tls.mode {
            TlsMode::Disabled => false,
            TlsMode::Preferred => offered,
            _ if offered => true,
            _ => return Err(Error::TlsNotOffered { address: self.address.clone() }),
        };
        if encrypt {
            self.capabilities |= capability::SSL;
        }
        // A server-side default that this client does not speak is answered with one it speaks; the server then asks
        // for the plugin of the account.
        let mut plugin = Plugin::named(&greeting.plugin).unwrap_or(Plugin::Native);
        let mut nonce = greeting.nonce.clone();
        let mut answer = plugin.answer(&config.password, &nonce);
        if plugin == Plugin::Sha256 && encrypt {
            answer = auth::clear(&config.password);
        }
        let attributes = [
            ("_client_name", "bitacora"),
            ("_client_version", env!("CARGO_PKG_VERSION")),
            ("program_name", "bitacora"),
        ];
        let response = Response {
            capabilities: self.capabilities,
            user: &config.user,
            auth: &answer,
            plugin: plugin.name(),
            attributes: &attributes,
        };
        if encrypt {
            let mut request = Vec::new();
            response.put_tls_request(&mut request);
            self.send(&request, "starting TLS").await?;
            self.start_tls(config).await?;
        }
        let mut payload = Vec::new();
        response.put(&mut payload);
        self.send(&payload, "logging in").await?;

        // Every answer brings the login one step further; more than these are no login.
        for _ in 0..8 {
            let packet = self.packet_of_exchange("logging in").await?;
            let packet = self.buffer.get(packet).to_vec();
            match packet.split_first() {
                Some((0x00, _)) => return Ok(()),
                Some((0xff, _)) => return Err(self.server_error(&packet, &format!("the login of `{}`", config.user))),
                Some((0xfe, rest)) => {
                    let mut reader = Reader::new(rest);
                    let name = reader.until_zero();
                    let name: &[u8] = if rest.is_empty() { b"mysql_old_password" } else { name };
                    plugin = Plugin::named(name).ok_or_else(|| Error::AuthenticationPlugin {
                        plugin: String::from_utf8_lossy(name).into_owned(),
                    })?;
                    nonce = reader.rest().to_vec();
                    nonce.truncate(auth::NONCE);
                    let mut answer = plugin.answer(&config.password, &nonce);
                    if plugin == Plugin::Sha256 && encrypt {
                        answer = auth::clear(&config.password);
                    }
                    self.send(&answer, "logging in").await?;
                }
                Some((0x01, rest)) => self.continue_sha2(config, plugin, &nonce, rest).await?,
                _ => return Err(self.malformed("answer to the login")),
            }
        }
        Err(self.malformed("answer to the login"))
    }

    /// Goes on after "more data" of the SHA-2 plugins.
    async fn continue_sha2(
        &mut self,
        config: &ServerConfig,
        plugin: Plugin,
        nonce: &[u8],
        data: &[u8],
    ) -> Result<(), Error> {
        match (plugin, data) {
            // The server had the password's digest in its cache; OK follows.
            (Plugin::CachingSha2, [3]) => Ok(()),
            (Plugin::CachingSha2, [4]) => match self.stream {
                Stream::Tls(_) => self.send(&auth::clear(&config.password), "logging in").await,
                _ => self.send(&[2], "asking for the server's public key").await,
            },
            (Plugin::CachingSha2 | Plugin::Sha256, pem) => {
                let encrypted = auth::under_key(&config.password, nonce, pem)
                    .ok_or_else(|| self.malformed("public key for the password"))?;
                self.send(&encrypted, "logging in").await
            }
            _ => Err(self.malformed("answer to the login")),
        }
    }

    async fn start_tls(&mut self, config: &ServerConfig) -> Result<(), Error> {
        // Bytes before the handshake would be taken for the server's although nobody has proved where they come from.
        if self.buffer.pending() != 0 {
            return Err(self.malformed("greeting (bytes before the TLS handshake)"));
        }
        match std::mem::replace(&mut self.stream, Stream::Closed) {
            Stream::Plain(socket) => {
                self.stream = Stream::Tls(Box::new(tls::handshake(config, socket).await?));
                Ok(())
            }
            other => {
                self.stream = other;
                Ok(())
            }
        }
    }
}
