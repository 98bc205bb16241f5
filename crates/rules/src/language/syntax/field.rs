//! Fields such as `title:` before an operand, and other texts before a colon.

use crate::fault::nearest;
use crate::language::scope::Scope;
use crate::language::syntax::lexeme::{LexerContext, Refusal};
use crate::language::syntax::problems::Problems;
use crate::language::term::Term;
use crate::language::tree::Tree;

/// The length of `title:` at the start of a run, if it is a field.
pub(super) fn prefix(run: &str) -> Option<usize> {
    let (name, _) = run.split_once(':')?;
    Scope::named(name).map(|_| name.len() + 1)
}

/// Refuses a text that looks like a field but is not.
pub(super) fn refuse_field(context: &LexerContext<'_>) -> Option<Refusal> {
    let (name, rest) = context.run.split_once(':')?;
    let small = name.to_lowercase();
    if Scope::named(&small).is_some() && Scope::named(name).is_none() {
        return Some(Refusal {
            taken: name.len() + 1,
            stands_for: None,
            message: format!("`{name}:` is not a field: fields are written in small letters"),
            help: "; if the colon is part of the text, put the phrase in double quotes".to_owned(),
            translation: Some(format!("{small}:")),
        });
    }
    let is_prefix = !name.is_empty() && name.chars().all(char::is_lowercase);
    if !is_prefix
        || Scope::named(name).is_some()
        || rest.starts_with("//")
        || rest.starts_with(char::is_numeric)
    {
        return None;
    }
    let ours = nearest(name, Scope::ALL.map(Scope::as_str))
        .map_or_else(String::new, |near| format!("did you mean `{near}:`? "));
    Some(Refusal {
        taken: name.len() + 1,
        stands_for: None,
        message: format!("there is no field `{name}:`"),
        help: format!("{ours}if the colon is part of the text, put the phrase in double quotes"),
        translation: None,
    })
}

/// Reports the terms of `tree` that the field `scope` can never contain.
pub(super) fn check_field(scope: Scope, tree: &Tree, problems: &mut Problems) {
    let (fits, what, help): (fn(&str) -> bool, _, _) = match scope {
        Scope::Site => {
            (is_host, "not a site", "write a host, which also finds what ends in it: site:rt.com")
        }
        Scope::Lang => {
            (is_language, "not a language", "write its tag, which also finds its variants: lang:en")
        }
        _ => return,
    };
    let mut check = |term: &Term, tree: &Tree| {
        if !fits(&term.text) {
            problems.error(tree.span(), format!("`{}` is {what}", term.text), help);
        }
    };
    let operator = match tree {
        Tree::Term(term, _) => return check(term, tree),
        Tree::List(list, _) => return list.terms.iter().for_each(|term| check(term, tree)),
        Tree::Pair(pair, _) => pair.link.written(),
        Tree::AtLeast(least, ..) => format!("ATLEAST/{least}()"),
        Tree::Within(unit, ..) => format!("{}()", unit.operator()),
        Tree::Pattern(..) => "regular expression".to_owned(),
        other => {
            return other.branches().iter().for_each(|branch| check_field(scope, branch, problems));
        }
    };
    problems.error(tree.span(), format!("`{}:` takes no {operator}", scope.as_str()), help);
}

fn is_host(text: &str) -> bool {
    !text.contains('*') && url::Host::parse(text).is_ok()
}

fn is_language(text: &str) -> bool {
    text.len() >= 2 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
}
