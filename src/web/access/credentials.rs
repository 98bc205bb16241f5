//! The tokens in a request: in the header `Authorization`, or in the cookie of a login.

use axum::http::header::COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use sha2::{Digest, Sha256};
use url::Url;

use crate::config::AccessToken;

/// How long the cookie of a login is kept, in seconds: 30 days.
const COOKIE_AGE: u32 = 30 * 24 * 3600;

/// Whether `text` has the form of 256 bits: 64 digits in hex, or 43 characters of base64url. No
/// other text is a token, so that none can be guessed.
fn is_token(text: &str) -> bool {
    let is_base64url = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    match text.len() {
        64 => text.bytes().all(|byte| byte.is_ascii_hexdigit()),
        43 => text.bytes().all(is_base64url),
        _ => false,
    }
}

/// The entry of `known` for the token `text`.
///
/// The time of the comparison tells at most how the SHA-256 of `text` begins like a known one. Who
/// guesses cannot choose that, and cannot compute a token from it.
pub(super) fn find<'k>(known: &'k [AccessToken], text: &str) -> Option<&'k AccessToken> {
    let digest: [u8; 32] = Sha256::digest(text).into();
    known.iter().find(|token| is_token(text) && token.digest == digest)
}

/// The token of the header `Authorization` (RFC 6750, 2.1). Another scheme is not for Tidings.
pub(super) fn bearer(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The tokens in the cookies of that name.
pub(super) fn in_cookies<'h>(
    headers: &'h HeaderMap,
    name: &'static str,
) -> impl Iterator<Item = &'h str> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let cookies = lines.flat_map(|line| line.split(';')).filter_map(|one| one.split_once('='));
    cookies.filter(move |(known, _)| known.trim() == name).map(|(_, token)| token.trim())
}

/// The name of the cookie. A browser takes a name with that prefix only over TLS and only from this
/// very host (RFC 6265bis, 4.1.3.2).
pub(super) fn cookie_name(public: Option<&Url>) -> &'static str {
    if is_secure(public) { "__Host-tidings" } else { "tidings" }
}

/// The cookie that keeps `token`; without a token, the one that removes it.
pub(super) fn set_cookie(public: Option<&Url>, token: Option<&str>) -> HeaderValue {
    let name = cookie_name(public);
    let (value, age) = token.map_or(("", 0), |token| (token, COOKIE_AGE));
    let secure = if is_secure(public) { "; Secure" } else { "" };
    let cookie =
        format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}");
    HeaderValue::try_from(cookie).expect("a token is hex or base64url")
}

fn is_secure(public: Option<&Url>) -> bool {
    public.is_some_and(|url| url.scheme() == "https")
}
