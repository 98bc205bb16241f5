//! Secrets in a text that is no YAML, found by the look of its lines. Where in doubt, a line is taken for a secret.

use std::ops::Range;

use super::{SHOWN, telling_word};

/// What a line may continue.
enum Above {
    /// A value that may be shown.
    Shown,
    /// A secret of the key in this column, which lines that are indented deeper continue, and lists that are not.
    Secret { column: usize },
    /// A secret whose end cannot be told: a quote or bracket that was not closed.
    Endless,
}

pub(super) fn secrets(text: &str, spans: &mut Vec<Range<usize>>) {
    let mut above = Above::Shown;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let indentation = line.len() - line.trim_start().len();
        let is_list = line[indentation..].starts_with('-');
        let continues = match above {
            Above::Shown => false,
            Above::Secret { column } => indentation > column || indentation == column && is_list,
            Above::Endless => true,
        };
        let secret = if line.trim().is_empty() {
            None
        } else if continues {
            Some(indentation)
        } else {
            secret_in(line)
        };
        if let Some(at) = secret {
            spans.push(start + at..start + line.len());
            if !continues {
                above = Above::Secret { column: column_of_key(line, at) };
            }
            if is_open(&line[at..]) {
                above = Above::Endless;
            }
        } else if !line.trim().is_empty() {
            above = key_alone(line).map_or(Above::Shown, |column| Above::Secret { column });
        }
        start += line.len();
    }
}

/// Where in a line a secret may begin: after a key that may not be shown, after `://`, at a telling word;
/// all of a line that has no key and is no item of a list.
fn secret_in(line: &str) -> Option<usize> {
    let word = telling_word(line).filter(|_| key_alone(line).is_none()).map(|at| at + rest_of_key(&line[at..]));
    let address = line.find("://").map(|at| at + 3);
    let is_loose = !line.contains(':') && !line.trim_start().starts_with(['-', '#']);
    let loose = is_loose.then(|| line.len() - line.trim_start().len());
    let after_key = keys(line).find_map(|(key, end)| {
        let value = line[end..].trim();
        let is_structure = value.is_empty() || value.starts_with('{') && keys(value).next().is_some();
        (!SHOWN.contains(&key) && !is_structure).then_some(end)
    });
    [word, address, after_key, loose].into_iter().flatten().min()
}

/// The length of what is left of a key at the start of `text`, with its colon; 0 if there is none.
fn rest_of_key(text: &str) -> usize {
    let colon = text.find(|c: char| !c.is_ascii_alphanumeric() && !"_-\"'".contains(c));
    colon.filter(|at| text[*at..].starts_with(':')).map_or(0, |at| at + 1)
}

/// The keys in a line, each with the end of its colon.
fn keys(line: &str) -> impl Iterator<Item = (&str, usize)> {
    line.match_indices(':').filter(|(at, _)| !line[at + 1..].starts_with("//")).map(|(at, _)| {
        let before = line[..at].trim_end_matches(['"', '\'', ' ']);
        let start = before.rfind(|c: char| !c.is_alphanumeric() && !"_-".contains(c)).map_or(0, |at| at + 1);
        (before.get(start..).unwrap_or_default(), at + 1)
    })
}

/// The column of a key that may not be shown and has its value below, unless what is below has keys of its own.
fn key_alone(line: &str) -> Option<usize> {
    let key = line.trim().strip_suffix(':')?.trim_start_matches(['-', ' ']);
    telling_word(key).is_some().then(|| line.find(key).unwrap_or(0))
}

fn column_of_key(line: &str, before: usize) -> usize {
    line[..before].find(|c: char| !matches!(c, ' ' | '\t' | '-')).unwrap_or(0)
}

/// Whether a quote or a bracket is not closed here.
fn is_open(secret: &str) -> bool {
    let odd = |quote| secret.matches(quote).count() % 2 == 1;
    let more = |open, close| secret.matches(open).count() > secret.matches(close).count();
    odd('"') || odd('\'') || more('[', ']') || more('{', '}')
}
