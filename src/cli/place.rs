//! What stands at an address or in a file: the stories of a feed, or an article.

use std::io::ErrorKind;
use std::path::Path;

use jiff::tz::TimeZone;
use url::Url;

use crate::cli::{CONFIG, Exit, load};
use crate::config::{Config, Network};
use crate::daemon::clock::now;
use crate::feed::article;
use crate::feed::fetch::{self, Answer, Body, FetchError, Limits, Request, Validators, Want};
use crate::feed::parse::{self, Item};
use crate::notify::Means;
use crate::story::{Read, Story};

/// The stories of one place.
pub(super) struct Found {
    /// The feed's title, else the place as it was named.
    pub(super) source: String,
    /// Each with how much of it is there.
    pub(super) stories: Vec<(Read, Story)>,
}

/// What reaches every address: whoever names one on the command line may reach it, private or not, as with any other program there. Where a
/// configuration is at hand, hosts are asked as it says.
pub(super) fn means(config: Option<&Config>) -> Result<Means, Exit> {
    let everywhere = ["0.0.0.0/0", "::/0"].map(|range| range.parse().expect("a range"));
    let (network, hosts) = config.map(|config| (config.network.clone(), config.hosts.clone())).unwrap_or_default();
    let network = Network { allow: everywhere.to_vec(), ..network };
    Means::new(network, hosts, TimeZone::system()).map_err(|why| fail(&why.to_string(), Exit::Unavailable))
}

/// The same for commands that need no configuration: with the one that is `named`, else with `config.yaml` if it is there. One that is not sound ends the
/// command: who has a proxy would else be seen without it.
pub(super) fn means_at_hand(named: Option<&Path>) -> Result<Means, Exit> {
    let usual = Path::new(CONFIG);
    let is_there = || !usual.symlink_metadata().is_err_and(|why| why.kind() == ErrorKind::NotFound);
    let path = named.or_else(|| is_there().then_some(usual));
    let mut faults = Vec::new();
    let config = path.map(|path| load::config(path, &mut faults)).transpose();
    // What it warns of has nothing to do with the place that is asked for.
    let config = config.inspect_err(|_| load::tell(&faults))?;
    means(config.as_ref())
}

/// The feed or article at `place`, an address or a file. Why there is none is printed.
pub(super) async fn open(means: &Means, place: &str) -> Result<Found, Exit> {
    let answer = answer(means, place).await?;
    let body = answer.body.unwrap_or_default();
    read(&body, answer.content_type.as_deref(), &answer.url, place)
}

/// What comes of asking for `place`, an address or a file. Why nothing does is printed.
pub(super) async fn answer(means: &Means, place: &str) -> Result<Answer, Exit> {
    let url = address(place)?;
    fetched(means, &url).await.map_err(|why| fail(&format!("{place}: {why}"), Exit::Unavailable))
}

/// The feed or article in `body`, which stands at `url` and is called `place`.
pub(super) fn read(body: &[u8], content_type: Option<&str>, url: &Url, place: &str) -> Result<Found, Exit> {
    match parse::parse(body, content_type, url) {
        Ok(document) => {
            let stories = document.items.into_iter().map(|item| (read_of(&item), story(item))).collect();
            Ok(Found { source: document.title.unwrap_or_else(|| place.to_owned()), stories })
        }
        Err(no_feed) => match article::extract(body, content_type, url) {
            Ok(text) => {
                let page = story(Item { text, link: Some(url.clone()), ..Item::default() });
                Ok(Found { source: place.to_owned(), stories: vec![(Read::Full, page)] })
            }
            Err(no_article) => {
                let why = format!("{place} is neither a feed ({no_feed}) nor an article ({no_article})");
                Err(fail(&why, Exit::Data))
            }
        },
    }
}

fn address(place: &str) -> Result<Url, Exit> {
    if let Ok(url) = Url::parse(place)
        && matches!(url.scheme(), "http" | "https" | "file")
    {
        return Ok(url);
    }
    file_address(Path::new(place))
        .ok_or_else(|| fail(&format!("{place} is neither an address nor a file"), Exit::Usage))
}

/// The address of the file at `path`.
pub(super) fn file_address(path: &Path) -> Option<Url> {
    std::path::absolute(path).ok().and_then(|path| Url::from_file_path(path).ok())
}

/// The same for an address, with nothing printed.
pub(super) async fn fetched(means: &Means, url: &Url) -> Result<Answer, FetchError> {
    let validators = Validators::default();
    if url.scheme() == "file" {
        return fetch::read_file(url, &validators).await;
    }
    let request = Request { url: url.clone(), validators, want: Want::Feed };
    let admit = |_| std::future::ready(Ok(()));
    let answer = fetch::fetch(&means.reach, &request, &Limits::default(), now(), admit, |_, _| ()).await?;
    // What is shown to a person is whole, be it a feed or a page.
    match answer.body.as_ref().and_then(Body::broken) {
        Some(why) => Err(why.clone()),
        None => Ok(answer),
    }
}

fn read_of(item: &Item) -> Read {
    if article::is_teaser(item) {
        Read::Teaser("a running Tidings reads the page behind it; here it was not read".to_owned())
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
        source: item.source,
    }
}

/// Prints what went wrong.
pub(super) fn fail(why: &str, exit: Exit) -> Exit {
    eprintln!("error: {why}");
    exit
}
