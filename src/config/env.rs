//! Replaces variables of the environment in the strings of a configuration.

use std::ops::Range;

use tidings_rules::fault::Fault;
use tidings_rules::yaml::Text;

/// `text` with every `${NAME}` replaced by the variable of that name, and every `$$` by a dollar.
/// The value of a variable is not expanded again. A variable that is not set, a single `$` and an
/// incomplete `${` are faults.
pub(super) fn expand(
    text: &Text,
    env: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let mut expanded = Some(String::new());
    let mut add = |piece: Option<String>| {
        let whole = expanded.take();
        expanded = whole.zip(piece).map(|(whole, piece)| whole + &piece);
    };
    let mut at = 0;
    while let Some(found) = text.value[at..].find('$') {
        let dollar = at + found;
        add(Some(text.value[at..dollar].to_owned()));
        at = reference_end(&text.value, dollar);
        add(reference(text, dollar..at, env, faults));
    }
    add(Some(text.value[at..].to_owned()));
    expanded
}

/// The end of the reference that begins at `dollar`.
fn reference_end(value: &str, dollar: usize) -> usize {
    let rest = &value[dollar + 1..];
    if rest.starts_with('$') {
        return dollar + 2;
    }
    let inside = rest.strip_prefix('{').map(|name| name.find('}').unwrap_or(name.len()));
    inside.map_or(dollar + 1, |length| (dollar + 2 + length + 1).min(value.len()))
}

fn reference(
    text: &Text,
    span: Range<usize>,
    env: &dyn Fn(&str) -> Option<String>,
    faults: &mut Vec<Fault>,
) -> Option<String> {
    let written = &text.value[span.clone()];
    if written == "$$" {
        return Some("$".to_owned());
    }
    let Some(name) = name_in(written) else {
        let fault = text.fault(span, "this `$` does not begin a variable");
        faults.push(
            fault.help("write ${NAME} for a variable of the environment, and $$ for a dollar"),
        );
        return None;
    };
    let value = env(name);
    if value.is_none() {
        let fault = text.fault(span, format!("the environment variable {name} is not set"));
        faults.push(fault.help(format!(
            "set it where Tidings is started: `export {name}=…` in a shell, `Environment=` or `EnvironmentFile=` in a systemd unit"
        )));
    }
    value
}

/// Whether `text` is one `${NAME}` and nothing else.
pub(super) fn is_reference(text: &str) -> bool {
    name_in(text).is_some()
}

/// The name in `${NAME}`: letters, digits and underscores, not a digit first.
fn name_in(reference: &str) -> Option<&str> {
    let name = reference.strip_prefix("${")?.strip_suffix('}')?;
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (is_name && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(value: &str) -> Result<String, Vec<String>> {
        let env = |name: &str| match name {
            "TOKEN" => Some("t0k3n${X}$$".to_owned()),
            "EMPTY" => Some(String::new()),
            _ => None,
        };
        let mut faults = Vec::new();
        let text = expand(&Text::standalone("a", value), &env, &mut faults);
        text.ok_or_else(|| faults.into_iter().map(|fault| value[fault.span].to_owned()).collect())
    }

    #[test]
    fn variables_are_put_in_once_and_two_dollars_are_one() {
        for (written, value) in [
            ("plain", "plain"),
            ("a${TOKEN}b", "at0k3n${X}$$b"),
            ("${EMPTY}${EMPTY}é", "é"),
            ("$${TOKEN}", "${TOKEN}"),
            ("US$$", "US$"),
            ("", ""),
        ] {
            assert_eq!(expanded(written).as_deref(), Ok(value), "{written}");
        }
    }

    #[test]
    fn what_cannot_be_put_in_is_a_fault_at_its_very_place() {
        for (written, spans) in [
            ("a ${MISSING} ${ALSO}", vec!["${MISSING}", "${ALSO}"]),
            ("é ${TOKEN", vec!["${TOKEN"]),
            ("${}", vec!["${}"]),
            ("${A B}", vec!["${A B}"]),
            ("${1A}", vec!["${1A}"]),
            ("${X:-y}", vec!["${X:-y}"]),
            ("pa$word", vec!["$"]),
            ("$", vec!["$"]),
            ("$$$", vec!["$"]),
        ] {
            assert_eq!(
                expanded(written),
                Err(spans.into_iter().map(ToOwned::to_owned).collect()),
                "{written}"
            );
        }
    }
}
