//! A parsed and checked rule.

use std::sync::{Arc, OnceLock};

use crate::condition::{Condition, FirstKey};
use crate::engine::Scratch;
use crate::engine::tokenized_story::TokenizedStory;
use crate::files::record;
use crate::language::lists::Lists;
use crate::language::term_list::ListRow;
use crate::language::tree::Tree;
use crate::story::{Carrier, Evidence, Story, WatchlistRow};
use expression::RuleExpression;
use settings::Settings;

pub(crate) mod expression;
pub(crate) mod keys;
pub(crate) mod outcome;
pub(crate) mod settings;
pub(crate) mod texts;

/// A parsed and checked rule. A rule with `each` is one `Rule` for each row. It is small, because
/// there may be a million.
#[derive(Clone, Debug)]
pub struct Rule {
    name: Box<str>,
    /// Its expression, with all rows of its `each` list.
    expression: RuleExpression,
    /// The SHA-256 of its text. It is computed on first use, because the text can be long.
    version: OnceLock<[u8; 32]>,
    /// Its settings for alerts, and for the stories that it accepts.
    pub settings: Arc<Settings>,
    /// The lists that its expression may name.
    pub(crate) lists: Arc<Lists>,
    /// Its row of the `each` list.
    pub(crate) row: Option<Arc<ListRow>>,
    pub(crate) reads_body: bool,
}

impl Rule {
    /// The rule `name` with the expression `tree`, which may name `lists`. With `row`, it is the
    /// rule for that row.
    pub(crate) fn new(
        name: &str,
        tree: Arc<Tree>,
        lists: Arc<Lists>,
        settings: Arc<Settings>,
        row: Option<Arc<ListRow>>,
    ) -> Self {
        let reads_body = tree.reads_body();
        let expression = RuleExpression::Tree(tree);
        Self {
            name: name.into(),
            expression,
            version: OnceLock::new(),
            settings,
            lists,
            row,
            reads_body,
        }
    }

    /// The same rule for `row`.
    pub(crate) fn with_row(self, row: Arc<ListRow>) -> Self {
        Self { row: Some(row), version: OnceLock::new(), ..self }
    }

    /// Its name. It is unique among all rules.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The SHA-256 of [`Rule::text`], as 64 lower-case hex digits.
    #[must_use]
    pub fn version(&self) -> String {
        let version = self.version.get_or_init(|| record::version(&self.text()));
        hex::encode(version)
    }

    /// Its version and its text. It is faster than two separate calls.
    #[must_use]
    pub fn record(&self) -> (String, String) {
        let text = self.text();
        self.version.get_or_init(|| record::version(&text));
        (self.version(), text)
    }

    /// Its row, if it comes from a rule with `each`.
    #[must_use]
    pub fn row(&self) -> Option<&WatchlistRow> {
        self.row.as_ref().map(|row| &row.head)
    }

    /// Its name, followed by the label and id of its row if it has one.
    #[must_use]
    pub fn title(&self) -> String {
        self.row().map_or_else(|| self.name().to_owned(), |row| format!("{}: {row}", self.name()))
    }

    /// The rule as YAML in canonical form, with the terms of its lists. Of its `each` list, only
    /// its own row is included. Rules with the same text match the same stories.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_of(&self.tree(), self.row.as_deref())
    }

    /// Its text as in [`Rule::text`], with all rows of its `each` list.
    #[must_use]
    pub fn text_of_all_rows(&self) -> String {
        self.text_of(&self.tree_of_all_rows(), None)
    }

    /// The record of the rule with the expression `tree`, for one `row` of its `each` list or for
    /// all rows.
    fn text_of(&self, tree: &Tree, row: Option<&ListRow>) -> String {
        let each = self.row.as_ref().map(|row| row.list.name.as_str());
        let subject = record::RecordSubject {
            name: &self.name,
            each,
            row: row.map(|row| &row.head),
            tree,
            lists: &self.lists,
            settings: &self.settings,
        };
        record::text(&subject)
    }

    /// Saves memory: the expression is parsed again whenever it is needed. `was_expression` is
    /// whether it was written as one expression.
    pub(crate) fn compact(&mut self, was_expression: bool) {
        self.expression.compact(was_expression, &self.lists);
    }

    /// Its expression.
    pub(crate) fn tree(&self) -> Arc<Tree> {
        let whole = self.tree_of_all_rows();
        match &self.row {
            Some(row) => Arc::new(crate::language::row::tree_of(&whole, &row.list)),
            None => whole,
        }
    }

    /// Its expression, with all rows of its `each` list.
    pub(crate) fn tree_of_all_rows(&self) -> Arc<Tree> {
        self.expression.tree(&self.lists)
    }

    /// Whether its settings accept `story`, which `carriers` carried. Its expression is not
    /// evaluated.
    pub(crate) fn accepts(&self, story: &Story, carriers: &[Carrier]) -> bool {
        self.settings.accepts_feeds(carriers)
            && self.settings.accepts_language(story)
            && self.settings.is_in_force(story)
    }

    /// The evidence that it matches the story. It must match the story.
    pub(crate) fn evidence(&self, tokenized: &TokenizedStory<'_>) -> Vec<Evidence> {
        crate::explain::evidence::evidence(&self.tree(), tokenized)
    }

    /// What its `first` looks for in a story that it matches, whose words `scanned` has. Publishers
    /// are not known here.
    pub(crate) fn first_keys(
        &self,
        story: &Story,
        carriers: &[Carrier],
        scanned: &Scratch,
    ) -> Vec<String> {
        match &self.settings.condition {
            Some(Condition::First { key: FirstKey::Match, .. }) => {
                let tree = self.tree();
                let tokenized = || TokenizedStory::new(story, carriers);
                keys::quick_keys(&tree, scanned).unwrap_or_else(|| self.keys(story, &tokenized()))
            }
            Some(Condition::First { key, .. }) => keys::listed_keys(*key, self.row(), story),
            _ => Vec::new(),
        }
    }

    /// What its `first` looks for in the story. It must match the story.
    pub(crate) fn keys(&self, story: &Story, tokenized: &TokenizedStory<'_>) -> Vec<String> {
        let Some(Condition::First { key, .. }) = &self.settings.condition else {
            return Vec::new();
        };
        keys::keys(*key, &self.tree(), self.row(), story, tokenized)
    }
}
