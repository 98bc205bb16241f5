//! Finds the story to explain: in the store, at an address, in a file or on standard input.

use std::path::Path;

use url::Url;

use crate::backtest::stored::carrier_by_name;
use crate::cli::backtest::story_of_line;
use crate::cli::exit::Exit;
use crate::cli::output::{self, fail};
use crate::cli::pages::{PageReader, ReadDepth};
use crate::cli::place::{self, PlaceContent};
use crate::clock::now;
use crate::config::Config;
use crate::feed::document::Item;
use crate::feed::identity::normalise_link;
use crate::files;
use crate::http::HttpAnswer;
use crate::queries::names::known_names;
use crate::store::{Archive, StoryRecord};
use tidings_rules::Carrier;
use tidings_rules::story::{Read, Story};

/// The endings of files that hold a page, whatever they begin with.
const PAGES: [&str; 3] = ["html", "htm", "xhtml"];

/// A story, as the rules see it.
pub(super) struct ExplainSubject {
    pub(super) story: Story,
    pub(super) read: Read,
    /// The feeds that carried it. `None` if they are unknown.
    pub(super) carriers: Option<Vec<Carrier>>,
    /// Its record, if it is in the store.
    pub(super) kept: Option<StoryRecord>,
}

/// Finds the story `name`, and reads its page if `depth` says so. Prints why there is none. For a
/// file, the store is not opened.
pub(super) async fn find_subject(
    name: &str,
    config: Option<&Config>,
    depth: ReadDepth,
) -> Result<ExplainSubject, Exit> {
    if name == "-" {
        let mut bytes = Vec::new();
        let read = files::read_to_end(std::io::stdin().lock(), files::DOCUMENT, &mut bytes);
        read.map_err(|why| {
            fail(format_args!("standard input cannot be read: {why}"), Exit::Unavailable)
        })?;
        return subject_of_bytes(&bytes, Path::new("standard input"), config, depth).await;
    }
    let path = Path::new(name);
    if path.exists() {
        let bytes = files::read_file(path, files::DOCUMENT)
            .map_err(|why| fail(format_args!("{name} cannot be read: {why}"), Exit::Unavailable))?;
        return subject_of_bytes(&bytes, path, config, depth).await;
    }
    if let Some(subject) = find_stored(name, config).await? {
        return Ok(subject);
    }
    if Url::parse(name).is_ok_and(|url| matches!(url.scheme(), "http" | "https" | "file")) {
        return subject_of_address(name, config, depth).await;
    }
    let why = format!("{name} is neither a story of the store, nor an address, nor a file");
    let help = if config.is_some() {
        "alerts show a story's link; webhooks and `--format json` show its id as `event`"
    } else {
        "no store was searched, because there is no configuration; `--config FILE` names one"
    };
    Err(output::fail_with_help(why, help, Exit::Data))
}

/// The story at `address`.
async fn subject_of_address(
    address: &str,
    config: Option<&Config>,
    depth: ReadDepth,
) -> Result<ExplainSubject, Exit> {
    let send_context = place::send_context(config)?;
    let HttpAnswer { body, content_type, url, .. } =
        place::fetch_place(&send_context, config, address).await?;
    let pages = PageReader::new(&send_context, config);
    let (body, content_type) = (body.unwrap_or_default(), content_type.as_deref());
    match place::read_place(Some(&pages), &body, content_type, &url, address).await? {
        PlaceContent::Article(item, read) => Ok(subject_of_article(*item, read)),
        PlaceContent::Feed(_, items) => {
            let (read, story) = pages.read_story(single_item(items, address)?, depth).await;
            Ok(ExplainSubject { story, read, carriers: None, kept: None })
        }
    }
}

/// The story with this id or address, if the store has one.
async fn find_stored(name: &str, config: Option<&Config>) -> Result<Option<ExplainSubject>, Exit> {
    let Some(config) = config else { return Ok(None) };
    let archive = Archive::open_if_any(&config.store).await.map_err(output::unavailable)?;
    let Some(mut archive) = archive else { return Ok(None) };
    let link = Url::parse(name).ok().and_then(|url| normalise_link(&url));
    let kept = archive.find_story(name, link.as_deref()).await.map_err(output::unavailable)?;
    Ok(kept.map(|kept| {
        let feeds = known_names(config).feeds;
        let carriers = kept.stored.feeds.iter().map(|name| carrier_by_name(name, &feeds)).collect();
        let read = match (&kept.stored.read, kept.purged) {
            (_, Some(_)) => Read::Teaser(
                "its text was deleted, because it is older than `retain` keeps stories".to_owned(),
            ),
            (None, None) => Read::Teaser("its page is not read yet".to_owned()),
            (Some(read), None) => read.clone(),
        };
        ExplainSubject {
            story: kept.stored.story.clone(),
            read,
            carriers: Some(carriers),
            kept: Some(kept),
        }
    }))
}

/// The story in a page, a feed, JSON or plain text, detected by its name or its start.
async fn subject_of_bytes(
    bytes: &[u8],
    path: &Path,
    config: Option<&Config>,
    depth: ReadDepth,
) -> Result<ExplainSubject, Exit> {
    let name = path.display().to_string();
    let text = String::from_utf8_lossy(bytes);
    let start = text.trim_start_matches('\u{feff}').trim_start().chars().next();
    let is_page = path
        .extension()
        .is_some_and(|extension| PAGES.iter().any(|page| extension.eq_ignore_ascii_case(page)));
    match start {
        None => Err(fail(format_args!("{name} is empty"), Exit::Data)),
        Some(start) if start == '<' || is_page => {
            subject_of_markup(bytes, path, config, depth).await
        }
        Some('{') => {
            let story = story_of_line(bytes, now())
                .map_err(|why| fail(format_args!("{name}: {why}"), Exit::Data))?;
            Ok(full_subject(story))
        }
        Some(_) => {
            let (title, body) = split_headline(&text);
            Ok(full_subject(Story { first_seen: now(), ..Story::from_words(title, body) }))
        }
    }
}

fn full_subject(story: Story) -> ExplainSubject {
    ExplainSubject { story, read: Read::Full, carriers: None, kept: None }
}

fn subject_of_article(item: Item, read: Read) -> ExplainSubject {
    ExplainSubject { read, ..full_subject(place::story_from_item(item, None)) }
}

/// Splits a text into headline and body, if an empty line follows its first line.
fn split_headline(text: &str) -> (&str, &str) {
    let text = text.trim();
    match text.split_once('\n') {
        Some((title, body)) if body.lines().next().is_some_and(|line| line.trim().is_empty()) => {
            (title.trim(), body.trim())
        }
        _ => ("", text),
    }
}

/// The article, or the only story of the feed, in these bytes of a file. A page is read alone; only
/// for the teaser of a feed something is fetched.
async fn subject_of_markup(
    bytes: &[u8],
    path: &Path,
    config: Option<&Config>,
    depth: ReadDepth,
) -> Result<ExplainSubject, Exit> {
    let name = path.display().to_string();
    let url = place::file_url(path)
        .ok_or_else(|| fail(format_args!("{name} is not a file"), Exit::Usage))?;
    match place::read_place(None, bytes, None, &url, &name).await? {
        PlaceContent::Article(item, read) => Ok(subject_of_article(*item, read)),
        PlaceContent::Feed(_, items) => {
            let send_context = place::send_context(config)?;
            let pages = PageReader::new(&send_context, config);
            let (read, story) = pages.read_story(single_item(items, &name)?, depth).await;
            Ok(ExplainSubject { story, read, carriers: None, kept: None })
        }
    }
}

fn single_item(items: Vec<Item>, name: &str) -> Result<Item, Exit> {
    let count = items.len();
    let mut items = items.into_iter();
    match (items.next(), items.next()) {
        (Some(item), None) => Ok(item),
        (None, _) => Err(fail(format_args!("{name} is a feed without a story"), Exit::Data)),
        _ => {
            let why = format!("{name} is a feed of {count} stories, but `explain` takes one story");
            let help = format!(
                "give the address of one story; `tidings try 'EXPR' {name}` matches all of them"
            );
            Err(output::fail_with_help(why, help, Exit::Usage))
        }
    }
}
