//! A rule, what it says of its alerts and the stories that it looks at, and what it makes of one.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;

pub(crate) mod expression;

use crate::Clause;
use crate::engine::tokenized_story::TokenizedStory;
use crate::fault::Source;
use crate::language::row::ListRow;
use crate::language::syntax::Lists;
use crate::language::tree::Tree;
use crate::story::delivery::{Burst, Cadence};
use crate::story::{self, Evidence, FeedName, NotifierName, Severity, Story};
use expression::RuleExpression;

/// The texts that rules are made of.
#[derive(Clone, Debug, Default)]
pub struct RuleTexts {
    /// Rule files.
    pub rules: Vec<Arc<Source>>,
    /// The tables that [`tables_of`](crate::tables_of) them names.
    pub tables: Vec<Table>,
}

/// A table of which a rule file makes a term list.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its path, as [`tables_of`](crate::tables_of) gives it, and its text.
    pub source: Arc<Source>,
    /// Why it could not be read, in words; its text is empty then.
    pub unreadable: Option<String>,
}

/// A rule, checked and ready; of a rule with `each`, the rule for one row. Small, because there may
/// be a million.
#[derive(Clone, Debug)]
pub struct Rule {
    name: Box<str>,
    /// What it looks for, with all rows of its `each` list.
    expression: RuleExpression,
    /// SHA-256 of its text, once somebody asked for it: of a long list, the text is long.
    version: OnceLock<[u8; 32]>,
    /// What it says of its alerts and the stories that it looks at.
    pub settings: Arc<Settings>,
    /// What its expression may name.
    pub(crate) lists: Arc<Lists>,
    /// Whose terms its `each` list has.
    pub(crate) row: Option<Arc<ListRow>>,
    pub(crate) reads_body: bool,
}

/// What a rule says of its alerts and of the stories that it looks at. Rules that say the same
/// share it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Settings {
    /// How much its alerts matter.
    pub severity: Severity,
    /// Why it exists.
    pub why: Option<String>,
    /// Who looks after it.
    pub owner: Option<String>,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// Who hears of it; empty: the configuration's default.
    pub notify: BTreeSet<NotifierName>,
    /// Which feeds it looks at; empty: all.
    pub feeds: Vec<FeedFilter>,
    /// Which languages it looks at, as BCP 47 primary subtags in small letters; empty: all.
    pub langs: Vec<String>,
    /// The last day, in UTC, on which a story may be first seen to match.
    pub expires: Option<Date>,
    /// How many of a burst of alerts are told at once.
    pub burst: Option<Burst>,
    /// When its alerts are told, if not at once.
    pub digest: Option<Cadence>,
    /// How far it looks back over stories that were there before it, when it is new.
    pub backfill: Option<Duration>,
}

/// One entry of a rule's `feeds`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum FeedFilter {
    /// The feed of that name.
    Named(FeedName),
    /// Feeds that carry that tag (`tag:wire`).
    Tagged(String),
}

/// A feed that carried a story, as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// Its name.
    pub name: FeedName,
    /// Its tags.
    pub tags: BTreeSet<String>,
}

/// A rule that matched a story, and why.
#[derive(Clone, Debug)]
pub struct Match {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Words that made it match: one for every term of the expression that was found, in the order
    /// of the expression, at most twenty.
    pub evidence: Vec<Evidence>,
}

/// What a rule makes of a story.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The rule.
    pub rule: Arc<Rule>,
    /// The row that it was explained for; `None` of a rule with `each` where it was explained for
    /// all rows at once.
    pub row: Option<story::WatchlistRow>,
    /// Why it does not look at the story, whatever its words are; `None` if it does.
    pub filtered_out: Option<String>,
    /// What of its expression holds.
    pub clause: Clause,
}

/// What the rules may name, where a configuration is at hand.
#[derive(Clone, Debug, Default)]
pub struct KnownNames {
    /// Every notifier.
    pub notifiers: BTreeSet<NotifierName>,
    /// Every feed with its tags.
    pub feeds: Vec<Carrier>,
    /// The severities of which nobody hears unless the rule names a notifier.
    pub unrouted: BTreeSet<Severity>,
}

impl Carrier {
    /// Whether `filter` lets this feed through.
    pub(crate) fn passes(&self, filter: &FeedFilter) -> bool {
        match filter {
            FeedFilter::Named(name) => self.name == *name,
            FeedFilter::Tagged(tag) => self.tags.contains(tag),
        }
    }
}

impl From<Vec<Arc<Source>>> for RuleTexts {
    /// Rule files that need no table.
    fn from(rules: Vec<Arc<Source>>) -> Self {
        Self { rules, tables: Vec::new() }
    }
}

impl Rule {
    /// The rule `name`, whose expression is `tree` and may name `lists`; with `row`, the rule for
    /// that row.
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

    /// The same for that row.
    pub(crate) fn of_row(self, row: Arc<ListRow>) -> Self {
        Self { row: Some(row), version: OnceLock::new(), ..self }
    }

    /// Its name: unique in a rule folder.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// SHA-256 of its text, in hex.
    #[must_use]
    pub fn version(&self) -> String {
        let version = self.version.get_or_init(|| crate::files::record::version(&self.text()));
        version.iter().fold(String::with_capacity(64), |hex, byte| hex + &format!("{byte:02x}"))
    }

    /// Its version and its text, made in one go.
    #[must_use]
    pub fn record(&self) -> (String, String) {
        let text = self.text();
        self.version.get_or_init(|| crate::files::record::version(&text));
        (self.version(), text)
    }

    /// The row that it is for, if it is one of a rule with `each`.
    #[must_use]
    pub fn row(&self) -> Option<&story::WatchlistRow> {
        self.row.as_ref().map(|row| &row.head)
    }

    /// Its name, and the row that it is for.
    #[must_use]
    pub fn title(&self) -> String {
        self.row().map_or_else(|| self.name().to_owned(), |row| format!("{}: {row}", self.name()))
    }

    /// The rule as YAML in canonical form, lists resolved by name, of an `each` list its row alone:
    /// what the store keeps for the record.
    #[must_use]
    pub fn text(&self) -> String {
        self.text_of(&self.tree(), self.row.as_deref())
    }

    /// The same with all rows of its `each` list.
    #[must_use]
    pub fn text_of_all_rows(&self) -> String {
        self.text_of(&self.tree_of_all_rows(), None)
    }

    pub(crate) fn text_of(&self, tree: &Tree, row: Option<&ListRow>) -> String {
        let each = self.row.as_ref().map(|row| row.list.name.as_str());
        crate::files::record::text(self, tree, each, row.map(|row| &row.head))
    }

    /// Takes less memory from now on, and more time wherever its expression is asked for.
    pub(crate) fn compact(&mut self) {
        self.expression.compact(&self.lists);
    }

    /// Its expression.
    pub(crate) fn tree(&self) -> Arc<Tree> {
        let whole = self.tree_of_all_rows();
        match &self.row {
            Some(row) => Arc::new(crate::language::row::tree_of(&whole, &row.list)),
            None => whole,
        }
    }

    /// Its expression, in which its `each` list has all of its rows.
    pub(crate) fn tree_of_all_rows(&self) -> Arc<Tree> {
        self.expression.tree(&self.lists)
    }

    /// Whether it looks at `story`, seen in `carriers`, whatever its words are.
    pub(crate) fn accepts(&self, story: &Story, carriers: &[Carrier]) -> bool {
        self.settings.accepts_feeds(carriers)
            && self.settings.accepts_language(story)
            && self.settings.is_in_force(story)
    }

    /// What proves that it matches the story in `page`, which it does.
    pub(crate) fn evidence(&self, page: &TokenizedStory<'_>) -> Vec<Evidence> {
        crate::explain::evidence::evidence(&self.tree(), page)
    }
}

impl Settings {
    /// Whether every story is looked at.
    pub(crate) fn accepts_every_story(&self) -> bool {
        self.feeds.is_empty() && self.langs.is_empty() && self.expires.is_none()
    }

    /// Whether stories from any of `carriers` are looked at.
    pub(crate) fn accepts_feeds(&self, carriers: &[Carrier]) -> bool {
        self.feeds.is_empty()
            || self.feeds.iter().any(|filter| carriers.iter().any(|feed| feed.passes(filter)))
    }

    /// Whether `story` is in one of the languages. One that does not say its language may be in
    /// any.
    pub(crate) fn accepts_language(&self, story: &Story) -> bool {
        let primary =
            |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        self.langs.is_empty()
            || story.lang.as_deref().is_none_or(|tag| self.langs.contains(&primary(tag)))
    }

    /// Whether `story` was first seen by the last day.
    pub(crate) fn is_in_force(&self, story: &Story) -> bool {
        let day = || story.first_seen.to_zoned_datetime(TimeZone::UTC).date();
        self.expires.is_none_or(|last| day() <= last)
    }
}
