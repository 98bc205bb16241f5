//! The HTTP client of a webhook: the shared one, or one that trusts the webhook's own authorities.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Client;

use crate::config::Authority;
use crate::http;
use crate::http::{HttpClients, NoClient};

/// Clients that trust further authorities, made when they are first needed.
#[derive(Clone, Debug, Default)]
pub(in crate::notify) struct WebhookClients(Arc<Mutex<HashMap<Vec<Authority>, Client>>>);

impl WebhookClients {
    /// The client that trusts `authorities` besides the system's. Without any, the default client.
    pub(super) fn client_for(
        &self,
        authorities: &[Authority],
        http_clients: &HttpClients,
    ) -> Result<Client, NoClient> {
        if authorities.is_empty() {
            return Ok(http_clients.default_client().clone());
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(authorities) {
            return Ok(client.clone());
        }
        let client = http::client_that_trusts(authorities, http_clients.network())?;
        known.insert(authorities.to_vec(), client.clone());
        Ok(client)
    }
}
