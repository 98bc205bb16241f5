//! `tidings try`: one expression against one feed or page.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use url::Url;

use crate::alert::{Content, Head, Letter, Receiver, Told};
use crate::cli::{Exit, block_on, count, load};
use crate::config::{ConsoleFormat, Network, Notifier};
use crate::daemon::clock::now;
use crate::feed::article;
use crate::feed::fetch::{self, Answer, FetchError, HostKey, Limits, Request, Validators, Want};
use crate::feed::parse::{self, Item};
use crate::notify::{self, Means, Outcome};
use crate::rule::{Carrier, Query};
use crate::story::{Evidence, FeedName, NotifierName, Read, Severity, Sighting, Story};

/// Says whether `expression` matches what stands at `place`, where, and on which words.
pub(super) fn try_it(expression: &str, place: &str) -> Exit {
    let mut faults = Vec::new();
    let query = Query::parse(expression, &mut faults);
    load::tell(&faults);
    let Some(query) = query else { return Exit::Data };
    match block_on(try_at(expression, &query, place)) {
        Ok(()) => Exit::Ok,
        Err(exit) => exit,
    }
}

async fn try_at(expression: &str, query: &Query, place: &str) -> Result<(), Exit> {
    let url = address(place)?;
    // Whoever names an address on the command line may reach it, private or not, as with any other program there.
    let everywhere = ["0.0.0.0/0", "::/0"].map(|range| range.parse().expect("a range"));
    let network = Network { allow: everywhere.to_vec(), contact: None };
    let means = Means::new(network, TimeZone::system()).map_err(|why| fail(&why.to_string(), Exit::Unavailable))?;
    let answer = fetched(&means, &url).await.map_err(|why| fail(&format!("{place}: {why}"), Exit::Unavailable))?;
    let body = answer.body.unwrap_or_default();
    let content_type = answer.content_type.as_deref();
    let (source, stories) = match parse::parse(&body, content_type, &answer.url) {
        Ok(document) => {
            let items = document.items.into_iter().map(|item| (read_of(&item), story(item))).collect();
            (document.title.unwrap_or_else(|| place.to_owned()), items)
        }
        Err(no_feed) => match article::extract(&body, content_type, &answer.url) {
            Ok(text) => (place.to_owned(), vec![(Read::Full, page(text, &answer.url))]),
            Err(no_article) => {
                let why = format!("{place} is neither a feed ({no_feed}) nor an article ({no_article})");
                return Err(fail(&why, Exit::Data));
            }
        },
    };
    tell(expression, query, &source, &means, stories).await
}

fn address(place: &str) -> Result<Url, Exit> {
    if let Ok(url) = Url::parse(place)
        && matches!(url.scheme(), "http" | "https" | "file")
    {
        return Ok(url);
    }
    let path = std::path::absolute(place).ok().and_then(|path| Url::from_file_path(path).ok());
    path.ok_or_else(|| fail(&format!("{place} is neither an address nor a file"), Exit::Usage))
}

async fn fetched(means: &Means, url: &Url) -> Result<Answer, FetchError> {
    let validators = Validators::default();
    if url.scheme() == "file" {
        return fetch::read_file(url, &validators).await;
    }
    let request = Request { url: url.clone(), validators, want: Want::Feed };
    let admit = |_: HostKey| std::future::ready(());
    fetch::fetch(&means.client, &request, &means.network.allow, &Limits::default(), now(), admit).await
}

fn read_of(item: &Item) -> Read {
    if article::is_teaser(item) {
        Read::Teaser("a running Tidings reads the page behind it, `try` does not".to_owned())
    } else {
        Read::Full
    }
}

fn story(item: Item) -> Story {
    Story {
        title: item.title,
        body: item.text,
        url: item.link.map(Into::into),
        published: item.published,
        first_seen: now(),
        lang: item.lang,
        authors: item.authors,
        tags: item.tags,
    }
}

fn page(body: String, url: &Url) -> Story {
    story(Item { text: body, link: Some(url.clone()), ..Item::default() })
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
        match query.evidence(&story, &carriers) {
            Some(evidence) => {
                matched += 1;
                show(expression, source, means, read, story, evidence).await?;
            }
            None => {
                println!("no match: {}\n  {}\n", title(&story), query.reasons_against(&story, &carriers).join("; "));
            }
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
        version: String::new(),
        severity: Severity::Info,
        why: None,
        owner: None,
        tags: Vec::new(),
        evidence,
    };
    let sighting = Sighting { feed: FeedName(source.to_owned()), url: story.url.clone(), seen: story.first_seen };
    let head = Head {
        title: story.title,
        url: story.url,
        published: story.published,
        first_seen: story.first_seen,
        lang: story.lang,
    };
    let content = Content::Alert { event: String::new(), story: head, read, feeds: vec![sighting], rules: vec![told] };
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

fn title(story: &Story) -> &str {
    if story.title.is_empty() { "(no headline)" } else { &story.title }
}

fn fail(why: &str, exit: Exit) -> Exit {
    eprintln!("error: {why}");
    exit
}
