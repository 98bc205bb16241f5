//! The script of a seed: rules and stories. It says, without reading any text, which rules match
//! which story and who must be notified.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write};

use fastrand::Rng;

use crate::support::wire::{self, Entry};

/// Words of the rules. No other text has them.
const SIGNALS: [&str; 8] =
    ["quorvane", "blixtar", "dremmock", "fyndaril", "gothweir", "hespilon", "jarruvek", "klomptun"];

/// Feeds, by their index.
pub const FEEDS: usize = 3;

/// The number of items that a feed shows at once. Older ones have left it.
const WINDOW: usize = 400;

/// The notifiers of rules.
const NOTIFY: [&[&str]; 6] =
    [&["hook"], &["desk"], &["ops", "hook"], &["gone"], &["hook", "desk"], &["ops"]];

/// The recipients of `desk`. The mail server does not have eve.
pub const DESK: [&str; 3] = ["ana@example.org", "bob@example.org", "eve@example.org"];

/// The hook with a rate limit.
pub const LIMITED: &str = "ops";

/// The hook that answers 410.
pub const GONE: &str = "gone";

/// All rules and stories, in the order of the stories.
pub struct NewsScript {
    pub rules: Vec<ScriptedRule>,
    pub stories: Vec<ScriptedStory>,
}

/// A rule over the presence of signals.
pub struct ScriptedRule {
    pub name: String,
    all: Vec<usize>,
    any: Vec<usize>,
    none: Vec<usize>,
    feed: Option<usize>,
    notify: &'static [&'static str],
}

/// A story.
pub struct ScriptedStory {
    /// The beginning of its title, which no other story has.
    pub mark: String,
    title: String,
    paragraphs: Vec<String>,
    in_title: BTreeSet<usize>,
    in_text: BTreeSet<usize>,
    source: TextSource,
    feeds: Vec<usize>,
}

/// How much of a story its feeds contain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum TextSource {
    /// The whole text.
    Full,
    /// A teaser. Its page has the rest.
    Page,
    /// A teaser. Its page is gone.
    PageGone,
}

/// A match that must be sent to a receiver, once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ExpectedMatch {
    pub story: String,
    pub rule: String,
    pub to: To,
}

/// A notifier and its recipient, which is empty except for mail.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct To {
    pub notifier: String,
    pub recipient: String,
}

impl fmt::Display for To {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.recipient.as_str() {
            "" => write!(f, "{}", self.notifier),
            recipient => write!(f, "{} ({recipient})", self.notifier),
        }
    }
}

impl NewsScript {
    /// A script of this number of stories.
    pub fn new(rng: &mut Rng, stories: usize) -> Self {
        let rules = (0..2 * NOTIFY.len()).map(|index| ScriptedRule::new(rng, index)).collect();
        Self { rules, stories: (0..stories).map(|index| ScriptedStory::new(rng, index)).collect() }
    }

    /// The rule file.
    pub fn rules_as_yaml(&self) -> String {
        self.rules.iter().fold("rules:\n".to_owned(), |yaml, rule| yaml + &rule.yaml())
    }

    /// The document of a feed after this number of stories has appeared.
    pub fn feed(&self, feed: usize, published: usize, page: impl Fn(&str) -> String) -> String {
        let carried: Vec<&ScriptedStory> =
            self.stories[..published].iter().filter(|story| story.feeds.contains(&feed)).collect();
        let newest =
            carried.iter().rev().take(WINDOW).map(|story| story.entry(&page(&story.path())));
        wire::feed(&newest.collect::<Vec<_>>())
    }

    /// The pages of the stories, by their paths.
    pub fn pages(&self) -> BTreeMap<String, String> {
        let with_page = self.stories.iter().filter(|story| story.source == TextSource::Page);
        with_page.map(|story| (story.path(), story.page())).collect()
    }

    /// The number of items. A story counts once for each feed.
    pub fn items(&self) -> usize {
        self.stories.iter().map(|story| story.feeds.len()).sum()
    }

    /// Everything that must arrive.
    pub fn expected(&self) -> BTreeSet<ExpectedMatch> {
        let mut expected = BTreeSet::new();
        for story in &self.stories {
            for rule in self.rules.iter().filter(|rule| rule.holds(story)) {
                expected.extend(rule.receivers().into_iter().map(|to| ExpectedMatch {
                    story: story.mark.clone(),
                    rule: rule.name.clone(),
                    to,
                }));
            }
        }
        expected
    }
}

impl ScriptedRule {
    fn new(rng: &mut Rng, index: usize) -> Self {
        let mut signals: Vec<usize> = (0..SIGNALS.len()).collect();
        rng.shuffle(&mut signals);
        let (all, any, none) = match rng.u8(0..4) {
            0 => (vec![signals[0], signals[1]], vec![], vec![]),
            1 => (vec![], vec![signals[0], signals[1]], vec![]),
            2 => (vec![signals[0]], vec![], vec![signals[1]]),
            _ => (vec![signals[0]], vec![signals[1], signals[2]], vec![]),
        };
        let feed = (rng.u8(0..4) == 0).then(|| rng.usize(0..FEEDS));
        Self {
            name: format!("Rule{index:02}"),
            all,
            any,
            none,
            feed,
            notify: NOTIFY[index % NOTIFY.len()],
        }
    }

    fn holds(&self, story: &ScriptedStory) -> bool {
        let seen = story.seen();
        let carried = self.feed.is_none_or(|feed| story.feeds.contains(&feed));
        carried
            && self.all.iter().all(|signal| seen.contains(signal))
            && (self.any.is_empty() || self.any.iter().any(|signal| seen.contains(signal)))
            && !self.none.iter().any(|signal| seen.contains(signal))
    }

    fn receivers(&self) -> Vec<To> {
        let to = |notifier: &str, recipient: &str| To {
            notifier: notifier.to_owned(),
            recipient: recipient.to_owned(),
        };
        let of = |notifier: &&str| match *notifier {
            "desk" => DESK.map(|recipient| to("desk", recipient)).to_vec(),
            hook => vec![to(hook, "")],
        };
        self.notify.iter().flat_map(of).collect()
    }

    fn yaml(&self) -> String {
        let parts = [("all", &self.all), ("any", &self.any), ("not", &self.none)];
        let parts = parts.iter().filter(|(_, signals)| !signals.is_empty());
        let when =
            parts.map(|(key, signals)| format!("{key}: [{}]", words(signals.iter()).join(", ")));
        let when = when.collect::<Vec<_>>().join(", ");
        let mut yaml = format!("  - name: {}\n    when: {{{when}}}\n", self.name);
        writeln!(yaml, "    notify: [{}]", self.notify.join(", ")).expect("strings grow");
        if let Some(feed) = self.feed {
            writeln!(yaml, "    feeds: [wire-{feed}]").expect("strings grow");
        }
        yaml
    }
}

impl ScriptedStory {
    fn new(rng: &mut Rng, index: usize) -> Self {
        let signals = |rng: &mut Rng, most: usize| -> BTreeSet<usize> {
            (0..rng.usize(0..=most)).map(|_| rng.usize(0..SIGNALS.len())).collect()
        };
        let (in_title, in_text) = (signals(rng, 1), signals(rng, 5));
        let source = [TextSource::Full, TextSource::Full, TextSource::Page, TextSource::PageGone]
            [rng.usize(0..4)];
        let first = rng.usize(0..FEEDS);
        let feeds = if rng.u8(0..4) == 0 { vec![first, (first + 1) % FEEDS] } else { vec![first] };
        let mark = format!("Story {index:04}");
        let title = std::iter::once(mark.clone())
            .chain(words(in_title.iter()).into_iter().map(str::to_owned));
        let title = title.collect::<Vec<_>>().join(" ");
        let mut paragraphs: Vec<String> = (0..4).map(|_| paragraph(rng)).collect();
        for signal in words(in_text.iter()) {
            write!(paragraphs[rng.usize(0..4)], " Some said {signal}, others did not.")
                .expect("strings grow");
        }
        Self { mark, title, paragraphs, in_title, in_text, source, feeds }
    }

    /// The signals in all texts of a story that can be read.
    fn seen(&self) -> BTreeSet<usize> {
        let text = self.in_text.iter().filter(|_| self.source != TextSource::PageGone);
        self.in_title.iter().chain(text).copied().collect()
    }

    fn path(&self) -> String {
        format!("/{}", self.mark.replace(' ', "-"))
    }

    fn entry(&self, link: &str) -> Entry {
        match self.source {
            TextSource::Full => Entry::full(&self.title, link, &self.paragraphs.join("<p>")),
            TextSource::Page | TextSource::PageGone => Entry::teaser(&self.title, link),
        }
    }

    fn page(&self) -> String {
        let text = self
            .paragraphs
            .iter()
            .fold(String::new(), |text, paragraph| text + "<p>" + paragraph + "</p>");
        format!(
            "<!doctype html><html lang=en><head><title>{0}</title></head><body><nav><a href=/>Home</a></nav>\
             <article><h1>{0}</h1>{text}</article></body></html>",
            self.title
        )
    }
}

fn words<'s>(signals: impl Iterator<Item = &'s usize>) -> Vec<&'static str> {
    signals.map(|signal| SIGNALS[*signal]).collect()
}

/// Some fifty words, in an order that no other text has.
fn paragraph(rng: &mut Rng) -> String {
    let mut word = || -> String {
        let syllable = || {
            [
                "ba", "ce", "di", "fo", "gu", "la", "me", "ni", "po", "ru", "sa", "te", "vi", "wo",
                "zu",
            ]
        };
        (0..rng.usize(2..4)).map(|_| syllable()[rng.usize(0..15)]).collect()
    };
    let sentence = |words: Vec<String>| {
        format!("The {}, and the {}.", words[..5].join(" "), words[5..].join(" "))
    };
    (0..5).map(|_| sentence((0..10).map(|_| word()).collect())).collect::<Vec<_>>().join(" ")
}
