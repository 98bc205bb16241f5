//! All rules in force, and stories against them.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::engine::{Engine, Frequencies, Scratch};
use super::hints::Hints;
use super::page::Page;
use super::tree::Tree;
use super::{Carrier, Explained, FeedFilter, Known, Match, Rule, Settings, barred, explain, file, naive};
use crate::fault::{Fault, Source};
use crate::story::{FeedName, Read, Story};

/// Rules that were read and checked, and are not in force yet.
#[derive(Debug)]
pub struct Parsed {
    /// In the order of their names.
    rules: Vec<(Arc<Rule>, Tree)>,
}

/// All rules in force: immutable, shareable across threads, swapped whole.
#[derive(Debug)]
pub struct Rules {
    /// In the order of their names.
    all: Vec<Arc<Rule>>,
    /// Decides; its numbers are those of `all`.
    engine: Engine,
    /// What the rules that look into the body say of the stories that they look at.
    readers: Vec<Arc<Settings>>,
    /// What teasers are looked through for, made when it is first asked for: not every configuration wants it.
    hints: OnceLock<Hints>,
    /// Memory of scanners that are gone.
    idle: Mutex<Vec<Scratch>>,
}

/// Looks for rules in one story after another, in memory of its own: once it has seen a few, it asks for no more.
#[derive(Debug)]
pub struct Scanner<'r> {
    rules: &'r Rules,
    scratch: Option<Scratch>,
}

impl Parsed {
    /// Parses and checks rule files together: names and lists are global over them, and every example is held to.
    ///
    /// Warnings go into `faults` beside errors. `None` if any error was found. Every fault of every file is reported in one go.
    #[must_use]
    pub fn load(files: &[Arc<Source>], known: Option<&Known>, faults: &mut Vec<Fault>) -> Option<Self> {
        Some(Self { rules: file::load(files, known, faults)? })
    }

    /// The places of the rules that match `story`, seen in `carriers`, by the plain evaluator: slow, and what the engine is held to.
    #[must_use]
    pub fn plainly(&self, story: &Story, carriers: &[Carrier]) -> Vec<usize> {
        let page = Page::new(story, carriers);
        let matched = self
            .rules
            .iter()
            .enumerate()
            .filter(|(_, (rule, tree))| rule.looks_at(story, carriers) && naive::holds(tree, &page));
        matched.map(|(place, _)| place).collect()
    }

    /// Puts the rules in force. `frequencies` decide what is looked at first, and never what matches.
    #[must_use]
    pub fn build(&self, frequencies: &Frequencies) -> Rules {
        let engine = Engine::new(self.rules.iter().map(|(_, tree)| tree), frequencies);
        let all: Vec<Arc<Rule>> = self.rules.iter().map(|(rule, _)| Arc::clone(rule)).collect();
        let readers: HashSet<&Arc<Settings>> =
            all.iter().filter(|rule| rule.reads_body).map(|rule| &rule.settings).collect();
        let readers = readers.into_iter().cloned().collect();
        Rules { all, engine, readers, hints: OnceLock::new(), idle: Mutex::default() }
    }
}

impl Default for Rules {
    /// No rules.
    fn default() -> Self {
        Parsed { rules: Vec::new() }.build(&Frequencies::none())
    }
}

impl Rules {
    /// [`Parsed::load`] and [`Parsed::build`], with the frequencies that are shipped.
    #[must_use]
    pub fn load(files: &[Arc<Source>], known: Option<&Known>, faults: &mut Vec<Fault>) -> Option<Self> {
        Some(Parsed::load(files, known, faults)?.build(&Frequencies::default()))
    }

    /// The rules, in the order of their names.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Rule>> {
        self.all.iter()
    }

    /// Feeds of which one or another passes every filter of every rule: those of a story of which nobody knows who carried it.
    #[must_use]
    pub fn every_carrier(&self) -> Vec<Carrier> {
        let (mut names, mut tags) = (BTreeSet::new(), BTreeSet::new());
        for filter in self.iter().flat_map(|rule| &rule.settings.feeds) {
            match filter {
                FeedFilter::Named(name) => _ = names.insert(name.clone()),
                FeedFilter::Tagged(tag) => _ = tags.insert(tag.clone()),
            }
        }
        let untagged = names.into_iter().map(|name| Carrier { name, tags: BTreeSet::new() });
        let tagged = Carrier { name: FeedName(String::new()), tags };
        untagged.chain([tagged]).collect()
    }

    /// What the rule of that name makes of `story`, as in [`Query::explain`](super::Query::explain); `None` if no rule is called so.
    #[must_use]
    pub fn explain(&self, name: &str, story: &Story, carriers: &[Carrier], read: &Read) -> Option<Explained> {
        let place = self.all.binary_search_by(|rule| rule.name().cmp(name)).ok()?;
        let rule = Arc::clone(&self.all[place]);
        let clause = explain::of_story(&rule.tree(), story, carriers, read);
        Some(Explained { barred: barred::why(&rule, story, carriers), rule, clause })
    }

    /// Whether any rule that applies to a story from `carriers` looks into the body.
    #[must_use]
    pub fn reads_body(&self, carriers: &[Carrier]) -> bool {
        self.readers.iter().any(|settings| settings.applies(carriers))
    }

    /// Whether `story`, of which only the teaser is known, holds a word of any rule that looks at it and into the body, be the word wanted or not.
    #[must_use]
    pub fn hinted(&self, story: &Story, carriers: &[Carrier]) -> bool {
        self.hints.get_or_init(|| Hints::new(&self.all)).any(story, carriers)
    }

    /// Every rule that matches `story`, seen in `carriers`, in the order of the rules' names.
    #[must_use]
    pub fn matches(&self, story: &Story, carriers: &[Carrier]) -> Vec<Match> {
        let mut scanner = self.scanner();
        let mut found = scanner.scan(story, carriers).peekable();
        let Some(_) = found.peek() else { return Vec::new() };
        let page = Page::new(story, carriers);
        found.map(|(_, rule)| Match { rule: Arc::clone(rule), evidence: rule.evidence(&page) }).collect()
    }

    /// A scanner for these rules.
    #[must_use]
    pub fn scanner(&self) -> Scanner<'_> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Scanner { rules: self, scratch: Some(idle.unwrap_or_else(Scratch::new)) }
    }

    /// The bytes that the engine takes, but for what compiled patterns do.
    #[must_use]
    pub fn engine_bytes(&self) -> usize {
        self.engine.bytes()
    }
}

impl Scanner<'_> {
    /// Every rule that matches `story`, seen in `carriers`, in the order of the rules' names, with its place in [`Rules::iter`].
    pub fn scan(&mut self, story: &Story, carriers: &[Carrier]) -> impl Iterator<Item = (usize, &Arc<Rule>)> {
        let scratch = self.scratch.get_or_insert_with(Scratch::new);
        let found = self.rules.engine.matches(story, carriers, scratch).iter().map(|number| *number as usize);
        let rules = found.map(|number| (number, &self.rules.all[number]));
        rules.filter(move |(_, rule)| rule.looks_at(story, carriers))
    }
}

impl Drop for Scanner<'_> {
    /// Leaves its memory to the next one.
    fn drop(&mut self) {
        self.rules.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.scratch.take());
    }
}
