//! The clients and settings that every attempt needs.

use jiff::tz::TimeZone;

use crate::config::{HostSettings, Network};
use crate::http::{HttpClients, NoClient};
use crate::notify::email::SmtpPools;
use crate::notify::webhook::WebhookClients;
use tidings_rules::story::NotifierName;

/// The clients and settings that every attempt needs.
#[derive(Clone, Debug)]
pub struct SendContext {
    /// The HTTP clients for webhooks. Commands also fetch feeds and pages with them.
    pub http: HttpClients,
    /// The time zone of the times in messages.
    pub zone: TimeZone,
    /// HTTP clients for webhooks that trust further authorities.
    pub(super) webhook_clients: WebhookClients,
    /// Connections to mail servers.
    pub(super) smtp_pools: SmtpPools,
}

impl SendContext {
    /// Clients that follow the rules of `network` and the settings of `hosts`.
    ///
    /// # Errors
    /// HTTPS cannot be set up on this machine.
    pub fn new(network: Network, hosts: HostSettings, zone: TimeZone) -> Result<Self, NoClient> {
        Ok(Self {
            http: HttpClients::new(network, hosts)?,
            zone,
            webhook_clients: WebhookClients::default(),
            smtp_pools: SmtpPools::default(),
        })
    }

    /// The same with clients for another network. Connections to mail servers are kept.
    ///
    /// # Errors
    /// HTTPS cannot be set up on this machine.
    pub fn with_network(&self, network: Network, hosts: HostSettings) -> Result<Self, NoClient> {
        Ok(Self {
            http: HttpClients::new(network, hosts)?,
            webhook_clients: WebhookClients::default(),
            ..self.clone()
        })
    }

    /// Opens new connections for these notifiers from now on, because their settings have changed.
    /// The future closes the old ones within seconds; those in use are closed after their message.
    pub fn retire_connections(
        &self,
        notifiers: &[NotifierName],
    ) -> impl Future<Output = ()> + Send + use<> {
        self.smtp_pools.retire(notifiers)
    }

    /// Closes connections that are idle for too long. Never returns; must be called again after
    /// each attempt.
    pub async fn close_idle_connections(&self) {
        self.smtp_pools.close_expired_connections().await;
    }

    /// Closes all idle connections to mail servers, within seconds.
    pub async fn close_all_connections(&self) {
        self.smtp_pools.close().await;
    }
}
