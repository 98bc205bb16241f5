//! The gate in front of every page: who visits, what a visitor may do, and what no page may do.

mod credentials;
mod decision;
mod log;
mod login;
mod origin;
mod refusal;
mod security_headers;
mod visitor;

use std::future::ready;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::Extensions;
use axum::http::header::CONTENT_TYPE;
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt;

use crate::config::Config;
use decision::Asking;
pub use decision::ListenerKind;
use log::RefusalLog;
use login::Logins;
pub use login::login_page;
pub use refusal::AccessRefusal;
pub use visitor::{Credential, Visitor};

/// Returns the configuration that is in force.
pub type ConfigInForce = Arc<dyn Fn() -> Arc<Config> + Send + Sync>;

/// What the gate needs at each request.
#[derive(Clone)]
struct Gate {
    listener: ListenerKind,
    in_force: ConfigInForce,
    log: Arc<RefusalLog>,
}

/// `pages` behind the gate, with `/login` and `/logout`. No request reaches a page, not even a
/// missing one, unless the configuration in force lets it in. Pages may take [`Visitor`] as an
/// argument. Each answer has the headers that keep other sites out.
///
/// On a port, the server must give the peer's address as `ConnectInfo<SocketAddr>`.
pub fn gated(pages: Router, listener: ListenerKind, in_force: ConfigInForce) -> Router {
    let log = Arc::new(RefusalLog::new());
    let logins = Logins { in_force: Arc::clone(&in_force), log: Arc::clone(&log) };
    let gate = Gate { listener, in_force, log };
    pages
        .merge(login::pages(logins))
        .layer(middleware::from_fn_with_state(gate, check))
        .layer(middleware::map_response(security_headers::add))
}

async fn check(State(gate): State<Gate>, mut request: Request, next: Next) -> Response {
    let asking = Asking {
        listener: gate.listener,
        peer: peer(request.extensions()),
        method: request.method().clone(),
        uri: request.uri().clone(),
        headers: request.headers().clone(),
    };
    match gate.decide(&asking) {
        Ok(visitor) => {
            if let Some(visitor) = visitor {
                request.extensions_mut().insert(visitor);
            }
            let answer = next.run(request).await;
            if is_stream(&answer) { while_let_in(answer, gate, asking) } else { answer }
        }
        Err(refusal) => {
            if refusal == AccessRefusal::WrongToken {
                gate.log.wrong_token("in a request", asking.peer);
            }
            refusal.into_response()
        }
    }
}

impl Gate {
    fn decide(&self, asking: &Asking) -> Result<Option<Visitor>, AccessRefusal> {
        decision::decide(asking, (self.in_force)().web.as_ref())
    }
}

/// Whether the answer is sent piece by piece for as long as the visitor listens.
fn is_stream(answer: &Response) -> bool {
    let kind = answer.headers().get(CONTENT_TYPE);
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// `answer` up to the first piece before which the visitor is no longer let in.
fn while_let_in(answer: Response, gate: Gate, asking: Asking) -> Response {
    answer.map(|body| {
        let is_let_in = move || ready(gate.decide(&asking).is_ok());
        Body::from_stream(body.into_data_stream().take_while(move |_| is_let_in()))
    })
}

/// The address of the peer; `None` on a unix socket.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    let ConnectInfo(peer) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(peer.ip().to_canonical())
}
