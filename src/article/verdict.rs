//! Decides whether the text of a page is the article of a story, a part of it, or something else.
//!
//! | what is met | what follows |
//! |---|---|
//! | the link led to a front page, a consent page, a sign-in page or an error page | refused |
//! | the page lists stories, and has not the feed's headline | refused |
//! | the link led to a section, and the page lists stories or says nothing of the story | refused |
//! | the link led to another path, with another headline, and a text of something else | refused |
//! | a headline of such a page above a text that is short or does not tell the story | refused |
//! | a short text with a phrase of such a page, and no story beside that paragraph | refused |
//! | a short text that names cookies in one of fifty words, without the story | refused |
//! | a long text with two phrases of consent that tells nothing of the story | refused |
//! | metadata that the article is not free, or a paywall's phrase, and a text before it | a part |
//! | the same without a text | refused |
//! | hardly any text, the marks of such a page, and nothing of the story | refused |
//! | a short text that names parts of the web in one of 25 words, without the story | refused |
//! | a text with less than one in eight of the telling words of headline and teaser | refused |
//! | hardly any text | a part |
//! | all else | the article |

use unicode_segmentation::UnicodeSegmentation;

use super::content::PartOfArticle;
use super::facts::{PageFacts, PageMark};
use super::feed_texts::FeedTexts;
use super::landing::Landing;
use super::no_article::NoArticle;
use super::phrases::{
    FoundPhrase, PageSign, count_cookies, count_web_words, find_phrases, sign_of_headline, spelled,
};
use tidings_rules::text::sentences;

/// A text with this many words is an article, whatever phrases it has, if it tells the story.
const LONG: usize = 250;

/// A text with fewer words is hardly one. It is only a part.
pub(super) const TOO_LITTLE: usize = 30;

/// A text with fewer words is none.
const FEWEST: usize = 5;

/// The fewest words before a paywall that are the free part of an article.
const FEWEST_FREE: usize = 10;

/// A text with fewer words is refused if the marks of the page say that it is no article.
const LITTLE: usize = 60;

/// The fewest telling words of headline and teaser of which a page must have one in so many: any
/// page, and one to which the link was redirected.
const ANYWHERE: (usize, usize) = (8, 8);
const REDIRECTED: (usize, usize) = (4, 4);

/// A text that names cookies once in so many words speaks of those of the page.
const WORDS_A_COOKIE: usize = 50;

/// How many paragraphs of a long text may hold the note of a paywall, from its end, and how many
/// words such a note has.
const LAST_PARAGRAPHS: usize = 3;
const LONGEST_NOTE: usize = 40;

/// A text of fewer words that names parts of the web once in so many words speaks of its page.
const SHORT: usize = 100;
const WORDS_A_WEB_WORD: usize = 25;

/// What is known of a page beside its text.
#[derive(Clone, Copy, Debug)]
pub(super) struct PageEvidence<'e> {
    /// Where the link led.
    pub(super) landing: Landing,
    /// What the page says of itself.
    pub(super) facts: &'e PageFacts,
    /// What the feed says of the story.
    pub(super) feed: &'e FeedTexts,
}

/// The text of the article in `text`, and why it is only a part of the article if it is.
pub(super) fn judge(
    text: String,
    evidence: PageEvidence<'_>,
) -> Result<(String, Option<PartOfArticle>), NoArticle> {
    let PageEvidence { facts, feed, .. } = evidence;
    let has_headline = feed.has_headline(&facts.headlines);
    if !has_headline && feed.are_known() {
        refuse_elsewhere(&text, evidence)?;
    }
    let is_short = count_words(&text) < LONG;
    let sign = facts.headlines.iter().find_map(|headline| sign_of_headline(headline));
    let is_unsaid = || is_short || feed.are_known() && !feed.are_told_in(&text);
    if let Some(sign) = sign.filter(|_| !has_headline && is_unsaid()) {
        return Err(NoArticle::because(sign.reason()));
    }
    let text = without_signs(text, evidence, has_headline)?;
    let notes = paywall_notes(&text, is_short);
    if facts.shows(PageMark::Sold) || !notes.is_empty() {
        return match free_part(&text, &notes, evidence) {
            Some(text) => Ok((text, Some(PartOfArticle::FreePart))),
            None => Err(NoArticle::because(PageSign::Paywall.reason())),
        };
    }
    let is_told = has_headline || feed.are_told_in(&text);
    let count = count_words(&text);
    if !is_told {
        refuse_marked(count, evidence)?;
        let speaks_of_itself = count < SHORT && count_web_words(&text) * WORDS_A_WEB_WORD >= count;
        if feed.are_known() && count >= FEWEST && speaks_of_itself {
            return Err(NoArticle::because("the page speaks of itself, not of the story"));
        }
        if feed.are_missed_by(&facts.headlines, &text, ANYWHERE) {
            return Err(NoArticle::because("the page says nothing of the story"));
        }
    }
    match count {
        0..FEWEST => {
            Err(NoArticle::Stub(format!("the page holds too little text (words: {count})")))
        }
        FEWEST..TOO_LITTLE => Ok((text, Some(PartOfArticle::FewWords(count)))),
        _ => Ok((text, None)),
    }
}

/// Refuses a page without the feed's headline that lists stories or tells another one.
fn refuse_elsewhere(text: &str, evidence: PageEvidence<'_>) -> Result<(), NoArticle> {
    let PageEvidence { landing, facts, feed } = evidence;
    let listed = facts.blocks.listed(text);
    let is_list = |items: usize, percent: u32| {
        listed.items >= items && listed.in_list * 100 >= listed.words * percent
    };
    let misses = |share: (usize, usize)| feed.are_missed_by(&facts.headlines, text, share);
    let tells_another =
        || misses(ANYWHERE) || facts.shows(PageMark::Headline) && misses(REDIRECTED);
    let has_little = || count_words(text) < TOO_LITTLE && !feed.are_told_in(text);
    let why = match landing {
        Landing::Section if is_list(3, 40) || tells_another() => "the link leads to a section now",
        Landing::Moved if tells_another() => "the link leads to another page now",
        _ if is_list(4, 60) => "the page is a list of other stories",
        _ if facts.blocks.count_teasers() >= 5 && has_little() => {
            "the page is a list of other stories"
        }
        _ => return Ok(()),
    };
    Err(NoArticle::because(why))
}

/// `text` without the paragraphs that ask for consent, check for robots or speak of an error, if
/// what stays tells the story.
fn without_signs(
    text: String,
    evidence: PageEvidence<'_>,
    has_headline: bool,
) -> Result<String, NoArticle> {
    let PageEvidence { feed, .. } = evidence;
    let mut found = find_phrases(&text);
    found.retain(|found| found.sign != PageSign::Paywall);
    let count = count_words(&text);
    let Some(sign) = found.iter().map(|found| found.sign).min() else {
        let names_cookies = count < LONG && count_cookies(&text) * WORDS_A_COOKIE >= count.max(1);
        return if names_cookies && !has_headline && !feed.are_told_in(&text) {
            Err(NoArticle::because(PageSign::Consent.reason()))
        } else {
            Ok(text)
        };
    };
    if count >= LONG {
        let mut consent: Vec<usize> = found
            .iter()
            .filter(|found| found.sign == PageSign::Consent)
            .map(|found| found.phrase)
            .collect();
        consent.dedup();
        let is_told = has_headline || feed.are_told_in(&text);
        return if consent.len() >= 2 && !is_told {
            Err(NoArticle::because(PageSign::Consent.reason()))
        } else {
            Ok(text)
        };
    }
    let rest = without_paragraphs(&text, &found);
    // A page that asks for consent or a password may have the article's headline.
    let trusts_headline =
        found.iter().all(|found| matches!(found.sign, PageSign::Robot | PageSign::Error));
    let is_told = has_headline && trusts_headline || feed.are_told_in(&rest);
    let fewest = if is_told { TOO_LITTLE } else { LITTLE };
    if (is_told || !feed.are_known()) && count_words(&rest) >= fewest {
        Ok(rest)
    } else {
        Err(NoArticle::because(sign.reason()))
    }
}

/// The notes of a paywall. In a long text, they are short and stand at its end.
fn paywall_notes(text: &str, is_short: bool) -> Vec<FoundPhrase> {
    let paragraphs: Vec<&str> = text.split("\n\n").collect();
    let mut notes = find_phrases(text);
    notes.retain(|note| note.sign == PageSign::Paywall);
    if !is_short {
        let first = paragraphs.len().saturating_sub(LAST_PARAGRAPHS);
        notes.retain(|note| {
            note.paragraph >= first
                && paragraphs[note.paragraph].unicode_words().count() <= LONGEST_NOTE
        });
    }
    notes
}

/// The free part of a paid article, if there is one: the text before the first note of the paywall,
/// or what tells the story beside the notes.
fn free_part(text: &str, notes: &[FoundPhrase], evidence: PageEvidence<'_>) -> Option<String> {
    let PageEvidence { facts, feed, .. } = evidence;
    let headlines: Vec<String> = facts.headlines.iter().map(|line| spelled(line)).collect();
    let before = match notes.first() {
        None => text.to_owned(),
        Some(note) => {
            let mut before: Vec<&str> = text.split("\n\n").take(note.paragraph + 1).collect();
            if let Some(last) = before.last_mut() {
                *last = sentences_before_note(last);
            }
            before.retain(|paragraph| !paragraph.is_empty());
            before.join("\n\n")
        }
    };
    let prose = before.split("\n\n").filter(|paragraph| !headlines.contains(&spelled(paragraph)));
    let words: usize = prose.map(|paragraph| paragraph.unicode_words().count()).sum();
    if words >= FEWEST_FREE {
        return Some(before);
    }
    let beside = without_paragraphs(text, notes);
    let is_told = feed.are_told_in(&beside) && count_words(&beside) >= FEWEST_FREE;
    is_told.then_some(beside)
}

/// The sentences of a paragraph before the one with the note of a paywall.
fn sentences_before_note(paragraph: &str) -> &str {
    let has_note =
        |sentence: &str| find_phrases(sentence).iter().any(|found| found.sign == PageSign::Paywall);
    let found = sentences(paragraph).into_iter().find(|place| has_note(&paragraph[place.clone()]));
    found.map_or("", |place| paragraph[..place.start].trim_end())
}

/// Refuses a page of little text whose marks say that it is no article.
fn refuse_marked(count: usize, evidence: PageEvidence<'_>) -> Result<(), NoArticle> {
    let PageEvidence { facts, feed, .. } = evidence;
    if count < LITTLE && feed.are_known() {
        let signs = [
            (PageMark::Password, PageSign::SignIn),
            (PageMark::RobotCheck, PageSign::Robot),
            (PageMark::Consent, PageSign::Consent),
            (PageMark::NoIndex, PageSign::Error),
        ];
        if let Some((_, sign)) = signs.iter().find(|(mark, _)| facts.shows(*mark)) {
            return Err(NoArticle::because(sign.reason()));
        }
    }
    if count < TOO_LITTLE && facts.shows(PageMark::SendsOn) {
        return Err(NoArticle::because("the page sends browsers on with a script"));
    }
    Ok(())
}

/// `text` without the paragraphs of these phrases.
fn without_paragraphs(text: &str, found: &[FoundPhrase]) -> String {
    let paragraphs = text.split("\n\n").enumerate();
    let stays = |number: usize| !found.iter().any(|found| found.paragraph == number);
    let kept = paragraphs.filter(|(number, _)| stays(*number)).map(|(_, paragraph)| paragraph);
    kept.collect::<Vec<_>>().join("\n\n")
}

/// The number of words of `text`, counted up to the largest limit that is used.
pub(super) fn count_words(text: &str) -> usize {
    text.unicode_words().take(LONG).count()
}

#[cfg(test)]
mod tests;
