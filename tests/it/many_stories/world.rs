//! A feed, a webhook and the real process. The clock goes on by minutes between its runs.

use std::time::Duration;

use fastrand::Rng;

use crate::many_stories::news::{self, News};
use crate::many_stories::record::FinalRecord;
use crate::support::http::{Response, Server};
use crate::support::tidings::Folder;

/// The path of the feed.
const FEED: &str = "/feed.xml";

/// The path of the feed of copies.
const PAPER: &str = "/paper.xml";

/// The longest run before a kill, in milliseconds.
const LONGEST_RUN: u64 = 1100;

/// The messages that are not sent.
const OPEN: &str = "SELECT count(*) FROM message WHERE status <> 'sent'";

pub struct ConditionWorld {
    folder: Folder,
    rng: Rng,
    server: Server,
    news: News,
    /// How far the clock of the next run is ahead.
    ahead: Duration,
    /// When the feed was requested, by the clock of the run, in milliseconds.
    polls: Vec<i64>,
}

impl ConditionWorld {
    /// A world before its first run.
    pub async fn new(seed: u64) -> Self {
        let server = Server::start().await;
        server.serve("/hook", Response::status(204));
        let mut rng = Rng::with_seed(seed);
        let has_copies = rng.bool();
        let paper = format!("  - {{name: paper, url: \"{}\", every: 1s}}\n", server.url(PAPER));
        let paper = if has_copies { &*paper } else { "" };
        let config = format!(
            "store: sqlite:tidings.db\nrules: rules\nzone: UTC\n\
             feeds:\n{paper}  - {{name: wire, url: \"{}\", every: 1s}}\n  - {{name: ill, url: \"{}\", every: 1s}}\n\
             notifiers:\n  hook: {{type: webhook, url: \"{}\"}}\nnotify: hook\n\
             poll: {{first_poll: all}}\nnetwork: {{allow: [\"127.0.0.0/8\"]}}\n",
            server.url(FEED),
            server.url("/none.xml"),
            server.url("/hook"),
        );
        let folder = Folder::new(&config, &[("rules.yaml", news::RULES)]);
        folder.write("rules/rows.csv", &news::table());
        let (news, ahead, polls) = (News::new(&mut rng, has_copies), Duration::ZERO, Vec::new());
        Self { folder, rng, server, news, ahead, polls }
    }

    /// Some stories appear.
    pub fn publish(&mut self) {
        self.news.add(&mut self.rng);
        self.server.serve(FEED, Response::feed(&self.news.feed(false)));
        self.server.serve(PAPER, Response::feed(&self.news.feed(true)));
    }

    /// A run that is killed after some time, with its clock further ahead than that of the last.
    pub async fn run_and_kill(&mut self) {
        let longest = if self.rng.u8(0..8) == 0 { 75 } else { 9 };
        self.ahead += Duration::from_secs(self.rng.u64(30..longest * 60));
        let mut tidings = self.folder.run_ahead(self.ahead);
        let before = self.server.requests(FEED).len();
        tokio::time::sleep(Duration::from_millis(self.rng.u64(50..LONGEST_RUN))).await;
        tidings.kill9().await;
        self.note_polls(before);
    }

    /// Runs until everything is sent, and every absence that is due is told.
    pub async fn run_to_the_end(&mut self) {
        for _ in 0..4 {
            self.run_until_sent(Duration::from_hours(1)).await;
        }
    }

    /// Some more stories appear, and are told.
    pub async fn go_on(&mut self) {
        self.publish();
        self.run_until_sent(Duration::from_mins(5)).await;
    }

    /// Runs until everything is sent, with its clock so much further ahead than that of the last.
    async fn run_until_sent(&mut self, ahead: Duration) {
        self.ahead += ahead;
        let before = self.server.requests(FEED).len();
        let mut tidings = self.folder.run_ahead(self.ahead);
        // The second poll begins when the first is recorded.
        self.server.wait_for(FEED, before + 2).await;
        self.folder.wait_until(OPEN, |open| open == "0").await;
        assert_eq!(tidings.terminate().await, 0);
        self.note_polls(before);
    }

    /// Notes the polls of the last run, by its clock.
    fn note_polls(&mut self, before: usize) {
        let ahead = i64::try_from(self.ahead.as_millis()).expect("some hours");
        let polls = self.server.requests(FEED).into_iter().skip(before);
        self.polls.extend(polls.map(|poll| poll.at.as_millisecond() + ahead));
    }

    /// The final store, and what arrived.
    pub async fn record(&self) -> FinalRecord {
        FinalRecord::read(&self.folder, &self.server.requests("/hook"), self.polls.clone()).await
    }
}
