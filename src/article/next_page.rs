//! Whether a link of an article leads to the next page of the same article.

use url::Url;

/// The largest number of a page that counts. Three pages are read, and the fourth shows that there
/// are more. Larger numbers are mostly those of articles.
const LAST: u32 = 4;

/// Names of queries that number the pages of an article.
const QUERIES: [&str; 10] =
    ["page", "p", "pg", "pag", "paged", "pagina", "seite", "strana", "sivu", "side"];

/// Words before the number of a page in a path.
const WORDS: [&str; 9] = ["page", "p", "pg", "seite", "pagina", "strana", "sivu", "side", "sayfa"];

/// Whether `next` is the page of the article at `page` that follows: on the same host, with the
/// same path and query but for the number of the page. The next article, which many sites name in
/// the same way, has another path.
pub(super) fn is_next_page(page: &Url, next: &Url) -> bool {
    let names_article = page.path() != "/" || page.query().is_some();
    names_article
        && page.host_str() == next.host_str()
        && page.port_or_known_default() == next.port_or_known_default()
        && !(page.scheme() == "https" && next.scheme() == "http")
        && (follows_by_query(page, next) || follows_by_path(page, next))
}

fn follows_by_query(page: &Url, next: &Url) -> bool {
    let ((before, here), (rest, there)) = (query(page), query(next));
    let follows = match there {
        // Some sites count from 0, so that their second page is 1.
        Some(1) => here.is_none(),
        Some(number) => number == here.unwrap_or(1) + 1 && number <= LAST,
        None => false,
    };
    let path = |url: &Url| url.path().trim_end_matches('/').to_owned();
    follows && before == rest && path(page) == path(next)
}

fn follows_by_path(page: &Url, next: &Url) -> bool {
    let (before, here) = split_number(page.path());
    let (path, there) = split_number(next.path());
    let follows = there.is_some_and(|number| number == here.unwrap_or(1) + 1);
    follows && before == path && query(page) == query(next)
}

/// The names and values of the query but for the number of the page and what counts readers, and
/// the number.
fn query(url: &Url) -> (Vec<(String, String)>, Option<u32>) {
    let (mut number, mut rest) = (None, Vec::new());
    for (name, value) in url.query_pairs() {
        // `/?p=7` names an article.
        let is_number = QUERIES.contains(&&*name) && !(name == "p" && url.path() == "/");
        match value.parse() {
            Ok(page) if is_number => number = Some(page),
            _ if name.starts_with("utm_") => {}
            _ => rest.push((name.into_owned(), value.into_owned())),
        }
    }
    (rest, number)
}

/// A path without its number of a page, and the number: `/story/2`, `/story/page/2`,
/// `/story/page-2`, `/story-2.html`, `/story-page-2`, `/story,seite2.html`.
fn split_number(path: &str) -> (String, Option<u32>) {
    let path = path.trim_end_matches('/');
    let whole = || (path.to_owned(), None);
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, extension) = match name.rsplit_once('.') {
        Some((stem, extension)) if extension.chars().any(|c| c.is_ascii_alphabetic()) => {
            (stem, format!(".{extension}"))
        }
        _ => (name, String::new()),
    };
    let bare = stem.trim_end_matches(|c: char| c.is_ascii_digit());
    let number = stem[bare.len()..].parse().ok().filter(|number| (1..=LAST).contains(number));
    let Some(number) = number else { return whole() };
    if bare.is_empty() {
        let is_page = |word: &str| WORDS.contains(&word);
        if number == 1 && !folder.rsplit('/').next().is_some_and(is_page) {
            // The first page of an article has no number, but an article may.
            return whole();
        }
        let (before, word) = folder.rsplit_once('/').unwrap_or(("", folder));
        let path = if is_page(word) { before } else { folder };
        return (format!("{path}{extension}"), Some(number));
    }
    let separators = ['-', '_', ',', '.', '~'];
    let text = bare.trim_end_matches(separators);
    let is_separated = text.len() < bare.len();
    let word = text.rsplit(separators).next().unwrap_or_default();
    let before = text[..text.len() - word.len()].trim_end_matches(separators);
    if WORDS.contains(&word) {
        let slash = if before.is_empty() { "" } else { "/" };
        (format!("{folder}{slash}{before}{extension}"), Some(number))
    } else if is_separated && !extension.is_empty() {
        // Without an extension, `story-2` is mostly another article of that name.
        (format!("{folder}/{text}{extension}"), Some(number))
    } else {
        whole()
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::is_next_page;

    fn follows(page: &str, next: &str) -> bool {
        is_next_page(&page.parse().unwrap(), &next.parse().unwrap())
    }

    #[rstest]
    #[case("https://a.example/x/story", "https://a.example/x/story?page=2")]
    #[case("https://a.example/x/story?id=7", "https://a.example/x/story?id=7&page=2")]
    #[case("https://a.example/x/story?page=2", "https://a.example/x/story?page=3")]
    #[case("https://a.example/x/story?utm_source=rss", "https://a.example/x/story?page=2")]
    #[case("https://a.example/node/4711", "https://a.example/node/4711?page=1")]
    #[case("https://a.example/?p=7", "https://a.example/?p=7&page=2")]
    #[case("https://a.example/x/story", "https://a.example/x/story/2")]
    #[case("https://a.example/x/story/", "https://a.example/x/story/2/")]
    #[case("https://a.example/x/story/2", "https://a.example/x/story/3")]
    #[case("https://a.example/x/story", "https://a.example/x/story/page/2/")]
    #[case("https://a.example/x/story", "https://a.example/x/story/page-2")]
    #[case("https://a.example/x/story", "https://a.example/x/story/seite-2")]
    #[case("https://a.example/x/story/seite-2", "https://a.example/x/story/seite-3")]
    #[case("https://a.example/x/story.html", "https://a.example/x/story-2.html")]
    #[case("https://a.example/x/story-2.html", "https://a.example/x/story-3.html")]
    #[case("https://a.example/x/story.html", "https://a.example/x/story_2.html")]
    #[case("https://a.example/x/story.html", "https://a.example/x/story,seite2.html")]
    #[case("https://a.example/x/story.html", "https://a.example/x/story-page-2.html")]
    #[case("https://a.example/x/4711-story", "https://a.example/x/4711-story/2")]
    fn the_next_page_has_the_same_path(#[case] page: &str, #[case] next: &str) {
        assert!(follows(page, next), "{page} {next}");
    }

    #[rstest]
    #[case::another_article("https://a.example/x/story", "https://a.example/x/other")]
    #[case::another_number("https://a.example/?p=7", "https://a.example/?p=8")]
    #[case::first_number("https://a.example/?p=1", "https://a.example/?p=2")]
    #[case::another_id("https://a.example/news/4711", "https://a.example/news/4712")]
    #[case::another_small_id("https://a.example/news", "https://a.example/news/5")]
    #[case::first_ids("https://a.example/news/1", "https://a.example/news/2")]
    #[case::a_name_used_twice("https://a.example/x/briefing", "https://a.example/x/briefing-2")]
    #[case::a_dated_name("https://a.example/x/day-28.html", "https://a.example/x/day-29.html")]
    #[case::a_page_is_missing("https://a.example/x/story", "https://a.example/x/story?page=3")]
    #[case::the_page_before("https://a.example/x/story/3", "https://a.example/x/story/2")]
    #[case::itself("https://a.example/x/story?page=2", "https://a.example/x/story?page=2")]
    #[case::another_host("https://a.example/x/story", "https://b.example/x/story?page=2")]
    #[case::another_port("https://a.example/x/story", "https://a.example:8443/x/story?page=2")]
    #[case::open_again("https://a.example/x/story", "http://a.example/x/story?page=2")]
    #[case::comments("https://a.example/x/story", "https://a.example/x/story?cpage=2")]
    #[case::comment_pages("https://a.example/x/story", "https://a.example/x/story/comment-page-2")]
    #[case::front_page("https://a.example/", "https://a.example/page/2")]
    #[case::front_page_by_query("https://a.example/", "https://a.example/?page=2")]
    #[case::another_query("https://a.example/x?id=7", "https://a.example/x?id=8&page=2")]
    fn another_article_is_no_next_page(#[case] page: &str, #[case] next: &str) {
        assert!(!follows(page, next), "{page} {next}");
    }
}
