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
fn a_domain_is_of_one_publisher_and_faults_show_it() {
    for (publishers, said) in [
        ("[bbc.co.uk]", "publishers are written as names with their domains"),
        ("{BBC: [https://bbc.co.uk/]}", "this is neither a domain nor a name"),
        ("{AFP: [afp.com], Agence: [AFP.com]}", "`AFP.com` is of the publisher `AFP` already"),
    ] {
        let (config, faults) = read(&with(&format!("publishers: {publishers}")));
        assert!(config.is_none() && faults.contains(said), "{publishers}: {faults}");
    }
}
