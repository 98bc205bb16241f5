//! Rules: from YAML and expressions to verdicts on stories, with the words that prove them. Pure: no I/O, no clock.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::fault::{Fault, Source};
use crate::story::{Evidence, FeedName, NotifierName, Read, Severity, Story};
use crate::yaml::Text;
use lint::Memo;
use page::Page;
use syntax::Lists;
use when::When;

pub use engine::Frequencies;
pub use explain::Clause;
pub use truth::Truth;

mod barred;
mod comparison;
mod engine;
mod evidence;
mod excerpt;
mod explain;
mod file;
#[cfg(test)]
mod fixture;
mod lint;
mod naive;
mod operand;
mod page;
mod pair;
mod pattern;
mod print;
mod scope;
mod syntax;
mod term;
mod tree;
mod truth;
mod when;

/// A rule, checked and ready.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name: unique in a rule folder.
    pub name: String,
    /// SHA-256 of `text`, in hex.
    pub version: String,
    /// The rule as YAML in canonical form, lists resolved by name: what the store keeps for the record.
    pub text: String,
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
    /// Words that made it match: one for every term of the expression that was found, in the order of the expression, at most twenty.
    pub evidence: Vec<Evidence>,
}

/// What a rule makes of a story.
#[derive(Clone, Debug)]
pub struct Explained {
    /// The rule.
    pub rule: Arc<Rule>,
    /// Why it does not look at the story, whatever its words are; `None` if it does.
    pub barred: Option<String>,
    /// What of its expression holds.
    pub clause: Clause,
}

/// What the rules may name, where a configuration is at hand.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Every notifier.
    pub notifiers: BTreeSet<NotifierName>,
    /// Every feed with its tags.
    pub feeds: Vec<Carrier>,
    /// The severities of which nobody hears unless the rule names a notifier.
    pub unheard: BTreeSet<Severity>,
}

impl Carrier {
    /// Whether `filter` lets this feed through.
    fn passes(&self, filter: &FeedFilter) -> bool {
        match filter {
            FeedFilter::Named(name) => self.name == *name,
            FeedFilter::Tagged(tag) => self.tags.contains(tag),
        }
    }
}

impl Rule {
    /// Whether it looks at stories from any of `carriers`.
    fn applies(&self, carriers: &[Carrier]) -> bool {
        self.feeds.is_empty() || self.feeds.iter().any(|filter| carriers.iter().any(|feed| feed.passes(filter)))
    }

    /// Whether it looks at `story`, going by its language and its day. A story that does not say its language may be in any.
    fn admits(&self, story: &Story) -> bool {
        self.speaks(story) && self.is_in_force(story)
    }

    fn speaks(&self, story: &Story) -> bool {
        let primary = |tag: &str| tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        self.langs.is_empty() || story.lang.as_deref().is_none_or(|tag| self.langs.contains(&primary(tag)))
    }

    fn is_in_force(&self, story: &Story) -> bool {
        let day = || story.first_seen.to_zoned_datetime(TimeZone::UTC).date();
        self.expires.is_none_or(|last| day() <= last)
    }
}

/// An expression, checked and ready.
#[derive(Clone, Debug)]
pub struct Query {
    tree: tree::Tree,
}

impl Query {
    /// Parses an expression that stands in no file, as `when` would have it; it can name no term list.
    ///
    /// Warnings go into `faults` beside errors, in a source named `expression`. `None` if any error was found.
    #[must_use]
    pub fn parse(expression: &str, faults: &mut Vec<Fault>) -> Option<Self> {
        let text = Text::bare("expression", expression);
        let tree = when::sound_expression(&text, &Lists::default(), faults)?;
        when::warn(&When::Expression(text), &tree, &mut Memo::default(), faults);
        Some(Self { tree })
    }

    /// Whether `story`, seen in `carriers`, matches.
    #[must_use]
    pub fn holds(&self, story: &Story, carriers: &[Carrier]) -> bool {
        naive::holds(&self.tree, &Page::new(story, carriers))
    }

    /// What proves that `story`, seen in `carriers`, matches, as in [`Match::evidence`] and never empty; `None` if it does not match.
    #[must_use]
    pub fn evidence(&self, story: &Story, carriers: &[Carrier]) -> Option<Vec<Evidence>> {
        self.evidence_on(&Page::new(story, carriers))
    }

    /// What of it holds of `story`, seen in `carriers`, and why. Words that are missing from a teaser are not known to be missing.
    ///
    /// Its truth is that of [`Query::evidence`] wherever all of the story was read.
    #[must_use]
    pub fn explain(&self, story: &Story, carriers: &[Carrier], read: &Read) -> Clause {
        let page = Page::new(story, carriers);
        explain::explain(&self.tree, &if *read == Read::Full { page } else { page.unread() })
    }

    fn evidence_on(&self, page: &Page<'_>) -> Option<Vec<Evidence>> {
        naive::holds(&self.tree, page).then(|| evidence::evidence(&self.tree, page))
    }
}

/// All rules in force: immutable, shareable across threads, swapped whole.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// In the order of their names.
    all: Vec<(Arc<Rule>, Query)>,
}

impl Rules {
    /// Parses and checks rule files together: names and lists are global over them, and every example is held to.
    ///
    /// Warnings go into `faults` beside errors. `None` if any error was found. Every fault of every file is reported in one go.
    #[must_use]
    pub fn load(files: &[Arc<Source>], known: Option<&Known>, faults: &mut Vec<Fault>) -> Option<Self> {
        Some(Self { all: file::load(files, known, faults)? })
    }

    /// The rules, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.all.iter().map(|(rule, _)| rule)
    }

    /// Feeds of which one or another passes every filter of every rule: those of a story of which nobody knows who carried it.
    #[must_use]
    pub fn every_carrier(&self) -> Vec<Carrier> {
        let (mut names, mut tags) = (BTreeSet::new(), BTreeSet::new());
        for filter in self.iter().flat_map(|rule| &rule.feeds) {
            match filter {
                FeedFilter::Named(name) => _ = names.insert(name.clone()),
                FeedFilter::Tagged(tag) => _ = tags.insert(tag.clone()),
            }
        }
        let untagged = names.into_iter().map(|name| Carrier { name, tags: BTreeSet::new() });
        let tagged = Carrier { name: FeedName(String::new()), tags };
        untagged.chain([tagged]).collect()
    }

    /// What the rule of that name makes of `story`, as in [`Query::explain`]; `None` if no rule is called so.
    #[must_use]
    pub fn explain(&self, name: &str, story: &Story, carriers: &[Carrier], read: &Read) -> Option<Explained> {
        let (rule, query) = self.all.iter().find(|(rule, _)| rule.name == name)?;
        let clause = query.explain(story, carriers, read);
        Some(Explained { rule: Arc::clone(rule), barred: barred::why(rule, story, carriers), clause })
    }

    /// Whether any rule that applies to a story from `carriers` looks into the body.
    #[must_use]
    pub fn reads_body(&self, carriers: &[Carrier]) -> bool {
        self.all.iter().any(|(rule, query)| rule.applies(carriers) && query.tree.reads_body())
    }

    /// Every rule that matches `story`, seen in `carriers`, in the order of the rules' names.
    #[must_use]
    pub fn matches(&self, story: &Story, carriers: &[Carrier]) -> Vec<Match> {
        let page = Page::new(story, carriers);
        let applying = self.all.iter().filter(|(rule, _)| rule.applies(carriers) && rule.admits(story));
        applying
            .filter_map(|(rule, query)| Some(Match { rule: Arc::clone(rule), evidence: query.evidence_on(&page)? }))
            .collect()
    }
}

#[cfg(test)]
mod tests;
