//! A single expression without a rule file.

use std::sync::Arc;

use super::engine::{Engine, Frequencies, Scratch};
use super::{Carrier, Clause, RuleTexts, explain};
use crate::engine::tokenized_story::TokenizedStory;
use crate::explain::evidence;
use crate::fault::Fault;
use crate::files;
use crate::files::when;
use crate::files::when::When;
use crate::language::lists::Lists;
use crate::language::row;
use crate::language::term_list::ListRow;
use crate::language::tree::Tree;
use crate::lint::list_cache::ListCache;
use crate::story::{Evidence, Read, Story};
use crate::yaml::Text;

/// The term lists of rule files, for expressions that are in no rule file.
#[derive(Clone, Debug, Default)]
pub struct TermLists(Lists);

impl TermLists {
    /// Reads the `terms` of rule files, and nothing else of them.
    ///
    /// Every fault goes into `faults`. `None` if any is an error.
    #[must_use]
    pub fn load(texts: &RuleTexts, faults: &mut Vec<Fault>) -> Option<Self> {
        files::load_lists(texts, faults).map(Self)
    }
}

/// A single expression without a rule file, parsed and compiled. Threads can share it. Clones share
/// its engine.
#[derive(Clone, Debug)]
pub struct Query {
    pub(crate) tree: Tree,
    engine: Arc<Engine>,
}

impl Query {
    /// Parses an expression as in the `when` of a rule. It cannot name term lists.
    ///
    /// Adds every fault to `faults`, warnings too. Their source has the name `expression`. Returns
    /// `None` if any fault is an error. An expression that would match nearly every story is an
    /// error. The time is linear in the length of the expression.
    #[must_use]
    pub fn parse(expression: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        Self::parse_with_lists(expression, &TermLists::default(), faults)
    }

    /// The same with the term lists that the expression can name.
    #[must_use]
    pub fn parse_with_lists(
        expression: &str,
        lists: &TermLists,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let text = Text::standalone("expression", expression);
        let tree = when::sound_expression(&text, &lists.0, faults)?;
        when::warn_of_expression(&When::Expression(text), &tree, &ListCache::default(), faults);
        Some(Self::new(tree))
    }

    /// The query of `tree`, which must not hold if none of its terms is found.
    pub(crate) fn new(tree: Tree) -> Self {
        let engine = Arc::new(Engine::new([&tree], &Frequencies::empty()));
        Self { tree, engine }
    }

    /// The query that holds if `tree` holds for any of `rows`.
    pub(crate) fn for_any_row(tree: Tree, rows: &[Arc<ListRow>]) -> Self {
        let trees: Vec<Tree> = rows.iter().map(|row| row::tree_of(&tree, &row.list)).collect();
        let engine = Arc::new(Engine::new(&trees, &Frequencies::empty()));
        Self { tree, engine }
    }

    /// Whether the query matches `story`, which `carriers` carried. The time is linear in the
    /// length of the story.
    #[must_use]
    pub fn holds(&self, story: &Story, carriers: &[Carrier]) -> bool {
        !self.engine.matches(story, carriers, &mut Scratch::new()).is_empty()
    }

    /// The words that prove that the query matches `story`, which `carriers` carried. They have the
    /// form of [`Match::evidence`](super::Match::evidence) and are never empty. `None` if the query
    /// does not match.
    #[must_use]
    pub fn evidence(&self, story: &Story, carriers: &[Carrier]) -> Option<Vec<Evidence>> {
        self.holds(story, carriers)
            .then(|| evidence::evidence(&self.tree, &TokenizedStory::new(story, carriers)))
    }

    /// Explains which clauses hold for `story`, which `carriers` carried, and why. If `read` is not
    /// [`Read::Full`], a word that is not found is [`Truth::Unknown`](super::Truth::Unknown).
    ///
    /// If the whole story was read, the truth of the root clause is that of [`Query::holds`].
    #[must_use]
    pub fn explain(&self, story: &Story, carriers: &[Carrier], read: &Read) -> Clause {
        explain::explain_story(&self.tree, story, carriers, read)
    }
}
