//! Finds phrases of rules that stand in no story although their words do: `North Korea arms deal`.
//!
//! A [`PhraseSearch`] reads stories once and finds such phrases. Its [`PhraseAdvice`] reads the
//! same stories again and finds the expression to write instead.

use std::cmp::Reverse;
use std::collections::HashSet;

use crate::explain::excerpt;
use crate::fault::{Fault, Level};
use crate::files::when::When;
use crate::language::print;
use crate::language::syntax::ExpressionProblem;
use crate::language::tree::{TextUnit, Tree};
use crate::story::Story;
use grouping::Grouping;
use story_counts::StoryCounts;
use words::PhraseWords;
use written::WrittenPhrase;

mod grouping;
mod story_counts;
mod words;
mod written;

/// The most phrases of one search: the first. It bounds the time that many rules take.
const MOST_SEARCHED: usize = 20_000;

/// The most warnings of one search.
const MOST: usize = 10;

/// The search for the phrases of three words or more that expressions write. It reads every story
/// of a sample.
pub struct PhraseSearch<'r> {
    phrases: Vec<SearchedPhrase<'r>>,
    /// Of the phrase `n`, the tree `2n` is the phrase, and `2n + 1` are its words.
    counts: StoryCounts,
}

/// The search for what to write instead of phrases. It reads the same stories as the
/// [`PhraseSearch`].
pub struct PhraseAdvice<'r> {
    /// In the order of the rules.
    absent: Vec<AbsentPhrase<'r>>,
    /// The number of further phrases that stand in no story.
    more: usize,
    /// Two trees for each grouping: its words in a story, and in a paragraph or sentence.
    counts: StoryCounts,
}

/// A phrase, and how the expression that writes it is written.
struct SearchedPhrase<'r> {
    when: &'r When,
    written: WrittenPhrase,
    words: PhraseWords,
}

/// A phrase that stands in no story, with the groupings of its words.
struct AbsentPhrase<'r> {
    phrase: SearchedPhrase<'r>,
    groupings: Vec<Grouping>,
}

impl<'r> PhraseSearch<'r> {
    /// The search for the phrases of `expressions`.
    pub(crate) fn new(expressions: impl Iterator<Item = (&'r When, &'r Tree)>) -> Self {
        let phrases: Vec<SearchedPhrase<'_>> = expressions
            .flat_map(|(when, tree)| {
                let written = written::phrases(tree).into_iter();
                written.filter_map(move |written| {
                    let words = PhraseWords::new(&written.term)?;
                    Some(SearchedPhrase { when, written, words })
                })
            })
            .take(MOST_SEARCHED)
            .collect();
        let trees: Vec<Tree> = phrases.iter().flat_map(SearchedPhrase::trees).collect();
        Self { phrases, counts: StoryCounts::new(&trees) }
    }

    /// Whether there is no phrase to search.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.phrases.is_empty()
    }

    /// Searches `stories`, on the threads of the current pool.
    pub fn search(&mut self, stories: &[&Story]) {
        self.counts.count(stories);
    }

    /// The search for what to write instead of the phrases that were found in no story although
    /// their words were. Phrases with a warning in `faults` are left out. `None` if there are none.
    ///
    /// Of many phrases, those are chosen that are hardly meant as phrases, and of these those whose
    /// words are in most stories.
    #[must_use]
    pub fn into_advice(self, faults: &[Fault]) -> Option<PhraseAdvice<'r>> {
        let Self { phrases, counts } = self;
        let mut seen = HashSet::new();
        let mut absent: Vec<(usize, SearchedPhrase<'_>, usize)> = phrases
            .into_iter()
            .enumerate()
            .map(|(place, phrase)| (place, phrase, counts.stories_with(2 * place + 1)))
            .filter(|(place, _, words)| counts.stories_with(2 * place) == 0 && *words > 0)
            .filter(|(_, phrase, _)| !phrase.has_warning(faults))
            .filter(|(_, phrase, _)| seen.insert(phrase.written.term.text.clone()))
            .collect();
        let more = absent.len().saturating_sub(MOST);
        absent.sort_by_key(|(_, phrase, words)| (phrase.is_meant_as_phrase(), Reverse(*words)));
        absent.truncate(MOST);
        absent.sort_by_key(|(place, ..)| *place);
        let absent: Vec<AbsentPhrase<'_>> =
            absent.into_iter().map(|(_, phrase, _)| AbsentPhrase::new(phrase)).collect();
        let trees: Vec<Tree> = absent.iter().flat_map(AbsentPhrase::trees).collect();
        (!trees.is_empty()).then(|| PhraseAdvice { absent, more, counts: StoryCounts::new(&trees) })
    }
}

impl PhraseAdvice<'_> {
    /// Searches `stories`, on the threads of the current pool.
    pub fn search(&mut self, stories: &[&Story]) {
        self.counts.count(stories);
    }

    /// A warning for each phrase, and one that counts those beyond the most that are shown.
    /// `searched` is the number of stories.
    #[must_use]
    pub fn warnings(self, searched: usize) -> Vec<Fault> {
        let mut found = Vec::new();
        let mut first_tree = 0;
        for absent in &self.absent {
            found.extend(absent.warning(first_tree, &self.counts, searched));
            first_tree += 2 * absent.groupings.len();
        }
        if let Some(last) = found.last().filter(|_| self.more > 0) {
            let message = match self.more {
                1 => "one more phrase stands in none of these stories".to_owned(),
                more => format!("{more} more phrases stand in none of these stories"),
            };
            found.push(Fault { message, help: None, ..last.clone() });
        }
        found
    }
}

impl SearchedPhrase<'_> {
    /// The phrase, and its words as a story must have them for a warning. Paragraphs are faster to
    /// search than sentences, so those are left to the [`PhraseAdvice`].
    fn trees(&self) -> [Tree; 2] {
        let mut words = self.words.one_by_one().tree();
        if self.is_meant_as_phrase() {
            words = within(TextUnit::Paragraph, words);
        }
        [Tree::Term(self.written.term.clone(), 0..0), words]
    }

    /// Where its words are near each other. Splitting a story into sentences takes long.
    fn near_unit(&self) -> TextUnit {
        if self.is_meant_as_phrase() { TextUnit::Sentence } else { TextUnit::Paragraph }
    }

    /// Whether it is probably meant as a phrase. Its words are then required in one sentence.
    fn is_meant_as_phrase(&self) -> bool {
        let is_quoted = match self.when {
            When::Expression(text) => text.value[self.written.span.clone()].starts_with(is_quote),
            When::Clauses(..) => false,
        };
        is_quoted || self.written.is_within || self.words.look_like_a_name()
    }

    /// Whether one of `faults` is about it.
    fn has_warning(&self, faults: &[Fault]) -> bool {
        let Fault { source, span, .. } = self.warning(String::new(), None);
        faults.iter().any(|fault| {
            fault.source.name == source.name
                && fault.span.start < span.end
                && span.start < fault.span.end
        })
    }

    fn warning(&self, message: String, help: Option<String>) -> Fault {
        let (level, span) = (Level::Warning, self.written.span.clone());
        self.when.warning(ExpressionProblem { level, span, message, help })
    }
}

impl<'r> AbsentPhrase<'r> {
    fn new(phrase: SearchedPhrase<'r>) -> Self {
        Self { groupings: phrase.words.groupings(), phrase }
    }

    /// The words of each grouping in a story, and near each other.
    fn trees(&self) -> impl Iterator<Item = Tree> {
        let unit = self.phrase.near_unit();
        self.groupings.iter().flat_map(move |grouping| {
            let tree = grouping.tree();
            // Only stories that have all words are split.
            [tree.clone(), Tree::all(vec![tree.clone(), within(unit, tree)])]
        })
    }

    /// The warning. Its trees in `counts` begin at `first`. `None` if no story has its words as
    /// they are required.
    fn warning(&self, first: usize, counts: &StoryCounts, searched: usize) -> Option<Fault> {
        let written = &self.phrase.written;
        let in_stories = |number: usize| counts.stories_with(first + 2 * number);
        let near = |number: usize| counts.stories_with(first + 2 * number + 1);
        let found = |number| if written.is_within { near(number) } else { in_stories(number) };
        // The last grouping has each word by itself, so none is in more stories.
        let last = self.groupings.len() - 1;
        if found(last) == 0 || (self.phrase.is_meant_as_phrase() && near(last) == 0) {
            return None;
        }
        let fitting = self.groupings.iter().enumerate();
        let (best, grouping) = fitting
            .filter(|(number, _)| found(*number) * 2 >= found(last))
            .min_by_key(|(number, grouping)| (grouping.parts.len(), Reverse(found(*number))))?;
        let phrase = excerpt::head(&print::term_text(&written.term), 60);
        let message =
            format!("`{phrase}` is one phrase, and none of the newest {searched} stories has it");
        let unit = self.phrase.near_unit();
        let help = written.advice(&grouping.tree(), in_stories(best), unit, near(best));
        Some(self.phrase.warning(message, Some(help)))
    }
}

fn within(unit: TextUnit, tree: Tree) -> Tree {
    Tree::Within(unit, Box::new(tree), 0..0)
}

/// Whether a phrase that begins with `c` is in quotes, or is to be found in these forms only.
fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '=')
}

#[cfg(test)]
mod tests {
    use super::MOST;
    use crate::CheckedRules;
    use crate::fault::{Fault, Source};
    use crate::story::Story;

    const STORIES: [&str; 5] = [
        "A deal on arms: North Korea sells missiles to Russia.",
        "North Korea signs a deal.\n\nRussia buys arms.",
        "Korea, north of the border, has no arms. A deal fails.",
        "The ministry denies attacks. Two oil tankers burn.",
        "Hassan met Ali. Later Mohammed came. The treaty on oil is signed, and the test ban holds.",
    ];

    /// The warnings about the rule files that have these rules, among these stories.
    fn warnings(rules: &str, stories: &[&str]) -> Vec<Fault> {
        let source = Source { name: "a.yaml".to_owned(), text: format!("rules:\n{rules}") };
        let mut faults = Vec::new();
        let texts = vec![std::sync::Arc::new(source)].into();
        let rules = CheckedRules::load(&texts, None, &mut faults);
        let rules = rules.unwrap_or_else(|| panic!("{faults:?}"));
        let stories: Vec<Story> =
            stories.iter().map(|text| Story::from_words("Headline", *text)).collect();
        let stories: Vec<&Story> = stories.iter().collect();
        let mut search = rules.phrase_search();
        search.search(&stories);
        let Some(mut advice) = search.into_advice(&faults) else { return Vec::new() };
        advice.search(&stories);
        advice.warnings(stories.len())
    }

    /// The help of each warning about a rule with the expression `when`.
    fn help(when: &str) -> Vec<String> {
        let found = warnings(&format!("  - {{name: a, when: '{when}'}}\n"), &STORIES);
        found.into_iter().map(|fault| fault.help.unwrap_or_default()).collect()
    }

    #[test]
    fn a_warning_names_the_phrase_its_place_and_what_to_write() {
        let rules = "  - name: a\n    when: Russia AND (oil OR North Korea arms deal)\n";
        let found = warnings(rules, &STORIES);
        let [fault] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!(&fault.source.text[fault.span.clone()], "North Korea arms deal");
        assert_eq!(
            fault.message,
            "`North Korea arms deal` is one phrase, and none of the newest 5 stories has it"
        );
        let help = "did you mean AND? `(North Korea AND arms AND deal)` finds 2 of them; \
            `PARA(North Korea AND arms AND deal)`, in one paragraph, finds 1";
        assert_eq!(fault.help.as_deref(), Some(help));
    }

    #[test]
    fn words_stay_together_where_half_of_the_stories_have_them_together() {
        for (when, expected) in [
            ("Russia missiles deal", "`Russia AND missiles AND deal` finds 1 of them"),
            ("denies attacks oil tankers", "`denies attacks AND oil tankers` finds 1 of them"),
            ("attacks on oil tankers", ""),
            ("SENT(north of korea)", "`north AND korea`, in one sentence, finds 3 of them"),
            (
                "SENT(north border korea)",
                "`north AND border AND korea`, in one sentence, finds 1 of them",
            ),
        ] {
            let found = help(when).concat();
            let expected = if expected.is_empty() {
                String::new()
            } else {
                format!("did you mean AND? {expected}")
            };
            assert!(
                found.starts_with(&expected) && found.is_empty() == expected.is_empty(),
                "{when}: {found}"
            );
        }
    }

    #[test]
    fn a_phrase_that_is_found_or_whose_words_are_not_gets_no_warning() {
        for when in [
            "oil tankers burn",
            "North Korea kites deal",
            "North Korea",
            "Russia AND North Korea",
            "sells missile* to",
        ] {
            assert_eq!(help(when), [""; 0], "{when}");
        }
        assert_eq!(help("Russia missile* arms").len(), 1);
    }

    #[test]
    fn words_of_a_name_or_a_quotation_must_be_in_one_sentence() {
        for (when, is_warned) in [
            ("Ali Hassan Mohammed", false),
            ("ali Hassan Mohammed", true),
            ("\"ali hassan mohammed\"", false),
            ("=\"ali hassan mohammed\"", false),
            ("cs(ali Hassan Mohammed)", false),
            ("North Russia Korea", true),
            ("\"north russia korea\"", true),
            ("treaty on the test ban", true),
            ("ban on oil attacks", false),
        ] {
            assert_eq!(!help(when).is_empty(), is_warned, "{when}");
        }
    }

    #[test]
    fn phrases_are_searched_where_and_could_stand() {
        for (when, is_warned) in [
            ("oil AND NOT Russia missiles deal", false),
            ("title:(Russia missiles deal)", false),
            ("text:(Russia missiles deal)", true),
            ("\"Russia missiles deal\" NEAR/5 oil", false),
            ("ANY/2(oil, Russia missiles deal, kites)", true),
            ("PARA(oil OR Russia missiles deal)", true),
        ] {
            assert_eq!(!help(when).is_empty(), is_warned, "{when}");
        }
        let listed = "  - {name: a, when: $list}\nterms: {list: [Russia missiles deal]}\n";
        assert!(warnings(listed, &STORIES).is_empty());
        let clause = "  - {name: a, when: {all: [Russia, {any: [oil, Russia missiles deal]}]}}\n";
        assert_eq!(warnings(clause, &STORIES).len(), 1);
    }

    #[test]
    fn a_phrase_with_another_warning_gets_none_and_a_phrase_in_two_rules_gets_one() {
        assert!(help("Russia, missiles, deal").is_empty());
        assert!(help("Russia and missiles deal").is_empty());
        let twice = "  - {name: a, when: Russia missiles deal}\n  - {name: b, when: oil OR Russia missiles deal}\n";
        assert_eq!(warnings(twice, &STORIES).len(), 1);
    }

    #[test]
    fn what_a_warning_says_to_write_finds_as_many_stories_as_it_says() {
        for when in ["North Korea arms deal", "Korea north deal arms", "Russia missiles deal"] {
            let help = help(when).concat();
            let mut quoted = help.split('`');
            while let (Some(_), Some(expression)) = (quoted.next(), quoted.next()) {
                let query = crate::Query::parse(expression, &mut Vec::new()).expect("it parses");
                let stories = STORIES.map(|text| Story::from_words("Headline", text));
                let found = stories.iter().filter(|story| query.holds(story, &[])).count();
                let said = format!("finds {found}");
                assert!(
                    found > 0
                        && help.split(expression).nth(1).is_some_and(|rest| rest.contains(&said)),
                    "{help}"
                );
            }
        }
    }

    #[test]
    fn of_many_phrases_those_whose_words_are_in_most_stories_are_shown_and_the_rest_counted() {
        let rules: Vec<String> = (0..MOST + 5)
            .map(|number| format!("  - {{name: r{number:02}, when: w{number:02} xx yy}}\n"))
            .collect();
        let sentences: Vec<String> =
            (0..MOST + 5).map(|number| format!("yy xx w{number:02}.")).collect();
        let stories: Vec<String> = (0..MOST + 5).map(|last| sentences[..=last].join(" ")).collect();
        let stories: Vec<&str> = stories.iter().map(String::as_str).collect();
        let found = warnings(&rules.concat(), &stories);
        assert_eq!(found.len(), MOST + 1);
        let shown: Vec<&str> =
            found[..MOST].iter().map(|fault| &fault.source.text[fault.span.clone()]).collect();
        assert_eq!((shown[0], shown[MOST - 1]), ("w00 xx yy", "w09 xx yy"));
        assert_eq!(found[MOST].message, "5 more phrases stand in none of these stories");
    }
}
