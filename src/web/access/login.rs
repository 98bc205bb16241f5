//! `/login` and `/logout`: a person writes a token once, and a cookie keeps it.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body;
use axum::extract::{Request, State};
use axum::http::header::{CONTENT_TYPE, LOCATION, SET_COOKIE};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use minijinja::HtmlEscape;
use url::{Url, form_urlencoded};

use super::credentials::{find, set_cookie};
use super::log::RefusalLog;
use super::origin::page_of_the_desk;
use super::{ConfigInForce, peer};
use crate::config::{Access, AccessToken, Config};
use crate::web::assets::style_path;

/// The largest form, in bytes.
const LARGEST_FORM: usize = 4096;

/// How long a form may take to arrive.
const FORM_DEADLINE: Duration = Duration::from_secs(10);

/// How long the answer to a wrong token takes, so that a browser cannot try many.
const PAUSE: Duration = Duration::from_secs(1);

/// What the pages need.
#[derive(Clone)]
pub(super) struct Logins {
    pub(super) in_force: ConfigInForce,
    pub(super) log: Arc<RefusalLog>,
}

pub(super) fn pages(logins: Logins) -> Router {
    Router::new()
        .route("/login", get(show).post(log_in))
        .route("/logout", post(log_out))
        .with_state(logins)
}

/// The form. Where nobody needs a token, it leads on.
async fn show(State(logins): State<Logins>, address: Uri) -> Response {
    let next = page_of_the_desk(&field(address.query().unwrap_or_default().as_bytes(), "next"));
    if tokens(&(logins.in_force)()).is_some() { login_page(&next, None) } else { lead_to(&next) }
}

async fn log_in(State(logins): State<Logins>, request: Request) -> Response {
    let peer = peer(request.extensions());
    let form = body::to_bytes(request.into_body(), LARGEST_FORM);
    let form = match tokio::time::timeout(FORM_DEADLINE, form).await {
        Ok(Ok(form)) => form,
        Ok(Err(_)) => {
            return (StatusCode::PAYLOAD_TOO_LARGE, "The form is too large.\n").into_response();
        }
        Err(_) => return (StatusCode::REQUEST_TIMEOUT, "The form is late.\n").into_response(),
    };
    let next = page_of_the_desk(&field(&form, "next"));
    let text = field(&form, "token");
    let config = (logins.in_force)();
    let Some((known, public)) = tokens(&config) else { return lead_to(&next) };
    if find(known, text.trim()).is_some() {
        let cookie = set_cookie(public, Some(text.trim()));
        return ([(SET_COOKIE, cookie)], lead_to(&next)).into_response();
    }
    logins.log.wrong_token("at /login", peer);
    tokio::time::sleep(PAUSE).await;
    (StatusCode::FORBIDDEN, login_page(&next, Some("This token is not known."))).into_response()
}

/// Removes the cookie. The token stays valid for who has it.
async fn log_out(State(logins): State<Logins>) -> Response {
    let config = (logins.in_force)();
    let public = config.web.as_ref().and_then(|web| web.public.as_ref());
    ([(SET_COOKIE, set_cookie(public, None))], lead_to("/login")).into_response()
}

/// The tokens in force and the address of the desk; `None` where nobody needs a token.
fn tokens(config: &Config) -> Option<(&[AccessToken], Option<&Url>)> {
    let web = config.web.as_ref()?;
    let Access::Tokens(known) = &web.access else { return None };
    Some((known, web.public.as_ref()))
}

/// The value of a field of a form or a query; empty if it is missing.
fn field(form: &[u8], name: &str) -> String {
    let fields = form_urlencoded::parse(form);
    let mut values = fields.filter(|(known, _)| known == name).map(|(_, value)| value.into_owned());
    values.next().unwrap_or_default()
}

fn lead_to(page: &str) -> Response {
    (StatusCode::SEE_OTHER, [(LOCATION, page)]).into_response()
}

/// The form of the login, which leads to the page `next` of the desk. `problem` says what was wrong
/// before.
#[must_use]
pub fn login_page(next: &str, problem: Option<&str>) -> Response {
    let next = HtmlEscape(next);
    let problem = problem.map(|problem| format!("<p role=\"alert\">{}</p>\n", HtmlEscape(problem)));
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>Log in · Tidings</title>\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <link rel=\"stylesheet\" href=\"{}\">\n</head>\n<body>\n<main>\n<h1>Tidings</h1>\n{}\
         <form method=\"post\" action=\"/login\">\n\
         <input type=\"hidden\" name=\"next\" value=\"{next}\">\n\
         <label>Token <input type=\"password\" name=\"token\" autocomplete=\"current-password\" \
         required autofocus></label>\n<button>Log in</button>\n</form>\n</main>\n</body>\n</html>\n",
        style_path(),
        problem.unwrap_or_default()
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use futures_util::stream;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_form_that_never_arrives_is_not_waited_for() {
        let in_force: ConfigInForce = Arc::new(|| unreachable!("there is no form yet"));
        let logins = Logins { in_force, log: Arc::new(RefusalLog::new()) };
        let endless = Body::from_stream(stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let answer = log_in(State(logins), Request::new(endless)).await;
        assert_eq!(answer.status(), StatusCode::REQUEST_TIMEOUT);
    }
}
