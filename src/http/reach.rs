//! The HTTP clients of all hosts: their proxies, their headers and the guard.

use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use reqwest::{Certificate, Client, ClientBuilder};
use url::Url;

use super::{FetchError, HOME, failure};
use crate::config::{Authority, HostSetting, HostSettings, Network, Proxy};
use crate::http::guard;
use crate::http::guard::{Forbidden, GuardedResolver};

/// The most lines in the head of an answer. Servers send more than the usual hundred.
const MOST_HEADERS: usize = 1000;

/// Why no client can be made, in one sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("HTTPS cannot be set up: {0} (are CA certificates installed on this machine?)")]
pub struct NoClient(String);

/// The HTTP clients for feeds, pages and webhooks, and the choice between them by host. Clones
/// share the clients.
///
/// A client looks names up with [`GuardedResolver`]. IP addresses in URLs are not looked up, so
/// [`HttpClients::check`] or [`HttpClients::check_hook`] must precede each request. A client
/// follows no redirects, keeps no cookies, sends no `Referer`, ignores proxies of the environment,
/// passes over lines in the head of an answer that are no headers, and gives up connecting after
/// 10 s.
#[derive(Clone, Debug)]
pub struct HttpClients(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    network: Network,
    hosts: HostSettings,
    usual: Client,
    /// The clients for hosts with a proxy or HTTP version of their own.
    others: Vec<(ClientRoute, Client)>,
}

/// The settings that need a client of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
struct ClientRoute {
    proxy: Option<Proxy>,
    http1: bool,
}

impl HttpClients {
    /// Creates the clients for `network` and `hosts`.
    ///
    /// # Errors
    /// If the machine has no CA certificates, or TLS cannot be set up.
    pub fn new(network: Network, hosts: HostSettings) -> Result<Self, NoClient> {
        let usual = client_that_trusts(&[], &network)?;
        let mut others: Vec<(ClientRoute, Client)> = Vec::new();
        for setting in hosts.read_settings() {
            let route = route(setting, &network);
            if (route.http1 || route.proxy != network.proxy)
                && others.iter().all(|(known, _)| *known != route)
            {
                let builder = builder(&[], &network, route.proxy.as_ref())?;
                let client =
                    build_client(if route.http1 { builder.http1_only() } else { builder })?;
                others.push((route, client));
            }
        }
        Ok(Self(Arc::new(Inner { network, hosts, usual, others })))
    }

    /// The client for all webhooks, and for hosts without settings in `hosts`.
    #[must_use]
    pub fn default_client(&self) -> &Client {
        &self.0.usual
    }

    /// The settings of the network.
    #[must_use]
    pub fn network(&self) -> &Network {
        &self.0.network
    }

    /// Checks the address of a feed or page. It must be called before every request.
    ///
    /// # Errors
    /// If the address must not be fetched.
    pub async fn check(&self, url: &Url) -> Result<(), Forbidden> {
        guard::check(url, &self.0.network.allow, self.proxy(url)).await
    }

    /// Checks the address of a webhook. It must be called before every request.
    ///
    /// # Errors
    /// If nothing must be sent to the address.
    pub async fn check_hook(&self, url: &Url) -> Result<(), Forbidden> {
        guard::check(url, &self.0.network.allow, self.0.network.proxy.as_ref()).await
    }

    /// The client for the host of `url`.
    pub(super) fn client(&self, url: &Url) -> &Client {
        let route = self.0.hosts.setting_for(url).map(|setting| route(setting, &self.0.network));
        let other = route.and_then(|route| self.0.others.iter().find(|(known, _)| *known == route));
        other.map_or(&self.0.usual, |(_, client)| client)
    }

    /// The headers for the host of `url`. No other host gets them.
    pub(super) fn headers(&self, url: &Url) -> HeaderMap {
        self.0.hosts.setting_for(url).map(|setting| setting.headers.clone()).unwrap_or_default()
    }

    /// Explains `error` of a request for `url` to a person.
    pub(super) fn explain(&self, url: &Url, error: &reqwest::Error) -> FetchError {
        match (failure::explain(error), self.proxy(url)) {
            (FetchError::Unreachable(why), Some(proxy)) => {
                FetchError::Unreachable(format!("through the proxy {proxy}: {why}"))
            }
            (explained, _) => explained,
        }
    }

    fn proxy(&self, url: &Url) -> Option<&Proxy> {
        let own = self.0.hosts.setting_for(url).and_then(|setting| setting.proxy.as_ref());
        own.or(self.0.network.proxy.as_ref())
    }
}

fn route(setting: &HostSetting, network: &Network) -> ClientRoute {
    ClientRoute {
        proxy: setting.proxy.clone().or_else(|| network.proxy.clone()),
        http1: setting.http1,
    }
}

/// A client like [`HttpClients::default_client`] that also trusts `authorities`.
///
/// # Errors
/// Those of [`HttpClients::new`].
pub fn client_that_trusts(
    authorities: &[Authority],
    network: &Network,
) -> Result<Client, NoClient> {
    build_client(builder(authorities, network, network.proxy.as_ref())?)
}

fn build_client(builder: ClientBuilder) -> Result<Client, NoClient> {
    builder.build().map_err(|error| NoClient(failure::deepest_message(&error)))
}

fn builder(
    authorities: &[Authority],
    network: &Network,
    proxy: Option<&Proxy>,
) -> Result<ClientBuilder, NoClient> {
    let failed = |error: reqwest::Error| NoClient(failure::deepest_message(&error));
    let trusted: Result<Vec<_>, _> =
        authorities.iter().map(|authority| Certificate::from_der(&authority.0)).collect();
    let builder = Client::builder()
        .tls_certs_merge(trusted.map_err(failed)?)
        .user_agent(user_agent(network.contact.as_deref()))
        .dns_resolver(GuardedResolver::new(&network.allow, proxy))
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .no_proxy()
        .http1_ignore_invalid_headers_in_responses(true)
        .http1_allow_spaces_after_header_name_in_responses(true)
        .http1_allow_obsolete_multiline_headers_in_responses(true)
        .http1_max_headers(MOST_HEADERS)
        .connect_timeout(Duration::from_secs(10));
    match proxy {
        Some(proxy) => Ok(builder.proxy(reqwest::Proxy::all(proxy.0.clone()).map_err(failed)?)),
        None => Ok(builder),
    }
}

fn user_agent(contact: Option<&str>) -> HeaderValue {
    let plain = format!("Tidings/{} (+{HOME})", env!("CARGO_PKG_VERSION"));
    let whole = contact
        .map(|contact| format!("Tidings/{} (+{HOME}; {contact})", env!("CARGO_PKG_VERSION")));
    whole
        .and_then(|text| HeaderValue::from_str(&text).ok())
        .or_else(|| HeaderValue::from_str(&plain).ok())
        .expect("name, version and home are visible ASCII")
}
