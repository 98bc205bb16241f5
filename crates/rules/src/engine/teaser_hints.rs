//! Detects whether the teaser of a story has a word of a rule that may match the whole article.

use std::sync::Arc;

use crate::engine::{Engine, Frequencies, Scratch};
use crate::language::operand::{Choice, Operand};
use crate::language::scope::Scope;
use crate::language::tree::Tree;
use crate::story::Story;
use crate::{Carrier, Rule};

/// The words of the rules that read the body, separately for each rule.
#[derive(Debug)]
pub(crate) struct TeaserHints {
    /// Searches the words of each rule, joined by OR.
    engine: Engine,
    /// The rules, by their numbers in the engine.
    rules: Vec<Arc<Rule>>,
    /// Rules that read the body and have no word. Every teaser may hint at them.
    wordless: Vec<Arc<Rule>>,
}

impl TeaserHints {
    pub(crate) fn new(rules: &[Arc<Rule>]) -> Self {
        let (mut trees, mut worded, mut wordless) = (Vec::new(), Vec::new(), Vec::new());
        for rule in rules.iter().filter(|rule| rule.reads_body) {
            let words = searched_terms(&rule.tree());
            if words.is_empty() {
                wordless.push(Arc::clone(rule));
            } else {
                trees.push(Tree::any(words));
                worded.push(Arc::clone(rule));
            }
        }
        Self { engine: Engine::new(&trees, &Frequencies::default()), rules: worded, wordless }
    }

    /// Whether `story`, which `carriers` carried, has a word, positive or negated, of a rule that
    /// accepts it and reads the body.
    pub(crate) fn found_in(&self, story: &Story, carriers: &[Carrier]) -> bool {
        let accepts = |rule: &Arc<Rule>| rule.accepts(story, carriers);
        let mut scratch = Scratch::new();
        self.wordless.iter().any(accepts)
            || self
                .engine
                .matches(story, carriers, &mut scratch)
                .iter()
                .any(|rule| accepts(&self.rules[*rule as usize]))
    }
}

/// The terms of `tree`, negated or not, that are searched in headline and text.
fn searched_terms(tree: &Tree) -> Vec<Tree> {
    match tree {
        Tree::Term(..) | Tree::List(..) | Tree::Pattern(..) => vec![tree.clone()],
        Tree::Pair(pair, span) => {
            [&pair.left, &pair.right].into_iter().flat_map(|one| choices(one, span)).collect()
        }
        Tree::AtLeast(_, operand, span) => choices(operand, span).collect(),
        Tree::In(scope, branch, span) if scope.reads_body() || *scope == Scope::Title => {
            let words = searched_terms(branch);
            let any = (!words.is_empty())
                .then(|| Tree::In(*scope, Box::new(Tree::any(words)), span.clone()));
            any.into_iter().collect()
        }
        Tree::In(..) | Tree::Compare(..) => Vec::new(),
        Tree::AnyOf(..) | Tree::Within(..) | Tree::And(_) | Tree::Or(_) | Tree::Not(..) => {
            tree.branches().iter().flat_map(searched_terms).collect()
        }
    }
}

fn choices(operand: &Operand, span: &std::ops::Range<usize>) -> impl Iterator<Item = Tree> {
    operand.choices().iter().map(|choice| match choice {
        Choice::Term(term) => Tree::Term(Arc::clone(term), span.clone()),
        Choice::List(list) => Tree::List(Arc::clone(list), span.clone()),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use rstest::rstest;

    use crate::fault::Source;
    use crate::story::{FeedName, Story};
    use crate::{Carrier, RuleTexts, Rules};

    fn hints(rule: &str, story: &Story, feed: &str) -> bool {
        let text =
            format!("terms: {{dprk: [North Korea, DPRK]}}\nrules:\n  - {{name: a, {rule}}}\n");
        let mut faults = Vec::new();
        let rules = vec![std::sync::Arc::new(Source { name: "a.yaml".to_owned(), text })];
        let rules = Rules::load(&RuleTexts { rules, tables: Vec::new() }, None, &mut faults)
            .unwrap_or_else(|| panic!("{faults:?}"));
        rules.has_teaser_hint(
            story,
            &[Carrier { name: FeedName(feed.to_owned()), tags: BTreeSet::new() }],
        )
    }

    #[rstest]
    #[case("Russia AND arms", true)]
    #[case("Russia AND oil", false)]
    #[case("oil AND NOT arms", true)]
    #[case("oil NEAR/3 (grain OR arms)", true)]
    #[case("oil EXCEPT crude oil", false)]
    #[case("ATLEAST/3 (arms OR oil)", true)]
    #[case("ANY/2 (oil, arms, grain)", true)]
    #[case("SENT(oil AND arms)", true)]
    #[case("$dprk AND oil", true)]
    #[case("/freight rates?/ AND arms", true)]
    #[case("title:arms AND oil", false)]
    #[case("title:bridge AND oil", true)]
    #[case("body:bridge AND oil", false)]
    #[case("site:wire.example AND oil", false)]
    #[case("site:wire.example AND words >= 500", true)]
    #[case("title:bridge AND lang:en", false)]
    fn any_word_of_a_rule_that_reads_the_body_is_a_hint(#[case] when: &str, #[case] hint: bool) {
        let url = Some("https://wire.example/1".to_owned());
        let story =
            Story { url, ..Story::from_words("Over the bridge", "The DPRK has arms, some say.") };
        assert_eq!(hints(&format!("when: '{when}'"), &story, "wire"), hint);
    }

    #[test]
    fn rules_that_do_not_accept_a_story_want_nothing_of_it() {
        let story = Story { lang: Some("de".to_owned()), ..Story::from_words("", "arms") };
        for (rule, hint) in
            [("feeds: [wire]", true), ("feeds: [other]", false), ("lang: [en]", false)]
        {
            assert_eq!(
                hints(&format!("when: arms AND oil, {rule}"), &story, "wire"),
                hint,
                "{rule}"
            );
        }
    }
}
