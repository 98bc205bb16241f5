//! Tests of `hosts`, of proxies, and of a feed's settings for its pages.

use rstest::rstest;

use super::*;

fn of_hosts(hosts: &str) -> Config {
    sound(&with(&format!("hosts:\n{hosts}")))
}

fn setting<'c>(config: &'c Config, url: &str) -> Option<&'c HostSetting> {
    config.hosts.setting_for(&url.parse().expect("sound"))
}

#[test]
fn a_host_may_want_headers_cookies_a_proxy_a_name_and_an_old_http() {
    let config = of_hosts(
        "  example.org:\n    headers: {Authorization: \"Bearer ${FEED_KEY}\", Accept-Language: ko}\n    cookies: {session: \"${FEED_KEY}\", a: b c}\n    \
         proxy: \"socks5://ana:${SMTP_PASSWORD}@10.0.0.1:1080\"\n    user_agent: Reader/1.0\n    http1: true\n",
    );
    let setting = setting(&config, "https://example.org/feed").expect("a setting");
    assert_eq!(setting.headers["authorization"], "Bearer f33dk3y");
    assert_eq!(setting.headers["cookie"], "session=f33dk3y; a=b c");
    assert_eq!(
        (&setting.headers["user-agent"], &setting.headers["accept-language"]),
        (&"Reader/1.0".parse().expect("sound"), &"ko".parse().expect("sound"))
    );
    assert_eq!(
        setting.proxy.as_ref().map(ToString::to_string).as_deref(),
        Some("socks5://10.0.0.1:1080")
    );
    assert!(setting.http1);
    let shown = format!("{config:?}");
    assert!(!shown.contains("f33dk3y") && !shown.contains("pa55w0rd"), "{shown}");
}

#[rstest]
#[case("https://example.org/", Some("1"))]
#[case("http://EXAMPLE.org/x", Some("1"))]
#[case("https://example.org:8443/", Some("2"))]
#[case("https://example.org:9999/", None)]
#[case("https://www.example.org/", Some("4"))]
#[case("https://a.b.example.org/", Some("3"))]
#[case("https://a.news.example.org/", Some("5"))]
#[case("https://news.example.org/", Some("3"))]
#[case("https://notexample.org/", None)]
#[case("https://example.org.evil.example/", None)]
#[case("http://127.0.0.1/", Some("6"))]
#[case("http://xn--mnchen-3ya.example/", Some("7"))]
fn the_most_exact_entry_for_a_host_holds_alone(#[case] url: &str, #[case] agent: Option<&str>) {
    let config = of_hosts(
        "  Example.ORG: {user_agent: \"1\"}\n  example.org:8443: {user_agent: \"2\"}\n  \"*.example.org\": {user_agent: \"3\"}\n  \
         www.example.org: {user_agent: \"4\"}\n  \"*.news.example.org\": {user_agent: \"5\"}\n  0x7f.1: {user_agent: \"6\"}\n  \
         münchen.example: {user_agent: \"7\"}\n",
    );
    let found =
        setting(&config, url).map(|setting| setting.headers["user-agent"].to_str().expect("ASCII"));
    assert_eq!(found, agent);
}

#[test]
fn everybodys_proxy_stands_under_network() {
    let config =
        sound(&with("network: {proxy: \"http://ana:${SMTP_PASSWORD}@proxy.example.org:3128\"}"));
    let proxy = config.network.proxy.expect("a proxy");
    assert_eq!(
        (proxy.to_string().as_str(), proxy.0.password()),
        ("http://proxy.example.org:3128", Some("pa55w0rd"))
    );
    assert!(proxy.resolves_names());
}

#[test]
fn pages_may_be_rechecked_twice() {
    let feed = |keys: &str| with(&format!("feeds: [{{url: https://example.org/feed, {keys}}}]"));
    let times = |keys: &str| sound(&feed(keys)).feeds.remove(0).recheck;
    assert_eq!(times("every: 1h"), Vec::<Duration>::new());
    assert_eq!(sound(&feed("full_text: hinted")).feeds[0].full_text, FullText::Hinted);
    assert_eq!(times("recheck: 2h"), [Duration::from_hours(2)]);
    assert_eq!(times("recheck: [24h, 1h]"), [Duration::from_hours(1), Duration::from_hours(24)]);
    insta::assert_snapshot!(said_of(&[
        &feed("recheck: [1h, 2h, 3h]"),
        &feed("recheck: 1m"),
        &feed("recheck: [1h, 7d]"),
        &feed("recheck: soon"),
        &feed("recheck: 1h, full_text: never"),
    ]));
}

#[test]
fn faults_of_hosts() {
    insta::assert_snapshot!(said_of(&[
        &with("hosts: [example.org]"),
        &with(
            "hosts: {https://example.org/: {http1: true}, \"*.127.0.0.1\": {http1: true}, \"a*.example.org\": {http1: true}}"
        ),
        &with("hosts: {example.org: {http1: true}, EXAMPLE.org: {http1: true}}"),
        &with(
            "hosts: {example.org: {headers: {Cookie: pa55w0rd, Host: a, If-None-Match: b, X-A: pa55w0rdé}}}"
        ),
        &with("hosts: {example.org: {cookies: pa55w0rd}}"),
        &with(
            "hosts: {example.org: {cookies: {\"a b\": pa55w0rd, c: \"pa55w0rd; d\", e: \"${NO_SUCH}\"}}}"
        ),
        &with("hosts: {example.org: {proxy: \"ana:pa55w0rd@10.0.0.1:1080\"}}"),
        &with(
            "hosts: {example.org: {proxy: \"https://ana:pa55w0rd@10.0.0.1/\", http1: maybe, agent: pa55w0rd}}"
        ),
        &with("hosts: {\"ana:pa55w0rd@example.org\": {http1: true}}"),
        &with(
            "feeds: [{url: https://example.org/a, headers: {Authorization: pa55w0rd}, proxy: \"socks5://ana:pa55w0rd@10.0.0.1\"}]"
        ),
    ]));
}

#[test]
fn no_line_of_hosts_shows_a_secret_whether_it_is_yaml_or_not() {
    let text = "hosts:
  example.org:
    headers: {Authorization: Bearer S3CR3T, X-Key: S3CR3T}
    cookies:
      session: 'S3CR3T'   # was S3CR3T
    proxy: socks5://ana:S3CR3T@10.0.0.1:1080
    user_agent: Reader/1.0
  \"*.example.org\": {proxy: ana:S3CR3T@10.0.0.1, cookies: S3CR3T, cookie: S3CR3T}
network: {proxy: \"http://S3CR3T@10.0.0.1:1/\"}
";
    insta::assert_snapshot!("hosts_masked", secrets::all_lines_of(text));
    assert!(!secrets::all_lines_of(text).contains("S3CR3T"));
    assert!(!secrets::all_lines_of(&format!("{text}torn: [\n")).contains("S3CR3T"));
}
