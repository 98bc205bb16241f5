//! Decides who sent a request, and whether it is let in. It knows only what it is given.

use std::net::IpAddr;

use axum::http::header::{ACCEPT, AUTHORIZATION};
use axum::http::{HeaderMap, Method, Uri};
use url::Url;

use super::credentials::{bearer, cookie_name, find, in_cookies};
use super::origin::{check_host, is_from_elsewhere, is_same_origin, only, page_of_the_desk};
use super::refusal::AccessRefusal;
use super::visitor::{Credential, Visitor};
use crate::config::{Access, AccessToken, TrustedPeer, TrustedProxy, Web};

/// The longest name of a visitor that is taken from a proxy, in characters.
const LONGEST_NAME: usize = 200;

/// Pages that say nothing of stories, for whoever watches the service.
const HEALTH: [&str; 2] = ["/healthz", "/readyz"];

/// Pages that take a form and change nothing.
const TRIALS: [&str; 2] = ["/try", "/api/v1/try"];

/// The style and the script of the pages, which the login needs, too.
const ASSETS: &str = "/assets/";

/// Who reaches the listener.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenerKind {
    /// Programs on this machine, among them browsers that show pages of others.
    Loopback,
    /// Other machines.
    Network,
    /// Programs that may open the socket. No browser can.
    Unix,
}

/// A request, as far as it decides who is let in.
#[derive(Clone, Debug)]
pub(super) struct Asking {
    pub(super) listener: ListenerKind,
    /// The address of the peer; `None` if it has none.
    pub(super) peer: Option<IpAddr>,
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
}

/// The visitor, or why the request is refused. A page that needs no login has no visitor.
pub(super) fn decide(asking: &Asking, web: Option<&Web>) -> Result<Option<Visitor>, AccessRefusal> {
    let web = web.ok_or(AccessRefusal::NotOpen)?;
    let public = web.public.as_ref();
    if asking.listener == ListenerKind::Loopback {
        check_host(&asking.uri, &asking.headers, public)?;
    }
    let path = asking.uri.path();
    let needs_same_origin = asking.may_change_something();
    let is_free = HEALTH.contains(&path) || path.starts_with(ASSETS);
    if is_free && !needs_same_origin {
        return Ok(None);
    }
    let visitor = match path {
        "/login" | "/logout" => None,
        _ => Some(visitor(asking, web)?),
    };
    if needs_same_origin {
        let is_bearer =
            visitor.as_ref().is_some_and(|visitor| visitor.credential == Credential::Bearer);
        if !is_bearer && !is_same_origin(&asking.headers, public)? {
            return Err(AccessRefusal::CrossSite);
        }
        let is_reader = visitor.as_ref().is_some_and(|visitor| !visitor.may_write());
        if is_reader && !TRIALS.contains(&path) {
            return Err(AccessRefusal::ReadOnly);
        }
    }
    Ok(visitor)
}

fn visitor(asking: &Asking, web: &Web) -> Result<Visitor, AccessRefusal> {
    match &web.access {
        Access::Open(_) if asking.listener == ListenerKind::Network => Err(AccessRefusal::NotOpen),
        Access::Open(role) => {
            Ok(Visitor { name: None, role: *role, credential: Credential::Nothing })
        }
        Access::Tokens(known) => with_token(asking, known, web.public.as_ref()),
        Access::Proxy(proxy) => named_by(asking, proxy),
    }
}

/// Who has the token in the header or in the cookie. A header alone decides: who sends one is a
/// program, and wants to know that it is wrong.
fn with_token(
    asking: &Asking,
    known: &[AccessToken],
    public: Option<&Url>,
) -> Result<Visitor, AccessRefusal> {
    let visitor = |token: &AccessToken, credential| {
        Ok(Visitor { name: Some(token.name.clone()), role: token.role, credential })
    };
    if let Some(token) = only(&asking.headers, &AUTHORIZATION)?.and_then(bearer) {
        let token = find(known, token).ok_or(AccessRefusal::WrongToken)?;
        return visitor(token, Credential::Bearer);
    }
    let mut cookies = in_cookies(&asking.headers, cookie_name(public));
    match cookies.find_map(|token| find(known, token)) {
        Some(token) => visitor(token, Credential::Cookie),
        None => Err(asking.lacks_login()),
    }
}

/// Whom the proxy names.
fn named_by(asking: &Asking, proxy: &TrustedProxy) -> Result<Visitor, AccessRefusal> {
    let is_trusted = proxy.from.iter().any(|trusted| match trusted {
        TrustedPeer::Address(range) => asking.peer.is_some_and(|peer| range.contains(&peer)),
        TrustedPeer::UnixSocket => asking.listener == ListenerKind::Unix,
    });
    if !is_trusted {
        return Err(AccessRefusal::UntrustedPeer);
    }
    let name = only(&asking.headers, &proxy.header)?.map(str::trim);
    let is_sound = |name: &&str| {
        !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains(char::is_control)
    };
    let name = name.filter(is_sound).ok_or(AccessRefusal::Unnamed)?;
    Ok(Visitor { name: Some(name.to_owned()), role: proxy.role, credential: Credential::Proxy })
}

impl Asking {
    fn may_change_something(&self) -> bool {
        !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS)
    }

    /// The refusal of who has no token: a person is led to the login, a program is told.
    fn lacks_login(&self) -> AccessRefusal {
        let path = self.uri.path();
        let accepts = self.headers.get_all(ACCEPT).into_iter();
        let accepts_pages =
            accepts.filter_map(|line| line.to_str().ok()).any(|line| line.contains("text/html"));
        if path.starts_with("/api/") || path == "/metrics" || !accepts_pages {
            return AccessRefusal::NoToken;
        }
        // A page that was not asked for by GET cannot be shown after the login.
        if self.may_change_something() {
            return AccessRefusal::NotLoggedIn("/".to_owned());
        }
        let page = self.uri.path_and_query().map_or("/", |page| page.as_str());
        let page = page_of_the_desk(page);
        if is_from_elsewhere(&self.headers) {
            return AccessRefusal::FromElsewhere(page);
        }
        AccessRefusal::NotLoggedIn(page)
    }
}

#[cfg(test)]
mod tests;
