//! Which requests come from a foreign web page.
//!
//! A browser sends requests for any page that it shows. Two headers tell them from those of tools:
//!
//! - `Origin` names the page, with every request that changes something, every websocket and every read across origins.
//!   It must be the server's own or one that the configuration names. Tools send none.
//! - `Host` names the server as the page knows it. A page may point a name of its own at our address after it was
//!   loaded ("DNS rebinding"); its requests are then of one origin with ours, but carry that name. A name must
//!   therefore be known: `localhost`, or one of the configuration. An IP address cannot be pointed elsewhere and needs
//!   no configuration.
//!
//! `Sec-Fetch-Site` is a further sign where there is no `Origin`, as with an image of a foreign page. Only following a
//! link to a page of ours may come from elsewhere. Sources: "Fetch" and "URL" of the WHATWG, "Fetch Metadata Request
//! Headers" of the W3C, "Let 'localhost' be localhost" (RFC 6761, section 6.3).

mod authority;
mod guard;

pub use authority::NameError;
pub use guard::{Guard, HostRule, Refusal};
