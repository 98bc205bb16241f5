//! A request for a feed, a page or `robots.txt`.

use url::Url;

use crate::http::headers::Validators;

/// A request for a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    /// The address. The guard checks it before anything is sent.
    pub url: Url,
    /// The validators of the last answer. They are sent along redirects, as browsers do, because
    /// they belong to the document at the end of the chain.
    pub validators: Validators,
    /// The kind of document.
    pub want: Want,
}

/// The kind of document. It determines the `Accept` header.
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
