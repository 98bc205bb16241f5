//! The clients and settings that every attempt needs.

use jiff::tz::TimeZone;

use crate::config::{HostSettings, Network};
use crate::http::{HttpClients, NoClient};
use crate::notify::email::Pools;
use crate::notify::webhook::Clients;

/// The clients and settings that every attempt needs.
#[derive(Clone, Debug)]
pub struct SendContext {
    /// How webhooks are reached, and, where the same means fetch, feeds and pages.
    pub clients: HttpClients,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// Clients for webhooks with authorities of their own.
    pub(super) private: Clients,
    /// Connections to mail servers.
    pub(super) mail: Pools,
}

impl SendContext {
    /// Those that reach what `network` allows, and single hosts as `hosts` says.
    ///
    /// # Errors
    /// Where HTTPS cannot be set up on this machine.
    pub fn new(network: Network, hosts: HostSettings, zone: TimeZone) -> Result<Self, NoClient> {
        Ok(Self {
            clients: HttpClients::new(network, hosts)?,
            zone,
            private: Clients::default(),
            mail: Pools::default(),
        })
    }

    /// Closes connections that are idle for too long, without end; to be called anew after each
    /// attempt.
    pub async fn tend(&self) {
        self.mail.tend().await;
    }

    /// Closes all connections that are kept, within seconds.
    pub async fn close(&self) {
        self.mail.close().await;
    }
}
