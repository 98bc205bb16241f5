//! Why a request is refused, and the answer that it gets.

use axum::http::header::{CONTENT_TYPE, LOCATION, WWW_AUTHENTICATE};
use axum::http::{HeaderName, StatusCode};
use axum::response::{IntoResponse, Response};
use minijinja::HtmlEscape;
use url::form_urlencoded;

/// Why a request is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessRefusal {
    /// A header that must be clear stands there twice, or is no text.
    UnclearHeader(HeaderName),
    /// The request is for another host than this machine.
    OtherHost,
    /// Other machines reach the listener, and nothing says who may use it.
    NotOpen,
    /// A program has no token.
    NoToken,
    /// A program has a token that is not known.
    WrongToken,
    /// A person must log in, and wants to see this page of the desk then.
    NotLoggedIn(String),
    /// A person followed a link of another site to this page of the desk. The browser sends the
    /// cookie only if the desk itself leads there.
    FromElsewhere(String),
    /// The peer may not name a visitor.
    UntrustedPeer,
    /// The proxy names no visitor.
    Unnamed,
    /// The visitor may read only.
    ReadOnly,
    /// A page of another site sent the request, or a program that does not say otherwise.
    CrossSite,
}

impl AccessRefusal {
    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::UnclearHeader(_) => StatusCode::BAD_REQUEST,
            Self::OtherHost => StatusCode::MISDIRECTED_REQUEST,
            Self::NoToken | Self::WrongToken => StatusCode::UNAUTHORIZED,
            Self::NotLoggedIn(_) => StatusCode::SEE_OTHER,
            Self::FromElsewhere(_) => StatusCode::OK,
            Self::NotOpen
            | Self::UntrustedPeer
            | Self::Unnamed
            | Self::ReadOnly
            | Self::CrossSite => StatusCode::FORBIDDEN,
        }
    }

    /// Why, in a sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let sentence = match self {
            Self::UnclearHeader(name) => {
                return format!("The header {name} stands here twice, or is no text.");
            }
            Self::OtherHost => "This server answers requests for this machine only.",
            Self::NotOpen => "The configuration does not say who may use this.",
            Self::NoToken => "Send `Authorization: Bearer TOKEN`.",
            Self::WrongToken => "This token is not known.",
            Self::NotLoggedIn(_) => "Log in first.",
            Self::FromElsewhere(_) => "Follow the link to the desk.",
            Self::UntrustedPeer => "Only the proxy of the configuration may ask here.",
            Self::Unnamed => "The proxy does not name a visitor.",
            Self::ReadOnly => "You may read only.",
            Self::CrossSite => {
                "Only pages of the desk may change something. \
                 A program without a token sends `Sec-Fetch-Site: same-origin`."
            }
        };
        sentence.to_owned()
    }
}

impl IntoResponse for AccessRefusal {
    fn into_response(self) -> Response {
        let status = self.status();
        let text = format!("{}\n", self.sentence());
        match &self {
            Self::NoToken => (status, [(WWW_AUTHENTICATE, "Bearer")], text).into_response(),
            Self::WrongToken => {
                let challenge = "Bearer error=\"invalid_token\"";
                (status, [(WWW_AUTHENTICATE, challenge)], text).into_response()
            }
            Self::NotLoggedIn(page) => {
                (status, [(LOCATION, login_address(page))], text).into_response()
            }
            Self::FromElsewhere(page) => {
                let html = [(CONTENT_TYPE, "text/html; charset=utf-8")];
                (status, html, step_page(page)).into_response()
            }
            _ => (status, text).into_response(),
        }
    }
}

/// The address of the login that leads to `page`.
fn login_address(page: &str) -> String {
    if page == "/" {
        return "/login".to_owned();
    }
    let next: String = form_urlencoded::byte_serialize(page.as_bytes()).collect();
    format!("/login?next={next}")
}

/// A page that leads to `page` at once.
fn step_page(page: &str) -> String {
    let page = HtmlEscape(page);
    format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"refresh\" content=\"0; url={page}\">\n<title>Tidings</title>\n</head>\n\
         <body>\n<p><a href=\"{page}\">Go on to the desk</a></p>\n</body>\n</html>\n"
    )
}
