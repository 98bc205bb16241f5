//! Links as items are compared by them.

use url::Url;

/// A link as it is compared: https stands for http too, the host is in lower case and without its
/// default port, `utm_*`, `fbclid` and `gclid` and any password are dropped, the fragment is kept.
/// `None` unless http or https.
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
    Some(format!("https://{}{port}{}{query}{fragment}", link.host_str()?, link.path()))
}

fn is_tracking(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default().to_ascii_lowercase();
    name.starts_with("utm_") || name == "fbclid" || name == "gclid"
}

/// Whether a normalised link can stand for a story: it has a path beyond `/`, or a query.
pub(super) fn is_telling(link: &str) -> bool {
    let after_host =
        link.trim_start_matches("https://").split_once('/').map_or("", |(_, path)| path);
    !after_host.is_empty() && !after_host.starts_with('#')
}
