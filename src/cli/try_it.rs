//! `tidings try`: one expression against one feed or page.

use std::collections::BTreeSet;
use std::path::Path;

use futures_util::{StreamExt, stream};

use crate::alerts::{Content, Notification, RuleMatch, StorySummary};
use crate::cli::clauses::TextLayout;
use crate::cli::count::count;
use crate::cli::exit::Exit;
use crate::cli::load::{self, unreadable_rules};
use crate::cli::output;
use crate::cli::pages::{PageReader, ReadDepth};
use crate::cli::place::{self, PlaceContent};
use crate::cli::runtime::block_on;
use crate::clock::now;
use crate::config::Config;
use crate::notify::{self, SendContext};
use crate::rule_files;
use tidings_rules::story::{Evidence, FeedEntry, FeedName, Read, Severity, Story, headline};
use tidings_rules::text::visible_line;
use tidings_rules::{Carrier, Query};

/// The most pages that are read at once.
const AT_ONCE: usize = 16;

/// Prints whether `expression` matches the stories at `place`, where, and on which words; matches
/// come first.
pub(super) fn try_it(
    expression: &str,
    place: &str,
    depth: ReadDepth,
    config: Option<&Path>,
) -> Exit {
    let tried = place::load_optional_config(config).and_then(|config| {
        let query = parse_expression(expression, config.as_ref())?;
        try_place(expression, &query, place, depth, config.as_ref())
    });
    tried.err().unwrap_or(Exit::Ok)
}

/// The query of `expression`, which may name the term lists of the configuration's rules. Prints
/// its faults.
fn parse_expression(expression: &str, config: Option<&Config>) -> Result<Query, Exit> {
    let mut faults = Vec::new();
    let rules = config.map(|config| config.rules.as_path());
    let query = rule_files::parse_query(expression, rules, &mut faults)
        .map_err(|why| unreadable_rules(&why, Exit::Data))?;
    load::print_faults(&faults);
    query.ok_or(Exit::Data)
}

fn try_place(
    expression: &str,
    query: &Query,
    place: &str,
    depth: ReadDepth,
    config: Option<&Config>,
) -> Result<(), Exit> {
    let send_context = place::send_context(config)?;
    let (source, stories) = block_on(read_stories(&send_context, config, place, depth))?;
    let carriers = [Carrier { name: FeedName(source), tags: BTreeSet::new() }];
    let (mut matched, mut others) = (Vec::new(), Vec::new());
    for (read, story) in &stories {
        match query.evidence(story, &carriers) {
            Some(evidence) => {
                matched.push(format_match(
                    expression,
                    &carriers[0].name,
                    &send_context,
                    read,
                    story,
                    evidence,
                ));
            }
            None => {
                others.push(format_refusal(
                    read,
                    story,
                    &query.explain(story, &carriers, read).reasons(),
                    TextLayout::for_stdout(),
                ));
            }
        }
    }
    let summary =
        format!("{} of {} matched", matched.len(), count(stories.len(), "story", "stories"));
    output::print_lines(matched.into_iter().chain(others).chain([summary]))
}

/// The title of the feed, or else the place as it was named, and the stories there.
async fn read_stories(
    send_context: &SendContext,
    config: Option<&Config>,
    place: &str,
    depth: ReadDepth,
) -> Result<(String, Vec<(Read, Story)>), Exit> {
    let answer = place::fetch_place(send_context, config, place).await?;
    let (body, pages) = (answer.body.unwrap_or_default(), PageReader::new(send_context, config));
    let content_type = answer.content_type.as_deref();
    match place::read_place(Some(&pages), &body, content_type, &answer.url, place).await? {
        PlaceContent::Article(item, read) => {
            Ok((place.to_owned(), vec![(read, place::story_from_item(*item, None))]))
        }
        PlaceContent::Feed(source, items) => {
            let read = items.into_iter().map(|item| pages.read_story(item, depth));
            Ok((source, stream::iter(read).buffered(AT_ONCE).collect().await))
        }
    }
}

/// A match as the console notifier shows an alert.
fn format_match(
    expression: &str,
    source: &FeedName,
    send_context: &SendContext,
    read: &Read,
    story: &Story,
    evidence: Vec<Evidence>,
) -> String {
    let rule_match = RuleMatch {
        rule: expression.to_owned(),
        row: None,
        version: String::new(),
        text_sha256: None,
        // It is not shown.
        severity: Severity::Info,
        why: None,
        owner: None,
        tags: Vec::new(),
        condition: None,
        evidence,
    };
    let entry = FeedEntry {
        feed: source.clone(),
        title: story.title.clone(),
        url: story.url.clone(),
        seen: story.first_seen,
    };
    let head = StorySummary {
        opening: headline::made_headline(&story.title, &story.body),
        title: story.title.clone(),
        url: story.url.clone(),
        published: story.published,
        first_seen: story.first_seen,
        lang: story.lang.clone(),
    };
    let (read, feeds, rules) = (read.clone(), vec![entry], vec![rule_match]);
    let content =
        Content::Alert { event: String::new(), story: head, read, update: None, feeds, rules };
    let notification =
        Notification { id: String::new(), created: now(), sent: now(), desk: None, content };
    notify::render_match_for_console(&notification, &send_context.zone)
}

/// A story that does not match, and why not, a reason a line.
fn format_refusal(read: &Read, story: &Story, reasons: &[String], layout: TextLayout) -> String {
    let title = layout.wrap(&visible_line(&story.headline()), "no match: ", 4);
    let reasons = reasons.iter().map(|reason| layout.wrap(&visible_line(reason), "  ", 4));
    let lack =
        (*read != Read::Full).then(|| layout.wrap(&visible_line(&read.to_string()), "  ", 4));
    std::iter::once(title).chain(reasons).chain(lack).collect::<Vec<_>>().join("\n") + "\n"
}
