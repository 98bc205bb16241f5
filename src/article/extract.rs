//! Extracts the headline and the text of a page's article.

use dom_smoothie::{Config, Readability};
use url::Url;

use super::furniture::without_furniture;
use super::no_article::NoArticle;
use super::simplify::{Hidden, SimplePage, simplify};
use crate::markup::plain::outline::outline;
use crate::markup::shield::catch_panic;
use tidings_rules::text::{visible, visible_line};

/// The most bytes of markup after simplification: some thousand times that of an article.
const MOST_MARKUP: usize = 4 << 20;

/// The most elements of a page after simplification.
const MOST_ELEMENTS: usize = 50_000;

/// The fewest bytes of hidden text that can be an article, or a part of it.
const HIDDEN_ARTICLE: usize = 400;

/// A page's headline, and the text of its article.
#[derive(Debug)]
pub(super) struct Extract {
    pub(super) title: String,
    pub(super) text: String,
}

/// Extracts the article of the page at `url`. Text that the page hides until a script has run is
/// read, too: as the article if there is no other, or as its continuation.
pub(super) fn extract(html: &str, url: &Url) -> Result<Extract, NoArticle> {
    let page = simplify_bounded(html, Hidden::Stays)?;
    let seen = extract_once(&page.html, url);
    if page.hidden < HIDDEN_ARTICLE {
        return seen;
    }
    let all = extract_once(&simplify_bounded(html, Hidden::IsShown)?.html, url);
    match (seen, all) {
        (Ok(seen), Ok(all)) if !stands_for(&seen.text, &all.text) => Ok(seen),
        (seen, all) => all.or(seen),
    }
}

/// Whether `all` stands for `seen`: `seen` is next to nothing, or `all` continues it by half its
/// length at least.
fn stands_for(seen: &str, all: &str) -> bool {
    2 * all.len() >= 3 * seen.len() && (all.starts_with(seen) || seen.len() < HIDDEN_ARTICLE / 2)
}

fn simplify_bounded(html: &str, hidden: Hidden) -> Result<SimplePage, NoArticle> {
    let page = simplify(html, hidden).map_err(|why| NoArticle::because(why.to_string()))?;
    if page.html.len() > MOST_MARKUP {
        return Err(NoArticle::because("the page is too large"));
    }
    Ok(page)
}

fn extract_once(html: &str, url: &Url) -> Result<Extract, NoArticle> {
    let config = Config {
        max_elements_to_parse: MOST_ELEMENTS,
        disable_json_ld: true,
        keep_classes: true,
        ..Config::default()
    };
    let article = catch_panic(|| Readability::new(html, Some(url.as_str()), Some(config))?.parse());
    match article {
        Some(Ok(article)) => {
            let title = visible_line(&article.title).trim().to_owned();
            let text = without_furniture(&outline(&article.content));
            Ok(Extract { title, text: visible(&text).into_owned() })
        }
        Some(Err(_)) => Err(NoArticle::Stub(
            "the page holds no article that can be distinguished from the rest of it".to_owned(),
        )),
        None => Err(NoArticle::because("the page is too damaged to be read")),
    }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::extract;

    const SENTENCE: &str = "The ministry said on Tuesday that the shipment of artillery shells had left the port, though nobody could confirm it.";

    fn paragraphs(count: usize, last: &str) -> String {
        format!("{}<p>{last}</p>", format!("<p>{SENTENCE} {SENTENCE}</p>").repeat(count))
    }

    fn text_of(body: &str) -> String {
        let html = format!("<!doctype html><html><title>Shells</title><body>{body}</body></html>");
        let url = "https://wire.example/a".parse().unwrap();
        extract(&html, &url).map(|extract| extract.text).unwrap_or_default()
    }

    #[rstest]
    #[case("<div id=js_content style='visibility: hidden; opacity: 0'>TEXT</div>")]
    #[case("<article style='display:none'>TEXT</article>")]
    #[case("<article hidden>TEXT</article>")]
    #[case("<div id=root></div><noscript><article>TEXT</article></noscript>")]
    #[case("<x-story><template shadowrootmode=open><article>TEXT</article></template></x-story>")]
    #[case("<article><p>It left.</p><section style='display:none'>TEXT</section></article>")]
    #[case("<article><p>It left.</p><div aria-hidden=true>TEXT</div></article>")]
    fn a_text_that_is_hidden_until_a_script_has_run_is_read(#[case] body: &str) {
        let text = text_of(&body.replace("TEXT", &paragraphs(3, "Zebras saw it.")));
        assert!(text.contains(SENTENCE) && text.contains("Zebras saw it."), "{body}: {text}");
    }

    #[rstest]
    #[case("<nav hidden><a href=/x>Zebras</a></nav>TEXT")]
    #[case(
        "<div style='display:none'><p>Zebras. SENTENCE SENTENCE SENTENCE SENTENCE</p></div>TEXT"
    )]
    #[case("TEXT<div hidden><p>Zebras. SENTENCE SENTENCE SENTENCE SENTENCE</p></div>")]
    fn another_hidden_text_is_left_out(#[case] body: &str) {
        let body = body.replace("TEXT", &paragraphs(6, "The end.")).replace("SENTENCE", SENTENCE);
        let text = text_of(&format!("<article>{body}</article>"));
        assert!(text.contains("The end.") && !text.contains("Zebras"), "{text}");
    }

    #[rstest]
    #[case("<video src=x autoplay>")]
    #[case("<video controls><source src=x><p>No video.")]
    #[case("<audio src=x><button class=x>Share")]
    #[case("<svg viewBox='0 0 9 9'><path d='M0'>")]
    #[case("<canvas id=c>")]
    #[case("<map name=m><area href=x>")]
    #[case("<object data=x><param name=y>")]
    fn an_element_that_is_not_closed_ends_with_the_element_around_it(#[case] open: &str) {
        let text = paragraphs(2, "The start.");
        let end = paragraphs(2, "Zebras saw it.");
        for html in [
            format!("<article>{text}<div>{open}</div>{end}</article>"),
            format!("<div class=bar>{open}</div><article>{text}{end}</article>"),
            format!("<header>{open}</header><article>{text}{end}</article>"),
        ] {
            let text = text_of(&html);
            assert!(text.contains("The start.") && text.contains("Zebras saw it."), "{html}");
        }
    }

    #[rstest]
    #[case("<dl><dt>Ship</dt><dd>of alpha</dd><dt>beta of it</dt><dd>flag</dd></dl>")]
    #[case("<figure><figcaption>Seen: alpha</figcaption></figure>beta was the ship.")]
    #[case("<table><caption>Ships of alpha</caption><tr><td>beta</td><td>7</td></tr></table>")]
    #[case("<address>Office of alpha</address><address>beta quay 7</address>")]
    #[case("<center>Office of alpha</center><center>beta quay 7</center>")]
    #[case("<section><header>Part of alpha</header>beta was the ship, it said.</section>")]
    #[case("<details>The plan of alpha</details><details>beta pays for it</details>")]
    #[case("<details><summary>The plan of alpha</summary>beta pays for it</details>")]
    #[case("<hgroup><p>Office of alpha</p></hgroup>beta quay 7, it said.")]
    #[case("<form><label>It said alpha</label><div>beta quay 7</div></form>")]
    #[case("<p>Office of alpha<br>beta quay 7</p>")]
    #[case("<main><nav>Office of alpha</nav>beta quay</main>")]
    fn blocks_do_not_join_words(#[case] html: &str) {
        let around = paragraphs(2, "The end.");
        let text = text_of(&format!("<article>{around}<div>{html}</div>{around}</article>"));
        assert!(!text.contains("alphabeta") && text.contains("beta"), "{text}");
    }

    #[test]
    fn a_second_article_with_a_headline_is_left_out() {
        let article = |headline: &str, last: &str| {
            format!("<article><h1>{headline}</h1>{}</article>", paragraphs(6, last))
        };
        let next = article("Zebras", "Zebras saw it.");
        let text = text_of(&format!("<main>{}{next}</main>", article("Shells", "The end.")));
        assert!(text.contains("The end.") && !text.contains("Zebras"), "{text}");
        let entry = next.replace("h1", "h2");
        let text = text_of(&format!("<main><h1>Live</h1>{}{entry}</main>", entry.repeat(2)));
        assert!(text.contains("Zebras saw it."), "a live blog has many entries: {text}");
    }

    #[test]
    fn one_long_attribute_costs_only_itself() {
        let picture = format!("<img src='data:image/png;base64,{}'>", "ab/ ".repeat(20_000));
        let text = text_of(&format!("<article>{picture}{}</article>", paragraphs(3, "The end.")));
        assert!(text.contains("The end."), "{text}");
    }
}
