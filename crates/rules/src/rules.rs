//! All rules in force, and stories matched against them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::engine::{Engine, Frequencies, Scratch};
use super::{
    Carrier, Explained, FeedFilter, KnownNames, Match, Rule, RuleTexts, Settings, explain,
};
use crate::engine::naive;
use crate::engine::teaser_hints::TeaserHints;
use crate::engine::tokenized_story::TokenizedStory;
use crate::explain::filtered_out;
use crate::fault::Fault;
use crate::files;
use crate::language::term_list::{ListRow, TermList};
use crate::language::tree::Tree;
use crate::story::{self, FeedName, Read, Story};

/// Rules that were read and checked, and are not in force yet.
#[derive(Debug)]
pub struct ParsedRules {
    /// In the order of their names, those of one name in the order of their rows.
    rules: Vec<(Arc<Rule>, Arc<Tree>)>,
    watchlists: Vec<Arc<TermList>>,
}

/// All rules in force. They never change, and threads can share them.
///
/// A scan takes time linear in the length of the story, and does no I/O.
#[derive(Debug)]
pub struct Rules {
    /// In the order of their names, those of one name in the order of their rows.
    all: Vec<Arc<Rule>>,
    /// The lists that come from tables, in the order of their names.
    watchlists: Vec<Arc<TermList>>,
    /// Decides; its numbers are those of `all`.
    engine: Engine,
    /// By rule, a bit that says whether it accepts every story: most do, and of those nothing else
    /// has to be read.
    accepts_all: Box<[u64]>,
    /// What the rules that search the body say of the stories that they accept.
    body_readers: Vec<Arc<Settings>>,
    /// What teasers are searched for, made when it is first asked for: not every
    /// configuration wants it.
    teaser_hints: OnceLock<TeaserHints>,
    /// Memory of scanners that are gone.
    idle_scratches: Mutex<Vec<Scratch>>,
}

/// How the rows of a watchlist differ between two loads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChanges {
    /// The list's name.
    pub list: String,
    /// How many are new.
    pub added: usize,
    /// How many were removed.
    pub gone: usize,
    /// How many have other terms.
    pub edited: usize,
}

/// Matches one story after another in memory of its own. Once it has seen a few stories of the
/// usual length, it allocates no more.
///
/// A scanner serves one thread; every thread can have its own.
#[derive(Debug)]
pub struct Scanner<'r> {
    rules: &'r Rules,
    scratch: Option<Scratch>,
}

/// Rules that were read and checked, as people wrote them. No engine is built.
pub struct CheckedRules(files::LoadedRules);

impl CheckedRules {
    /// Parses and checks rule files, as [`ParsedRules::load`] does.
    #[must_use]
    pub fn load(
        texts: &RuleTexts,
        known: Option<&KnownNames>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        files::load(texts, known, faults).map(Self)
    }

    /// The rules that people wrote, in the order of their names. A rule with `each` is here once.
    #[must_use]
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.written()
    }

    /// The watchlists by their names, each with the number of its rows.
    pub fn watchlists(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.watchlists.iter().map(|list| (list.name.as_str(), list.rows.len()))
    }
}

impl ParsedRules {
    /// Parses and checks rule files together: their names and lists are global, and every example
    /// in them is checked. `known`: the names of a configuration that rules may use; `None`: any.
    ///
    /// Every fault of every file goes into `faults`, warnings beside errors. `None` if any is an
    /// error.
    #[must_use]
    pub fn load(
        texts: &RuleTexts,
        known: Option<&KnownNames>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let loaded = files::load(texts, known, faults)?;
        let watchlists = loaded.watchlists.clone();
        Some(Self { rules: loaded.into_rows(), watchlists })
    }

    /// The numbers of the rules that match `story`, seen in `carriers`, by the plain evaluator. It
    /// is slow and decides the same as the engine.
    #[must_use]
    pub fn matches_naively(&self, story: &Story, carriers: &[Carrier]) -> Vec<usize> {
        let tokenized = TokenizedStory::new(story, carriers);
        let matched = self.rules.iter().enumerate().filter(|(_, (rule, tree))| {
            rule.accepts(story, carriers) && naive::holds(tree, &tokenized)
        });
        matched.map(|(place, _)| place).collect()
    }

    /// Builds the engine. `frequencies` decide which words it looks for first; they never change
    /// what matches.
    #[must_use]
    pub fn build(&self, frequencies: &Frequencies) -> Rules {
        let engine = Engine::new(self.rules.iter().map(|(_, tree)| &**tree), frequencies);
        let all: Vec<Arc<Rule>> = self.rules.iter().map(|(rule, _)| Arc::clone(rule)).collect();
        let readers: HashSet<&Arc<Settings>> =
            all.iter().filter(|rule| rule.reads_body).map(|rule| &rule.settings).collect();
        let readers = readers.into_iter().cloned().collect();
        let mut open = vec![0_u64; all.len().div_ceil(64)];
        for (number, _) in
            all.iter().enumerate().filter(|(_, rule)| rule.settings.accepts_every_story())
        {
            open[number / 64] |= 1 << (number % 64);
        }
        let (open, watchlists) = (open.into(), self.watchlists.clone());
        Rules {
            all,
            watchlists,
            engine,
            accepts_all: open,
            body_readers: readers,
            teaser_hints: OnceLock::new(),
            idle_scratches: Mutex::default(),
        }
    }
}

impl Default for Rules {
    /// No rules.
    fn default() -> Self {
        ParsedRules { rules: Vec::new(), watchlists: Vec::new() }.build(&Frequencies::empty())
    }
}

impl Rules {
    /// [`ParsedRules::load`] and then [`ParsedRules::build`] with the default frequencies.
    #[must_use]
    pub fn load(
        texts: &RuleTexts,
        known: Option<&KnownNames>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        Some(ParsedRules::load(texts, known, faults)?.build(&Frequencies::default()))
    }

    /// How many rules people wrote. A rule with `each` counts once.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all.chunk_by(|one, next| one.name() == next.name()).count()
    }

    /// The watchlists by their names, each with its rows in the order of its table.
    pub fn watchlists(
        &self,
    ) -> impl Iterator<Item = (&str, impl ExactSizeIterator<Item = &story::WatchlistRow>)> {
        self.watchlists
            .iter()
            .map(|list| (list.name.as_str(), list.rows.iter().map(|row| &row.head)))
    }

    /// How the rows of the watchlists differ from those of `before`. Lists without a difference are
    /// left out.
    #[must_use]
    pub fn row_changes(&self, before: &Self) -> Vec<RowChanges> {
        let rows = |name: &str| {
            before
                .watchlists
                .iter()
                .find(|list| list.name == name)
                .map_or(&[][..], |list| &list.rows)
        };
        self.watchlists.iter().filter_map(|list| changes(list, rows(&list.name))).collect()
    }

    /// The rules in the order of their names. A rule with `each` is here once for every row, in the
    /// order of the rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Rule>> {
        self.all.iter()
    }

    /// Carriers that together pass every feed filter of every rule: for a story whose feeds are not
    /// known.
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

    /// Why the rule `name` matches `story` or not, as in [`Query::explain`](super::Query::explain).
    /// Of a rule with `each`: for the row with the id `row`, or for all rows at once. `None` if
    /// there is no such rule or row.
    #[must_use]
    pub fn explain(
        &self,
        name: &str,
        row: Option<&str>,
        story: &Story,
        carriers: &[Carrier],
        read: &Read,
    ) -> Option<Explained> {
        let of_name = &self.all[self.all.partition_point(|rule| rule.name() < name)..];
        let mut of_name = of_name.iter().take_while(|rule| rule.name() == name);
        let rule = Arc::clone(match row {
            Some(id) => of_name.find(|rule| rule.row().is_some_and(|row| row.id == id))?,
            None => of_name.next()?,
        });
        let tree = if row.is_some() { rule.tree() } else { rule.tree_of_all_rows() };
        let clause = explain::explain_story(&tree, story, carriers, read);
        Some(Explained {
            filtered_out: filtered_out::reason(&rule.settings, story, carriers),
            row: row.and(rule.row().cloned()),
            rule,
            clause,
        })
    }

    /// Whether any rule that accepts stories from `carriers` searches the body.
    #[must_use]
    pub fn reads_body(&self, carriers: &[Carrier]) -> bool {
        self.body_readers.iter().any(|settings| settings.accepts_feeds(carriers))
    }

    /// Whether `story`, of which only the teaser is known, has a word of any rule that accepts it
    /// and searches the body. Words behind NOT count, too.
    #[must_use]
    pub fn has_teaser_hint(&self, story: &Story, carriers: &[Carrier]) -> bool {
        self.teaser_hints.get_or_init(|| TeaserHints::new(&self.all)).found_in(story, carriers)
    }

    /// Every rule that matches `story`, seen in `carriers`, with its evidence, in the order of the
    /// rules' names.
    #[must_use]
    pub fn matches(&self, story: &Story, carriers: &[Carrier]) -> Vec<Match> {
        let mut scanner = self.scanner();
        let mut found = scanner.scan(story, carriers).peekable();
        let Some(_) = found.peek() else { return Vec::new() };
        let tokenized = TokenizedStory::new(story, carriers);
        found
            .map(|(_, rule)| Match { rule: Arc::clone(rule), evidence: rule.evidence(&tokenized) })
            .collect()
    }

    /// A scanner for these rules, in the memory of an earlier one where there is any.
    #[must_use]
    pub fn scanner(&self) -> Scanner<'_> {
        let idle = self.idle_scratches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Scanner { rules: self, scratch: Some(idle.unwrap_or_else(Scratch::new)) }
    }

    /// The bytes that the engine takes, without compiled regular expressions.
    #[must_use]
    pub fn engine_bytes(&self) -> usize {
        self.engine.bytes()
    }
}

/// How the rows of a list differ from what they were; `None` if they do not.
fn changes(now: &TermList, then: &[Arc<ListRow>]) -> Option<RowChanges> {
    fn by_id(rows: &[Arc<ListRow>]) -> HashMap<&str, &ListRow> {
        rows.iter().map(|row| (row.head.id.as_str(), row.as_ref())).collect()
    }
    let (rows, before) = (by_id(&now.rows), by_id(then));
    let added = rows.keys().filter(|id| !before.contains_key(*id)).count();
    let gone = before.keys().filter(|id| !rows.contains_key(*id)).count();
    let edited =
        rows.iter().filter(|(id, row)| before.get(*id).is_some_and(|old| old != *row)).count();
    (added + gone + edited > 0).then(|| RowChanges { list: now.name.clone(), added, gone, edited })
}

impl Scanner<'_> {
    /// Every rule that matches `story`, seen in `carriers`, in the order of the rules' names, with
    /// its place in [`Rules::iter`].
    pub fn scan(
        &mut self,
        story: &Story,
        carriers: &[Carrier],
    ) -> impl Iterator<Item = (usize, &Arc<Rule>)> {
        let scratch = self.scratch.get_or_insert_with(Scratch::new);
        let Rules { all, accepts_all: open, engine, .. } = self.rules;
        let found = engine.matches(story, carriers, scratch).iter().map(|number| *number as usize);
        let is_open = |number: usize| open[number / 64] >> (number % 64) & 1 != 0;
        found
            .filter(move |number| is_open(*number) || all[*number].accepts(story, carriers))
            .map(|number| (number, &all[number]))
    }
}

impl Drop for Scanner<'_> {
    /// Leaves its memory to the next scanner.
    fn drop(&mut self) {
        self.rules
            .idle_scratches
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend(self.scratch.take());
    }
}
