//! The clients and settings that every attempt needs.

use jiff::tz::TimeZone;

use crate::config::{HostSettings, Network};
use crate::http::{HttpClients, NoClient};
use crate::notify::email::SmtpPools;
use crate::notify::webhook::WebhookClients;

/// The clients and settings that every attempt needs.
#[derive(Clone, Debug)]
pub struct SendContext {
    /// How webhooks are reached, and, where the same means fetch, feeds and pages.
    pub http: HttpClients,
    /// The zone that times are shown in.
    pub zone: TimeZone,
    /// Clients for webhooks with authorities of their own.
    pub(super) webhook_clients: WebhookClients,
    /// Connections to mail servers.
    pub(super) smtp_pools: SmtpPools,
}

impl SendContext {
    /// Those that reach what `network` allows, and single hosts as `hosts` says.
    ///
    /// # Errors
    /// Where HTTPS cannot be set up on this machine.
    pub fn new(network: Network, hosts: HostSettings, zone: TimeZone) -> Result<Self, NoClient> {
        Ok(Self {
            http: HttpClients::new(network, hosts)?,
            zone,
            webhook_clients: WebhookClients::default(),
            smtp_pools: SmtpPools::default(),
        })
    }

    /// Closes connections that are idle for too long, without end; to be called anew after each
    /// attempt.
    pub async fn close_idle_connections(&self) {
        self.smtp_pools.close_expired_connections().await;
    }

    /// Closes all connections that are kept, within seconds.
    pub async fn close_all_connections(&self) {
        self.smtp_pools.close().await;
    }
}
