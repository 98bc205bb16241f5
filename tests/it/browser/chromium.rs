//! A real browser with one page: Debian's Chromium, driven through its pipe with the Chrome
//! `DevTools` Protocol.

use std::env;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;
use std::sync::Once;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

use crate::support::DEADLINE;

/// The variable that names the browser. If it is set, tests fail where the browser is missing.
const VARIABLE: &str = "TIDINGS_BROWSER";

/// The shell moves the pipes to the descriptors 3 and 4, where Chromium has them.
const START: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>&1";

const GONE: &str = "the browser does not start, or has ended; install Debian's package `chromium`";

const FLAGS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--hide-scrollbars",
    "--no-first-run",
    "--remote-debugging-pipe",
];

/// A browser with one page. It is killed when dropped, and its profile is deleted.
pub struct Browser {
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    calls: u64,
    session: Option<String>,
    events: Vec<Value>,
    _child: Child,
    _profile: TempDir,
}

/// Which of a page's two colour schemes is shown.
#[derive(Clone, Copy, Debug)]
pub enum Scheme {
    Light,
    Dark,
}

impl Scheme {
    pub fn name(self) -> &'static str {
        match self {
            Self::Light => "light",
            Self::Dark => "dark",
        }
    }
}

/// The browser's name or path, if there is one or must be one.
fn program() -> Option<String> {
    static NOTE: Once = Once::new();
    if let Ok(program) = env::var(VARIABLE) {
        return Some(program);
    }
    let folders = env::var_os("PATH").unwrap_or_default();
    if env::split_paths(&folders).any(|folder| folder.join("chromium").is_file()) {
        return Some("chromium".to_owned());
    }
    let note = "note: the tests in a browser are left out. They need Debian's package `chromium`.";
    // Test output is hidden when a test passes; this line is not.
    NOTE.call_once(|| writeln!(std::io::stderr(), "{note}").expect("an open standard error"));
    None
}

impl Browser {
    /// Starts the browser. Returns nothing where there is none and none is required.
    pub async fn start() -> Option<Self> {
        let program = program()?;
        let profile = tempfile::tempdir().expect("a folder");
        let mut shell = Command::new("sh");
        shell.args(["-c", START, &program]).args(FLAGS);
        shell.arg(format!("--user-data-dir={}", profile.path().display()));
        shell.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = shell.spawn().expect("a shell");
        let mut browser = Self {
            input: child.stdin.take().expect("piped"),
            output: BufReader::new(child.stdout.take().expect("piped")),
            calls: 0,
            session: None,
            events: Vec::new(),
            _child: child,
            _profile: profile,
        };
        let page = browser.call("Target.createTarget", json!({ "url": "about:blank" })).await;
        let page = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", page).await;
        browser.session = attached["sessionId"].as_str().map(ToOwned::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network", "Audits"] {
            browser.call(&format!("{domain}.enable"), json!({})).await;
        }
        Some(browser)
    }

    /// Calls a method of the protocol.
    pub async fn call(&mut self, method: &str, parameters: Value) -> Value {
        let answer = self.try_call(method, parameters).await;
        answer.unwrap_or_else(|why| panic!("{method}: {why}"))
    }

    async fn try_call(&mut self, method: &str, parameters: Value) -> Result<Value, Value> {
        self.calls += 1;
        let mut message = json!({ "id": self.calls, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            message["sessionId"] = json!(session);
        }
        self.input.write_all(format!("{message}\0").as_bytes()).await.expect(GONE);
        loop {
            let mut message = self.next_message().await;
            if message["id"] != self.calls {
                self.events.push(message);
            } else if message["error"].is_null() {
                return Ok(message["result"].take());
            } else {
                return Err(message["error"].take());
            }
        }
    }

    async fn next_message(&mut self) -> Value {
        let mut bytes = Vec::new();
        let read = timeout(DEADLINE, self.output.read_until(0, &mut bytes)).await;
        read.expect("the browser answers").expect("a pipe");
        assert!(bytes.pop().is_some(), "{GONE}");
        serde_json::from_slice(&bytes).expect("JSON")
    }

    /// The value of an expression in the page, or why it has none.
    async fn try_evaluate(&mut self, expression: &str) -> Result<Value, Value> {
        let parameters =
            json!({ "expression": expression, "returnByValue": true, "awaitPromise": true });
        let mut answer = self.try_call("Runtime.evaluate", parameters).await?;
        let fault = answer["exceptionDetails"].take();
        if fault.is_null() { Ok(answer["result"]["value"].take()) } else { Err(fault) }
    }

    /// The value of an expression in the page.
    pub async fn evaluate(&mut self, expression: &str) -> Value {
        let value = self.try_evaluate(expression).await;
        value.unwrap_or_else(|why| panic!("{expression}: {why}"))
    }

    /// Waits until an expression is true in the page. It may have no value while the page changes.
    pub async fn wait_for(&mut self, expression: &str) {
        let wait = async {
            while self.try_evaluate(expression).await != Ok(Value::Bool(true)) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        if timeout(DEADLINE, wait).await.is_err() {
            let text = self.evaluate("document.body.innerText").await;
            panic!("never true: {expression}\n{}", text.as_str().unwrap_or_default());
        }
    }

    /// Opens an address, and waits until the page is loaded and its script has run.
    pub async fn open(&mut self, address: &str) {
        let opened = self.call("Page.navigate", json!({ "url": address })).await;
        assert!(opened["errorText"].is_null(), "{address}: {opened}");
        self.wait_for("document.readyState === 'complete'").await;
    }

    /// Clicks on the middle of the first element of a selector.
    pub async fn click(&mut self, selector: &str) {
        let find = format!(
            "(() => {{ const element = document.querySelector({selector:?}); \
             element.scrollIntoView({{ block: 'center', behavior: 'instant' }}); \
             const box = element.getBoundingClientRect(); \
             return [box.x + box.width / 2, box.y + box.height / 2]; }})()"
        );
        let at = self.evaluate(&find).await;
        for kind in ["mousePressed", "mouseReleased"] {
            let event =
                json!({ "type": kind, "x": at[0], "y": at[1], "button": "left", "clickCount": 1 });
            self.call("Input.dispatchMouseEvent", event).await;
        }
    }

    /// Clicks on a field, and writes a text in place of what it holds.
    pub async fn write(&mut self, selector: &str, text: &str) {
        self.click(selector).await;
        self.evaluate(&format!("document.querySelector({selector:?}).select()")).await;
        self.call("Input.insertText", json!({ "text": text })).await;
    }

    /// Presses a key: a character, `Enter`, `Tab` or `Escape`.
    pub async fn press(&mut self, key: &str) {
        let (text, code) = match key {
            "Enter" => ("\r", 13),
            "Tab" => ("", 9),
            "Escape" => ("", 27),
            character => (character, 0),
        };
        for kind in ["keyDown", "keyUp"] {
            let text = if kind == "keyDown" { text } else { "" };
            let event =
                json!({ "type": kind, "key": key, "text": text, "windowsVirtualKeyCode": code });
            self.call("Input.dispatchKeyEvent", event).await;
        }
    }

    /// Shows pages in this scheme and width, without motion.
    pub async fn emulate(&mut self, scheme: Scheme, width: u32) {
        let features = json!([
            { "name": "prefers-color-scheme", "value": scheme.name() },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": features })).await;
        let size =
            json!({ "width": width, "height": 800, "deviceScaleFactor": 1, "mobile": false });
        self.call("Emulation.setDeviceMetricsOverride", size).await;
    }

    /// Pages run no scripts from now on.
    pub async fn switch_scripts_off(&mut self) {
        self.call("Emulation.setScriptExecutionDisabled", json!({ "value": true })).await;
    }

    /// Holds requests whose address has this pattern.
    pub async fn hold_requests(&mut self, pattern: &str) {
        self.call("Fetch.enable", json!({ "patterns": [{ "urlPattern": pattern }] })).await;
    }

    /// Answers a held request as a proxy does whose server is away, and holds none from then on.
    pub async fn refuse_held_request(&mut self) {
        let is_held = |event: &&Value| event["method"] == "Fetch.requestPaused";
        let request = loop {
            if let Some(event) = self.events.iter().find(is_held) {
                break event["params"]["requestId"].clone();
            }
            let event = self.next_message().await;
            self.events.push(event);
        };
        let answer = json!({ "requestId": request, "responseCode": 502 });
        self.call("Fetch.fulfillRequest", answer).await;
        self.call("Fetch.disable", json!({})).await;
    }

    /// The nodes of the accessibility tree that assistive programs see.
    pub async fn tree(&mut self) -> Vec<Value> {
        let tree = self.call("Accessibility.getFullAXTree", json!({})).await;
        let nodes = tree["nodes"].as_array().expect("nodes").iter();
        nodes.filter(|node| node["ignored"] == false).cloned().collect()
    }

    /// Writes a picture of the page, of its first `height` pixels at most.
    pub async fn picture(&mut self, file: &Path, height: u32) {
        let size = self.evaluate("[innerWidth, document.documentElement.scrollHeight]").await;
        let height = size[1].as_u64().expect("a height").min(height.into());
        let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": height, "scale": 1 });
        let parameters = json!({ "clip": clip, "captureBeyondViewport": true });
        let picture = self.call("Page.captureScreenshot", parameters).await;
        let bytes = BASE64_STANDARD.decode(picture["data"].as_str().expect("a text"));
        std::fs::write(file, bytes.expect("base64")).expect("a file");
    }

    /// The events since the last call of this function.
    pub async fn take_events(&mut self) -> Vec<Value> {
        // What happened before the answer stands before it in the pipe.
        self.evaluate("0").await;
        std::mem::take(&mut self.events)
    }
}
