//! The content of an address or a file: the stories of a feed, or an article.

use std::io::ErrorKind;
use std::path::Path;
use std::sync::Arc;

use url::Url;

use crate::article;
use crate::article::{FetchedPage, PageContent};
use crate::cli::arguments::DEFAULT_CONFIG;
use crate::cli::exit::Exit;
use crate::cli::load;
use crate::cli::moment::shown_zone;
use crate::cli::names::unknown_name;
use crate::cli::output::{fail, fail_with_help};
use crate::cli::pages::PageReader;
use crate::clock::now;
use crate::config::{Config, Network};
use crate::daemon::page::extent;
use crate::feed::document::Item;
use crate::feed::parse;
use crate::http;
use crate::http::{Body, FetchError, HttpAnswer, HttpRequest, Limits, Validators, Want};
use crate::notify::SendContext;
use tidings_rules::story::{Read, Story};

/// The content of a place.
pub(super) enum PlaceContent {
    /// A feed: its title, or else the place as it was named, and its items.
    Feed(String, Vec<Item>),
    /// An article, with its text and headline, and how much of it was read.
    Article(Box<Item>, Read),
}

/// Clients that may reach every address, also private ones, because the user named it. Settings for
/// hosts come from the configuration, if there is one.
pub(super) fn send_context(config: Option<&Config>) -> Result<SendContext, Exit> {
    let everywhere = ["0.0.0.0/0", "::/0"].map(|range| range.parse().expect("a range"));
    let (network, hosts) =
        config.map(|config| (config.network.clone(), config.hosts.clone())).unwrap_or_default();
    let network = Network { allow: everywhere.to_vec(), ..network };
    SendContext::new(network, hosts, shown_zone(config)).map_err(|why| fail(why, Exit::Unavailable))
}

/// Loads the configuration for commands that need none: the `named` one, or `config.yaml` if it
/// exists. A broken configuration ends the command, because a request without its proxy would
/// reveal the user's address.
pub(super) fn load_optional_config(named: Option<&Path>) -> Result<Option<Config>, Exit> {
    let default_path = Path::new(DEFAULT_CONFIG);
    let is_there =
        || !default_path.symlink_metadata().is_err_and(|why| why.kind() == ErrorKind::NotFound);
    let path = named.or_else(|| is_there().then_some(default_path));
    let mut faults = Vec::new();
    let config = path.map(|path| load::read_config(path, &mut faults)).transpose();
    // Its warnings are not about this place.
    config.inspect_err(|_| load::print_faults(&faults))
}

/// Fetches `place`: an address, a file, or the name of a feed of the configuration. Prints why it
/// cannot be fetched.
pub(super) async fn fetch_place(
    send_context: &SendContext,
    config: Option<&Config>,
    place: &str,
) -> Result<HttpAnswer, Exit> {
    let url = place_url(place, config)?;
    fetch_url(send_context, &url)
        .await
        .map_err(|why| fail(format_args!("{place}: {why}"), Exit::Unavailable))
}

/// The feed or article in `body`, which comes from `url`. Errors call it `place`. If a page has
/// another version, `pages` chooses between them. A page in a file is read alone.
pub(super) async fn read_place(
    pages: Option<&PageReader<'_>>,
    body: &[u8],
    content_type: Option<&str>,
    url: &Url,
    place: &str,
) -> Result<PlaceContent, Exit> {
    let no_feed = match parse::parse(body, content_type, url) {
        Ok(document) => {
            return Ok(PlaceContent::Feed(
                document.title.unwrap_or_else(|| place.to_owned()),
                document.items,
            ));
        }
        Err(no_feed) => no_feed,
    };
    // The place may be an address that redirects.
    let asked = Url::parse(place).unwrap_or_else(|_| url.clone());
    let page = FetchedPage { asked: &asked, url, bytes: body, content_type, refresh: None };
    let nothing_said = Arc::default();
    let page = article::read_answer(page, &nothing_said);
    let page = match pages.filter(|_| url.scheme() != "file") {
        Some(pages) => pages.read_on(page, &asked, &nothing_said).await,
        None => page.ended(),
    };
    let PageContent { title, lang, text, part, .. } = page;
    match text {
        Ok(text) => {
            let item = Item { title, text, lang, link: Some(url.clone()), ..Item::default() };
            Ok(PlaceContent::Article(Box::new(item), extent(part)))
        }
        Err(no_article) => {
            let why =
                format!("{place} is neither a feed ({no_feed}) nor an article ({no_article})");
            let help = "rules read the teaser of such a story; `tidings feeds poll FEED` shows it";
            Err(fail_with_help(why, help, Exit::Data))
        }
    }
}

/// The address of `place`, which is an address, a file or the name of a configured feed.
fn place_url(place: &str, config: Option<&Config>) -> Result<Url, Exit> {
    if let Ok(url) = Url::parse(place)
        && matches!(url.scheme(), "http" | "https" | "file")
    {
        return Ok(url);
    }
    let feeds = config.map(|config| config.feeds.as_slice()).unwrap_or_default();
    if let Some(feed) = feeds.iter().find(|feed| feed.name.0 == place) {
        return Ok(feed.url.clone());
    }
    if config.is_some_and(|config| config.receiving.iter().any(|feed| feed.name.0 == place)) {
        let why = format!("the feed {place} has no address: it receives stories");
        return Err(fail(why, Exit::Data));
    }
    let path = Path::new(place);
    // A name with a slash or an extension is a missing file.
    let is_name = path.extension().is_none() && !place.contains('/');
    if is_name && !path.exists() {
        return Err(unknown_name(
            "address, file or feed",
            place,
            feeds.iter().map(|feed| feed.name.0.as_str()),
        ));
    }
    file_url(path).ok_or_else(|| fail(format_args!("{place} has no address"), Exit::Data))
}

/// The address of the file at `path`.
pub(super) fn file_url(path: &Path) -> Option<Url> {
    std::path::absolute(path).ok().and_then(|path| Url::from_file_path(path).ok())
}

/// Fetches an address, without printing errors.
pub(super) async fn fetch_url(
    send_context: &SendContext,
    url: &Url,
) -> Result<HttpAnswer, FetchError> {
    let validators = Validators::default();
    if url.scheme() == "file" {
        return http::read_file(url, &validators).await;
    }
    let request = HttpRequest { url: url.clone(), validators, want: Want::Feed };
    let admit = |_| std::future::ready(Ok(()));
    let answer =
        http::fetch(&send_context.http, &request, &Limits::default(), now(), admit, |_, _| ())
            .await?;
    // A feed or page that broke off is not shown.
    match answer.body.as_ref().and_then(Body::incomplete_because) {
        Some(why) => Err(why.clone()),
        None => Ok(answer),
    }
}

/// The story that rules see for `item`. `lang`: what its page says of its language.
pub(super) fn story_from_item(item: Item, lang: Option<&str>) -> Story {
    let said = [item.lang.as_deref(), lang];
    let lang = article::story_language(&said, &item.title, &item.text);
    Story {
        title: item.title,
        body: item.text,
        url: item.link.map(Into::into),
        published: item.published,
        first_seen: now(),
        lang,
        authors: item.authors,
        tags: item.tags,
        source: item.source,
    }
}
