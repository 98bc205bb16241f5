//! The real binary in a folder of its own. It is started, watched line by line, stopped and killed.

use std::fs::File;
use std::io::{PipeWriter, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use super::folder_store::{config_with_store, make_database};
use super::test_server::{ON_POSTGRES, TestDatabase};
use super::{DEADLINE, clock, hang, names};

/// The flag `O_NOCTTY` of Linux: the terminal that is opened does not become that of this process.
const NO_CONTROLLING_TERMINAL: i32 = 0o400;

/// A configuration, its rules and its store, in a folder that is deleted after the test.
pub struct Folder {
    root: tempfile::TempDir,
    variables: Mutex<Vec<(String, String)>>,
    /// The store, if it is on a server.
    pub(super) database: Option<TestDatabase>,
}

/// The output of a command, without the folder's path, and its exit code.
pub struct Said {
    pub output: String,
    pub errors: String,
    pub code: i32,
}

/// A running `tidings run`. It is killed when dropped.
pub struct RunningTidings {
    child: Child,
    output: Lines,
    log: Lines,
}

impl Folder {
    /// Writes `config.yaml` and the rule files. The store is on the server of the tests, if they
    /// are about servers.
    pub fn new(config: &str, rules: &[(&str, &str)]) -> Self {
        let folder = Self {
            root: tempfile::tempdir().expect("a folder"),
            variables: Mutex::default(),
            database: std::env::var_os(ON_POSTGRES).map(|_| make_database()),
        };
        folder.write("config.yaml", config);
        for (name, text) in rules {
            folder.write(&format!("rules/{name}"), text);
        }
        folder
    }

    /// Another node of the same store, with the same configuration and other rule files. This
    /// folder must live longer.
    pub fn beside(&self, rules: &[(&str, &str)]) -> Self {
        let variables = Mutex::new(self.variables.lock().expect("no panic").clone());
        let root = tempfile::tempdir().expect("a folder");
        let folder = Self { root, variables, database: None };
        folder.write("config.yaml", &self.read("config.yaml"));
        for (name, text) in rules {
            folder.write(&format!("rules/{name}"), text);
        }
        folder
    }

    /// Writes a file as editors do: to another file, which is then renamed. `config.yaml` names the
    /// database where the store is on a server.
    pub fn write(&self, name: &str, text: &str) {
        let text = match &self.database {
            Some(database) if name == "config.yaml" => &config_with_store(text, database),
            _ => text,
        };
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        let beside = path.with_extension("part");
        std::fs::write(&beside, text).expect("a file");
        std::fs::rename(beside, path).expect("a move");
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).expect("a text")
    }

    /// The path of a file or folder in this folder, as an argument.
    pub fn place(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// Sets an environment variable for all following processes.
    pub fn set(&self, name: &str, value: &str) {
        self.variables.lock().expect("no panic").push((name.to_owned(), value.to_owned()));
    }

    /// The path of the store.
    pub fn store(&self) -> PathBuf {
        self.path("tidings.db")
    }

    /// The names of all files in the folder, sorted.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.root.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry"));
        let mut names: Vec<String> =
            entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    /// The bytes of every file whose name begins with `prefix`.
    pub fn files(&self, prefix: &str) -> Vec<Vec<u8>> {
        let entries = std::fs::read_dir(self.root.path())
            .expect("a folder")
            .map(|entry| entry.expect("an entry"));
        let named = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix));
        named.map(|entry| std::fs::read(entry.path()).expect("readable")).collect()
    }

    /// Starts `tidings run` with these further arguments.
    pub fn run(&self, arguments: &[&str]) -> RunningTidings {
        Self::watch(self.tidings(&["run"]).args(arguments))
    }

    /// Starts `tidings run` so that it survives a write beyond its limit (SIGXFSZ). The write fails
    /// as on a full disk.
    pub fn run_with_limits(&self) -> RunningTidings {
        let tidings = self.tidings(&["run"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(tidings.as_std().get_program());
        shell.args(tidings.as_std().get_args());
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self::watch(&mut shell)
    }

    /// Starts `tidings run` with the umask `mask`.
    pub fn run_with_umask(&self, mask: &str) -> RunningTidings {
        let tidings = self.tidings(&["run"]);
        let mut shell = Command::new("sh");
        shell.args(["-c", "umask \"$0\"; exec \"$@\"", mask]).arg(tidings.as_std().get_program());
        shell.args(tidings.as_std().get_args());
        shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        Self::watch(&mut shell)
    }

    /// Starts `tidings run` on a machine whose clock is ahead by this time.
    pub fn run_ahead(&self, ahead: Duration) -> RunningTidings {
        self.run_with_clock(i64::try_from(ahead.as_secs()).expect("a moment"))
    }

    /// Starts `tidings run` on a machine whose clock is ahead by these seconds, or behind.
    pub fn run_with_clock(&self, ahead: i64) -> RunningTidings {
        let mut tidings = self.tidings(&["run"]);
        tidings.env("LD_PRELOAD", clock::shim()).env("CLOCK_AHEAD", ahead.to_string());
        Self::watch(&mut tidings)
    }

    /// Starts `tidings run` on a disk that hangs while the file `hangs` exists in this folder.
    pub fn run_on_disk_that_may_hang(&self, hangs: &str) -> RunningTidings {
        let mut tidings = self.tidings(&["run"]);
        tidings.env("LD_PRELOAD", hang::shim()).env("DISK_HANGS", self.path(hangs));
        Self::watch(&mut tidings)
    }

    /// Starts `tidings run` where names below `.test` are on loopback. They cannot be looked up
    /// while the file `fail` exists in this folder.
    pub fn run_with_names(&self, fail: &str) -> RunningTidings {
        let mut tidings = self.tidings(&["run"]);
        tidings.env("LD_PRELOAD", names::shim()).env("NAMES_FAIL", self.path(fail));
        Self::watch(&mut tidings)
    }

    fn watch(command: &mut Command) -> RunningTidings {
        let mut child = command.spawn().expect("the binary starts");
        let output = Lines::of(child.stdout.take().expect("piped"));
        let log = Lines::of(child.stderr.take().expect("piped"));
        RunningTidings { child, output, log }
    }

    /// Starts another command with a pipe to its standard input. It is killed when dropped.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        self.tidings(arguments).stdin(Stdio::piped()).spawn().expect("the binary starts")
    }

    /// Runs another command to its end.
    pub async fn command(&self, arguments: &[&str]) -> Said {
        self.command_with(arguments, "").await
    }

    /// The same with `input` on standard input.
    pub async fn command_with(&self, arguments: &[&str], input: &str) -> Said {
        self.say(self.tidings(arguments), input).await
    }

    /// Runs a command in the folder without the option for a configuration.
    pub async fn bare_command(&self, arguments: &[&str]) -> Said {
        self.say(self.bare(arguments), "").await
    }

    /// Runs a command whose files may have this many KiB. A write beyond fails as on a full disk.
    pub async fn command_with_room(&self, arguments: &[&str], room: u64) -> Said {
        let tidings = self.tidings(arguments);
        let mut shell = Command::new("sh");
        let script = "trap '' XFSZ; ulimit -f $(($0 * 2)); exec \"$@\"";
        shell.args(["-c", script, &room.to_string()]).arg(tidings.as_std().get_program());
        shell.args(tidings.as_std().get_args()).stdout(Stdio::piped()).stderr(Stdio::piped());
        self.say(shell, "").await
    }

    /// What a command shows in a terminal of this many columns.
    pub async fn in_terminal(&self, arguments: &[&str], columns: u16) -> String {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal");
        grantpt(&terminal).and_then(|()| unlockpt(&terminal)).expect("our own terminal");
        let size = Winsize { ws_row: 40, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
        tcsetwinsize(&terminal, size).expect("a size");
        let name = ptsname(&terminal, Vec::new()).expect("its name");
        let name = name.to_str().expect("UTF-8");
        let mut options = File::options();
        options.read(true).write(true).custom_flags(NO_CONTROLLING_TERMINAL);
        let mut command = self.tidings(arguments);
        command.stdout(options.open(name).expect("the other end"));
        let mut child = command.spawn().expect("the binary starts");
        // Its copy of the other end is closed, too, so that reading comes to an end.
        drop(command);
        let read = tokio::task::spawn_blocking(move || {
            let mut shown = Vec::new();
            // The end of a terminal is an error.
            File::from(terminal).read_to_end(&mut shown).ok();
            String::from_utf8(shown).expect("UTF-8")
        });
        timeout(DEADLINE, child.wait()).await.expect("it ends in time").expect("a child");
        read.await.expect("no panic")
    }

    /// Runs a command with another standard output.
    pub async fn command_into(&self, arguments: &[&str], output: impl Into<Stdio>) -> Said {
        let mut command = self.tidings(arguments);
        command.stdout(output);
        self.say(command, "").await
    }

    /// Runs a command with another standard output, without the option for a configuration.
    pub async fn bare_command_into(&self, arguments: &[&str], output: impl Into<Stdio>) -> Said {
        let mut command = self.bare(arguments);
        command.stdout(output);
        self.say(command, "").await
    }

    /// Runs a command with another standard error.
    pub async fn command_with_errors_into(
        &self,
        arguments: &[&str],
        errors: impl Into<Stdio>,
    ) -> Said {
        let mut command = self.tidings(arguments);
        command.stderr(errors);
        self.say(command, "").await
    }

    /// A pipe that nobody reads.
    pub fn closed_pipe() -> PipeWriter {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        writer
    }

    /// A device without room.
    pub fn full_device() -> File {
        File::options().write(true).open("/dev/full").expect("a device")
    }

    async fn say(&self, mut command: Command, input: &str) -> Said {
        let mut child = command.stdin(Stdio::piped()).spawn().expect("the binary starts");
        let mut stdin = child.stdin.take().expect("piped");
        // A process that reads no input may end before all is written.
        stdin.write_all(input.as_bytes()).await.ok();
        drop(stdin);
        let output = timeout(DEADLINE, child.wait_with_output())
            .await
            .expect("it ends in time")
            .expect("a child");
        let plain = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).expect("UTF-8");
            text.replace(&format!("{}/", self.root.path().display()), "")
        };
        Said {
            output: plain(&output.stdout),
            errors: plain(&output.stderr),
            code: output.status.code().expect("no signal"),
        }
    }

    fn tidings(&self, arguments: &[&str]) -> Command {
        let mut command = self.bare(arguments);
        command.args(["--config".as_ref(), self.path("config.yaml").as_os_str()]);
        command
    }

    fn bare(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidings"));
        command.args(arguments).current_dir(self.root.path());
        command.envs(self.variables.lock().expect("no panic").iter().cloned());
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }
}

impl RunningTidings {
    /// Waits for the first line of standard output that `wanted` accepts.
    pub async fn wait_for_output(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        self.output.wait_for(0, wanted).await.unwrap_or_else(|| {
            panic!("never printed; output: {:#?}\nlog: {:#?}", self.output(), self.log())
        })
    }

    /// Waits for the first line of the log that `wanted` accepts.
    pub async fn wait_for_log(&mut self, wanted: impl Fn(&str) -> bool) -> String {
        self.wait_for_log_after(0, wanted).await
    }

    /// The same, without this number of lines at the start of the log.
    pub async fn wait_for_log_after(
        &mut self,
        lines: usize,
        wanted: impl Fn(&str) -> bool,
    ) -> String {
        self.log
            .wait_for(lines, wanted)
            .await
            .unwrap_or_else(|| panic!("never logged; log: {:#?}", self.log()))
    }

    /// Every line of standard output so far.
    pub fn output(&self) -> Vec<String> {
        self.output.lines.borrow().clone()
    }

    /// Every line of the log so far.
    pub fn log(&self) -> Vec<String> {
        self.log.lines.borrow().clone()
    }

    /// Sends SIGTERM as soon as it handles that; returns the exit code.
    pub async fn terminate(&mut self) -> i32 {
        self.handles(Signal::TERM).await;
        self.signal(Signal::TERM);
        self.wait().await
    }

    /// Sends SIGHUP, which reloads the configuration and the rules.
    pub fn hang_up(&self) {
        self.signal(Signal::HUP);
    }

    /// Sends SIGINT, as Ctrl-C does, as soon as it handles that; returns the exit code.
    pub async fn interrupt(&mut self) -> i32 {
        self.handles(Signal::INT).await;
        self.signal(Signal::INT);
        self.wait().await
    }

    /// Sends SIGKILL, which leaves no time to clean up.
    pub async fn kill9(&mut self) {
        self.child.kill().await.expect("it runs");
    }

    /// Sends SIGSTOP: it does nothing until [`go_on`](Self::go_on).
    pub fn stop(&self) {
        self.signal(Signal::STOP);
    }

    /// Sends SIGCONT.
    pub fn go_on(&self) {
        self.signal(Signal::CONT);
    }

    /// Waits for the end; returns the exit code.
    pub async fn wait(&mut self) -> i32 {
        let status: ExitStatus = match timeout(DEADLINE, self.child.wait()).await {
            Ok(status) => status.expect("a child"),
            Err(tokio::time::error::Elapsed { .. }) => {
                panic!("it does not end; log: {:#?}", self.log())
            }
        };
        self.output.end().await;
        self.log.end().await;
        status.code().unwrap_or_else(|| panic!("ended by a signal; log: {:#?}", self.log()))
    }

    /// Limits its files to this number of bytes, as a full disk does. `None` removes the limit.
    pub fn limit_files(&self, bytes: Option<u64>) {
        let room = Rlimit { current: bytes, maximum: None };
        prlimit(Some(self.process()), Resource::Fsize, room).expect("it runs");
    }

    /// Waits until it has a handler for this signal, or has ended.
    async fn handles(&self, signal: Signal) {
        let status = format!("/proc/{}/status", self.process());
        let handles = async {
            while let Some(mask) = caught_signals(&status)
                && mask & (1 << (signal.as_raw() - 1)) == 0
            {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = timeout(DEADLINE, handles).await;
        assert!(waited.is_ok(), "it has no handler for {signal:?}; log: {:#?}", self.log());
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.process(), signal).expect("it runs");
    }

    /// Its process.
    pub fn process(&self) -> Pid {
        let id =
            self.child.id().unwrap_or_else(|| panic!("it ended by itself; log: {:#?}", self.log()));
        Pid::from_raw(id.cast_signed()).expect("a process")
    }
}

/// The signals that the process of this file has a handler for, as the mask `SigCgt` of proc(5).
/// `None` once the process has ended.
fn caught_signals(status: &str) -> Option<u64> {
    let status = std::fs::read_to_string(status).ok()?;
    let value = |key: &str| status.lines().find_map(|line| line.strip_prefix(key)).map(str::trim);
    if value("State:").is_none_or(|state| state.starts_with('Z')) {
        return None;
    }
    u64::from_str_radix(value("SigCgt:")?, 16).ok()
}

/// The lines of a stream as they arrive.
struct Lines {
    lines: watch::Receiver<Vec<String>>,
    reader: Arc<tokio::task::JoinHandle<()>>,
}

impl Lines {
    fn of(stream: impl AsyncRead + Send + Unpin + 'static) -> Self {
        let (sender, lines) = watch::channel(Vec::new());
        let reader = tokio::spawn(async move {
            let mut stream = BufReader::new(stream).lines();
            while let Ok(Some(line)) = stream.next_line().await {
                sender.send_modify(|lines| lines.push(line));
            }
        });
        Self { lines, reader: Arc::new(reader) }
    }

    async fn wait_for(&mut self, skipped: usize, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let find =
            |lines: &Vec<String>| lines.iter().skip(skipped).find(|line| wanted(line)).cloned();
        let found = timeout(DEADLINE, self.lines.wait_for(|lines| find(lines).is_some())).await;
        found.ok()?.ok().and_then(|lines| find(&lines))
    }

    async fn end(&mut self) {
        timeout(DEADLINE, self.lines.wait_for(|_| self.reader.is_finished())).await.ok();
    }
}
