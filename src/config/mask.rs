//! Masks secrets in a configuration, so that faults can show its lines.

mod torn;

use std::ops::Range;

use super::env;
use tidings_rules::fault::{Fault, Source};
use tidings_rules::yaml::{Node, Text, YamlDocument};

/// Keys whose values may be shown. The values of all other keys, unknown ones included (`pasword:
/// …`), may hold secrets.
const SHOWN: [&str; 53] = [
    "alerts",
    "allow",
    "at",
    "ca",
    "connections",
    "contact",
    "critical",
    "days",
    "default",
    "every",
    "except",
    "first_poll",
    "format",
    "from",
    "full_text",
    "gap",
    "helo",
    "high",
    "http1",
    "info",
    "limit",
    "listen",
    "low",
    "max",
    "medium",
    "min",
    "name",
    "notify",
    "opml",
    "password_file",
    "per_host",
    "poll",
    "proxy",
    "public",
    "quiet",
    "recheck",
    "report",
    "retain",
    "rules",
    "smtp",
    "stories",
    "store",
    "tags",
    "template",
    "to",
    "tokens_file",
    "type",
    "user_agent",
    "web",
    "write",
    "zone",
    "feeds",
    "network",
];

/// Keys of [`SHOWN`] whose value is one word of a few. Any other value may be a secret.
const ONE_WORD: [&str; 3] = ["type", "format", "full_text"];

/// Keys of a notifier or a host that hold names and values. The names may be shown, the values not.
const SHOWN_BUT_FOR_VALUES: [&str; 3] = ["auth", "cookies", "headers"];

/// The longest text that counts as a key, in bytes.
const LONGEST_KEY: usize = 32;

/// Words that announce a secret in any value.
const SUSPICIOUS: [&str; 5] = ["passw", "pasw", "secret", "token", "whsec"];

/// `source` with every possible secret masked. Offsets, lines and columns stay. If `source` is not
/// YAML (`document` is `None`), more is masked than necessary.
pub(super) fn masked(source: &Source, document: Option<&YamlDocument>) -> Source {
    let mut spans = Vec::new();
    match document {
        Some(document) => sound(source, document.root(), &mut spans),
        None => torn::secrets(&source.text, &mut spans),
    }
    Source { name: source.name.clone(), text: masked_text(&source.text, &spans) }
}

/// Replaces the text of a fault of the YAML reader that repeats a masked word of its lines.
pub(super) fn mask_reader_fault(fault: &mut Fault, masked: &Source) {
    let text = &fault.source.text;
    let start = text[..fault.span.start].rfind('\n').map_or(0, |at| at + 1);
    let end = text[fault.span.end..].find('\n').map_or(text.len(), |at| fault.span.end + at);
    let is_hidden = |at: usize, word: &str| !masked.text[start + at..].starts_with(word);
    let hidden: Vec<&str> = words(&text[start..end])
        .filter(|(at, word)| is_hidden(*at, word))
        .map(|(_, word)| word)
        .collect();
    let said = format!("{} {}", fault.message, fault.help.as_deref().unwrap_or_default());
    if words(&said).any(|(_, word)| hidden.contains(&word)) {
        mask_fault(fault);
    }
}

/// Replaces the text of a fault that repeats the whole masked value at its place.
pub(super) fn mask_repeated_value(fault: &mut Fault, masked: &Source) {
    let word = &fault.source.text[fault.span.clone()];
    let is_hidden =
        word.contains(char::is_alphanumeric) && masked.text[fault.span.clone()] != *word;
    if is_hidden && fault.message.contains(word) {
        mask_fault(fault);
    }
}

fn mask_fault(fault: &mut Fault) {
    "this line cannot be read, or is probably misread".clone_into(&mut fault.message);
    let help = "put the value in single quotes, with each ' in it written twice; better still, take secrets from the environment: ${NAME}";
    fault.help = Some(help.to_owned());
}

/// The pieces of a text between white space, split into runs of letters and digits. A piece without
/// letters and digits stays whole.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let start = |word: &str| word.as_ptr() as usize - text.as_ptr() as usize;
    let pieces = |word| {
        let is_bare = !str::contains(word, char::is_alphanumeric);
        str::split(word, move |c: char| !is_bare && !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
    };
    text.split_whitespace().flat_map(pieces).map(move |word| (start(word), word))
}

/// Collects the secrets of valid YAML.
fn sound(source: &Source, root: Node<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, node) in root.pairs(&mut Vec::new()) {
        spans.extend(suspicious_key(&key, node));
        match key.value.as_str() {
            "notifiers" if node.is_mapping() => {
                node.pairs(&mut Vec::new())
                    .into_iter()
                    .for_each(|(_, node)| notifier(source, node, spans));
            }
            "hosts" if node.is_mapping() => {
                for (host, node) in node.pairs(&mut Vec::new()) {
                    spans.extend(host.value.contains('@').then(|| host.span()));
                    notifier(source, node, spans);
                }
            }
            "publishers" if node.is_mapping() => {
                for (_, node) in node.pairs(&mut Vec::new()) {
                    collect_shown(source, node, false, spans);
                }
            }
            "heartbeat" if node.is_mapping() => fields(source, node, spans),
            "web" if node.is_mapping() => web(source, node, spans),
            "store" if node.is_mapping() => feed(source, node, spans),
            "feeds" => node.one_or_many().into_iter().for_each(|node| feed(source, node, spans)),
            _ if SHOWN.contains(&key.value.as_str()) => fields(source, node, spans),
            _ => add_secret_spans(source, node, spans),
        }
    }
    if !root.is_mapping() {
        add_secret_spans(source, root, spans);
    }
}

/// The place of a key that may be a misplaced value: it does not look like a key, or it is unknown
/// and has no value.
fn suspicious_key(key: &Text, node: Node<'_>) -> Option<Range<usize>> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
    let is_plain = key.value.len() <= LONGEST_KEY
        && key.value.chars().all(is_word)
        && !key.value.starts_with("whsec");
    let has_value = !node.span().is_empty();
    (!is_plain || !has_value && !SHOWN.contains(&key.value.as_str())).then(|| key.span())
}

/// Collects what may be a secret of the web listener. `auth` names a file, or addresses.
fn web(source: &Source, node: Node<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, node) in node.pairs(&mut Vec::new()) {
        spans.extend(suspicious_key(&key, node));
        if key.value == "auth" {
            notifier(source, node, spans);
        } else if SHOWN.contains(&key.value.as_str()) {
            collect_shown(source, node, false, spans);
        } else {
            add_secret_spans(source, node, spans);
        }
    }
}

fn feed(source: &Source, node: Node<'_>, spans: &mut Vec<Range<usize>>) {
    if !node.is_mapping() {
        collect_shown(source, node, false, spans);
    }
    for (key, node) in node.pairs(&mut Vec::new()) {
        spans.extend(suspicious_key(&key, node));
        if key.value == "url" || SHOWN.contains(&key.value.as_str()) {
            collect_shown(source, node, ONE_WORD.contains(&key.value.as_str()), spans);
        } else {
            add_secret_spans(source, node, spans);
        }
    }
}

/// Collects the secrets below a name that the user chose: that of a notifier or a host.
fn notifier(source: &Source, node: Node<'_>, spans: &mut Vec<Range<usize>>) {
    if node.is_mapping() {
        fields(source, node, spans);
    } else {
        add_secret_spans(source, node, spans);
    }
}

fn fields(source: &Source, node: Node<'_>, spans: &mut Vec<Range<usize>>) {
    if !node.is_mapping() {
        collect_shown(source, node, false, spans);
    }
    for (key, node) in node.pairs(&mut Vec::new()) {
        spans.extend(suspicious_key(&key, node));
        if SHOWN_BUT_FOR_VALUES.contains(&key.value.as_str()) {
            values(source, node, spans);
        } else if key.value == "quiet" && node.is_mapping() {
            fields(source, node, spans);
        } else if SHOWN.contains(&key.value.as_str()) {
            collect_shown(source, node, ONE_WORD.contains(&key.value.as_str()), spans);
        } else {
            add_secret_spans(source, node, spans);
        }
    }
}

/// Collects the values of a mapping.
fn values(source: &Source, node: Node<'_>, spans: &mut Vec<Range<usize>>) {
    if !node.is_mapping() {
        add_secret_spans(source, node, spans);
    }
    for (key, node) in node.pairs(&mut Vec::new()) {
        spans.extend(suspicious_key(&key, node));
        values(source, node, spans);
    }
}

/// Collects the parts of a value that look like a secret. The rest of the value may be shown. If
/// `is_one_word`, the value should be one word in lower case, and any other is a secret.
fn collect_shown(
    source: &Source,
    node: Node<'_>,
    is_one_word: bool,
    spans: &mut Vec<Range<usize>>,
) {
    if node.is_mapping() {
        add_secret_spans(source, node, spans);
    } else if node.is_list() {
        node.one_or_many()
            .into_iter()
            .for_each(|node| collect_shown(source, node, is_one_word, spans));
    } else if is_one_word && !source.text[node.span()].bytes().all(|b| b.is_ascii_lowercase()) {
        add_secret_spans(source, node, spans);
    } else {
        let span = node.span();
        spans.extend(
            suspicious(&source.text[span.clone()])
                .map(|range| span.start + range.start..span.start + range.end),
        );
    }
}

/// The ranges that look like a secret: user and password of an address, its query, and the rest
/// after a word that announces a secret. The scheme of an address may be missing or damaged.
fn suspicious(value: &str) -> impl Iterator<Item = Range<usize>> + use<> {
    let after_scheme = value.find("://").map(|at| at + 3);
    let login = value.rfind('@').and_then(|end| match after_scheme {
        Some(start) => (start <= end).then_some(start..end),
        None => value[..end].contains(':').then_some(0..end),
    });
    let query =
        value[after_scheme.unwrap_or(0)..].find('?').map(|at| after_scheme.unwrap_or(0) + at);
    let is_query = |at: &usize| after_scheme.is_some() || value[*at..].contains('=');
    let query = query.filter(is_query).map(|start| start..value.len());
    let word = find_secret_word(value).map(|start| start..value.len());
    [login, query, word].into_iter().flatten()
}

/// The place of the first word that announces a secret. Names of variables do not count.
fn find_secret_word(text: &str) -> Option<usize> {
    let lower = text.to_ascii_lowercase();
    let all = SUSPICIOUS.iter().flat_map(|word| lower.match_indices(word)).map(|(at, _)| at);
    all.filter(|at| lower[..*at].rfind("${").is_none_or(|open| lower[open..*at].contains('}')))
        .min()
}

/// Collects a value that may not be shown, with all its parts and the comment after it. A value
/// that is only `${NAME}` is not a secret.
fn add_secret_spans(source: &Source, node: Node<'_>, spans: &mut Vec<Range<usize>>) {
    for (key, node) in node.pairs(&mut Vec::new()) {
        spans.push(key.span());
        add_secret_spans(source, node, spans);
    }
    if node.is_list() {
        node.one_or_many().into_iter().for_each(|node| add_secret_spans(source, node, spans));
    } else if !node.is_mapping() {
        let span = node.span();
        let rest = source.text[span.end..].split('\n').next().unwrap_or_default();
        let end = if rest.trim_start().starts_with('#') { span.end + rest.len() } else { span.end };
        let is_reference = env::is_reference(source.text[span.clone()].trim_matches(['"', '\'']));
        spans.push(if is_reference { span.end..end } else { span.start..end });
    }
}

/// `text` with an asterisk, or a sign of the same length in bytes, for every character in `spans`
/// except white space.
fn masked_text(text: &str, spans: &[Range<usize>]) -> String {
    let mut hidden = vec![false; text.len()];
    for span in spans {
        hidden[span.clone()].fill(true);
    }
    let blot = |(at, c): (usize, char)| match c.len_utf8() {
        _ if !hidden[at] || c.is_whitespace() => c,
        1 => '*',
        2 => '×',
        3 => '•',
        _ => '🞶',
    };
    text.char_indices().map(blot).collect()
}
