//! `tidings feeds find`: finds the feeds of a site.

use std::collections::HashSet;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use url::Url;

use crate::cli::exit::Exit;
use crate::cli::format::OutputFormat;
use crate::cli::output::{self, fail};
use crate::cli::place;
use crate::cli::runtime::block_on;
use crate::feed::discover::{self, Discovery, NamedFeed};
use crate::http::guard;
use crate::notify::SendContext;
use tidings_rules::text::visible_line;

/// The pause between two requests to a host that is not the user's own.
const GAP: Duration = Duration::from_secs(1);

/// Prints the feeds of a page or site: 65 if there are none, 69 if it cannot be reached.
pub(super) fn find_feeds(
    place: &str,
    format: OutputFormat,
    config: Option<&Path>,
) -> Result<(), Exit> {
    let place = &with_scheme(place);
    let send_context = place::send_context(place::load_optional_config(config)?.as_ref())?;
    let feeds = block_on(async { discover_feeds(&send_context, place).await })?;
    if feeds.is_empty() {
        let why = format!("{place} links no feed, and the usual addresses have none");
        let help =
            "look on the site for a page about RSS; some sites only have feeds of their sections";
        return Err(output::fail_with_help(why, help, Exit::Data));
    }
    output::print_lines(feeds.iter().map(|named| feed_line(named, format)))
}

fn feed_line(NamedFeed { url, title }: &NamedFeed, format: OutputFormat) -> String {
    let title = title.as_deref().map(visible_line);
    match format {
        OutputFormat::Text => {
            format!("{url}{}", title.map(|title| format!("  {title}")).unwrap_or_default())
        }
        OutputFormat::Json => output::json_line(&json!({ "url": url, "title": title })),
    }
}

/// The address of a site that is named without a scheme, such as `example.org`.
fn with_scheme(place: &str) -> String {
    if place.contains("://") { place.to_owned() } else { format!("https://{place}") }
}

/// The page itself if it is a feed, or else the feeds that it links, or else the first feed at a
/// usual address.
async fn discover_feeds(send_context: &SendContext, place: &str) -> Result<Vec<NamedFeed>, Exit> {
    let answer = place::fetch_place(send_context, None, place).await?;
    let (body, url) = (answer.body.unwrap_or_default(), answer.url);
    match discover::discover(&body, answer.content_type.as_deref(), &url) {
        Ok(Discovery::Feed(document)) => Ok(vec![NamedFeed { url, title: document.title }]),
        Ok(Discovery::Page(mut named)) => {
            let of_header =
                discover::named_in_header(answer.links.as_deref().unwrap_or_default(), &url);
            named.splice(0..0, of_header);
            let mut known = HashSet::new();
            named.retain(|feed| known.insert(feed.url.clone()));
            if !named.is_empty() {
                return Ok(named);
            }
            Ok(try_usual_addresses(send_context, &url).await.into_iter().collect())
        }
        Err(why) => {
            Err(fail(format_args!("{place} is neither a page nor a feed: {why}"), Exit::Data))
        }
    }
}

async fn try_usual_addresses(send_context: &SendContext, page: &Url) -> Option<NamedFeed> {
    let is_own = guard::check_url(page, &[]).is_err();
    for url in discover::usual_addresses(page) {
        tokio::time::sleep(if is_own { Duration::ZERO } else { GAP }).await;
        let Ok(answer) = place::fetch_url(send_context, &url).await else { continue };
        let body = answer.body.unwrap_or_default();
        if let Ok(Discovery::Feed(document)) =
            discover::discover(&body, answer.content_type.as_deref(), &answer.url)
        {
            return Some(NamedFeed { url: answer.url, title: document.title });
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::with_scheme;

    #[test]
    fn a_site_is_named_with_or_without_its_scheme() {
        assert_eq!(with_scheme("example.org/news"), "https://example.org/news");
        assert_eq!(with_scheme("http://example.org"), "http://example.org");
    }
}
