//! The story that is to be explained: from the store, an address, a file or standard input.

use std::path::Path;

use url::Url;

use crate::cli::Exit;
use crate::cli::backtest::story_of_line;
use crate::cli::place::{self, Found, fail};
use crate::config::Config;
use crate::daemon::{self, clock::now};
use crate::feed::identity::normalise_link;
use crate::files;
use crate::rule::Carrier;
use crate::store::{Archive, Kept};
use crate::story::{FeedName, Read, Story};

/// A story, as the rules see it.
pub(super) struct Subject {
    pub(super) story: Story,
    pub(super) read: Read,
    /// The feeds that carried it; `None`: nobody knows.
    pub(super) carriers: Option<Vec<Carrier>>,
    /// What became of it, if it is the store's.
    pub(super) kept: Option<Kept>,
}

/// The story called `name`. Why there is none is printed.
pub(super) async fn find(name: &str, config: Option<&Config>) -> Result<Subject, Exit> {
    if name == "-" {
        let mut bytes = Vec::new();
        let read = files::read_to_end(std::io::stdin().lock(), files::DOCUMENT, &mut bytes);
        read.map_err(|why| fail(&format!("standard input cannot be read: {why}"), Exit::Unavailable))?;
        return of_bytes(&bytes, Path::new("standard input"));
    }
    if let Some(subject) = stored(name, config).await? {
        return Ok(subject);
    }
    let path = Path::new(name);
    if path.exists() {
        let bytes = files::read(path, files::DOCUMENT)
            .map_err(|why| fail(&format!("{name} cannot be read: {why}"), Exit::Unavailable))?;
        return of_bytes(&bytes, path);
    }
    match Url::parse(name) {
        Ok(url) if matches!(url.scheme(), "http" | "https" | "file") => {
            only(place::open(&place::means(config)?, name).await?, name)
        }
        _ => {
            eprintln!("error: {name} is neither a story of the store, nor an address, nor a file");
            eprintln!("  help: alerts show a story's link; webhooks and `--format json` show its id as `event`");
            Err(Exit::Usage)
        }
    }
}

/// The store's story of that id or address, if there is a store and it has it.
async fn stored(name: &str, config: Option<&Config>) -> Result<Option<Subject>, Exit> {
    let Some(config) = config.filter(|config| config.store.exists()) else { return Ok(None) };
    let unavailable = |why: &dyn std::fmt::Display| fail(&why.to_string(), Exit::Unavailable);
    let mut archive = Archive::open(&config.store).await.map_err(|why| unavailable(&why))?;
    let link = Url::parse(name).ok().and_then(|url| normalise_link(&url));
    let kept = archive.find(name, link.as_deref()).await.map_err(|why| unavailable(&why))?;
    Ok(kept.map(|kept| {
        let feeds = daemon::known(config).feeds;
        let carriers = kept.stored.feeds.iter().map(|name| carrier(name, &feeds)).collect();
        let read = match (&kept.read, kept.purged) {
            (_, Some(_)) => Read::Teaser("it is older than `retain` keeps stories, and its text is gone".to_owned()),
            (None, None) => Read::Teaser("its page is yet to be read".to_owned()),
            (Some(read), None) => read.clone(),
        };
        Subject { story: kept.stored.story.clone(), read, carriers: Some(carriers), kept: Some(kept) }
    }))
}

/// The feed as rules see it; one that left the configuration has no tags.
fn carrier(name: &FeedName, feeds: &[Carrier]) -> Carrier {
    let known = feeds.iter().find(|feed| feed.name == *name);
    known.cloned().unwrap_or_else(|| Carrier { name: name.clone(), tags: [].into() })
}

/// A page, a feed, JSON or plain text, as its first sign tells.
fn of_bytes(bytes: &[u8], path: &Path) -> Result<Subject, Exit> {
    let name = path.display().to_string();
    let text = String::from_utf8_lossy(bytes);
    match text.trim_start_matches('\u{feff}').trim_start().chars().next() {
        None => Err(fail(&format!("{name} is empty"), Exit::Data)),
        Some('<') => {
            let url = place::file_address(path).ok_or_else(|| fail(&format!("{name} is no file"), Exit::Usage))?;
            only(place::read(bytes, None, &url, &name)?, &name)
        }
        Some('{') => {
            let story = story_of_line(bytes, now()).map_err(|why| fail(&format!("{name}: {why}"), Exit::Data))?;
            Ok(whole(story))
        }
        Some(_) => {
            let (title, body) = split(&text);
            Ok(whole(Story { first_seen: now(), ..Story::of_words(title, body) }))
        }
    }
}

fn whole(story: Story) -> Subject {
    Subject { story, read: Read::Full, carriers: None, kept: None }
}

/// A text's first line and the rest, if an empty line parts them; else the rest is all.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.split_once('\n') {
        Some((title, body)) if body.lines().next().is_some_and(|line| line.trim().is_empty()) => {
            (title.trim(), body.trim())
        }
        _ => ("", text),
    }
}

fn only(found: Found, name: &str) -> Result<Subject, Exit> {
    let count = found.stories.len();
    let mut stories = found.stories.into_iter();
    match (stories.next(), stories.next()) {
        (Some((read, story)), None) => Ok(Subject { story, read, carriers: None, kept: None }),
        (None, _) => Err(fail(&format!("{name} is a feed without a story"), Exit::Data)),
        _ => {
            eprintln!("error: {name} is a feed of {count} stories, and one is explained at a time");
            eprintln!("  help: name the address of one; `tidings try 'EXPR' {name}` looks at all of them");
            Err(Exit::Usage)
        }
    }
}
