//! `tidings try`: one expression against one feed or page.

use std::collections::BTreeSet;
use std::path::Path;

use crate::alert::{Content, Head, Letter, Receiver, Told};
use crate::cli::clauses::Paper;
use crate::cli::place::{self, fail};
use crate::cli::{Exit, block_on, count, load};
use crate::config::{ConsoleFormat, Notifier};
use crate::daemon::clock::now;
use crate::notify::{self, Means, Outcome, plain};
use crate::rule::{Carrier, Query};
use crate::story::{Evidence, FeedName, NotifierName, Read, Severity, Sighting, Story};

/// Says whether `expression` matches what stands at `place`, where, and on which words.
pub(super) fn try_it(expression: &str, place: &str, config: Option<&Path>) -> Exit {
    let mut faults = Vec::new();
    let query = Query::parse(expression, &mut faults);
    load::tell(&faults);
    let Some(query) = query else { return Exit::Data };
    match block_on(try_at(expression, &query, place, config)) {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

async fn try_at(expression: &str, query: &Query, place: &str, config: Option<&Path>) -> Result<(), Exit> {
    let means = place::means_at_hand(config)?;
    let found = place::open(&means, place).await?;
    tell(expression, query, &found.source, &means, found.stories).await
}

async fn tell(
    expression: &str,
    query: &Query,
    source: &str,
    means: &Means,
    stories: Vec<(Read, Story)>,
) -> Result<(), Exit> {
    let carriers = [Carrier { name: FeedName(source.to_owned()), tags: BTreeSet::new() }];
    let (all, mut matched) = (stories.len(), 0);
    for (read, story) in stories {
        if let Some(evidence) = query.evidence(&story, &carriers) {
            matched += 1;
            show(expression, source, means, read, story, evidence).await?;
        } else {
            let reasons = query.explain(&story, &carriers, &read).reasons();
            println!("{}\n", refused(&story, &reasons, Paper::of_output()));
        }
    }
    println!("{matched} of {} matched", count(all, "story", "stories"));
    Ok(())
}

/// Shows a match as the console notifier shows an alert.
async fn show(
    expression: &str,
    source: &str,
    means: &Means,
    read: Read,
    story: Story,
    evidence: Vec<Evidence>,
) -> Result<(), Exit> {
    let told = Told {
        rule: expression.to_owned(),
        row: None,
        version: String::new(),
        text_sha256: None,
        severity: Severity::Info,
        why: None,
        owner: None,
        tags: Vec::new(),
        evidence,
    };
    let sighting = Sighting {
        feed: FeedName(source.to_owned()),
        title: story.title.clone(),
        url: story.url.clone(),
        seen: story.first_seen,
    };
    let head = Head {
        title: story.title,
        url: story.url,
        published: story.published,
        first_seen: story.first_seen,
        lang: story.lang,
    };
    let (event, feeds) = (String::new(), vec![sighting]);
    let content = Content::Alert { event, story: head, read, update: None, feeds, rules: vec![told] };
    let letter = Letter { id: String::new(), created: now(), content };
    let notifier = Notifier::Console(ConsoleFormat::Text);
    let receiver = Receiver { notifier: NotifierName("console".to_owned()), recipient: String::new() };
    let frozen = notify::render(&notifier, &receiver, &letter, &means.zone).map_err(|why| fail(&why, Exit::Bug))?;
    match notify::send(&notifier, means, &receiver, &letter.id, &frozen, now()).await {
        Outcome::Delivered(_) => Ok(()),
        Outcome::Retry(retry) => Err(fail(&retry.why, Exit::Unavailable)),
        Outcome::Refused(why) | Outcome::Gone(why) => Err(fail(&why, Exit::Bug)),
    }
}

/// A story that does not match, and why not, a reason a line.
fn refused(story: &Story, reasons: &[String], paper: Paper) -> String {
    let title = if story.title.is_empty() { "(no headline)".to_owned() } else { plain(&story.title) };
    let title = paper.wrap(&title, "no match: ", 4);
    let reasons = reasons.iter().map(|reason| paper.wrap(&plain(reason), "  ", 4));
    std::iter::once(title).chain(reasons).collect::<Vec<_>>().join("\n")
}
