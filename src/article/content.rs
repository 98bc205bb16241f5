//! The content of a page, and how the pages of one story are put together.

use url::Url;

use super::feed_texts::is_same_headline;
use super::no_article::NoArticle;
use super::phrases::spelled;

/// Why a text is only a part of the article, in words that follow "part of the article: ".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartOfArticle {
    /// It is the free part of a paid page.
    #[error("the page is behind a paywall")]
    FreePart,
    /// The page has hardly more text than a teaser: this number of words.
    #[error("the page has only {0} words")]
    FewWords(usize),
    /// The article has more pages than this number, which were read.
    #[error("{}", pages_in_words(*.0))]
    FirstPages(u32),
}

fn pages_in_words(read: u32) -> String {
    match read {
        1 => "page 1 of several was read".to_owned(),
        _ => format!("pages 1 to {read} of several were read"),
    }
}

/// What is to be read after a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NextRead {
    /// The page that an empty page sends browsers to.
    Refresh(Url),
    /// The canonical page of an AMP page, or the AMP page of an empty page.
    OtherVersion(Url),
    /// The next page of the same article.
    NextPage(Url),
}

impl NextRead {
    /// The address to fetch.
    #[must_use]
    pub fn url(&self) -> &Url {
        match self {
            Self::Refresh(url) | Self::OtherVersion(url) | Self::NextPage(url) => url,
        }
    }

    /// The same address, if it may be read after this one. One refresh and one other version are
    /// followed. The pages after the first lead only to further pages.
    fn may_follow(&self, before: &Self) -> bool {
        match before {
            Self::Refresh(_) => !matches!(self, Self::Refresh(_)),
            Self::OtherVersion(_) | Self::NextPage(_) => matches!(self, Self::NextPage(_)),
        }
    }
}

/// The content of a page, or of several pages of one article.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageContent {
    /// The headline of the page. It may be empty.
    pub title: String,
    /// The language that the page says it is in.
    pub lang: Option<String>,
    /// The article's text, with a blank line between paragraphs.
    pub text: Result<String, NoArticle>,
    /// Why the text is only a part of the article. `None` if it is the whole.
    pub part: Option<PartOfArticle>,
    /// What may be read next, in this order.
    pub next: Vec<NextRead>,
    /// The headlines that the page gives in several places.
    pub(super) headlines: Vec<String>,
    /// Whether it has the headline of the feed, or tells what headline or teaser say.
    pub(super) tells_story: bool,
    /// The number of pages in the text.
    pub(super) pages: u32,
}

impl PageContent {
    /// A page without an article and without another version.
    #[must_use]
    pub fn nothing(why: NoArticle) -> Self {
        Self {
            title: String::new(),
            lang: None,
            text: Err(why),
            part: None,
            next: Vec::new(),
            headlines: Vec::new(),
            tells_story: false,
            pages: 1,
        }
    }

    /// Takes what is to be read next.
    pub fn take_next(&mut self) -> Option<NextRead> {
        (!self.next.is_empty()).then(|| self.next.remove(0))
    }

    /// The content once `next`, which was taken from it, was read. `found` is the content there, or
    /// why it cannot be read.
    #[must_use]
    pub fn continued(mut self, next: &NextRead, found: Result<Self, String>) -> Self {
        let found = found.map(|mut found| {
            found.next.retain(|after| after.may_follow(next));
            found
        });
        match (next, found) {
            (NextRead::Refresh(_), Ok(found)) => found,
            (NextRead::Refresh(_), Err(why)) => {
                let why =
                    format!("the page sends browsers on to one that could not be read: {why}");
                Self { text: Err(NoArticle::because(why)), ..self }
            }
            (NextRead::OtherVersion(_), Ok(found)) if found.stands_for(&self) => found,
            (NextRead::OtherVersion(_), _) => self,
            (NextRead::NextPage(_), Ok(found)) => self.joined(found),
            (NextRead::NextPage(_), Err(_)) => {
                self.part = Some(PartOfArticle::FirstPages(self.pages));
                self
            }
        }
    }

    /// The content once nothing more is read.
    #[must_use]
    pub fn ended(mut self) -> Self {
        if self.next.iter().any(|next| matches!(next, NextRead::NextPage(_))) {
            self.part = Some(PartOfArticle::FirstPages(self.pages));
        }
        self.next.clear();
        self
    }

    /// Whether this other version of a page is to be used in its place: it has the same text, or
    /// more where the page has hardly any.
    fn stands_for(&self, page: &Self) -> bool {
        match (&page.text, &self.text) {
            (_, Err(_)) => false,
            (Err(_), Ok(_)) => true,
            (Ok(own), Ok(other)) if matches!(page.part, Some(PartOfArticle::FewWords(_))) => {
                other.len() > own.len() && (self.tells_story || holds(other, own))
            }
            (Ok(own), Ok(other)) => self.part.is_none() && holds(other, own),
        }
    }

    /// The content with the text of the next page. A page under another headline is another
    /// article.
    fn joined(mut self, next: Self) -> Self {
        let (Ok(text), Ok(more)) = (&mut self.text, &next.text) else {
            self.part = Some(PartOfArticle::FirstPages(self.pages));
            return self;
        };
        let is_same =
            |one: &String| next.headlines.iter().any(|other| is_same_headline(one, other));
        if !self.headlines.iter().any(is_same) {
            return self;
        }
        let known: Vec<String> = text.split("\n\n").map(spelled).collect();
        let new = more.split("\n\n").filter(|paragraph| !known.contains(&spelled(paragraph)));
        let new: Vec<&str> = new.collect();
        if new.is_empty() {
            return self;
        }
        for paragraph in new {
            text.push_str("\n\n");
            text.push_str(paragraph);
        }
        self.pages += 1;
        self.part = next.part.filter(|part| *part == PartOfArticle::FreePart);
        self.next = next.next;
        self
    }
}

/// Whether `text` has most of the paragraphs of `other`, by their words.
fn holds(text: &str, other: &str) -> bool {
    let known: Vec<String> = text.split("\n\n").map(spelled).collect();
    let (mut all, mut found) = (0, 0);
    for paragraph in other.split("\n\n").map(spelled) {
        all += paragraph.len();
        found += if known.contains(&paragraph) { paragraph.len() } else { 0 };
    }
    found * 2 > all
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    const ONE: &str = "The harbour stays closed.";
    const TWO: &str = "Crews inspect the northern quay.";
    const THREE: &str = "A report is due in June.";

    fn url(path: &str) -> Url {
        format!("https://wire.example{path}").parse().unwrap()
    }

    fn page(paragraphs: &[&str]) -> PageContent {
        PageContent {
            text: Ok(paragraphs.join("\n\n")),
            headlines: vec!["Harbour closes after storm".to_owned()],
            ..PageContent::nothing(NoArticle::because(""))
        }
    }

    fn leading_on(page: PageContent, path: &str) -> PageContent {
        PageContent { next: vec![NextRead::NextPage(url(path))], ..page }
    }

    /// The page once its next reads give these.
    fn read_on(mut page: PageContent, found: Vec<Result<PageContent, String>>) -> PageContent {
        for found in found {
            let next = page.take_next().expect("more to read");
            page = page.continued(&next, found);
        }
        page.ended()
    }

    #[test]
    fn pages_are_joined_in_order_without_what_they_repeat() {
        let first = leading_on(page(&[ONE, TWO]), "/2");
        let second = leading_on(page(&[ONE, THREE]), "/3");
        let whole = read_on(first.clone(), vec![Ok(second.clone()), Ok(page(&["The end."]))]);
        assert_eq!(whole.text, Ok([ONE, TWO, THREE, "The end."].join("\n\n")));
        assert_eq!(whole.part, None);

        let cut = read_on(first.clone(), vec![Ok(second.clone())]);
        assert_eq!(cut.part, Some(PartOfArticle::FirstPages(2)));
        assert_eq!(cut.part.unwrap().to_string(), "pages 1 to 2 of several were read");
        let alone = read_on(first.clone(), vec![]);
        assert_eq!(alone.part.unwrap().to_string(), "page 1 of several was read");
        let broken = read_on(first.clone(), vec![Err("404".to_owned())]);
        assert_eq!(broken.part, Some(PartOfArticle::FirstPages(1)));
        let empty = PageContent::nothing(NoArticle::because("an error page"));
        assert_eq!(read_on(first.clone(), vec![Ok(empty)]).part, broken.part);
        let sold = PageContent { part: Some(PartOfArticle::FreePart), ..page(&[THREE]) };
        assert_eq!(read_on(first, vec![Ok(sold)]).part, Some(PartOfArticle::FreePart));
    }

    #[test]
    fn another_article_and_the_same_page_are_no_next_pages() {
        let first = leading_on(page(&[ONE, TWO]), "/2");
        let other = PageContent {
            headlines: vec!["Budget passes after debate".to_owned()],
            ..leading_on(page(&[THREE]), "/3")
        };
        let again = leading_on(page(&[ONE, TWO]), "/3");
        for found in [other, again] {
            let read = read_on(first.clone(), vec![Ok(found)]);
            assert_eq!((read.text, read.part), (Ok([ONE, TWO].join("\n\n")), None));
        }
    }

    #[rstest]
    #[case::the_same(&[ONE, TWO], &[ONE, TWO, THREE], true)]
    #[case::most_of_it(&[ONE, TWO, "Ad"], &["Menu", ONE, TWO, THREE], true)]
    #[case::another_text(&[ONE, TWO], &[THREE, "Crews", "The harbour"], false)]
    #[case::half_of_it(&[ONE, THREE, "Seven more words stand here, not there."], &[ONE], false)]
    fn another_version_stands_for_a_page_if_it_says_the_same(
        #[case] own: &[&str],
        #[case] other: &[&str],
        #[case] stands: bool,
    ) {
        let amp = PageContent { next: vec![NextRead::OtherVersion(url("/b"))], ..page(own) };
        let read = read_on(amp, vec![Ok(page(other))]);
        assert_eq!(read.text == Ok(other.join("\n\n")), stands);
        assert_eq!(read.part, None);
    }

    #[test]
    fn a_version_that_is_paid_or_empty_does_not_stand_for_a_whole_page() {
        let amp = PageContent { next: vec![NextRead::OtherVersion(url("/b"))], ..page(&[ONE]) };
        let sold = PageContent { part: Some(PartOfArticle::FreePart), ..page(&[ONE, TWO]) };
        for found in [Ok(sold), Ok(PageContent::nothing(NoArticle::because("x"))), Err("y".into())]
        {
            assert_eq!(read_on(amp.clone(), vec![found]).text, Ok(ONE.to_owned()));
        }
    }

    #[test]
    fn a_page_of_few_words_yields_to_a_longer_version_that_tells_the_story() {
        let short = PageContent {
            part: Some(PartOfArticle::FewWords(5)),
            next: vec![NextRead::OtherVersion(url("/amp"))],
            ..page(&["Live"])
        };
        let other = page(&[ONE, TWO]);
        assert_eq!(read_on(short.clone(), vec![Ok(other.clone())]).text, Ok("Live".to_owned()));
        let told = PageContent { tells_story: true, ..other };
        assert_eq!(read_on(short, vec![Ok(told.clone())]), told);
    }

    #[test]
    fn one_refresh_is_followed_and_what_it_leads_to_says_why_it_is_not_read() {
        let refresh = |path: &str| NextRead::Refresh(url(path));
        let empty = PageContent {
            next: vec![refresh("/a")],
            ..PageContent::nothing(NoArticle::Stub("empty".to_owned()))
        };
        let amp = NextRead::OtherVersion(url("/c"));
        let found = PageContent { next: vec![refresh("/b"), amp.clone()], ..page(&[ONE]) };
        let read = empty.clone().continued(&refresh("/a"), Ok(found));
        assert_eq!((read.text, read.next), (Ok(ONE.to_owned()), vec![amp]));
        let read = empty.continued(&refresh("/a"), Err("the server answered 404".to_owned()));
        assert_eq!(
            read.text.unwrap_err().to_string(),
            "the page sends browsers on to one that could not be read: the server answered 404"
        );
    }
}
