//! Logs in: greeting, TLS, password.
//!
//! Exchange: greeting → [TLS request, handshake] → response → any number of "switch plugin" and "more data" → OK.

use rustls::ClientConfig;
use tokio::net::TcpStream;

use super::state::{Connection, Stream};
use crate::wire::auth::{self, Plugin};
use crate::wire::buffer::PacketBuffer;
use crate::wire::handshake::{Greeting, Response, capability};
use crate::wire::read::Reader;
use crate::wire::tls;
use crate::wire::trust::{Channel, Keys, Way};
use crate::{Error, ServerConfig, ServerVersion, TlsMode};

/// The byte that asks the server for its public key; each plugin has another one.
const ASK_FOR_KEY_CACHING_SHA2: u8 = 2;
const ASK_FOR_KEY_SHA256: u8 = 1;

/// State of a login between two answers of the server.
struct Exchange<'a> {
    config: &'a ServerConfig,
    keys: &'a Keys,
    channel: Channel,
    plugin: Plugin,
    nonce: Vec<u8>,
    /// Whether this client asked for the server's key. A key that comes unasked is refused.
    key_asked: bool,
}

impl Connection {
    /// Connects, reads the greeting and authenticates.
    pub(super) async fn log_in(config: &ServerConfig) -> Result<Connection, Error> {
        // A missing key file is reported before connecting, even if this server would not need the file. Otherwise a
        // wrong configuration would show only when another server answers.
        let keys = Keys::read(config)?;
        let address = config.address();
        let socket = TcpStream::connect((config.host.as_str(), config.port))
            .await
            .map_err(|cause| Error::Connect { address: address.clone(), cause })?;
        socket.set_nodelay(true).map_err(|cause| Error::Connect { address: address.clone(), cause })?;
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
            latent: None,
        };
        let packet = connection.packet_of_exchange("connecting").await?;
        let packet = connection.buffer.get(packet);
        if packet.first() == Some(&0xff) {
            return Err(connection.server_error(packet, "the connection"));
        }
        let greeting = Greeting::parse(packet).ok_or_else(|| connection.malformed("greeting"))?;
        connection.version = ServerVersion::parse(&greeting.version);
        connection.connection_id = greeting.connection_id;
        connection.authenticate(config, keys, &greeting).await?;
        Ok(connection)
    }

    async fn authenticate(&mut self, config: &ServerConfig, mut keys: Keys, greeting: &Greeting) -> Result<(), Error> {
        let client = self.choose_capabilities(&mut keys, greeting)?;
        // If this client does not speak the server's default plugin, it answers with one that it speaks. The server
        // then asks for the account's plugin.
        let plugin = Plugin::named(&greeting.plugin).unwrap_or(Plugin::Native);
        let attributes = [
            ("_client_name", "bitacora"),
            ("_client_version", env!("CARGO_PKG_VERSION")),
            ("program_name", "bitacora"),
        ];
        let mut response = Response {
            capabilities: self.capabilities,
            user: &config.user,
            auth: &[],
            plugin: plugin.name(),
            attributes: &attributes,
        };
        let mut channel = Channel::Plain;
        if let Some(client) = client {
            let mut request = Vec::new();
            response.put_tls_request(&mut request);
            self.send(&request, "starting TLS").await?;
            channel = self.start_tls(config, client).await?;
        }
        let nonce = greeting.nonce.clone();
        let mut exchange = Exchange { config, keys: &keys, channel, plugin, nonce, key_asked: false };
        let answer = self.first_answer(&mut exchange)?;
        response.auth = &answer;
        let mut payload = Vec::new();
        response.put(&mut payload);
        self.send(&payload, "logging in").await?;
        self.exchange_to_end(&mut exchange).await
    }

    /// Chooses the capabilities of the session, and returns the TLS client if the connection will be encrypted.
    fn choose_capabilities(&mut self, keys: &mut Keys, greeting: &Greeting) -> Result<Option<ClientConfig>, Error> {
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
        let client = match keys.mode {
            TlsMode::Disabled => None,
            _ if offered => keys.client.take(),
            TlsMode::Preferred => None,
            _ => return Err(Error::TlsNotOffered { address: self.address.clone() }),
        };
        if client.is_some() {
            self.capabilities |= capability::SSL;
        }
        Ok(client)
    }

    /// Answers the server until it accepts or refuses the login.
    async fn exchange_to_end(&mut self, exchange: &mut Exchange<'_>) -> Result<(), Error> {
        // A login ends after a few answers. The bound keeps a rogue server from going on for ever.
        for _ in 0..8 {
            let packet = self.packet_of_exchange("logging in").await?;
            let packet = self.buffer.get(packet).to_vec();
            let answer = match packet.split_first() {
                Some((0x00, _)) => return Ok(()),
                Some((0xff, _)) => {
                    let during = format!("the login of `{}`", exchange.config.user);
                    return Err(self.server_error(&packet, &during));
                }
                Some((0xfe, rest)) => {
                    switch_plugin(exchange, rest)?;
                    Some(self.first_answer(exchange)?)
                }
                Some((0x01, rest)) => self.next_answer(exchange, rest)?,
                _ => return Err(self.malformed("answer to the login")),
            };
            if let Some(answer) = answer {
                self.send(&answer, "logging in").await?;
            }
        }
        Err(self.malformed("answer to the login"))
    }

    /// Returns the answer to the nonce of the greeting, or of a switch to another plugin.
    fn first_answer(&self, exchange: &mut Exchange<'_>) -> Result<Vec<u8>, Error> {
        exchange.key_asked = false;
        if exchange.plugin == Plugin::Sha256 && !exchange.config.password.expose().is_empty() {
            return self.whole_password(exchange, ASK_FOR_KEY_SHA256);
        }
        Ok(exchange.plugin.answer(&exchange.config.password, &exchange.nonce))
    }

    /// Returns the answer to "more data" of the SHA-2 plugins; `None` if the server expects none.
    fn next_answer(&mut self, exchange: &mut Exchange<'_>, data: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        match (exchange.plugin, data) {
            // The server had the password's digest in its cache; OK follows. Remember if a login without the cache
            // would fail.
            (Plugin::CachingSha2, [3]) => {
                let way = exchange.keys.way(exchange.channel, exchange.plugin, &self.address);
                self.latent = way.err();
                Ok(None)
            }
            (Plugin::CachingSha2, [4]) => self.whole_password(exchange, ASK_FOR_KEY_CACHING_SHA2).map(Some),
            (Plugin::CachingSha2 | Plugin::Sha256, pem) if exchange.key_asked => {
                let key = auth::public_key(pem).ok_or_else(|| self.malformed("public key for the password"))?;
                self.under_key(exchange, &key).map(Some)
            }
            _ => Err(self.malformed("answer to the login")),
        }
    }

    /// Returns the password, in clear or encrypted, as the keys allow, or the byte that asks for the server's key.
    fn whole_password(&self, exchange: &mut Exchange<'_>, ask_for_key: u8) -> Result<Vec<u8>, Error> {
        match exchange.keys.way(exchange.channel, exchange.plugin, &self.address)? {
            Way::Clear => Ok(auth::clear(&exchange.config.password)),
            Way::Pinned(key) => self.under_key(exchange, key),
            Way::Retrieved => {
                exchange.key_asked = true;
                Ok(vec![ask_for_key])
            }
        }
    }

    fn under_key(&self, exchange: &Exchange<'_>, key: &rsa::RsaPublicKey) -> Result<Vec<u8>, Error> {
        auth::under_key(&exchange.config.password, &exchange.nonce, key)
            .ok_or_else(|| self.malformed("public key for the password"))
    }

    async fn start_tls(&mut self, config: &ServerConfig, client: ClientConfig) -> Result<Channel, Error> {
        // A man in the middle may send bytes before the handshake. They must not count as sent inside TLS.
        if self.buffer.pending() != 0 {
            return Err(self.malformed("greeting (bytes before the TLS handshake)"));
        }
        match std::mem::replace(&mut self.stream, Stream::Closed) {
            Stream::Plain(socket) => {
                let peer = socket.peer_addr().ok().map(|peer| peer.ip());
                self.stream = Stream::Tls(Box::new(tls::handshake(config, client, socket).await?));
                Ok(Channel::Tls { peer })
            }
            Stream::Tls(_) | Stream::Closed => Err(self.malformed("greeting (a second one)")),
        }
    }
}

/// Takes the plugin and the nonce with which the server replaces those of its greeting.
fn switch_plugin(exchange: &mut Exchange<'_>, request: &[u8]) -> Result<(), Error> {
    let mut reader = Reader::new(request);
    let name = reader.until_zero();
    // Servers that do not know plugins ask for the old password by an empty request.
    let name: &[u8] = if request.is_empty() { b"mysql_old_password" } else { name };
    exchange.plugin = Plugin::named(name)
        .ok_or_else(|| Error::AuthenticationPlugin { plugin: String::from_utf8_lossy(name).into_owned() })?;
    exchange.nonce = reader.rest().to_vec();
    exchange.nonce.truncate(auth::NONCE);
    Ok(())
}
