//! Who may use the web listener of a running daemon: visitors, their roles, and other sites.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, Method, StatusCode};
use sha2::{Digest, Sha256};

use crate::support::setup::{self, Setup, matching_stories};
use crate::support::tidings::RunningTidings;

const READS: &str = "a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1";
const WRITES: &str = "b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0";

/// How long what must happen may take.
const DEADLINE: Duration = Duration::from_secs(20);

/// What browsers ask for when a person opens a page.
const HTML: (&str, &str) = ("accept", "text/html,*/*;q=0.8");

/// A page of the desk sent the request.
const FROM_DESK: (&str, &str) = ("sec-fetch-site", "same-origin");

/// A running Tidings, and how it is asked.
struct RunningDesk {
    setup: Setup,
    tidings: RunningTidings,
    client: Client,
    /// The address and the port.
    address: String,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name).map(|value| value.to_str().expect("a text"));
        value.unwrap_or_default()
    }
}

fn line(role: &str, name: &str, token: &str) -> String {
    format!("{role} {name} {}\n", hex::encode(Sha256::digest(token)))
}

/// Both tokens, as the file has them.
fn tokens() -> String {
    format!("# of the desk\n{}{}", line("read", "ana", READS), line("write", "bo", WRITES))
}

impl RunningDesk {
    /// Runs with these keys of `web` beside `listen`, on a free port of loopback.
    async fn start(keys: &str) -> Self {
        let builder = Client::builder();
        Self::start_at("127.0.0.1:0", keys, |_| builder).await
    }

    async fn start_at(
        listen: &str,
        keys: &str,
        builder: impl FnOnce(&Setup) -> reqwest::ClientBuilder,
    ) -> Self {
        let web = format!("web: {{listen: \"{listen}\", {keys}}}\n");
        let setup =
            Setup::with_config(|config| config.to_owned() + &web, &[("a.yaml", setup::RULE)]).await;
        setup.folder.write("tokens.txt", &tokens());
        setup.server.serve("/feed.xml", matching_stories(&setup.server, []));
        let client = builder(&setup).no_proxy().redirect(reqwest::redirect::Policy::none());
        let mut tidings = setup.folder.run(&[]);
        let said = tidings.wait_for_log(|line| line.contains("web listener: ")).await;
        let address = said.rsplit(' ').next().expect("an address");
        let address = if address.starts_with("unix:") { "localhost" } else { address }.to_owned();
        Self { setup, tidings, client: client.build().expect("a client"), address }
    }

    async fn ask(&self, method: &str, page: &str, headers: &[(&str, &str)], form: &str) -> Answer {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let mut asked = self.client.request(method, format!("http://{}{page}", self.address));
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a value");
            asked = asked.header(name.parse::<HeaderName>().expect("a name"), value);
        }
        let answer = asked.body(form.to_owned()).send().await.expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        Answer { status, headers, text: answer.text().await.expect("a text") }
    }

    async fn status(&self, method: &str, page: &str, headers: &[(&str, &str)]) -> u16 {
        self.ask(method, page, headers, "").await.status.as_u16()
    }

    /// The cookie that `/login` gives for a token.
    async fn cookie(&self, token: &str) -> String {
        let said = self.ask("POST", "/login", &[FROM_DESK], &format!("token={token}")).await;
        assert_eq!(said.status, StatusCode::SEE_OTHER, "{}", said.text);
        said.header("set-cookie").split(';').next().expect("a cookie").to_owned()
    }

    /// Writes a file, and waits until the log says that the change is in force.
    async fn edit(&mut self, name: &str, text: &str, said: &str) {
        let before = self.tidings.log().len();
        self.setup.folder.write(name, text);
        self.tidings.wait_for_log_after(before, |line| line.contains(said)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_other_machines_reach_needs_auth() {
    let web = "web: {listen: \"0.0.0.0:0\"}\n";
    let setup =
        Setup::with_config(|config| config.to_owned() + web, &[("a.yaml", setup::RULE)]).await;
    for command in [&["run"][..], &["check"]] {
        let said = setup.folder.command(command).await;
        assert_eq!(said.code, 78, "{}", said.errors);
        for form in ["tokens_file: tokens.txt", "header: X-Forwarded-User, from: [10.0.0.2]"] {
            assert!(said.errors.contains(form), "{}", said.errors);
        }
    }
    let all = |_: &Setup| Client::builder();
    let desk = RunningDesk::start_at("0.0.0.0:0", "auth: {tokens_file: tokens.txt}", all).await;
    assert_eq!(desk.status("GET", "/metrics", &[]).await, 401);
    assert_eq!(desk.status("GET", "/healthz", &[]).await, 200);
    assert_eq!(desk.setup.folder.command(&["health"]).await.code, 69, "the port is not 0");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_auth_only_pages_of_the_desk_write_and_only_if_the_owner_lets_them() {
    let mut desk = RunningDesk::start("public: \"https://desk.example.org\"").await;
    assert_eq!(desk.status("GET", "/metrics", &[]).await, 200);
    assert_eq!(desk.status("GET", "/metrics", &[("host", "desk.example.org")]).await, 200);
    for host in ["evil.example", "desk.example.org.evil.example", "10.0.0.1"] {
        assert_eq!(desk.status("GET", "/healthz", &[("host", host)]).await, 421, "{host}");
    }
    let refused = desk.ask("POST", "/metrics", &[FROM_DESK], "").await;
    assert_eq!((refused.status.as_u16(), refused.text.as_str()), (403, "You may read only.\n"));

    let config = desk.setup.folder.read("config.yaml").replace("public:", "write: true, public:");
    desk.edit("config.yaml", &config, "configuration in force: web edited").await;
    // The page exists, and is not for POST: the request has passed the gate.
    let own = format!("http://{}", desk.address);
    for headers in [FROM_DESK, ("origin", &own), ("origin", "https://desk.example.org")] {
        assert_eq!(desk.status("POST", "/metrics", &[headers]).await, 405, "{headers:?}");
    }
    for headers in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "none"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("x-a", "b"),
    ] {
        for page in ["/metrics", "/none", "/login", "/logout"] {
            assert_eq!(desk.status("POST", page, &[headers]).await, 403, "{page} {headers:?}");
        }
    }
    let answer = desk.ask("GET", "/login?next=/metrics", &[HTML], "").await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/metrics"));
    assert_eq!(desk.tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answer_has_the_headers_that_keep_other_sites_out() {
    let desk = RunningDesk::start("auth: {tokens_file: tokens.txt}").await;
    let bearer = format!("Bearer {READS}");
    for (page, headers, status) in [
        ("/healthz", &[][..], 200),
        ("/login", &[HTML], 200),
        ("/none", &[HTML], 303),
        ("/metrics", &[], 401),
        ("/metrics", &[("authorization", bearer.as_str())], 200),
        ("/none", &[("authorization", bearer.as_str())], 404),
        ("/healthz", &[("host", "evil.example")], 421),
    ] {
        let answer = desk.ask("GET", page, headers, "").await;
        assert_eq!(answer.status.as_u16(), status, "{page}");
        let policy = answer.header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "trusted-types 'none'",
        ] {
            assert!(policy.split("; ").any(|one| one == part), "{page}: {policy}");
        }
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), value, "{page}");
        }
        assert_eq!(answer.header("access-control-allow-origin"), "", "{page}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_program_shows_its_token_with_each_request() {
    let mut desk = RunningDesk::start("auth: {tokens_file: tokens.txt}").await;
    let refused = desk.ask("GET", "/metrics", &[], "").await;
    assert_eq!((refused.status.as_u16(), refused.header("www-authenticate")), (401, "Bearer"));
    let wrong = desk.ask("GET", "/metrics", &[("authorization", "Bearer x")], "").await;
    let challenge = "Bearer error=\"invalid_token\"";
    assert_eq!((wrong.status.as_u16(), wrong.header("www-authenticate")), (401, challenge));
    let logged = desk.tidings.wait_for_log(|line| line.contains("a wrong token")).await;
    assert!(logged.contains("from 127.0.0.1"), "{logged}");
    let (reads, writes) = (format!("Bearer {READS}"), format!("Bearer {WRITES}"));
    let (reads, writes) = ([("authorization", reads.as_str())], [("authorization", &*writes)]);
    assert_eq!(desk.status("GET", "/metrics", &reads).await, 200);
    assert_eq!(desk.status("POST", "/metrics", &reads).await, 403);
    assert_eq!(desk.status("POST", "/metrics", &writes).await, 405);

    // The roles change places; then both tokens leave.
    let text = tokens().replace("read ana", "WRITE").replace("write bo", "read bo");
    let text = text.replace("WRITE", "write ana");
    desk.edit("tokens.txt", &text, "configuration in force: web edited").await;
    assert_eq!(desk.status("POST", "/metrics", &reads).await, 405);
    assert_eq!(desk.status("POST", "/metrics", &writes).await, 403);
    desk.edit("tokens.txt", "# none\n", "in force: web edited").await;
    desk.tidings.wait_for_log(|line| line.contains("nobody may enter")).await;
    for token in [reads, writes] {
        assert_eq!(desk.status("GET", "/metrics", &token).await, 401);
    }
    assert_eq!(desk.status("GET", "/healthz", &[]).await, 200);
    let log = desk.tidings.log().join("\n");
    assert!(!log.contains(&READS[..8]) && !log.contains(&WRITES[..8]), "{log}");
    assert_eq!(desk.tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_led_to_the_login_and_from_there_to_no_other_server() {
    let mut desk = RunningDesk::start("auth: {tokens_file: tokens.txt}").await;
    let led = desk.ask("GET", "/none?a=\"b\"", &[HTML], "").await;
    assert_eq!(led.header("location"), "/login?next=%2Fnone%3Fa%3D%2522b%2522");
    let form = desk.ask("GET", led.header("location"), &[HTML], "").await;
    assert!(form.text.contains("value=\"&#x2f;none?a=%22b%22\""), "{}", form.text);

    let from_mail = ("sec-fetch-site", "cross-site");
    let step = desk.ask("GET", "/none?a=<b>&c=d", &[HTML, from_mail], "").await;
    assert_eq!((step.status.as_u16(), step.header("location")), (200, ""));
    assert!(step.text.contains("0; url=&#x2f;none?a=%3Cb%3E&amp;c=d\""), "{}", step.text);

    let wrong = || desk.ask("POST", "/login", &[FROM_DESK], "token=x&next=%22%3E");
    let is_fast = tokio::time::timeout(Duration::from_millis(900), wrong()).await.is_ok();
    assert!(!is_fast, "tokens could be tried fast");
    let wrong = wrong().await;
    assert_eq!((wrong.status.as_u16(), wrong.header("set-cookie")), (403, ""));
    assert!(wrong.text.contains("This token is not known."), "{}", wrong.text);
    desk.tidings.wait_for_log(|line| line.contains("a wrong token at /login from 127")).await;

    for (next, expected) in [
        ("/metrics%3Fa", "/metrics?a"),
        ("//evil.example", "/"),
        ("/%5Cevil.example", "/"),
        ("https://evil.example/", "/"),
        ("/%0D%0Aset-cookie:a=b", "/set-cookie:a=b"),
        ("/%09/evil.example", "/"),
        ("", "/"),
    ] {
        let form = format!("token=%20{READS}%0A&next={next}");
        let led = desk.ask("POST", "/login", &[FROM_DESK], &form).await;
        assert_eq!((led.status.as_u16(), led.header("location")), (303, expected), "{next}");
        let cookie = format!("tidings={READS}; Path=/; Max-Age=2592000; HttpOnly; SameSite=Strict");
        assert_eq!(led.header("set-cookie"), cookie);
    }
    let elsewhere = ("origin", "https://evil.example");
    let form = format!("token={READS}");
    assert_eq!(desk.ask("POST", "/login", &[elsewhere], &form).await.header("set-cookie"), "");
    let large = format!("{form}&next={}", "a".repeat(4096));
    assert_eq!(desk.ask("POST", "/login", &[FROM_DESK], &large).await.status.as_u16(), 413);
    assert_eq!(desk.tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_stays_in_until_the_token_is_removed() {
    let mut desk = RunningDesk::start("auth: {tokens_file: tokens.txt}").await;
    let elsewhere = ("sec-fetch-site", "cross-site");
    let (reads, writes) = (desk.cookie(READS).await, desk.cookie(WRITES).await);
    let (reads, writes) = (("cookie", reads.as_str()), ("cookie", writes.as_str()));
    assert_eq!(desk.status("GET", "/metrics", &[reads]).await, 200);
    assert_eq!(desk.status("POST", "/metrics", &[reads, FROM_DESK]).await, 403);
    assert_eq!(desk.status("POST", "/metrics", &[writes, FROM_DESK]).await, 405);
    assert_eq!(desk.status("POST", "/metrics", &[writes, elsewhere]).await, 403);
    assert_eq!(desk.status("POST", "/metrics", &[writes]).await, 403);
    let out = desk.ask("POST", "/logout", &[writes, FROM_DESK], "").await;
    let removed = "tidings=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict";
    assert_eq!((out.header("set-cookie"), out.header("location")), (removed, "/login"));

    desk.edit("tokens.txt", &line("write", "bo", WRITES), "configuration in force: web edited")
        .await;
    assert_eq!(desk.status("GET", "/metrics", &[reads]).await, 401);
    assert_eq!(desk.status("GET", "/none", &[reads, HTML]).await, 303);
    assert_eq!(desk.status("GET", "/metrics", &[writes]).await, 200);

    // A broken file lets nobody else in, and nobody out.
    desk.edit("tokens.txt", &format!("{}write bo x\n", tokens()), "tokens.txt:4:10").await;
    assert_eq!(desk.status("GET", "/metrics", &[reads]).await, 401);
    assert_eq!(desk.status("GET", "/metrics", &[writes]).await, 200);
    assert_eq!(desk.tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_tls_the_cookie_is_for_this_very_host() {
    let keys = "public: \"https://desk.example.org\", auth: {tokens_file: tokens.txt}";
    let mut desk = RunningDesk::start(keys).await;
    let host = ("host", "desk.example.org");
    let origin = ("origin", "https://desk.example.org");
    let led = desk.ask("POST", "/login", &[host, origin], &format!("token={READS}")).await;
    let cookie = led.header("set-cookie").to_owned();
    assert!(cookie.starts_with(&format!("__Host-tidings={READS}; Path=/; ")), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let sent = ("cookie", cookie.split(';').next().expect("a cookie"));
    assert_eq!(desk.status("GET", "/metrics", &[host, sent]).await, 200);
    let plain = format!("tidings={READS}");
    assert_eq!(desk.status("GET", "/metrics", &[host, ("cookie", &plain)]).await, 401);
    assert_eq!(desk.tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_names_the_visitor_and_nobody_else_does() {
    let mut desk = RunningDesk::start("write: true, auth: {header: X-User, from: 127.0.0.1}").await;
    let named = ("x-user", "Žofie");
    assert_eq!(desk.status("GET", "/metrics", &[named]).await, 200);
    assert_eq!(desk.status("GET", "/metrics", &[]).await, 403);
    assert_eq!(desk.status("GET", "/metrics", &[named, named]).await, 400);
    assert_eq!(desk.status("POST", "/metrics", &[named, FROM_DESK]).await, 405);
    assert_eq!(desk.status("POST", "/metrics", &[named]).await, 403);
    let config = desk.setup.folder.read("config.yaml").replace("from: 127.0.0.1", "from: 10.0.0.2");
    desk.edit("config.yaml", &config, "configuration in force: web edited").await;
    assert_eq!(desk.status("GET", "/metrics", &[named]).await, 403);
    assert_eq!(desk.status("GET", "/metrics", &[named, HTML]).await, 403);
    assert_eq!(desk.status("GET", "/healthz", &[]).await, 200);
    assert_eq!(desk.tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_is_open_and_believes_a_proxy_if_it_is_told_so() {
    let socket =
        |setup: &Setup| Client::builder().unix_socket(setup.folder.store().with_file_name("w"));
    let mut desk = RunningDesk::start_at("unix:w", "write: true", socket).await;
    assert_eq!(desk.status("GET", "/metrics", &[("host", "any.example")]).await, 200);
    assert_eq!(desk.status("POST", "/metrics", &[FROM_DESK]).await, 405);
    assert_eq!(desk.status("POST", "/metrics", &[("origin", "http://evil")]).await, 403);
    let config = desk.setup.folder.read("config.yaml");
    let config = config.replace("write: true", "auth: {header: X-User, from: unix}");
    desk.edit("config.yaml", &config, "configuration in force: web edited").await;
    assert_eq!(desk.status("GET", "/metrics", &[]).await, 403);
    assert_eq!(desk.status("GET", "/metrics", &[("x-user", "ana")]).await, 200);
    assert_eq!(desk.status("POST", "/metrics", &[("x-user", "ana"), FROM_DESK]).await, 403);
    assert_eq!(desk.setup.folder.command(&["health"]).await.code, 0);
    assert_eq!(desk.tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_open_stream_shows_nothing_more_once_the_token_is_removed() {
    let mut desk = RunningDesk::start("auth: {tokens_file: tokens.txt}").await;
    assert_eq!(desk.status("GET", "/api/v1/stream", &[]).await, 401);
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, [1]));
    desk.setup.folder.wait_until("SELECT count(*) FROM alert", |alerts| alerts == "1").await;
    let stream = desk.client.get(format!("http://{}/api/v1/stream", desk.address));
    let asked = stream.bearer_auth(READS).header("last-event-id", "0").send();
    let mut answer = asked.await.expect("an answer");
    assert_eq!(answer.status(), StatusCode::OK);
    let mut text = String::new();
    let first = async {
        while !text.contains("event: alert") {
            let piece = answer.chunk().await.expect("a piece").expect("no end");
            text += &String::from_utf8_lossy(&piece);
        }
    };
    tokio::time::timeout(DEADLINE, first).await.expect("an alert in time");
    desk.edit("tokens.txt", &line("write", "bo", WRITES), "configuration in force: web edited")
        .await;
    desk.setup.server.serve("/feed.xml", matching_stories(&desk.setup.server, [1, 2]));
    let end = tokio::time::timeout(DEADLINE, answer.chunk()).await.expect("an end in time");
    assert_eq!(end.expect("a sound end"), None);
    assert_eq!(desk.tidings.terminate().await, 0);
}
