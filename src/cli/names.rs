//! Names that people type: which are known, and what is near one that is not.

use crate::cli::Exit;
use crate::cli::output::{fail, fail_with_help};
use crate::cli::shown::shown;
use crate::fault::nearest;

/// The most names that are listed where none is near.
const MOST_LISTED: usize = 12;

/// Fails where `name` is none of `known`; `kind` says what it would be the name of.
pub(super) fn check_name<'n>(kind: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> Result<(), Exit> {
    let known: Vec<&str> = known.into_iter().collect();
    if known.contains(&name) { Ok(()) } else { Err(unknown_name(kind, name, known)) }
}

/// Says that nothing of that `kind` is called `name`, and what is near it, or else what there is.
pub(super) fn unknown_name<'n>(kind: &str, name: &str, known: impl IntoIterator<Item = &'n str>) -> Exit {
    let mut known: Vec<&str> = known.into_iter().collect();
    known.sort_unstable();
    known.dedup();
    let why = format!("there is no {kind} `{}`", shown(name));
    match help(name, &known) {
        Some(help) => fail_with_help(why, help, Exit::Data),
        None => fail(why, Exit::Data),
    }
}

fn help(name: &str, known: &[&str]) -> Option<String> {
    if let Some(near) = nearest(name, known.iter().copied()) {
        return Some(format!("did you mean `{}`?", shown(near)));
    }
    let listed: Vec<String> = known.iter().map(|name| format!("`{}`", shown(name))).collect();
    (1..=MOST_LISTED).contains(&listed.len()).then(|| format!("there is {}", listed.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_near_is_named_else_all_of_few() {
        assert_eq!(help("armz", &["arms", "oil"]).as_deref(), Some("did you mean `arms`?"));
        assert_eq!(help("strikes", &["arms", "oil"]).as_deref(), Some("there is `arms`, `oil`"));
        assert_eq!(help("strikes", &[]), None);
        assert_eq!(help("strikes", &["arms"; 13]), None);
    }

    #[test]
    fn a_known_name_passes() {
        assert_eq!(check_name("rule", "arms", ["arms"]), Ok(()));
        assert_eq!(check_name("rule", "arm", ["arms"]), Err(Exit::Data));
    }
}
