//! How a running Tidings shows that it runs: `status`, the web listener and systemd's protocol.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::support::http::{Raw, Response, Then};
use crate::support::service_manager::{wait_for_notice, with_service_manager};
use crate::support::setup::{self, Setup, matching_stories};
use crate::support::tls::Ca;

/// A setup with a web listener, and the listener's address.
async fn with_web() -> (Setup, String) {
    let address = setup::free_address();
    let web = format!("web: {{listen: \"{address}\"}}\n");
    let setup =
        Setup::with_config(|config| config.to_owned() + &web, &[("arms.yaml", setup::RULE)]).await;
    (setup, address)
}

async fn get(address: &str, page: &str) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let answer = client.get(format!("http://{address}{page}")).send().await.expect("an answer");
    (answer.status().as_u16(), answer.text().await.expect("a text"))
}

/// The value of a metric with its labels.
fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().expect("a number")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_daemon_answers_for_its_health_and_its_metrics() {
    let (setup, address) = with_web().await;
    let Setup { server, folder, mail } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1, 2]));
    let said = folder.command(&["health"]).await;
    assert_eq!((said.code, said.output.as_str()), (69, ""), "{}", said.errors);
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 2).await;
    mail.wait_for(2).await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE status = 'sent'", |sent| sent == "4")
        .await;

    for page in ["/healthz", "/readyz"] {
        assert_eq!(get(&address, page).await, (200, "{\"ok\":true,\"problems\":[]}\n".to_owned()));
    }
    assert_eq!(get(&address, "/none").await.0, 404);
    let said = folder.command(&["health", "--ready"]).await;
    assert_eq!((said.code, said.output.as_str()), (0, "{\"ok\":true,\"problems\":[]}\n"));

    let (_, metrics) = get(&address, "/metrics").await;
    for (name, value) in [
        ("tidings_alerts_total{severity=\"medium\"}", 2.0),
        ("tidings_stories_total{status=\"matched\"}", 2.0),
        ("tidings_attempts_total{notifier=\"hook\",outcome=\"sent\"}", 2.0),
        ("tidings_delivery_delay_seconds_count{notifier=\"desk\"}", 2.0),
        ("tidings_notifier_up{notifier=\"desk\"}", 1.0),
        ("tidings_feeds{state=\"well\"}", 1.0),
        ("tidings_feeds{state=\"failing\"}", 0.0),
        ("tidings_rules", 1.0),
        ("tidings_rules_last_reload_successful", 1.0),
        ("tidings_stories_waiting", 0.0),
        ("tidings_store_errors_total", 0.0),
        ("tidings_messages{state=\"dead\"}", 0.0),
        ("tidings_pages_total{result=\"partial\"}", 0.0),
        ("tidings_polls_total{result=\"failed\"}", 0.0),
    ] {
        assert!((metric(&metrics, name) - value).abs() < 0.1, "{name} in {metrics}");
    }
    for name in [
        "tidings_polls_total{result=\"read\"}",
        "tidings_poll_duration_seconds_count",
        "tidings_match_duration_seconds_count",
        "tidings_store_commit_duration_seconds_count",
        "process_resident_memory_bytes",
        "process_start_time_seconds",
        "process_open_fds",
    ] {
        assert!(metric(&metrics, name) > 0.0, "{name} in {metrics}");
    }
    assert!(metrics.contains("tidings_build_info{version="), "{metrics}");
    assert!(
        !metrics.contains("wire-1") && !metrics.contains("arms"),
        "no feed, no rule: {metrics}"
    );
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_names_another_host_gets_no_answer() {
    let (setup, address) = with_web().await;
    let mut tidings = setup.folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("web listener: ")).await;
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let ask =
        |host: &str| client.get(format!("http://{address}/metrics")).header("host", host).send();
    assert_eq!(ask("evil.example").await.expect("an answer").status(), 421);
    assert_eq!(ask("localhost:1").await.expect("an answer").status(), 200);
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_web_listener_may_be_a_socket_and_replaces_one_that_a_killed_run_left() {
    let setup = Setup::with_config(
        |config| config.to_owned() + "web: {listen: \"unix:web.sock\"}\n",
        &[("arms.yaml", setup::RULE)],
    )
    .await;
    for _ in 0..2 {
        let mut tidings = setup.folder.run(&[]);
        tidings.wait_for_log(|line| line.contains("web listener: unix:")).await;
        assert_eq!(setup.folder.command(&["health"]).await.code, 0);
        tidings.kill9().await;
    }
}

/// Clients that never end their request, more than the listener holds.
#[tokio::test(flavor = "multi_thread")]
async fn clients_that_hold_connections_delay_neither_answers_nor_deliveries_nor_the_stop() {
    let (setup, address) = with_web().await;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, []));
    let mut tidings = setup.folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("web listener: ")).await;
    let mut held = Vec::new();
    for number in 0..500 {
        let mut client = TcpStream::connect(&address).expect("a connection");
        let start: &[u8] = if number % 2 == 0 { b"" } else { b"GET /metrics HTTP/1.1\r\nHost: " };
        client.write_all(start).expect("sent");
        held.push(client);
    }
    assert_eq!(get(&address, "/healthz").await.0, 200);
    let (_, metrics) = get(&address, "/metrics").await;
    assert!(metric(&metrics, "process_open_fds") < 200.0, "{metrics}");
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    setup.server.wait_for("/hook", 1).await;
    let mut last = held.pop().expect("a client");
    assert_eq!(tidings.terminate().await, 0);
    last.set_read_timeout(Some(crate::support::DEADLINE)).expect("a socket");
    assert!(!matches!(last.read(&mut [0]), Ok(1..)), "it gets no answer");
}

/// Each gets an answer that is no success, or none, and the connection ends.
#[tokio::test(flavor = "multi_thread")]
async fn bytes_that_are_no_request_get_a_refusal() {
    let (setup, address) = with_web().await;
    let mut tidings = setup.folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("web listener: ")).await;
    let query = format!("GET /metrics?{} HTTP/1.1\r\n\r\n", "q".repeat(10 << 20));
    let header = format!("GET /metrics HTTP/1.1\r\nX: {}\r\n\r\n", "h".repeat(10 << 20));
    let host = "Host: localhost\r\nConnection: close\r\n";
    let body = format!("POST /metrics HTTP/1.1\r\n{host}Content-Length: 9\r\n\r\nnine bytes");
    let path = format!("GET /../../etc/passwd HTTP/1.1\r\n{host}\r\n");
    for (bytes, answer) in [
        ("\x16\x03\x01\x02\0\r\n\r\n", "HTTP/1.1 400 "),
        ("GET /healthz\r\n\r\n", "HTTP/1.1 400 "),
        ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ""),
        ("GET /healthz HTTP/1.0\r\n\r\n", "HTTP/1.0 421 "),
        ("GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n", "HTTP/1.0 200 "),
        (&query, "HTTP/1.1 431 "),
        (&header, "HTTP/1.1 431 "),
        (&body, "HTTP/1.1 403 "),
        (&path, "HTTP/1.1 404 "),
    ] {
        let mut client = TcpStream::connect(&address).expect("a connection");
        client.set_read_timeout(Some(crate::support::DEADLINE)).expect("a socket");
        // The refusal may come before all is sent.
        client.write_all(bytes.as_bytes()).ok();
        let mut text = Vec::new();
        client.read_to_end(&mut text).ok();
        let text = String::from_utf8_lossy(&text);
        let start = &bytes[..bytes.len().min(40)];
        assert!(text.starts_with(answer), "{start:?}: {text}");
    }
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_where_nothing_can_listen_is_told() {
    let (setup, address) = with_web().await;
    let _taken = std::net::TcpListener::bind(&address).expect("it is free");
    let said = setup.folder.command(&["run"]).await;
    assert_eq!(said.code, 69);
    assert!(said.errors.contains(&format!("`web.listen`: {address} cannot be listened on")));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_store_that_cannot_be_written_makes_it_unready_and_not_unwell() {
    let (setup, address) = with_web().await;
    let mut tidings = setup.folder.run_with_limits();
    tidings.wait_for_log(|line| line.contains("web listener: ")).await;
    assert_eq!(get(&address, "/readyz").await.0, 200);
    tidings.limit_files(Some(0));
    let unready = async {
        while get(&address, "/readyz").await.0 == 200 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    tokio::time::timeout(crate::support::DEADLINE, unready).await.expect("it is unready");
    let (status, why) = get(&address, "/readyz").await;
    assert_eq!(status, 503);
    assert!(why.contains("the store has not been written for"), "{why}");
    assert_eq!(get(&address, "/healthz").await.0, 200);
    tidings.kill9().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn status_says_what_runs_and_what_needs_attention() {
    let setup = Setup::new().await;
    let Setup { server, folder, .. } = &setup;
    let said = folder.command(&["status"]).await;
    assert_eq!(said.code, 69);
    assert!(said.errors.contains("Tidings has not run yet"), "{}", said.errors);

    server.serve("/feed.xml", matching_stories(server, [1]));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    folder
        .wait_until("SELECT count(*) FROM message WHERE status = 'sent'", |sent| sent == "2")
        .await;
    let said = folder.command(&["status"]).await;
    assert_eq!(said.code, 0, "{}", said.output);
    assert!(said.output.contains("feeds     1 well\n"), "{}", said.output);
    assert!(said.output.contains("messages  all are sent\n"), "{}", said.output);

    let sound = folder.read("config.yaml");
    folder.write("config.yaml", &sound.replace("every: 1s", "evry: 1s"));
    tidings.wait_for_log(|line| line.contains("until its file is corrected")).await;
    folder.write("broken.yaml", &sound);
    folder
        .wait_until("SELECT coalesce(reload_error, '') FROM run", |why| why.contains("evry"))
        .await;
    server.serve("/hook", Response::status(500));
    server.serve("/feed.xml", matching_stories(server, [1, 2]));
    folder.wait_until("SELECT count(*) FROM health", |away| away == "1").await;
    let said = folder.bare_command(&["status", "--config", "broken.yaml"]).await;
    assert_eq!(said.code, 1);
    assert!(said.output.contains("the last edit is not in force: "), "{}", said.output);
    assert!(said.output.contains("attention hook takes no messages: "), "{}", said.output);
    let said =
        folder.bare_command(&["status", "--config", "broken.yaml", "--format", "json"]).await;
    let json: serde_json::Value = serde_json::from_str(&said.output).expect("JSON");
    assert_eq!(json["run"]["running"], true);
    assert_eq!(json["feeds_by_health"]["well"], 1);
    assert_eq!(json["messages"][0]["pending"], 1);

    folder.write("config.yaml", &sound);
    folder.wait_until("SELECT coalesce(reload_error, 'none') FROM run", |why| why == "none").await;
    assert_eq!(tidings.terminate().await, 0);
    let said = folder.command(&["status"]).await;
    assert_eq!(said.code, 1);
    assert!(said.output.contains("Tidings does not run: it was stopped"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_run_is_told_at_once_and_a_broken_configuration_hides_nothing() {
    let (setup, address) = with_web().await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1]));
    let mut tidings = folder.run(&[]);
    server.wait_for("/hook", 1).await;
    folder.write("config.yaml", "feeds: [\n");
    tidings.wait_for_log(|line| line.contains("until its file is corrected")).await;
    let (store, place) = (folder.store_argument(), address.trim_start_matches("http://"));
    for (command, hint) in [("status", "--store"), ("health", "--address")] {
        let said = folder.command(&[command]).await;
        assert_eq!(said.code, 78, "{}", said.errors);
        assert!(said.errors.contains(hint), "{}", said.errors);
    }
    let said = folder.bare_command(&["health", "--address", place]).await;
    assert_eq!(said.code, 0, "{}", said.errors);
    let status = ["status", "--store", &store];
    let said = folder.bare_command(&status).await;
    assert!(said.output.contains("run       since "), "{}", said.output);
    assert!(said.output.contains("the last edit is not in force: "), "{}", said.output);

    tidings.kill9().await;
    folder.wait_until_lease_ends().await;
    let said = folder.bare_command(&status).await;
    assert_eq!(said.code, 1);
    assert!(said.output.contains("Tidings does not run: it was killed"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_single_round_that_has_ended_was_not_killed() {
    let setup = Setup::new().await;
    setup.server.serve("/feed.xml", matching_stories(&setup.server, [1]));
    assert_eq!(setup.folder.command(&["run", "--once"]).await.code, 0);
    let said = setup.folder.command(&["status"]).await;
    assert!(said.output.contains("run       stopped at "), "{}", said.output);
    assert!(said.output.contains("Tidings does not run: it was stopped"), "{}", said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_mans_switch_is_called_while_the_store_is_written() {
    let setup = Setup::with_config(
        |config| config.to_owned() + "heartbeat: {url: \"${SWITCH}\", every: 10s}\n",
        &[("arms.yaml", setup::RULE)],
    )
    .await;
    let Setup { server, folder, .. } = &setup;
    folder.set("SWITCH", &server.url("/switch/t0ken"));
    server.serve("/switch/t0ken", Response::status(500));
    let mut tidings = folder.run(&[]);
    server.wait_for("/switch/t0ken", 1).await;
    let said = tidings.wait_for_log(|line| line.contains("the heartbeat does not reach")).await;
    assert!(said.contains("it answered 500") && !said.contains("t0ken"), "{said}");
    server.serve("/switch/t0ken", Response::status(200));
    server.wait_for("/switch/t0ken", 2).await;
    assert_eq!(tidings.terminate().await, 0);
}

/// An edited address is called at once. Nothing listens on port 1.
#[tokio::test(flavor = "multi_thread")]
async fn why_a_dead_mans_switch_is_not_reached_is_told_to_the_deepest_cause() {
    let setup = Setup::new().await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/moved", Response::status(302).header("location", "https://a.example/"));
    let unknown = Raw::start_with_tls(Ca::new().acceptor("switch.test"), b"", Then::Close).await;
    let unknown = format!("https://127.0.0.1:{}/t0ken", unknown.port());
    let config = folder.read("config.yaml");
    let mut tidings = folder.run(&[]);
    for (url, why) in [
        ("http://127.0.0.1:1/t0ken", "connection refused"),
        (&unknown, "the certificate is not valid: "),
        (&server.url("/moved?t0ken"), "it answered 302 Found, and redirects are not followed"),
        (&server.url("/t0ken"), "it answered 404 Not Found"),
        ("http://10.0.0.1/t0ken", "10.0.0.1 is a private or special address"),
        ("http://nowhere.invalid/t0ken", "the name does not resolve"),
    ] {
        folder.write("config.yaml", &format!("{config}heartbeat: {{url: \"{url}\"}}\n"));
        tidings.wait_for_log(|line| line.contains("the heartbeat") && line.contains(why)).await;
    }
    assert!(!tidings.log().iter().any(|line| line.contains("t0ken")), "{:#?}", tidings.log());
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_file_that_is_broken_at_the_start_needs_attention_until_it_is_corrected() {
    let setup = Setup::new().await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/feed.xml", matching_stories(server, []));
    let mut tidings = folder.run(&[]);
    tidings.wait_for_log(|line| line.contains("no feed fails")).await;
    assert_eq!(tidings.terminate().await, 0);
    folder.write("rules/arms.yaml", "rules:\n  - {name: arms, whn: arms}\n");
    let mut tidings = folder.run(&[]);
    folder
        .wait_until("SELECT coalesce(reload_error, '') FROM run WHERE id = 2", |why| {
            why.contains("arms.yaml:2:")
        })
        .await;
    let said = folder.command(&["status"]).await;
    assert!(
        said.code == 1 && said.output.contains("the last edit is not in force: "),
        "{}",
        said.output
    );
    folder.write("rules/arms.yaml", setup::RULE);
    folder
        .wait_until("SELECT coalesce(reload_error, 'none') FROM run WHERE id = 2", |why| {
            why == "none"
        })
        .await;
    assert_eq!(tidings.terminate().await, 0);
}

/// The day and minute at which the report is due have just passed.
#[tokio::test(flavor = "multi_thread")]
async fn a_report_is_sent_once_at_its_time() {
    let due = tidings::clock::now().strftime("%H:%M").to_string();
    let setup = Setup::with_config(
        |config| config.to_owned() + &format!("report: {{at: \"{due}\", to: [desk]}}\n"),
        &[("arms.yaml", setup::RULE)],
    )
    .await;
    let Setup { folder, mail, .. } = &setup;
    for _ in 0..2 {
        let mut tidings = folder.run(&[]);
        let mails = mail.wait_for(1).await;
        let text = mails[0].plain();
        assert!(text.contains("Report: 0 alerts, "), "{text}");
        assert!(text.contains("1 feed, 1 rule"), "{text}");
        tidings.wait_for_log(|line| line.contains("fails")).await;
        assert_eq!(tidings.terminate().await, 0);
    }
    assert_eq!(folder.query("SELECT count(*) FROM message").await, ["1"]);
}

/// The network returns after more than ten seconds, so that the first retry has failed, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_starts_before_its_network_alerts_soon_after_its_return() {
    const SOON: Duration = Duration::from_secs(15);
    let setup = Setup::new().await;
    let Setup { server, folder, .. } = &setup;
    server.serve("/feed.xml", matching_stories(server, [1]));
    let config = folder.read("config.yaml");
    let feed = server.url("/feed.xml");
    let named = config.replace(&feed, &feed.replace("127.0.0.1", "wire.test"));
    folder.write("config.yaml", &named.replace("every: 1s", "every: 5m"));
    folder.write("away", "");
    let mut tidings = folder.run_with_names("away");
    tidings.wait_for_log(|line| line.contains("1 of 1 feed fails: wire-1: ")).await;
    folder.wait_until("SELECT failures FROM feed", |failures| failures == "2").await;
    let next = folder.query("SELECT next_poll FROM feed").await;
    let next: i64 = next[0].parse().expect("a number");
    let wait = next - tidings::clock::now().as_millisecond();
    assert!(wait > 15_000, "the usual retry would come later: {wait}");
    std::fs::remove_file(folder.place("away")).expect("it is there");
    let alerted = server.wait_for("/hook", 1);
    tokio::time::timeout(SOON, alerted).await.expect("the alert comes soon");
    assert_eq!(tidings.terminate().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn systemd_hears_of_ready_reloading_status_and_the_watchdog() {
    let setup = Setup::new().await;
    let socket = with_service_manager(&setup.folder);
    let mut tidings = setup.folder.run(&[]);
    let heard = tokio::task::spawn_blocking(move || {
        wait_for_notice(&socket, "READY=1");
        wait_for_notice(&socket, "STATUS=feeds: 1, rules: 1, ");
        let notice = wait_for_notice(&socket, "WATCHDOG=1");
        assert!(!notice.contains("READY=1"), "it was sent before: {notice}");
        socket
    });
    let socket = heard.await.expect("all came");
    tidings.hang_up();
    let heard = tokio::task::spawn_blocking(move || {
        let notice = wait_for_notice(&socket, "RELOADING=1");
        assert!(notice.contains("MONOTONIC_USEC="), "{notice}");
        wait_for_notice(&socket, "READY=1");
        socket
    });
    let socket = heard.await.expect("all came");
    assert_eq!(tidings.terminate().await, 0);
    wait_for_notice(&socket, "STOPPING=1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_writer_that_hangs_stops_the_watchdog_and_a_network_that_is_away_does_not() {
    let setup = Setup::new().await;
    // Nothing listens on port 1: feeds and receivers are away.
    let config = setup.folder.read("config.yaml");
    let away = config.replace(&format!(":{}/", setup.server.port()), ":1/");
    setup.folder.write("config.yaml", &away);
    let socket = with_service_manager(&setup.folder);
    let mut tidings = setup.folder.run_on_disk_that_may_hang("hangs");
    tidings.wait_for_log(|line| line.contains("cannot be read")).await;
    let heard = tokio::task::spawn_blocking(move || {
        for _ in 0..3 {
            wait_for_notice(&socket, "WATCHDOG=1");
        }
    });
    heard.await.expect("all came");
    setup.folder.write("hangs", "");
    tidings.wait_for_log(|line| line.contains("the watchdog is not fed: the writer")).await;
    tidings.kill9().await;
}
