//! Mails as an independent parser reads them.

use insta::assert_snapshot;
use mailparse::{MailHeaderMap, ParsedMail, parse_mail};
use proptest::prelude::*;
use rstest::rstest;

use super::*;
use crate::config::MailSecurity;
use crate::notify::fixture;
use crate::notify::printable::is_unprintable;
use tidings_rules::story::{FeedName, Read, Severity};

fn email_config(from: &str, to: &[&str]) -> Email {
    Email {
        host: "mail.example.org".to_owned(),
        port: 465,
        security: MailSecurity::Tls,
        helo: "tidings.example.org".to_owned(),
        login: None,
        ca: vec![],
        from: from.parse().unwrap(),
        to: to.iter().map(|mailbox| mailbox.parse().unwrap()).collect(),
    }
}

fn receiver(recipient: &str) -> Receiver {
    Receiver { notifier: NotifierName("Desk 1".to_owned()), recipient: recipient.to_owned() }
}

fn render_mail(notification: &Notification) -> Vec<u8> {
    let desk = email_config("Tidings <tidings@example.org>", &["ana@example.org"]);
    render(&desk, &receiver("ana@example.org"), notification, &TimeZone::UTC).unwrap()
}

fn header_value(mail: &[u8], name: &str) -> Option<String> {
    parse_mail(mail).unwrap().headers.get_first_value(name)
}

fn header_names(mail: &ParsedMail<'_>) -> Vec<String> {
    mail.headers.iter().map(mailparse::MailHeader::get_key).collect()
}

fn alert_of_rules(severity: Severity, rules: &[&str]) -> Notification {
    let mut notification = fixture::alert_with_title("A title");
    if let Content::Alert { rules: matches, .. } = &mut notification.content {
        *matches = rules.iter().map(|rule| fixture::rule_match(rule, vec![])).collect();
        matches[0].severity = Severity::Low;
        matches.last_mut().unwrap().severity = severity;
    }
    notification
}

#[test]
fn its_headers_say_who_what_when_and_that_no_person_wrote_it() {
    let mail = String::from_utf8(render_mail(&fixture::alert())).unwrap();
    assert_snapshot!(mail.split_once("\r\n\r\n").unwrap().0.replace("\r\n", "\n"));
}

#[test]
fn it_holds_the_same_in_plain_text_and_in_html() {
    let mail = render_mail(&fixture::alert());
    let mail = parse_mail(&mail).unwrap();
    assert_eq!(mail.ctype.mimetype, "multipart/alternative");
    let [plain, html] = mail.subparts.as_slice() else { panic!("two parts") };
    let bodies = [plain, html].map(|part| part.get_body().unwrap().replace("\r\n", "\n"));
    assert_eq!(
        (plain.ctype.mimetype.as_str(), html.ctype.mimetype.as_str()),
        ("text/plain", "text/html")
    );
    assert_eq!(
        bodies[0].trim_end(),
        text::render_text(&fixture::alert(), &TimeZone::UTC, false).trim_end()
    );
    assert!(bodies[1].contains("<b>김정은</b>"), "{}", bodies[1]);
}

#[test]
fn rendered_again_it_is_the_same() {
    assert_eq!(render_mail(&fixture::alert()), render_mail(&fixture::alert()));
}

#[test]
fn mails_of_one_event_are_one_thread_and_a_test_is_in_none() {
    let first = render_mail(&fixture::alert());
    let second = render_mail(&Notification { id: "another".to_owned(), ..fixture::alert() });
    assert_ne!(header_value(&first, "Message-ID"), header_value(&second, "Message-ID"));
    for name in ["References", "In-Reply-To"] {
        assert_eq!(
            header_value(&first, name).unwrap(),
            "<event.7d9b2a10-2222-4ccc-8ddd-000000000001@example.org>"
        );
        assert_eq!(header_value(&first, name), header_value(&second, name));
        assert_eq!(header_value(&render_mail(&fixture::test_message()), name), None);
    }
}

#[rstest]
#[case(Severity::Medium, &["arms"], "A title [arms]")]
#[case(Severity::High, &["arms"], "HIGH: A title [arms]")]
#[case(Severity::Critical, &["arms", "oil", "gas"], "CRITICAL: A title [gas and 2 more]")]
#[case(Severity::Low, &["a rule with a name that is longer than a subject can hold"], "A title [a rule with a name that is longer than…]")]
fn its_subject_is_short_and_has_severity_headline_and_rule(
    #[case] severity: Severity,
    #[case] rules: &[&str],
    #[case] expected: &str,
) {
    assert_eq!(
        header_value(&render_mail(&alert_of_rules(severity, rules)), "Subject").as_deref(),
        Some(expected)
    );
}

#[rstest]
#[case("Der Fuß der Brücke")]
#[case("Россия и Северная Корея договорились о поставках боеприпасов и продовольствия")]
#[case("북한과 러시아, 무기 거래 합의")]
#[case("👩‍🚀 and more")]
fn titles_in_any_script_arrive(#[case] title: &str) {
    let mail = render_mail(&fixture::alert_with_title(title));
    assert!(mail.is_ascii());
    assert_eq!(header_value(&mail, "Subject"), Some(format!("{title} [arms]")));
}

#[test]
fn names_and_domains_beyond_ascii_arrive() {
    let desk = email_config(
        "Nachrichten für Büro <tidings@bücher.example>",
        &["Ana Čuk <ana@example.org>"],
    );
    let mail =
        render(&desk, &receiver("ana@example.org"), &fixture::alert(), &TimeZone::UTC).unwrap();
    assert!(mail.is_ascii());
    assert_eq!(
        header_value(&mail, "From").unwrap(),
        "Nachrichten für Büro <tidings@xn--bcher-kva.example>"
    );
    assert_eq!(header_value(&mail, "To").unwrap(), "Ana Čuk <ana@example.org>");
}

#[test]
fn an_invalid_address_is_an_error() {
    let desk = email_config("tidings@example.org", &["ana@example.org"]);
    let why = render(&desk, &receiver("not an address"), &fixture::test_message(), &TimeZone::UTC)
        .unwrap_err();
    assert!(why.starts_with("not an address is no mail address"), "{why}");
}

#[test]
fn no_title_adds_a_header() {
    let expected =
        header_names(&parse_mail(&render_mail(&fixture::alert_with_title("A title"))).unwrap());
    for title in [
        "A\r\nBcc: eve@example.org",
        "A\nBcc: eve@example.org",
        "A\r\n\r\nBody",
        "A\0B",
        "\r",
        "é\r\nBcc: eve@example.org",
    ] {
        let mail = render_mail(&fixture::alert_with_title(title));
        assert_eq!(header_names(&parse_mail(&mail).unwrap()), expected, "{title:?}");
    }
}

/// The notification with one text in all places that come from a feed, from a rule or from the
/// configuration.
fn alert_with_text_everywhere(text: &str) -> Notification {
    let mut notification = fixture::alert();
    if let Content::Alert { event: _, story, read, feeds, rules, update: _ } =
        &mut notification.content
    {
        text.clone_into(&mut story.title);
        story.url = Some(format!("https://wire.example/{text}"));
        story.lang = Some(text.to_owned());
        *read = Read::Teaser(text.to_owned());
        for feed in feeds {
            feed.feed = FeedName(text.to_owned());
            text.clone_into(&mut feed.title);
            feed.url = Some(text.to_owned());
        }
        for rule in rules {
            text.clone_into(&mut rule.rule);
            (rule.why, rule.owner, rule.tags) =
                (Some(text.to_owned()), Some(text.to_owned()), vec![text.to_owned()]);
            for evidence in &mut rule.evidence {
                (evidence.term, evidence.sentence) = (text.to_owned(), text.to_owned());
                evidence.label = Some(text.to_owned());
            }
        }
    }
    notification
}

/// What could begin a header, end the headers, or end the mail.
const HOSTILE: &str = "(\r|\n|\r\n|\r\n\r\n|\0|\t| |Bcc: eve@example\\.org|Subject:|Content-Type: text/html|=\\?utf-8\\?q\\?|\\?=|=0D=0A|--|\\.|\r\n\\.\r\n|\"|<|>|@|é|북|[a-z]{1,90}|\\PC){0,24}";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn nothing_that_a_feed_a_rule_or_a_name_says_becomes_a_header(text in HOSTILE, notifier in HOSTILE) {
        let desk = email_config("Tidings <tidings@example.org>", &["Ana <ana@example.org>"]);
        let to = Receiver { notifier: NotifierName(notifier), recipient: "ana@example.org".to_owned() };
        let of = |notification: &Notification| render(&desk, &to, notification, &TimeZone::UTC).unwrap();
        let (mail, plain_mail) = (of(&alert_with_text_everywhere(&text)), of(&alert_with_text_everywhere("text")));
        prop_assert!(mail.is_ascii() && !mail.contains(&0));
        for line in mail.split_inclusive(|byte| *byte == b'\n') {
            prop_assert!(line.ends_with(b"\r\n") && line.len() <= 1000);
            prop_assert!(!line[..line.len() - 2].contains(&b'\r'));
        }
        let (mail, plain_mail) = (parse_mail(&mail).unwrap(), parse_mail(&plain_mail).unwrap());
        prop_assert_eq!(header_names(&mail), header_names(&plain_mail));
        for name in ["From", "To", "Date", "Message-ID", "References", "In-Reply-To", "Auto-Submitted", "MIME-Version", "Content-Type"] {
            prop_assert_eq!(mail.headers.get_first_value(name), plain_mail.headers.get_first_value(name));
        }
        let subject = mail.headers.get_first_value("Subject").unwrap();
        let words = unescaped_subject(&build_view(&alert_with_text_everywhere(&text), &TimeZone::UTC), &alert_with_text_everywhere(&text)).replace("=?", "= ?");
        prop_assert!(!subject.contains(is_unprintable), "{:?}", subject);
        prop_assert_eq!(subject.split_whitespace().collect::<String>(), words.split_whitespace().collect::<String>());
        let list = mail.headers.get_first_value("List-Id").unwrap();
        prop_assert!(list.starts_with('<') && list.ends_with(".tidings.example.org>"), "{}", list);
        prop_assert_eq!(mail.subparts.len(), 2);
        for (part, plain_part) in mail.subparts.iter().zip(&plain_mail.subparts) {
            prop_assert_eq!(part.ctype.mimetype.as_str(), plain_part.ctype.mimetype.as_str());
            prop_assert_eq!(header_names(part), header_names(plain_part));
            prop_assert!(part.get_body().is_ok());
        }
    }
}
