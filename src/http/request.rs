//! A request for a feed, a page or `robots.txt`.

use url::Url;

use crate::http::headers::Validators;

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// Where. Checked by the guard before anything is sent.
    pub url: Url,
    /// What the last answer gave, to be sent back. Along redirects too, as browsers do: they belong
    /// to what the chain ends at.
    pub validators: Validators,
    /// What kind of document is wanted.
    pub want: Want,
}

/// What kind of document is wanted: the `Accept` header follows from it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// A feed.
    Feed,
    /// An article page.
    Page,
    /// `robots.txt`.
    Robots,
}

impl Want {
    pub(super) fn accept(self) -> &'static str {
        match self {
            Self::Feed => {
                "application/atom+xml, application/rss+xml, application/feed+json, application/rdf+xml;q=0.9, \
                 application/xml;q=0.9, text/xml;q=0.9, application/json;q=0.8, */*;q=0.1"
            }
            Self::Page => "text/html, application/xhtml+xml, */*;q=0.1",
            Self::Robots => "text/plain, */*;q=0.1",
        }
    }
}
