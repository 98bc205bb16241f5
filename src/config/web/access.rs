//! Who may use the web listener, as the configuration says it.

use std::fmt;

use http::HeaderName;
use ipnet::IpNet;

/// Who may use the web listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everyone who reaches it, with this role.
    Open(VisitorRole),
    /// Who has one of these tokens.
    Tokens(Vec<AccessToken>),
    /// Whom a proxy names.
    Proxy(TrustedProxy),
}

/// A proxy that says who visits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxy {
    /// The header that names the visitor.
    pub header: HeaderName,
    /// From where the header is believed. It is not empty.
    pub from: Vec<TrustedPeer>,
    /// The role of each visitor.
    pub role: VisitorRole,
}

/// A peer of the web listener whose header is believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrustedPeer {
    /// An address in this range.
    Address(IpNet),
    /// Whoever may open the unix socket.
    UnixSocket,
}

/// What a visitor may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VisitorRole {
    /// Read all pages.
    Read,
    /// Change something, too.
    Write,
}

/// An access token. Only its SHA-256 is known.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken {
    /// What who has it may do.
    pub role: VisitorRole,
    /// The name of who has it. Two tokens may have one name.
    pub name: String,
    /// The SHA-256 of the token.
    pub digest: [u8; 32],
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { role, name, digest: _ } = self;
        f.debug_struct("AccessToken")
            .field("role", role)
            .field("name", name)
            .finish_non_exhaustive()
    }
}
