//! Tests of who is let in: every honest way, and every attack on it.

use axum::http::{HeaderName, HeaderValue};
use axum::response::IntoResponse;
use sha2::{Digest, Sha256};

use super::*;
use crate::config::{VisitorRole, WebAddress};

/// The token of Ana, who may read.
const READS: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA_";

/// The token of Bo, who may write.
const WRITES: &str = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0";

/// A short text whose SHA-256 stands among the tokens.
const WEAK: &str = "password";

fn tokens() -> Access {
    let token = |role, name: &str, text: &str| AccessToken {
        role,
        name: name.to_owned(),
        digest: Sha256::digest(text).into(),
    };
    Access::Tokens(vec![
        token(VisitorRole::Read, "ana", READS),
        token(VisitorRole::Write, "bo", WRITES),
        token(VisitorRole::Write, "weak", WEAK),
    ])
}

fn proxy(from: &[TrustedPeer]) -> Access {
    Access::Proxy(TrustedProxy {
        header: "x-user".parse().unwrap(),
        from: from.to_vec(),
        role: VisitorRole::Write,
    })
}

fn proxy_on_network() -> Access {
    proxy(&["10.0.0.2/32", "fd00::/8"].map(|range| TrustedPeer::Address(range.parse().unwrap())))
}

fn web(access: &Access, public: &str) -> Web {
    let listen = WebAddress::Tcp("127.0.0.1:9177".parse().unwrap());
    Web { listen, public: public.parse().ok(), access: access.clone() }
}

/// A request, written as its first line and its headers.
fn asking(listener: ListenerKind, peer: Option<&str>, text: &str) -> Asking {
    let mut lines = text.lines().map(str::trim);
    let (method, uri) = lines.next().and_then(|line| line.split_once(' ')).expect("a line");
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').expect("a header");
        let value = value.trim().replace("$READS", READS).replace("$WRITES", WRITES);
        let value = HeaderValue::try_from(value.replace("$WEAK", WEAK)).expect("a value");
        headers.append(name.parse::<HeaderName>().expect("a name"), value);
    }
    Asking {
        listener,
        peer: peer.map(|peer| peer.parse().expect("an address")),
        method: method.parse().expect("a method"),
        uri: uri.parse().expect("an address"),
        headers,
    }
}

/// What follows, in short: the visitor, `free` without one, or the status with its sentence or
/// where it leads.
fn outcome(listener: ListenerKind, peer: Option<&str>, web: &Web, text: &str) -> String {
    let asking = asking(listener, peer, text);
    match decide(&asking, Some(web)) {
        Ok(None) => "free".to_owned(),
        Ok(Some(Visitor { name, role, credential })) => {
            format!("{} {role:?} {credential:?}", name.as_deref().unwrap_or("someone"))
        }
        Err(refusal) => {
            let sentence = refusal.sentence();
            let answer = refusal.into_response();
            let more = answer.headers().get("location");
            let more = more.map_or(sentence, |place| place.to_str().unwrap().to_owned());
            format!("{} {more}", answer.status().as_u16())
        }
    }
}

fn hold(listener: ListenerKind, peer: Option<&str>, web: &Web, rows: &[(&str, &str)]) {
    for (text, expected) in rows {
        let found = outcome(listener, peer, web, text);
        assert!(found.starts_with(expected), "{text}\n{found}, and not {expected}");
    }
}

#[test]
fn on_loopback_everyone_is_let_in_who_names_this_machine() {
    let web = web(&Access::Open(VisitorRole::Write), "https://desk.example.org");
    hold(
        ListenerKind::Loopback,
        Some("127.0.0.1"),
        &web,
        &[
            ("GET /alerts\nhost: localhost", "someone Write Nothing"),
            ("GET /alerts\nhost: LOCALHOST:9177", "someone Write Nothing"),
            ("GET /alerts\nhost: 127.0.0.1:9177", "someone Write Nothing"),
            ("GET /alerts\nhost: 127.9.9.9", "someone Write Nothing"),
            ("GET /alerts\nhost: [::1]:9177", "someone Write Nothing"),
            ("GET /alerts\nhost: Desk.example.org", "someone Write Nothing"),
            ("GET /alerts\nhost: desk.example.org:443", "someone Write Nothing"),
            ("GET /healthz\nhost: localhost", "free"),
            ("GET /readyz\nhost: localhost", "free"),
            ("GET /login\nhost: localhost", "free"),
            ("GET /assets/desk.css\nhost: localhost", "free"),
            ("GET /healthz\nhost: evil.example", "421"),
            ("GET /alerts\nhost: evil.example", "421"),
            ("GET /alerts\nhost: localhost.evil.example", "421"),
            ("GET /alerts\nhost: 127.0.0.1.evil.example:9177", "421"),
            ("GET /alerts\nhost: evil.desk.example.org", "421"),
            ("GET /alerts\nhost: ana@localhost", "421"),
            ("GET /alerts\nhost: localhost@evil.example", "421"),
            ("GET /alerts\nhost: 10.0.0.1", "421"),
            ("GET /alerts\nhost: 0.0.0.0", "421"),
            ("GET /alerts\nhost: a b", "421"),
            ("GET /alerts\nhost: ", "421"),
            ("GET /alerts", "421"),
            ("GET http://evil.example/alerts\nhost: localhost", "421"),
            ("GET http://localhost/alerts\nhost: evil.example", "421"),
            ("GET /alerts\nhost: localhost\nhost: evil.example", "400"),
        ],
    );
}

#[test]
fn only_pages_of_the_desk_change_something() {
    let public = "https://desk.example.org";
    let web = web(&Access::Open(VisitorRole::Write), public);
    let listener = ListenerKind::Loopback;
    for method in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"] {
        let start = format!("{method} /silences\nhost: localhost:9177\n");
        for (headers, expected) in [
            ("sec-fetch-site: same-origin", "someone Write"),
            ("sec-fetch-site: same-origin\norigin: http://localhost:9177", "someone Write"),
            ("origin: http://localhost:9177", "someone Write"),
            ("origin: http://LOCALHOST:9177", "someone Write"),
            ("origin: https://desk.example.org", "someone Write"),
            ("x: y", "403"),
            ("sec-fetch-site: none", "403"),
            ("sec-fetch-site: same-site", "403"),
            ("sec-fetch-site: cross-site", "403"),
            ("sec-fetch-site: cross-site\norigin: http://localhost:9177", "403"),
            ("sec-fetch-site: same-origin\nsec-fetch-site: cross-site", "400"),
            ("origin: null", "403"),
            ("origin: http://localhost", "403"),
            ("origin: http://localhost:3000", "403"),
            ("origin: http://evil.example", "403"),
            ("origin: https://desk.example.org.evil.example", "403"),
            ("origin: http://desk.example.org", "403"),
            ("origin: file://localhost:9177", "403"),
            ("origin: http://localhost:9177\norigin: http://evil.example", "400"),
            ("referer: http://localhost:9177/", "403"),
            ("content-type: application/json", "403"),
        ] {
            let text = format!("{start}{headers}");
            hold(listener, Some("127.0.0.1"), &web, &[(&text, expected)]);
        }
    }
    let from_desk = "host: localhost\nsec-fetch-site: same-origin";
    hold(
        listener,
        Some("127.0.0.1"),
        &web,
        &[
            (&format!("POST /login\n{from_desk}"), "free"),
            (&format!("POST /logout\n{from_desk}"), "free"),
            ("POST /login\nhost: localhost\nsec-fetch-site: cross-site", "403"),
            ("POST /logout\nhost: localhost\norigin: http://evil.example", "403"),
            ("OPTIONS /silences\nhost: localhost\norigin: http://evil.example", "someone Write"),
        ],
    );
}

#[test]
fn who_may_read_only_changes_nothing() {
    let web = web(&Access::Open(VisitorRole::Read), "");
    let from_desk = "host: localhost\nsec-fetch-site: same-origin";
    hold(
        ListenerKind::Loopback,
        Some("127.0.0.1"),
        &web,
        &[
            (&format!("GET /alerts\n{from_desk}"), "someone Read Nothing"),
            (&format!("HEAD /alerts\n{from_desk}"), "someone Read Nothing"),
            (&format!("POST /silences\n{from_desk}"), "403 You may read only."),
            (&format!("POST /healthz\n{from_desk}"), "403 You may read only."),
            (&format!("DELETE /assets/desk.css\n{from_desk}"), "403 You may read only."),
            (&format!("PUT /none\n{from_desk}"), "403 You may read only."),
            (&format!("POST /try\n{from_desk}"), "someone Read Nothing"),
            (&format!("POST /api/v1/try\n{from_desk}"), "someone Read Nothing"),
            (&format!("POST /try/more\n{from_desk}"), "403 You may read only."),
            ("POST /try\nhost: localhost\nsec-fetch-site: cross-site", "403 Only pages"),
        ],
    );
}

#[test]
fn what_other_machines_reach_is_never_open() {
    let open = web(&Access::Open(VisitorRole::Write), "");
    hold(
        ListenerKind::Network,
        Some("127.0.0.1"),
        &open,
        &[
            ("GET /alerts\nhost: localhost", "403 The configuration does not say"),
            ("GET /metrics\nhost: localhost", "403"),
            ("GET /healthz\nhost: any.example", "free"),
        ],
    );
    let asking = asking(ListenerKind::Unix, None, "GET /healthz");
    assert_eq!(decide(&asking, None), Err(AccessRefusal::NotOpen));
}

#[test]
fn a_socket_is_open_to_whom_the_system_lets_in() {
    let web = web(&Access::Open(VisitorRole::Write), "");
    hold(
        ListenerKind::Unix,
        None,
        &web,
        &[
            ("GET /alerts", "someone Write Nothing"),
            ("GET /alerts\nhost: any.example", "someone Write Nothing"),
            ("POST /silences\nhost: desk\norigin: https://desk", "someone Write Nothing"),
            ("POST /silences\nhost: desk\norigin: https://evil.example", "403"),
            ("POST /silences\norigin: https://evil.example", "403"),
        ],
    );
}

#[test]
fn a_token_is_taken_from_the_header_or_from_the_cookie() {
    let web = web(&tokens(), "");
    hold(
        ListenerKind::Network,
        Some("10.9.9.9"),
        &web,
        &[
            ("GET /alerts\nauthorization: Bearer $READS", "ana Read Bearer"),
            ("GET /metrics\nauthorization: bearer  $WRITES", "bo Write Bearer"),
            ("POST /silences\nauthorization: Bearer $WRITES", "bo Write Bearer"),
            (
                "POST /s\nauthorization: Bearer $WRITES\nsec-fetch-site: cross-site",
                "bo Write Bearer",
            ),
            ("POST /silences\nauthorization: Bearer $READS", "403 You may read only."),
            ("GET /alerts\ncookie: tidings=$READS", "ana Read Cookie"),
            ("GET /alerts\ncookie: a=b; tidings=$WRITES; c", "bo Write Cookie"),
            ("GET /alerts\ncookie: a=b\ncookie: tidings=$READS", "ana Read Cookie"),
            ("GET /alerts\ncookie: tidings=old; tidings=$READS", "ana Read Cookie"),
            ("GET /alerts\ncookie: tidings=$READS\nauthorization: Basic eDp5", "ana Read Cookie"),
            ("POST /s\ncookie: tidings=$WRITES\nsec-fetch-site: same-origin", "bo Write Cookie"),
            ("POST /s\ncookie: tidings=$WRITES\nsec-fetch-site: cross-site", "403 Only pages"),
            ("POST /s\ncookie: tidings=$WRITES", "403 Only pages"),
            (
                "POST /s\ncookie: tidings=$READS\nsec-fetch-site: same-origin",
                "403 You may read only.",
            ),
            ("GET /healthz", "free"),
            ("GET /login", "free"),
        ],
    );
}

#[test]
fn no_token_and_a_wrong_one_are_told_to_programs_and_lead_people_to_the_login() {
    let web = web(&tokens(), "");
    let html = "accept: text/html,*/*;q=0.8";
    hold(
        ListenerKind::Network,
        Some("10.9.9.9"),
        &web,
        &[
            ("GET /alerts", "401 Send"),
            ("GET /alerts\naccept: */*", "401 Send"),
            ("GET /alerts\naccept: application/json", "401 Send"),
            (&format!("GET /metrics\n{html}"), "401 Send"),
            (&format!("GET /api/v1/alerts\n{html}"), "401 Send"),
            (&format!("GET /alerts\n{html}"), "303 /login?next=%2Falerts"),
            (&format!("GET /\n{html}"), "303 /login"),
            (
                &format!("GET /alerts?rule=a%26b&q=c\n{html}"),
                "303 /login?next=%2Falerts%3Frule%3Da%2526b%26q%3Dc",
            ),
            (&format!("GET //evil.example/\n{html}"), "303 /login"),
            (&format!("POST /silences\n{html}\nsec-fetch-site: same-origin"), "303 /login"),
            (&format!("GET /alerts/7\n{html}\nsec-fetch-site: cross-site"), "200 Follow the link"),
            (&format!("GET /alerts/7\n{html}\nsec-fetch-site: same-origin"), "303 /login?next="),
            (&format!("GET /alerts\n{html}\nauthorization: Bearer wrong"), "401 This token is not"),
            (
                "GET /alerts\nauthorization: Bearer wrong\ncookie: tidings=$READS",
                "401 This token is",
            ),
            ("GET /alerts\nauthorization: Bearer ", "401"),
            ("GET /alerts\nauthorization: Bearer $READS\nauthorization: Bearer $WRITES", "400"),
            ("GET /alerts\nauthorization: Bearer $WEAK", "401 This token is not known."),
            ("GET /alerts\ncookie: tidings=$WEAK", "401"),
            ("GET /alerts\ncookie: tidings=", "401"),
            ("GET /alerts\ncookie: xtidings=$READS", "401"),
            ("GET /alerts?token=$READS", "401"),
            ("GET /alerts\nx-user: bo", "401"),
            ("GET /HEALTHZ", "401"),
            ("GET /healthz/", "401"),
            ("GET /%68ealthz", "401"),
            ("GET /login/", "401"),
        ],
    );
}

#[test]
fn over_tls_only_the_cookie_of_this_very_host_counts() {
    let web = web(&tokens(), "https://desk.example.org");
    hold(
        ListenerKind::Network,
        Some("10.9.9.9"),
        &web,
        &[
            ("GET /alerts\ncookie: __Host-tidings=$READS", "ana Read Cookie"),
            ("GET /alerts\ncookie: tidings=$READS", "401"),
        ],
    );
}

#[test]
fn a_visitor_is_named_by_the_proxy_and_by_nobody_else() {
    let web = web(&proxy_on_network(), "");
    let named = "GET /alerts\nx-user: ana";
    for peer in ["10.0.0.2", "fd00::7"] {
        hold(
            ListenerKind::Network,
            Some(peer),
            &web,
            &[
                (named, "ana Write Proxy"),
                ("GET /alerts\nx-user: Žofie Nováková", "Žofie Nováková Write Proxy"),
                ("POST /s\nx-user: ana\nsec-fetch-site: same-origin", "ana Write Proxy"),
                ("POST /s\nx-user: ana\nsec-fetch-site: cross-site", "403 Only pages"),
                ("GET /alerts", "403 The proxy does not name"),
                ("GET /alerts\nx-user: ", "403 The proxy does not name"),
                ("GET /alerts\nx-user: ana\nx-user: bo", "400"),
                ("GET /alerts\nauthorization: Bearer $WRITES", "403"),
                ("GET /healthz", "free"),
            ],
        );
    }
    for peer in [Some("10.0.0.3"), Some("127.0.0.1"), Some("fe80::1"), None] {
        hold(
            ListenerKind::Network,
            peer,
            &web,
            &[
                (named, "403 Only the proxy"),
                ("GET /metrics\nx-user: ana\nx-forwarded-for: 10.0.0.2", "403 Only the proxy"),
                ("GET /healthz", "free"),
            ],
        );
    }
    let long = format!("GET /alerts\nx-user: {}", "a".repeat(201));
    hold(ListenerKind::Network, Some("10.0.0.2"), &web, &[(&long, "403")]);
}

#[test]
fn the_peers_of_a_socket_are_believed_if_the_configuration_says_so() {
    let socket = web(&proxy(&[TrustedPeer::UnixSocket]), "");
    let named = "GET /alerts\nx-user: ana";
    hold(ListenerKind::Unix, None, &socket, &[(named, "ana Write Proxy")]);
    hold(ListenerKind::Network, None, &socket, &[(named, "403")]);
    hold(ListenerKind::Unix, None, &web(&proxy_on_network(), ""), &[(named, "403")]);
}
