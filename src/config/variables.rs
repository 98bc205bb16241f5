//! Strings with environment variables: `${NAME}` is the variable, `$$` a dollar.

use std::path::Path;

use crate::fault::Fault;
use crate::yaml::{Node, Text};

/// What the configuration's surroundings are.
pub(super) struct Context<'c> {
    /// The folder that relative paths start from.
    pub(super) base: &'c Path,
    /// Looks up an environment variable.
    pub(super) env: &'c dyn Fn(&str) -> Option<String>,
}

/// The string at `node` with its variables put in.
pub(super) fn string(node: Node<'_>, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<String> {
    expand(&node.text(faults)?, context, faults)
}

/// `text` with its variables put in; a fault and `None` where one is missing or badly written.
pub(super) fn expand(text: &Text, context: &Context<'_>, faults: &mut Vec<Fault>) -> Option<String> {
    let mut expanded = String::new();
    let mut sound = true;
    let mut rest = 0;
    while let Some(found) = text.value[rest..].find('$') {
        let dollar = rest + found;
        expanded.push_str(&text.value[rest..dollar]);
        let after = &text.value[dollar + 1..];
        if let Some(name) = after.strip_prefix('{') {
            let end = name.find('}');
            let name = end.map(|end| &name[..end]).filter(|name| is_name(name));
            let span = dollar..end.map_or(text.value.len(), |end| dollar + "${".len() + end + 1);
            rest = span.end;
            match name.map(|name| ((context.env)(name), name)) {
                Some((Some(value), _)) => expanded.push_str(&value),
                Some((None, name)) => {
                    let fault = text.fault(span, format!("the environment variable {name} is not set"));
                    faults.push(fault.help(format!(
                        "set it before Tidings starts, as in `export {name}=…`; a dollar sign itself is written $$"
                    )));
                    sound = false;
                }
                None => {
                    let fault = text.fault(span, "a variable is written ${NAME}, in letters, digits and underscores");
                    faults.push(fault.help("a dollar sign itself is written $$"));
                    sound = false;
                }
            }
        } else {
            expanded.push('$');
            rest = dollar + 1 + usize::from(after.starts_with('$'));
        }
    }
    expanded.push_str(&text.value[rest..]);
    sound.then_some(expanded)
}

fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> Result<String, String> {
        let env = |name: &str| (name == "TOKEN").then(|| "s3cret".to_owned());
        let context = Context { base: Path::new(""), env: &env };
        let mut faults = Vec::new();
        let value = expand(&Text::bare("a", text), &context, &mut faults);
        value.ok_or_else(|| faults.into_iter().map(|fault| fault.message).collect())
    }

    #[test]
    fn variables_are_put_in_and_two_dollars_are_one() {
        for (text, value) in [
            ("https://a/${TOKEN}/x", "https://a/s3cret/x"),
            ("${TOKEN}${TOKEN}", "s3crets3cret"),
            ("$$5, $5, $", "$5, $5, $"),
            ("$${TOKEN}", "${TOKEN}"),
            ("plain", "plain"),
        ] {
            assert_eq!(expanded(text).as_deref(), Ok(value));
        }
    }

    #[test]
    fn a_missing_or_misspelt_variable_is_a_fault() {
        assert_eq!(expanded("a ${NOPE} b").unwrap_err(), "the environment variable NOPE is not set");
        for text in ["${TOKEN", "${}", "${TO KEN}", "${1A}"] {
            assert!(expanded(text).unwrap_err().starts_with("a variable is written"), "{text}");
        }
    }
}
