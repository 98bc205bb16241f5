//! Resolves the links of feeds to addresses of pages.

use url::Url;

/// Makes `link` absolute against `base`. `None` unless it is `http` or `https`, or `file` in a feed
/// that is a file. A link through the counter of a search engine becomes that of its page.
pub(crate) fn resolve(link: &str, base: &Url) -> Option<Url> {
    let link = link.trim();
    let mut url = base.join(link).ok().filter(|_| !link.is_empty())?;
    // A relative link gets the feed's user and password, which must not be stored or shown.
    url.set_username("").and_then(|()| url.set_password(None)).ok();
    let is_page = matches!(url.scheme(), "http" | "https")
        || url.scheme() == "file" && base.scheme() == "file";
    is_page.then(|| behind_counter(&url).unwrap_or(url))
}

/// The page behind a link of Google Alerts or Bing News.
fn behind_counter(url: &Url) -> Option<Url> {
    let is_counter = match url.path() {
        "/url" => url.host_str()?.starts_with("www.google."),
        "/news/apiclick.aspx" => matches!(url.host_str()?, "www.bing.com" | "bing.com"),
        _ => false,
    };
    let page = url.query_pairs().find(|(name, _)| is_counter && matches!(&**name, "url" | "q"))?.1;
    page.parse().ok().filter(|page: &Url| matches!(page.scheme(), "http" | "https"))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::resolve;

    #[rstest]
    #[case("/a?x=1", "https://wire.example/a?x=1")]
    #[case(" ../b ", "https://wire.example/b")]
    #[case("//other.example/c", "https://other.example/c")]
    #[case(
        "https://www.google.com/url?rct=j&url=https://a.example/1%3Fid%3D7&ct=ga",
        "https://a.example/1?id=7"
    )]
    #[case(
        "http://www.bing.com/news/apiclick.aspx?ref=x&url=https%3a%2f%2fa.example%2f1",
        "https://a.example/1"
    )]
    #[case(
        "https://www.google.com/url?url=javascript:x",
        "https://www.google.com/url?url=javascript:x"
    )]
    #[case(
        "https://a.example/url?url=https://b.example/",
        "https://a.example/url?url=https://b.example/"
    )]
    fn links_lead_to_pages(#[case] link: &str, #[case] page: &str) {
        let base = "https://user:word@wire.example/news/feed".parse().unwrap();
        assert_eq!(resolve(link, &base).unwrap().as_str(), page);
    }

    #[rstest]
    #[case("")]
    #[case("javascript:x")]
    #[case("file:///etc/passwd")]
    fn others_lead_nowhere(#[case] link: &str) {
        assert_eq!(resolve(link, &"https://wire.example/".parse().unwrap()), None);
    }
}
