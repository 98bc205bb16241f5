//! All rules in force, and the matching of stories against them.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use jiff::civil::Date;

use super::engine::{Engine, Frequencies, Scratch};
use super::{
    Carrier, Explained, FeedFilter, Match, Rule, RuleConfig, RuleTexts, Settings, explain,
};
use crate::engine::naive;
use crate::engine::teaser_hints::TeaserHints;
use crate::engine::tokenized_story::TokenizedStory;
use crate::explain::filtered_out;
use crate::fault::Fault;
use crate::files;
use crate::language::term_list::{ListRow, TermList};
use crate::language::tree::Tree;
use crate::phrases::PhraseSearch;
use crate::story::{self, FeedName, Read, Story};

/// Parsed and checked rules without an engine.
#[derive(Debug)]
pub struct ParsedRules {
    /// In the order of their names. Rules of one name are in the order of their rows.
    rules: Vec<(Arc<Rule>, Arc<Tree>)>,
    watchlists: Vec<Arc<TermList>>,
}

/// All rules in force. They never change, and threads can share them.
///
/// A scan takes time linear in the length of the story, and does no I/O.
#[derive(Debug)]
pub struct Rules {
    /// In the order of their names. Rules of one name are in the order of their rows.
    all: Vec<Arc<Rule>>,
    /// The lists from tables, in the order of their names.
    watchlists: Vec<Arc<TermList>>,
    /// Decides which rules match. Its rule numbers are indices of `all`.
    engine: Engine,
    /// A bit for each rule: whether it accepts every story. Most rules do, and nothing else of them
    /// is read.
    accepts_all: Box<[u64]>,
    /// The distinct settings of the rules that read the body.
    body_readers: Vec<Arc<Settings>>,
    /// The words that are searched in teasers. They are built on first use, because not every
    /// configuration needs them.
    teaser_hints: OnceLock<TeaserHints>,
    /// Memory of dropped scanners, for reuse.
    idle_scratches: Mutex<Vec<Scratch>>,
}

/// The changes of a watchlist's rows between two loads. A row is identified by its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowChanges {
    /// The list's name.
    pub list: String,
    /// The number of new rows.
    pub added: usize,
    /// The number of removed rows.
    pub gone: usize,
    /// The number of rows with other terms.
    pub edited: usize,
}

/// Matches one story after another in memory of its own. After a few stories of usual length, it
/// allocates nothing.
///
/// A scanner is for one thread. Each thread can have its own.
#[derive(Debug)]
pub struct Scanner<'r> {
    rules: &'r Rules,
    scratch: Option<Scratch>,
}

/// Parsed and checked rules in their written form, without an engine: a rule with `each` is one
/// rule.
pub struct CheckedRules(files::LoadedRules);

impl CheckedRules {
    /// Parses and checks rule files as [`ParsedRules::load`] does.
    #[must_use]
    pub fn load(
        texts: &RuleTexts,
        config: Option<&RuleConfig>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        files::load(texts, config, faults).map(Self)
    }

    /// The enabled rules, in the order of their names. A rule with `each` appears once.
    #[must_use]
    pub fn rules(&self) -> impl ExactSizeIterator<Item = &Rule> {
        self.0.written()
    }

    /// Warnings of rules whose `after` names a rule that has expired on that day (UTC).
    #[must_use]
    pub fn warn_of_expired(&self, today: Date) -> Vec<Fault> {
        self.0.warn_of_expired(today)
    }

    /// The search for the phrases of three words or more that the expressions write.
    #[must_use]
    pub fn phrase_search(&self) -> PhraseSearch<'_> {
        PhraseSearch::new(self.0.expressions())
    }

    /// The name of each watchlist and the number of its rows, in the order of the names.
    pub fn watchlists(&self) -> impl Iterator<Item = (&str, usize)> {
        self.0.watchlists.iter().map(|list| (list.name.as_str(), list.rows.len()))
    }
}

impl ParsedRules {
    /// Parses and checks rule files together. Names of rules and lists are global. Every example in
    /// the files is checked. `config` is what the rules read of a configuration; `None` allows any
    /// name, and no publisher has a name.
    ///
    /// Adds every fault of every file to `faults`, warnings too. Returns `None` if any fault is an
    /// error. The time is linear in the length of the files.
    #[must_use]
    pub fn load(
        texts: &RuleTexts,
        config: Option<&RuleConfig>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        let loaded = files::load(texts, config, faults)?;
        let watchlists = loaded.watchlists.clone();
        Some(Self { rules: loaded.into_rows(), watchlists })
    }

    /// The ascending numbers of the rules that match `story`, which `carriers` carried, by the
    /// plain evaluator. It is slow. Its result is that of [`Rules::matches`].
    #[must_use]
    pub fn matches_naively(&self, story: &Story, carriers: &[Carrier]) -> Vec<usize> {
        let tokenized = TokenizedStory::new(story, carriers);
        let matched = self.rules.iter().enumerate().filter(|(_, (rule, tree))| {
            rule.accepts(story, carriers) && naive::holds(tree, &tokenized)
        });
        matched.map(|(place, _)| place).collect()
    }

    /// Builds the engine. `frequencies` decide the order of look-ups. They never change what
    /// matches.
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
    /// Does [`ParsedRules::load`] and [`ParsedRules::build`] with the default frequencies.
    #[must_use]
    pub fn load(
        texts: &RuleTexts,
        config: Option<&RuleConfig>,
        faults: &mut Vec<Fault>,
    ) -> Option<Self> {
        Some(ParsedRules::load(texts, config, faults)?.build(&Frequencies::default()))
    }

    /// The number of rules as written. A rule with `each` counts once.
    #[must_use]
    pub fn count(&self) -> usize {
        self.all.chunk_by(|one, next| one.name() == next.name()).count()
    }

    /// The name of each watchlist with its rows. Watchlists are in the order of their names, rows
    /// in the order of their table.
    pub fn watchlists(
        &self,
    ) -> impl Iterator<Item = (&str, impl ExactSizeIterator<Item = &story::WatchlistRow>)> {
        self.watchlists
            .iter()
            .map(|list| (list.name.as_str(), list.rows.iter().map(|row| &row.head)))
    }

    /// The changes of the watchlists' rows since `before`. Lists without a change are left out.
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

    /// The rules, in the order of their names. A rule with `each` appears once for every row, in
    /// the order of the rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Arc<Rule>> {
        self.all.iter()
    }

    /// Carriers that together pass every feed filter of every rule. They are for a story whose
    /// feeds are not known.
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

    /// Explains why the rule `name` matches `story` or not, as
    /// [`Query::explain`](super::Query::explain) does. For a rule with `each`, `row` is the id of a
    /// row; without `row`, all rows are explained together. `None` if there is no such rule or row.
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
        let is_group = row.is_some() || rule.row().is_none();
        let keys = is_group.then(|| rule.keys(story, &TokenizedStory::new(story, carriers)));
        Some(Explained {
            filtered_out: filtered_out::reason(&rule.settings, story, carriers),
            row: row.and(rule.row().cloned()),
            rule,
            clause,
            keys: keys.unwrap_or_default(),
        })
    }

    /// Whether any rule that accepts stories from `carriers` reads the body.
    #[must_use]
    pub fn reads_body(&self, carriers: &[Carrier]) -> bool {
        self.body_readers.iter().any(|settings| settings.accepts_feeds(carriers))
    }

    /// Whether `story`, whose body is only a teaser, has a word of any rule that accepts it and
    /// reads the body. Words after NOT count, too.
    #[must_use]
    pub fn has_teaser_hint(&self, story: &Story, carriers: &[Carrier]) -> bool {
        self.teaser_hints.get_or_init(|| TeaserHints::new(&self.all)).found_in(story, carriers)
    }

    /// The rules that match `story`, which `carriers` carried, with their evidence, in the order of
    /// the rules' names. The time is linear in the length of the story. For many stories, a
    /// [`Scanner`] is faster.
    #[must_use]
    pub fn matches(&self, story: &Story, carriers: &[Carrier]) -> Vec<Match> {
        let mut scanner = self.scanner();
        let mut found = scanner.scan(story, carriers).peekable();
        let Some(_) = found.peek() else { return Vec::new() };
        let tokenized = TokenizedStory::new(story, carriers);
        let of_rule = |(_, rule): (usize, &Arc<Rule>)| Match {
            rule: Arc::clone(rule),
            evidence: rule.evidence(&tokenized),
            keys: rule.keys(story, &tokenized),
        };
        found.map(of_rule).collect()
    }

    /// A scanner for these rules. It reuses the memory of a dropped scanner if there is one.
    #[must_use]
    pub fn scanner(&self) -> Scanner<'_> {
        let idle = self.idle_scratches.lock().unwrap_or_else(PoisonError::into_inner).pop();
        Scanner { rules: self, scratch: Some(idle.unwrap_or_else(Scratch::new)) }
    }

    /// The memory of the engine in bytes, without compiled regular expressions.
    #[must_use]
    pub fn engine_bytes(&self) -> usize {
        self.engine.bytes()
    }
}

/// The changes of a list's rows; `None` if there are none.
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
    /// The rules that match `story`, which `carriers` carried, in the order of the rules' names.
    /// Each has its index in [`Rules::iter`].
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

    /// What `first` of `rule` looks for in `story`, which was scanned last and which the rule
    /// matches. Publishers are not known here.
    #[must_use]
    pub fn first_keys(&self, rule: &Rule, story: &Story, carriers: &[Carrier]) -> Vec<String> {
        let scratch = self.scratch.as_ref();
        scratch.map(|scratch| rule.first_keys(story, carriers, scratch)).unwrap_or_default()
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
