//! Explains errors of requests in one sentence, without the address and without a chain of causes.

use std::error::Error;
use std::io::ErrorKind;

use super::FetchError;
use crate::http::guard::Forbidden;

const CLOSED: &str = "the server closed the connection without an answer";

/// Explains an error of the HTTP client to a person, without the address.
#[must_use]
pub fn explain(error: &reqwest::Error) -> FetchError {
    if let Some(refused) = find_cause::<Forbidden>(error) {
        return FetchError::Forbidden(refused.to_string());
    }
    if error.is_decode() || error.is_body() {
        return FetchError::Broken("the answer broke off in the middle".to_owned());
    }
    if error.is_dns() {
        return FetchError::Unreachable("the name does not resolve".to_owned());
    }
    if error.is_timeout() {
        return FetchError::Unreachable(
            "the server did not accept a connection in time".to_owned(),
        );
    }
    let innermost = deepest_message(error);
    if innermost == "connection closed before message completed" {
        return FetchError::Unreachable(CLOSED.to_owned());
    }
    if let Some(why) = innermost.strip_prefix("invalid peer certificate: ") {
        return FetchError::Unreachable(format!(
            "the certificate is not valid: {}",
            certificate(why)
        ));
    }
    if innermost.contains("HandshakeFailure") || innermost.contains("ProtocolVersion") {
        let old = "the server refuses TLS 1.2 and 1.3 with forward secrecy and AEAD (its TLS may be too old)";
        return FetchError::Unreachable(old.to_owned());
    }
    FetchError::Unreachable(match find_cause::<std::io::Error>(error).map(std::io::Error::kind) {
        Some(ErrorKind::ConnectionRefused) => "connection refused".to_owned(),
        Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::ConnectionAborted) => {
            CLOSED.to_owned()
        }
        Some(ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable) => {
            "the network has no route to the server".to_owned()
        }
        _ => format!("no usable answer came: {innermost}"),
    })
}

/// The message of the deepest cause. Only the outermost error holds the address, so it is left out.
#[must_use]
pub fn deepest_message(error: &reqwest::Error) -> String {
    let mut deepest: Option<&dyn Error> = None;
    let mut next = error.source();
    while let Some(error) = next {
        deepest = Some(error);
        next = error.source();
    }
    deepest.map_or_else(|| "the request could not be made".to_owned(), ToString::to_string)
}

fn find_cause<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(error) = next {
        // `source` skips the error that an `io::Error` wraps.
        let wrapped = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        if let Some(found) =
            wrapped.and_then(|inner| inner.downcast_ref()).or_else(|| error.downcast_ref())
        {
            return Some(found);
        }
        next = error.source();
    }
    None
}

/// The message of rustls, in plainer words if it is a common one.
fn certificate(why: &str) -> &str {
    let plain = [
        ("Expired", "it has expired"),
        ("NotValidYet", "it is not valid yet"),
        ("certificate expired", "it has expired"),
        ("certificate not valid yet", "it is not valid yet"),
        ("UnknownIssuer", "its issuer is not known"),
        ("certificate not valid for name", "it is for another name"),
        ("NotValidForName", "it is for another name"),
        ("Revoked", "it has been revoked"),
    ];
    plain.into_iter().find(|(start, _)| why.starts_with(start)).map_or(why, |(_, words)| words)
}

#[cfg(test)]
mod tests {
    use super::certificate;

    #[test]
    fn faults_of_certificates_are_said_plainly() {
        assert_eq!(certificate("certificate expired: verification time 1"), "it has expired");
        assert_eq!(certificate("UnknownIssuer"), "its issuer is not known");
        assert_eq!(certificate("BadEncoding"), "BadEncoding");
    }
}
