//! Normalises links for the comparison of items.

use url::Url;

use crate::feed::bounded::bounded;

/// The normalised form of a link. `http` becomes `https`. The host is in lower case, without its
/// default port. `utm_*`, `fbclid`, `gclid` and passwords are removed. The fragment stays. A
/// long one is `bounded`. `None` if the link is neither http nor https.
#[must_use]
pub fn normalise_link(link: &Url) -> Option<String> {
    if !matches!(link.scheme(), "http" | "https") {
        return None;
    }
    let port = link.port().map(|port| format!(":{port}")).unwrap_or_default();
    let kept: Vec<&str> =
        link.query().unwrap_or_default().split('&').filter(|pair| !is_tracking(pair)).collect();
    let query = kept.join("&");
    let query = if query.is_empty() { query } else { format!("?{query}") };
    let fragment = link.fragment().map(|fragment| format!("#{fragment}")).unwrap_or_default();
    let (host, path) = (link.host_str()?, link.path());
    Some(bounded(format!("https://{host}{port}{path}{query}{fragment}")))
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with("utm_") || name == "fbclid" || name == "gclid"
}

/// Whether a normalised link can identify a story: it has a path beyond `/`, or a query.
pub(super) fn identifies_story(link: &str) -> bool {
    let after_host =
        link.trim_start_matches("https://").split_once('/').map_or("", |(_, path)| path);
    !after_host.is_empty() && !after_host.starts_with('#')
}
