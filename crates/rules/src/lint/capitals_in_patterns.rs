//! Warns of regular expressions whose letters are all small or all capitals, because they find a
//! word in one spelling only.

use std::ops::Range;

use regex_syntax::ast::{self, Ast, Visitor};

use crate::language::pattern::Pattern;
use crate::language::syntax::ExpressionProblem;
use crate::language::tree::Tree;
use crate::lint::warning::warning;

/// The number of capitals in a row from which they are a word and not an abbreviation.
const WORD: usize = 6;

/// Warns of every such pattern of `tree`.
pub(super) fn warn_of_capitals(tree: &Tree, found: &mut Vec<ExpressionProblem>) {
    match tree {
        Tree::Pattern(pattern, span) => found.extend(doubt(pattern, span)),
        other => other.branches().iter().for_each(|branch| warn_of_capitals(branch, found)),
    }
}

fn doubt(pattern: &Pattern, span: &Range<usize>) -> Option<ExpressionProblem> {
    let ast = ast::parse::Parser::new().parse(&pattern.text).ok()?;
    let letters = ast::visit(&ast, Letters::default()).ok()?;
    let small = letters.small && !letters.capitals;
    let capitals = letters.capitals && !letters.small && letters.longest >= WORD;
    if letters.is_thought_of || !(small || capitals) {
        return None;
    }
    let how = if small { "small letters" } else { "capitals" };
    let message = format!(
        "`/{}/` finds these words in {how} only: patterns look at texts as they are written",
        pattern.text
    );
    Some(warning(
        span.clone(),
        message,
        format!("write `/(?i){}/` to find them in any capitals", pattern.text),
    ))
}

/// The literal letters of a pattern.
#[derive(Default)]
struct Letters {
    small: bool,
    capitals: bool,
    /// The number of capitals in a row.
    row: usize,
    longest: usize,
    /// Whether it has flags or classes in brackets. Its capitals are then intended.
    is_thought_of: bool,
}

impl Visitor for Letters {
    type Output = Self;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self, Self::Err> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::Flags(_) | Ast::ClassBracketed(_) => self.is_thought_of = true,
            Ast::Group(group) => {
                self.is_thought_of |= group.flags().is_some_and(|flags| !flags.items.is_empty());
            }
            Ast::Literal(literal) => {
                self.small |= literal.c.is_lowercase();
                self.capitals |= literal.c.is_uppercase();
                self.row = if literal.c.is_uppercase() { self.row + 1 } else { 0 };
                self.longest = self.longest.max(self.row);
            }
            _ => {}
        }
        Ok(())
    }
}
