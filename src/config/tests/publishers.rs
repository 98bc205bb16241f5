//! Tests of the names of publishers.

use tidings_rules::condition::Sighting;

use super::*;

#[test]
fn a_name_stands_for_its_domains_and_the_names_that_feeds_give() {
    let config = sound(&with("publishers: {BBC: [bbc.co.uk, BBC News], Yonhap: yna.co.kr}"));
    let by = |source, url| {
        config.publishers.publisher(Sighting { source, url: Some(url), feed: "wire" })
    };
    assert_eq!(by(None, "https://news.bbc.co.uk/1"), "BBC");
    assert_eq!(by(Some("bbc news"), "https://example.org/1"), "BBC");
    assert_eq!(by(None, "https://en.yna.co.kr/1"), "Yonhap");
}

#[test]
fn faults_of_publishers() {
    let said = said_of(&[
        &with("publishers: [bbc.co.uk]"),
        &with("publishers: {BBC: [https://bbc.co.uk/, \"bbc.co.uk:443\"]}"),
        &with("publishers: {AFP: [afp.com], Agence: [AFP.com], Presse: [AFP]}"),
        &with("publishers: {Com: [com], Uk: [co.uk], News: [News], Blogs: [blogspot.com]}"),
        &with("publishers: {A: ['*.x.example', .y.example], B: '*'}"),
        &with("publishers: {A: [], B: {}, C: }"),
        &with("publishers: {A: x.example, a: y.example}"),
        &with("publishers: {\"\": x.example, \" B\": y.example, C: [\"\", \"z\\n\"]}"),
    ]);
    insta::assert_snapshot!(said);
}
