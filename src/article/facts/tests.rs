//! Tests of what a page says of itself.

use rstest::rstest;

use super::*;

fn read(html: &str) -> PageFacts {
    facts(html, &"https://wire.example/news/1".parse().unwrap(), None)
}

fn marks(html: &str) -> Vec<PageMark> {
    read(html).marks.into_iter().collect()
}

fn text(url: Option<&Url>) -> Option<&str> {
    url.map(Url::as_str)
}

#[rstest]
#[case(
    "<html amp lang=en><link rel=canonical href='/a'>",
    true,
    Some("https://wire.example/a"),
    None
)]
#[case(
    "<!doctype html><html ⚡><link REL=Canonical href=//b.example/x>",
    true,
    Some("https://b.example/x"),
    None
)]
#[case(
    "<html><link rel=amphtml href=amp><link rel=amphtml href=b>",
    false,
    None,
    Some("https://wire.example/news/amp")
)]
#[case(
    "<base href=/other/><link rel=amphtml href=amp>",
    false,
    None,
    Some("https://wire.example/other/amp")
)]
#[case("<html><link rel=canonical href='/news/1#top'>", false, None, None)]
#[case(
    "<html><link rel=amphtml href='javascript:x'><link rel=amphtml href='file:///etc/passwd'>",
    false,
    None,
    None
)]
#[case("<html><script>'<link rel=amphtml href=/x>'</script><!-- <html amp> -->", false, None, None)]
#[case("<html><link rel=canonical><link href=/x>", false, None, None)]
fn a_page_names_its_versions(
    #[case] html: &str,
    #[case] is_amp: bool,
    #[case] canonical: Option<&str>,
    #[case] amp: Option<&str>,
) {
    let found = read(html);
    assert_eq!(
        (found.shows(PageMark::Amp), text(found.canonical.as_ref()), text(found.amp.as_ref())),
        (is_amp, canonical, amp)
    );
}

#[rstest]
#[case("<meta http-equiv=refresh content='0; url=/real'>", Some("https://wire.example/real"))]
#[case(
    "<META HTTP-EQUIV=\"Refresh\" CONTENT=\"1;URL='/real'\">",
    Some("https://wire.example/real")
)]
#[case("<META HTTP-EQUIV=REFRESH CONTENT=0;/real>", Some("https://wire.example/real"))]
#[case(
    "<body><p>Moved.<meta http-equiv=refresh content='3;url=real'>",
    Some("https://wire.example/news/real")
)]
#[case(
    "<meta http-equiv=refresh content='0;url=//b.example/1?a=b&amp;c=d'>",
    Some("https://b.example/1?a=b&c=d")
)]
#[case("<meta http-equiv=refresh content='0;url=http://b.example/'>", None)]
#[case("<meta http-equiv=refresh content='0;url=#top'>", None)]
#[case("<meta http-equiv=refresh content='0;url=javascript:x'>", None)]
#[case("<meta http-equiv=refresh content='300;url=/real'>", None)]
#[case("<noscript><meta http-equiv=refresh content='0;url=/old'></noscript>", None)]
#[case("<template><meta http-equiv=refresh content='0;url=/old'></template>", None)]
#[case("<!-- <meta http-equiv=refresh content='0;url=/old'> -->", None)]
#[case("<meta name=refresh content='0;url=/old'>", None)]
fn a_refresh_leads_on(#[case] html: &str, #[case] target: Option<&str>) {
    assert_eq!(text(read(html).refresh.as_ref()), target);
}

#[test]
fn the_header_refresh_counts_if_the_page_has_none() {
    let url: Url = "http://wire.example/news/1".parse().unwrap();
    let target = |html: &str| facts(html, &url, Some("0; url=/real")).refresh.map(String::from);
    assert_eq!(target("<p>Moved.").as_deref(), Some("http://wire.example/real"));
    let html = "<meta http-equiv=refresh content='0;url=http://b.example/'>";
    assert_eq!(target(html).as_deref(), Some("http://b.example/"));
}

#[rstest]
#[case("<link rel=next href='?page=2'>", Some("https://wire.example/news/1?page=2"))]
#[case("<a href='/news/1/2' rel='nofollow NEXT'>Next</a>", Some("https://wire.example/news/1/2"))]
#[case(
    "<link rel=next href=/news/2><a rel=next href='?page=2'>",
    Some("https://wire.example/news/1?page=2")
)]
#[case("<link rel=next title='Another story' href=/news/another-story>", None)]
#[case("<link rel=prev href='?page=2'>", None)]
fn a_next_page_is_named(#[case] html: &str, #[case] next: Option<&str>) {
    assert_eq!(text(read(html).next_page.as_ref()), next);
}

#[test]
fn headlines_are_those_of_the_page_and_not_of_its_drawings() {
    let html = "<title>Harbour\n closes | Wire</title><meta property=og:title content='Harbour closes'>\
        <svg><title>Logo</title></svg><h1><a href=/>Harbour <b>closes</b></a> today</h1><h1>Harbour closes</h1>";
    assert_eq!(marks(html), [PageMark::Headline]);
    assert_eq!(marks("<title>Harbour closes</title>"), []);
    assert_eq!(
        read(html).headlines,
        ["Harbour closes | Wire", "Harbour closes", "Harbour closes today"]
    );
}

#[rstest]
#[case("<script type='application/ld+json'>{\"isAccessibleForFree\":false}</script>", true)]
#[case("<script type=\"application/ld+json\">{\"isAccessibleForFree\":true}</script>", false)]
#[case("<script>var x = {\"isAccessibleForFree\":false}</script>", false)]
#[case("<!-- \"isAccessibleForFree\":false -->", false)]
#[case("<meta itemprop='isAccessibleForFree' content='False'>", true)]
#[case("<link itemprop=isAccessibleForFree href='https://schema.org/False'>", true)]
#[case("<p>Free: <span itemprop='name isAccessibleForFree'>false</span></p>", true)]
#[case("<p>Free: <span itemprop=isAccessibleForFree>true</span> or false</p>", false)]
#[case("<meta property='article:content_tier' content='locked'>", true)]
#[case("<meta property='article:content_tier' content='metered'>", false)]
fn an_article_that_is_not_free_says_so(#[case] html: &str, #[case] sold: bool) {
    assert_eq!(read(html).shows(PageMark::Sold), sold);
}

#[rstest]
#[case("<input type=Password>", &[PageMark::Password])]
#[case("<div class='x SP_Message_container_1'></div>", &[PageMark::Consent])]
#[case("<iframe src='https://cdn.privacy-mgmt.com/index.html'></iframe>", &[PageMark::Consent])]
#[case("<script src='https://challenges.cloudflare.com/x.js'></script>", &[PageMark::RobotCheck])]
#[case("<meta name=Robots content='NOINDEX, follow'>", &[PageMark::NoIndex])]
#[case("<script>window.location.replace('/x');</script>", &[PageMark::SendsOn])]
#[case("<p>location.replace(</p><input type=text><meta name=robots content=index>", &[])]
fn marks_show_what_a_page_asks(#[case] html: &str, #[case] expected: &[PageMark]) {
    assert_eq!(marks(html), expected);
}

#[test]
fn links_and_hidden_texts_are_told_from_the_text() {
    let html = "<title>T</title><style>p{}</style><ul><li><a href=/1>One two three four</a></li></ul>\
        <noscript>Hidden words</noscript><p>Five <a name=x>six</a> seven eight</p>\
        <div><a href=/2>Another headline of four</a></div>";
    let listed = read(html).blocks.listed("One two three four\n\nFive six seven eight");
    assert_eq!((listed.words, listed.in_list, listed.items), (8, 8, 2));
    assert_eq!(read(html).blocks.listed("Hidden words\n\nT").in_list, 0);
}
