//! Tests of whole configurations: their values, their faults, and that faults show no secret.

mod hosts;
mod publishers;
mod receiving;
mod retain;
mod secrets;
mod service;
mod store;
mod web;

use secrecy::ExposeSecret;
use std::path::Path;
use std::sync::Arc;

use super::*;
use tidings_rules::fault::{Source, render, to_json};

const HOOK: &str = "https://hooks.example.org/services/T00/h00kt0ken";

fn env(name: &str) -> Option<String> {
    match name {
        "SMTP_PASSWORD" => Some("pa55w0rd".to_owned()),
        "HOOK" => Some(HOOK.to_owned()),
        "FEED_KEY" => Some("f33dk3y".to_owned()),
        "EMPTY" => Some(String::new()),
        _ => None,
    }
}

/// Reads a list of addresses, one for each line.
fn list(bytes: &[u8]) -> Result<Vec<Listed>, String> {
    let feed = |line: &str| {
        let url = line.parse().map_err(|_| "this is no list".to_owned())?;
        Ok(Listed { url, title: None, tags: vec!["listed".to_owned()] })
    };
    String::from_utf8_lossy(bytes).lines().map(feed).collect()
}

/// The configuration, and its rendered faults.
fn read(text: &str) -> (Option<Config>, String) {
    let source = Arc::new(Source { name: "config.yaml".to_owned(), text: text.to_owned() });
    let loaded = load_config(&source, Path::new("/etc/tidings"), &env, &list);
    let LoadedConfig { config, faults, .. } = loaded;
    let machine: String = faults.iter().map(|fault| to_json(fault).to_string()).collect();
    assert!(!machine.contains("pa55w0rd") && !machine.contains("t0ken"), "{machine}");
    (config, render(&faults, false))
}

fn sound(text: &str) -> Config {
    let (config, said) = read(text);
    config.unwrap_or_else(|| panic!("{said}"))
}

/// The rendered faults of some bad configurations.
fn said_of(cases: &[&str]) -> String {
    let said = cases.iter().map(|text| {
        let (config, said) = read(text);
        assert!(config.is_none(), "{text} is taken");
        format!("{said}----\n")
    });
    said.collect()
}

/// A valid configuration with one line added or replaced.
fn with(line: &str) -> String {
    let key = line.split(':').next().unwrap_or_default();
    let base = "notify: [console]\nfeeds: [https://example.org/feed]\nnotifiers: {console: {type: console}}\n";
    let kept: Vec<&str> = base.lines().filter(|base| !base.starts_with(key)).collect();
    format!("{}\n{line}\n", kept.join("\n"))
}

fn with_desk(keys: &str) -> String {
    with(&format!("notifiers:\n  console: {{type: console}}\n  desk:\n    type: email\n{keys}"))
}

fn with_hook(keys: &str) -> String {
    with(&format!("notifiers:\n  console: {{type: console}}\n  ops: {{type: webhook, {keys}}}"))
}

#[test]
fn the_example_that_is_shipped_is_sound_and_says_nothing() {
    let (config, said) = read(include_str!("../../config.example.yaml"));
    assert_eq!(said, "");
    let config = config.expect("sound");
    assert_eq!(config.store.file(), Some(Path::new("/etc/tidings/tidings.db")));
    assert_eq!(config.feeds.len(), 3);
    assert_eq!(config.feeds[0].url.as_str(), "file:///etc/tidings/examples/wire.xml");
    assert_eq!(config.feeds[1].name.0, "https://www.nknews.org/feed/");
    assert_eq!(config.feeds[2].every, Some(Duration::from_mins(10)));
}

#[test]
fn everything_that_can_be_written_is_read() {
    let config = sound(
        "store: sqlite:/var/lib/tidings.db\nrules: ../rules\nzone: Europe/Berlin\nnotify: {critical: [ops, desk], default: desk}\n\
         feeds:\n  - url: https://example.org/feed?key=${FEED_KEY}\n  - {url: https://example.org/b, name: B, tags: wire, every: 5m, full_text: never}\n\
         notifiers:\n  desk:\n    type: email\n    smtp: smtp+starttls://ana%40example.org@mail.example.org\n    password: ${SMTP_PASSWORD}\n    \
         from: Tidings <tidings@example.org>\n    helo: relay.example.org\n    to: [desk@example.org, Duty Desk <duty@example.org>]\n  \
         ops: {type: webhook, url: \"${HOOK}\", secret: [whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw, whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA], format: standard}\n  \
         out: {type: console, format: json}\n\
         poll: {min: 1h, max: 1d, first_poll: none, connections: 8, per_host: 2, gap: 0s}\nnetwork: {allow: [10.0.0.0/8], contact: ana@example.org}\n",
    );
    assert_eq!(
        (config.store.file().expect("a file"), config.rules.as_path()),
        (Path::new("/var/lib/tidings.db"), Path::new("/etc/tidings/../rules"))
    );
    assert_eq!(config.zone.iana_name(), Some("Europe/Berlin"));
    assert_eq!(config.notify.by_severity[&Severity::Critical].len(), 2);
    assert_eq!(config.notify.default.len(), 1);
    assert_eq!(config.feeds[0].url.as_str(), "https://example.org/feed?key=f33dk3y");
    assert_eq!(config.feeds[0].name.0, "https://example.org/feed?key=${FEED_KEY}");
    assert_eq!(
        (config.feeds[1].name.0.as_str(), config.feeds[1].full_text),
        ("B", FullText::Never)
    );
    let Notifier::Email(mail) = &config.notifiers[&NotifierName("desk".to_owned())] else {
        panic!("mail")
    };
    assert_eq!(
        (mail.host.as_str(), mail.port, mail.security),
        ("mail.example.org", 587, MailSecurity::StartTls)
    );
    let (user, password) = mail.login.as_ref().expect("a login");
    assert_eq!((user.as_str(), password.0.expose_secret()), ("ana@example.org", "pa55w0rd"));
    assert_eq!(mail.to[1].to_string(), "Duty Desk <duty@example.org>");
    assert_eq!(mail.helo, "relay.example.org");
    let Notifier::Webhook(hook) = &config.notifiers[&NotifierName("ops".to_owned())] else {
        panic!("hook")
    };
    assert_eq!((hook.url.0.as_str(), hook.secrets.len()), (HOOK, 2));
    assert_eq!(hook.secrets[0].0.expose_secret().len(), 24);
    assert_eq!(config.poll.first_poll, FirstPoll::None);
    assert_eq!((config.poll.per_host, config.poll.gap), (2, Duration::ZERO));
    let shown = format!("{config:?}");
    for secret in ["pa55w0rd", "h00kt0ken", "f33dk3y"] {
        assert!(!shown.contains(secret), "{secret} is in {shown}");
    }
}

#[test]
fn each_format_has_its_address_and_says_whom_its_messages_are_for() {
    for (keys, url, addressed) in [
        (
            "url: https://hooks.slack.com/services/T/B/x, format: slack",
            "https://hooks.slack.com/services/T/B/x",
            None,
        ),
        (
            "url: https://chat.example.org/hooks/x, format: mattermost",
            "https://chat.example.org/hooks/x",
            None,
        ),
        (
            "url: https://discord.com/api/webhooks/1/x, format: discord",
            "https://discord.com/api/webhooks/1/x?wait=true",
            None,
        ),
        (
            "url: \"https://discord.com/api/webhooks/1/x?thread_id=2\", format: discord",
            "https://discord.com/api/webhooks/1/x?thread_id=2&wait=true",
            None,
        ),
        (
            "url: https://ntfy.sh/a-topic, format: ntfy",
            "https://ntfy.sh/",
            Some(("topic", "a-topic")),
        ),
        (
            "url: https://example.org/ntfy/a-topic/, format: ntfy",
            "https://example.org/ntfy",
            Some(("topic", "a-topic")),
        ),
        (
            "url: https://api.telegram.org/bot1:x/sendMessage, format: telegram, chat: -1001",
            "https://api.telegram.org/bot1:x/sendMessage",
            Some(("chat_id", "-1001")),
        ),
        (
            "format: pagerduty, routing_key: k3y",
            "https://events.pagerduty.com/v2/enqueue",
            Some(("routing_key", "k3y")),
        ),
    ] {
        let config = sound(&with_hook(keys));
        let Notifier::Webhook(hook) = &config.notifiers[&NotifierName("ops".to_owned())] else {
            panic!("hook")
        };
        let found = hook
            .addressed
            .as_ref()
            .map(|addressed| (addressed.key, addressed.to.0.expose_secret()));
        assert_eq!((hook.url.0.as_str(), found), (url, addressed), "{keys}");
        assert!(!format!("{hook:?}").contains("k3y"));
    }
}

#[test]
fn what_is_left_out_has_a_default() {
    let config = sound(&with(""));
    assert_eq!(
        (config.store.file().expect("a file"), config.rules.as_path()),
        (Path::new("/etc/tidings/tidings.db"), Path::new("/etc/tidings/rules"))
    );
    let hour = Duration::from_hours(1);
    let poll = Poll {
        min: hour / 4,
        max: 6 * hour,
        first_poll: FirstPoll::Within(24 * hour),
        connections: 256,
        per_host: 1,
        gap: Duration::from_secs(1),
    };
    assert_eq!((config.poll, config.network), (poll, Network::default()));
}

#[test]
fn every_notifier_may_say_when_it_is_quiet_and_how_much_it_takes() {
    let config = sound(&with(
        "notifiers: {console: {type: console, quiet: {from: \"22:00\", to: 7:00, except: [critical, high]}, limit: 30/h}}",
    ));
    let policy = &config.delivery_policies[&NotifierName("console".to_owned())];
    let quiet = policy.quiet.as_ref().expect("quiet hours");
    assert_eq!(
        (quiet.from.to_string(), quiet.to.to_string()),
        ("22:00:00".to_owned(), "07:00:00".to_owned())
    );
    assert_eq!(quiet.except, [Severity::High, Severity::Critical].into());
    let limit = policy.limit.expect("a limit");
    assert_eq!((limit.most, limit.per), (30, Duration::from_hours(1)));
    assert_eq!(
        sound(&with("zone: UTC")).delivery_policies[&NotifierName("console".to_owned())],
        DeliveryPolicy::default()
    );
}

#[test]
fn faults_of_delivery_policies() {
    let console = |keys: &str| with(&format!("notifiers: {{console: {{type: console, {keys}}}}}"));
    insta::assert_snapshot!(said_of(&[
        &console("quiet: night"),
        &console("quiet: {from: \"22:00\"}"),
        &console("quiet: {from: \"22:00\", to: \"22:00\"}"),
        &console("quiet: {from: \"25:00\", to: late, except: [kritical]}"),
        &console("quiet: {from: \"22:00\", till: \"07:00\"}"),
        &console("limit: 30"),
        &console("limit: 0/h"),
        &console("limit: 30/fortnight"),
    ]));
}

#[test]
fn an_authority_of_ones_own_comes_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let key = rcgen::KeyPair::generate().unwrap();
    let certificate = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    std::fs::write(folder.path().join("ca.pem"), format!("Our own CA\n{0}{0}", certificate.pem()))
        .unwrap();
    let text = with_desk(&format!(
        "    smtp: smtps://mail.example.org\n    ca: {}\n    from: a@example.org\n    to: b@example.org",
        folder.path().join("ca.pem").display()
    ));
    let config = sound(&text);
    let Notifier::Email(mail) = &config.notifiers[&NotifierName("desk".to_owned())] else {
        panic!("mail")
    };
    assert_eq!(mail.ca, vec![Authority(certificate.der().to_vec()); 2]);
}

#[test]
fn faults_of_templates() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let sound_one = place("sound.json", "{\"text\": {{ text }}}");
    let keys = [
        format!("template: {}", place("torn.json", "{\"text\": {{ title }")),
        format!("template: {}", place("odd.txt", "a\n{{ titel }}")),
        format!("template: {}", place("quoted.json", "{\"text\": \"{{ title }}\"}")),
        format!(
            "template: {}",
            place("digest.txt", "{% if type == 'digest' %}{{ 1 / 0 }}{% endif %}")
        ),
        format!("template: {sound_one}, format: slack"),
        "template: missing.txt".to_owned(),
    ];
    let cases: Vec<String> =
        keys.iter().map(|keys| with_hook(&format!("url: \"${{HOOK}}\", {keys}"))).collect();
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let said = said_of(&cases).replace(&format!("{}/", folder.path().display()), "");
    let sentences = said.lines().filter(|line| line.starts_with("error") || line.contains("help"));
    insta::assert_snapshot!(sentences.collect::<Vec<_>>().join("\n"));
    sound(&with_hook(&format!("url: \"${{HOOK}}\", template: {sound_one}")));
}

#[test]
fn faults_of_authorities() {
    let folder = tempfile::tempdir().unwrap();
    let place = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let pem =
        |body: &str| format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n");
    let files = [
        place("none.pem", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
        place("torn.pem", "-----BEGIN CERTIFICATE-----\nAAAA\n"),
        place("odd.pem", &pem("AAAA")),
        "missing.pem".to_owned(),
    ];
    let rest = "    from: a@example.org\n    to: b@example.org";
    let mut cases: Vec<String> = files
        .iter()
        .map(|file| {
            with_desk(&format!("    smtp: smtps://mail.example.org\n    ca: {file}\n{rest}"))
        })
        .collect();
    cases.push(with_desk(&format!(
        "    smtp: smtp://mail.example.org\n    ca: missing.pem\n{rest}"
    )));
    let cases: Vec<&str> = cases.iter().map(String::as_str).collect();
    let said = said_of(&cases).replace(&format!("{}/", folder.path().display()), "");
    // Places and carets depend on the length of the folder's path.
    let sentences = said.lines().filter(|line| line.starts_with("error") || line.contains("help"));
    insta::assert_snapshot!(sentences.collect::<Vec<_>>().join("\n"));
}

#[test]
fn faults_of_the_whole() {
    let said = said_of(&[
        &with("notifi: [console]"),
        &with("rules: [a]"),
        "- a\n",
        &with("notify: [consol]"),
        &with("notify: {urgent: [console], default: [nobody]}"),
        &with("zone: Europe/Berln"),
        &with("store: postgres://localhost/tidings"),
        &with("store: \"sqlite::memory:\""),
        "notifiers:\n\tconsole: {type: console}\n",
        "feeds: [https://example.org/a\nnotify: [console]\n",
        &with("limit: 30/h"),
        &with("a: 1\na: 2"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn faults_of_feeds() {
    let said = said_of(&[
        &with("feeds:\n  - https://example.org/${NO_SUCH_TOKEN}/feed"),
        &with(
            "feeds: [\"https://example.org/${FEED_KEY/feed\", \"https://example.org/$FEED_KEY\"]",
        ),
        &with(
            "feeds: [www.example.org/feed, ftp://example.org/feed, \"https://\", \"https://example.org:99999/\", file://host/a.xml]",
        ),
        &with(
            "feeds: [https://example.org/a, {url: https://example.org/b, name: b}, https://example.org/a, {name: b, url: https://example.org/c}]",
        ),
        &with(
            "feeds: [{url: https://example.org/a, every: 1m}, {url: http://127.0.0.1/a, every: 1s}, {url: http://127.0.0.1/b, every: 0s}]\nnetwork: {allow: [127.0.0.0/8]}",
        ),
        &with(
            "feeds: [{url: https://example.org/a, every: often, full_text: hinted}, {url: https://example.org/b, full_text: alwais}]",
        ),
        &with(
            "feeds: [{opml: missing.opml, tag: wire}, {name: a}, {url: https://example.org/b, headers: {Authorization: pa55w0rd}}]",
        ),
        &with("feeds: [https://ana:pa55w0rd@example.org/feed]"),
        &with(
            "feeds: [{url: https://example.org/a, name: tag:wire}, {url: https://example.org/b, name: \" \"}]",
        ),
        &with("feeds: https://example.org/feed"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn faults_of_mail() {
    let rest = "    from: a@example.org\n    to: b@example.org";
    let said = said_of(&[
        &with_desk("    smtp: mail.example.org"),
        &with_desk(&format!("    smtp: https://mail.example.org\n{rest}")),
        &with_desk(&format!("    smtp: smtps://ana@mail.example.org\n{rest}")),
        &with_desk(&format!("    smtp: smtps://mail.example.org\n    password: pa55w0rd\n{rest}")),
        &with_desk(&format!(
            "    smtp: smtp://ana@mail.example.org\n    password: pa55w0rd\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana:pa55w0rd@mail.example.org\n    password: pa55w0rd\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org/inbox\n    password: pa55w0rd\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org\n    password: ${{EMPTY}}\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org\n    password: pa55w0rd$\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org\n    password: ${{SMTP_PASWORD}}\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org\n    password: \"pa55w0rd\" pa55w0rd\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org\n    password: pa55w0rd #pa55w0rd\n    pasword: x\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org\n    password: pa55w0rd\n    password: pa55w0rd\n{rest}"
        )),
        &with_desk(&format!(
            "    smtp: smtps://ana@mail.example.org\n    password_file: missing\n{rest}"
        )),
        &with_desk(
            "    smtp: smtp://mail.example.org\n    from: Tidings\n    to: [\"a@example.org, b@example.org\", a@example.org, A@example.org]",
        ),
        &with_desk(
            "    smtp: smtp://b.example\n    from: a@b.example\n    to: []\n    helo: box\n    digest: 1h",
        ),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn faults_of_webhooks_and_others() {
    let said = said_of(&[
        &with_hook("url: ftp://example.org/h00kt0ken"),
        &with_hook("url: \"${HOOK}\", format: slak"),
        &with_hook("url: \"${HOOK}\", format: telegram"),
        &with_hook("format: pagerduty"),
        &with_hook("format: slack"),
        &with_hook("url: https://ntfy.example.org/, format: ntfy"),
        &with_hook("url: \"${HOOK}\", format: slack, chat: h00kt0ken"),
        &with_hook("url: \"${HOOK}\", secret: h00kt0ken"),
        &with_hook(
            "url: \"${HOOK}\", secret: [whsec_dDBrZW4=, whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA]",
        ),
        &with_hook(
            "url: \"${HOOK}\", secret: whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA, whsec_h00kt0ken",
        ),
        &with_hook("url: \"${HOOK}\", headers: [h00kt0ken], ca: missing.pem"),
        &with_hook(
            "url: \"${HOOK}\", headers: {Host: example.org, webhook-id: h00kt0ken, \"X Y\": h00kt0ken, X-Z: \"h00kt0ken\\n\", X-A: h00kt0kén}",
        ),
        &with_hook("url: \"${HOOK}\", auth: {basic: {user: \"an:a\", password: h00kt0ken}}"),
        &with_hook("url: \"${HOOK}\", auth: {basic: {user: ana}, bearer: h00kt0ken}"),
        &with_hook("url: \"${HOOK}\", auth: {digest: h00kt0ken}"),
        &with_hook(
            "url: \"${HOOK}\", auth: {bearer: h00kt0ken}, headers: {authorization: h00kt0ken}",
        ),
        &with_hook("url: \"https://ana:h00kt0ken@example.org/\", auth: {bearer: \"h00kt0ken\"}"),
        &with_hook("url: \"http://example.org/\", ca: ca.pem"),
        &with_hook("url: \"${HOOK}\", sekret: whsec_h00kt0ken, colour: red"),
        &with("notifiers: {console: {type: consol}, x: {}, y: console}"),
        &with("notifiers: {console: {type: console, format: xml, limit: 30/h}}"),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn faults_of_poll_and_network() {
    let said = said_of(&[
        &with("poll: {min: 2h, max: 1h}"),
        &with("poll: {min: 0s, first_poll: some, connections: 0, per_host: -1, gap: 2h}"),
        &with("poll: {max: 100years}"),
        &with(
            "network: {allow: [10.0.0.0/40, 10.0.0.1, localhost], contact: Ana, proxy: http://10.0.0.1/}",
        ),
    ]);
    insta::assert_snapshot!(said);
}

#[test]
fn what_may_be_overlooked_is_a_warning() {
    let (config, said) = read("notify: {high: console}\nnotifiers: {console: {type: console}}\n");
    assert!(config.is_some());
    insta::assert_snapshot!(said);
    let (config, said) = read("");
    assert!(config.is_some() && said.contains("`notify` is missing"), "{said}");
}
