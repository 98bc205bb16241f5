//! Tests of the web listener: who may use it, and the file of tokens.

use std::net::SocketAddr;
use std::path::PathBuf;

use url::Url;

use super::*;
use crate::config::{Access, TrustedPeer, VisitorRole, Web};

/// `printf %s tidings | sha256sum`
const DIGEST: &str = "77fbd5b243a7a89874ee7158567a906365de53dfe2eb84f50f8fca18fc48b5a5";

/// `printf %s "" | sha256sum`
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

fn with_web(keys: &str) -> String {
    with(&format!("web: {{{keys}}}"))
}

/// The web listener with a file of tokens in a folder of its own, and the rendered faults.
fn with_tokens(text: &str) -> (Option<Web>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.txt");
    std::fs::write(&path, text).unwrap();
    let keys = format!("listen: \"0.0.0.0:9177\", auth: {{tokens_file: {}}}", path.display());
    let (config, said) = read(&with_web(&keys));
    let said = said.replace(&format!("{}/", folder.path().display()), "");
    (config.and_then(|config| config.web), said)
}

#[test]
fn a_web_listener_of_this_machine_is_open_and_may_be_written_if_its_owner_says_so() {
    let role_of = |keys: &str| sound(&with_web(keys)).web.expect("a listener").access;
    assert_eq!(role_of("listen: \"127.0.0.1:9177\""), Access::Open(VisitorRole::Read));
    assert_eq!(role_of("listen: \"[::1]:9177\", write: false"), Access::Open(VisitorRole::Read));
    assert_eq!(role_of("listen: unix:web.sock, write: true"), Access::Open(VisitorRole::Write));
}

#[test]
fn a_proxy_is_known_by_its_addresses_or_by_its_socket() {
    let web = sound(&with_web(
        "listen: \"10.0.0.1:80\", public: \"HTTPS://Desk.example.org\", write: true, auth: {header: X-User, from: [10.0.0.2, 10.1.0.0/16, \"::ffff:10.0.0.3\"]}",
    ));
    let web = web.web.expect("a listener");
    assert_eq!(web.public, Some(Url::parse("https://desk.example.org/").unwrap()));
    let Access::Proxy(proxy) = &web.access else { panic!("{web:?}") };
    assert_eq!((proxy.header.as_str(), proxy.role), ("x-user", VisitorRole::Write));
    let ranges = ["10.0.0.2/32", "10.1.0.0/16", "10.0.0.3/32"];
    let ranges = ranges.map(|range| TrustedPeer::Address(range.parse().unwrap()));
    assert_eq!(proxy.from, ranges);
    let web = sound(&with_web("listen: unix:web.sock, auth: {header: X-User, from: unix}"));
    let Some(Access::Proxy(proxy)) = web.web.map(|web| web.access) else { panic!("a proxy") };
    assert_eq!(proxy.from, [TrustedPeer::UnixSocket]);
}

#[test]
fn faults_of_the_web_listener() {
    let local = "listen: \"127.0.0.1:9177\"";
    let said = said_of(&[
        &with_web("listen: \"0.0.0.0:9177\""),
        &with_web("listen: \"10.0.0.1:9177\", write: true"),
        &with_web("listen: \"9177\", write: maybe, public: desk.example.org"),
        &with_web("write: true"),
        &with_web(&format!("{local}, public: \"https://desk.example.org/tidings?a=b\"")),
        &with_web(&format!("{local}, public: \"https://ana:pa55w0rd@desk.example.org\"")),
        &with_web(&format!("{local}, auth: {{}}")),
        &with_web(&format!("{local}, auth: {{token: pa55w0rd}}, tokens_file: t0ken.txt")),
        &with_web(&format!("{local}, auth: {{tokens_file: missing, header: X-User}}")),
        &with_web(&format!("{local}, auth: {{tokens_file: missing, from: 10.0.0.2}}")),
        &with_web(&format!("{local}, auth: {{header: \"X User\"}}")),
        &with_web(&format!("{local}, auth: {{header: X-User, from: [10.0.0.0/40, \"::/0\", a]}}")),
        &with_web(&format!("{local}, auth: {{header: X-User, from: []}}")),
        &with_web("listen: unix:web.sock, auth: {header: X-User, from: 127.0.0.1}"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn tokens_have_a_role_and_a_name_and_show_no_digest() {
    let text =
        format!("\u{feff}# of the desk\n\nread ana {DIGEST}\r\n  write\tbo  {}\n", "AB".repeat(32));
    let (web, said) = with_tokens(&text);
    let web = web.unwrap_or_else(|| panic!("{said}"));
    assert_eq!(said, "");
    let Access::Tokens(tokens) = &web.access else { panic!("{web:?}") };
    let known: Vec<_> = tokens.iter().map(|token| (token.role, token.name.as_str())).collect();
    assert_eq!(known, [(VisitorRole::Read, "ana"), (VisitorRole::Write, "bo")]);
    assert_eq!(tokens[1].digest, [0xab; 32]);
    let debug = format!("{web:?}");
    assert!(debug.contains("bo") && !debug.contains("ab, ab") && !debug.contains("171"), "{debug}");
}

#[test]
fn faults_of_tokens_have_their_line_and_show_no_token() {
    let said = [
        format!("read ana {DIGEST}\nreed bo {DIGEST}\nana read {DIGEST}\n"),
        format!("{DIGEST}\nread {DIGEST}\nread ana {DIGEST} {DIGEST}"),
        "write ana pa55w0rd\nwrite ana".to_owned(),
        format!("read ana {OF_NOTHING}"),
        format!("read ana {DIGEST}\nwrite bo {}", DIGEST.to_uppercase()),
    ]
    .map(|text| {
        let (web, said) = with_tokens(&text);
        assert!(web.is_none(), "{text} is taken");
        assert!(!said.contains(&DIGEST[..8]) && !said.contains("pa55w0rd"), "{said}");
        said + "----\n"
    });
    let warned = [format!("read ana {DIGEST}\nread ana {}", "a".repeat(64)), "# none\n".to_owned()];
    let warned = warned.map(|text| {
        let (web, said) = with_tokens(&text);
        assert!(web.is_some(), "{said}");
        said + "----\n"
    });
    insta::assert_snapshot!(said.concat() + &warned.concat());
}

#[test]
fn tokens_beside_write_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tokens.txt");
    std::fs::write(&path, format!("read ana {DIGEST}\n")).unwrap();
    let auth = format!("auth: {{tokens_file: {}}}", path.display());
    let (config, said) =
        read(&with_web(&format!("listen: \"127.0.0.1:9177\", write: true, {auth}")));
    assert!(config.is_none() && said.contains("`write` is not for tokens"), "{said}");
}

#[test]
fn the_file_of_tokens_is_watched() {
    let text = with_web("listen: \"127.0.0.1:9177\", auth: {tokens_file: tokens.txt}");
    let source = Arc::new(Source { name: "config.yaml".to_owned(), text });
    let loaded = load_config(&source, Path::new("/none"), &env, &list);
    assert!(loaded.files.contains(&PathBuf::from("/none/tokens.txt")), "{:?}", loaded.files);
}

#[test]
fn only_the_place_needs_a_restart_and_nothing_opens_a_place_that_others_reach() {
    let web = |listen: &str, access: &Access| Web {
        listen: WebAddress::Tcp(listen.parse::<SocketAddr>().unwrap()),
        public: None,
        access: access.clone(),
    };
    let (open, tokens) = (Access::Open(VisitorRole::Write), Access::Tokens(Vec::new()));
    let (here, there) = ("127.0.0.1:80", "10.0.0.1:80");
    for (before, after, in_force) in [
        (web(here, &open), web(here, &tokens), web(here, &tokens)),
        (web(here, &tokens), web(here, &open), web(here, &open)),
        (web(here, &open), web(there, &tokens), web(here, &tokens)),
        (web(there, &tokens), web(here, &open), web(there, &tokens)),
    ] {
        let found = Web::without_restart(Some(&before), Some(&after));
        assert_eq!(found.as_ref(), Some(&in_force), "{before:?} {after:?}");
    }
    let before = web(there, &tokens);
    assert_eq!(Web::without_restart(Some(&before), None), Some(before.clone()));
    assert_eq!(Web::without_restart(None, Some(&before)), None);
}
