//! Rules: from YAML and expressions to verdicts on stories, with the words that prove them. Pure: no I/O, no clock.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::fault::{Fault, Source};
use crate::story::{Evidence, FeedName, NotifierName, Severity, Story};

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
}

/// One entry of a rule's `feeds`.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// What the rules may name, where a configuration is at hand.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Every notifier.
    pub notifiers: BTreeSet<NotifierName>,
    /// Every feed with its tags.
    pub feeds: Vec<Carrier>,
}

/// All rules in force: immutable, shareable across threads, swapped whole.
#[derive(Clone, Debug, Default)]
pub struct Rules {}

impl Rules {
    /// Parses and checks rule files together: names and lists are global over them, and every example is held to.
    ///
    /// Warnings go into `faults` beside errors. `None` if any error was found. Every fault of every file is reported in one go.
    #[must_use]
    pub fn load(files: &[Arc<Source>], known: Option<&Known>, faults: &mut Vec<Fault>) -> Option<Self> {
        let _ = (files, known, faults);
        todo!()
    }

    /// The rules, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Rule>> {
        [].iter()
    }

    /// Whether any rule that applies to a story from `carriers` looks into the body.
    #[must_use]
    pub fn reads_body(&self, carriers: &[Carrier]) -> bool {
        let _ = carriers;
        todo!()
    }

    /// Every rule that matches `story`, seen in `carriers`, in the order of the rules' names.
    #[must_use]
    pub fn matches(&self, story: &Story, carriers: &[Carrier]) -> Vec<Match> {
        let _ = (story, carriers);
        todo!()
    }
}
