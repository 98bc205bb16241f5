//! The pictures of docs/desk.md, from the shipped example.

use std::path::Path;
use std::process::Command;

use super::chromium::{Browser, Scheme};
use super::desk::setup_with_desk;

/// The most bytes of a picture.
const LARGEST: u64 = 150_000;

/// The rule of the alert that is shown.
const SHOWN: &str = "Weapons between Moscow and Pyongyang";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "writes docs/pictures: cargo test --test it browser::pictures -- --ignored"]
async fn pictures_of_the_shipped_example() {
    let mut browser = Browser::start().await.expect("a browser");
    let (setup, address) = setup_with_desk("rules: []\n").await;
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (rules, wire) = (root.join("rules"), root.join("examples/wire.xml"));
    let web = format!("web: {{listen: \"{}\", write: true}}", &address["http://".len()..]);
    let config = format!(
        "store: sqlite:tidings.db\nzone: UTC\nrules: {}\nnotify: [desk]\nfeeds:\n  \
         - {{url: \"file:{}\", name: The Example Wire}}\nnotifiers:\n  desk: {{type: email, \
         smtp: \"smtp://127.0.0.1:{}\", from: Tidings <tidings@example.org>, to: [desk@example.org]}}\n{web}\n",
        rules.display(),
        wire.display(),
        setup.mail.port(),
    );
    setup.folder.write("config.yaml", &config);
    let mut tidings = setup.folder.run(&[]);
    let sent = "SELECT min(status = 'sent') FROM message";
    setup.folder.wait_until(sent, |sent| sent == "1").await;
    browser.open(&format!("{address}/alerts")).await;
    let shown = format!(
        "[...document.querySelectorAll('.alert')].find((row) => row.textContent.includes('{SHOWN}'))\
         .querySelector('h2 a').pathname"
    );
    let shown = browser.evaluate(&shown).await;
    let shown = shown.as_str().expect("an alert");
    for (page, name, scheme, width) in [
        ("/", "desk-live-light", Scheme::Light, 1000),
        ("/", "desk-live-dark", Scheme::Dark, 1000),
        (shown, "desk-alert-light", Scheme::Light, 1000),
        ("/feeds/The%20Example%20Wire", "desk-feed-dark-360", Scheme::Dark, 360),
    ] {
        browser.emulate(scheme, width).await;
        browser.open(&format!("{address}{page}")).await;
        if page == "/" {
            let said = "document.getElementById('live-state').textContent.includes('at once')";
            browser.wait_for(said).await;
        }
        let file = root.join("docs/pictures").join(name).with_extension("png");
        browser.picture(&file, 1000).await;
        // It makes pictures small, where it is installed.
        let mut shrink = Command::new("pngquant");
        shrink.args(["--force", "--strip", "--output"]).arg(&file).arg("64").arg(&file);
        shrink.status().ok();
        let bytes = std::fs::metadata(&file).expect("a file").len();
        assert!(bytes < LARGEST, "{name}: {bytes} bytes");
    }
    assert_eq!(tidings.terminate().await, 0);
}
