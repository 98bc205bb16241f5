//! The HTTP client of a webhook: the shared one, or one that trusts the webhook's own authorities.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use reqwest::Client;

use crate::config::Authority;
use crate::http;
use crate::http::{HttpClients, NoClient};

/// Clients that believe other authorities than everybody's does, made when they are first needed.
#[derive(Clone, Debug, Default)]
pub(in crate::notify) struct WebhookClients(Arc<Mutex<HashMap<Vec<Authority>, Client>>>);

impl WebhookClients {
    /// The client that believes `authorities` besides the system's: everybody's if there are none.
    pub(super) fn client_for(
        &self,
        authorities: &[Authority],
        reach: &HttpClients,
    ) -> Result<Client, NoClient> {
        if authorities.is_empty() {
            return Ok(reach.default_client().clone());
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = known.get(authorities) {
            return Ok(client.clone());
        }
        let client = http::client_that_trusts(authorities, reach.network())?;
        known.insert(authorities.to_vec(), client.clone());
        Ok(client)
    }
}
