//! What a running daemon counts and measures, in the text format of Prometheus.
//!
//! No label comes from a feed, a rule, an address or a recipient. Only the notifiers of the
//! configuration are named.

mod writer;

use std::time::Duration;

use prometheus_client::encoding::prometheus_text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use tidings_rules::story::{NotifierName, Severity};

pub use writer::WriterMetrics;

/// The content type of [`Metrics::write`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Seconds of requests and of matching.
const SECONDS: [f64; 11] = [0.001, 0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 15.0, 60.0];

/// Seconds from one event in the world to another.
const DELAYS: [f64; 10] =
    [1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 21_600.0, 86_400.0, 604_800.0];

/// A label and its value. The value is one of a few words of this file.
type Word = [(&'static str, &'static str); 1];

/// The label `notifier`.
type OfNotifier = [(&'static str, String); 1];

/// The outcome of a poll.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PollMetric {
    /// The feed was read.
    Read,
    /// The feed has not changed.
    Unchanged,
    /// The feed could not be read.
    Failed,
    /// The host asked for a pause.
    Postponed,
}

/// The outcome of reading a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageMetric {
    /// The whole article was read.
    Full,
    /// A part of the article was read.
    Partial,
    /// The story was settled with its teaser.
    Teaser,
    /// The page is tried again.
    Again,
}

/// What became of a story.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoryMetric {
    /// A rule matches it.
    Matched,
    /// No rule matches it.
    Unmatched,
    /// It is only recorded.
    Recorded,
}

/// The outcome of an attempt at a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AttemptMetric {
    /// The receiver took the message.
    Sent,
    /// The message is tried again.
    Again,
    /// The message was dead-lettered.
    Dead,
}

/// The counters and histograms of a run.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    polls: Family<Word, Counter>,
    poll_duration: Histogram,
    feed_lag: Histogram,
    pages: Family<Word, Counter>,
    match_duration: Histogram,
    stories: Family<Word, Counter>,
    alerts: Family<Word, Counter>,
    attempts: Family<[(&'static str, String); 2], Counter>,
    delivery_delay: Family<OfNotifier, Histogram, fn() -> Histogram>,
    reload_succeeded: Gauge,
    reload_success_time: Gauge,
}

impl Metrics {
    /// All counts are zero but those of the store's `writer`.
    #[must_use]
    pub fn new(writer: &WriterMetrics) -> Self {
        let delays: fn() -> Histogram = || Histogram::new(DELAYS);
        let mut metrics = Self {
            registry: Registry::with_prefix("tidings"),
            polls: Family::default(),
            poll_duration: Histogram::new(SECONDS),
            feed_lag: Histogram::new(DELAYS),
            pages: Family::default(),
            match_duration: Histogram::new(SECONDS),
            stories: Family::default(),
            alerts: Family::default(),
            attempts: Family::default(),
            delivery_delay: Family::new_with_constructor(delays),
            reload_succeeded: Gauge::default(),
            reload_success_time: Gauge::default(),
        };
        metrics.register();
        metrics.create_samples();
        writer.register(&mut metrics.registry);
        metrics
    }

    fn register(&mut self) {
        let to = &mut self.registry;
        to.register("polls", "Polls of feeds by result", self.polls.clone());
        to.register(
            "poll_duration_seconds",
            "Time from the start of a poll until it is recorded",
            self.poll_duration.clone(),
        );
        to.register(
            "feed_lag_seconds",
            "Time from the publication of an item until its feed was read",
            self.feed_lag.clone(),
        );
        to.register("pages", "Article pages read by result", self.pages.clone());
        to.register(
            "match_duration_seconds",
            "Time to match one story against all rules",
            self.match_duration.clone(),
        );
        to.register("stories", "Stories by what became of them", self.stories.clone());
        to.register("alerts", "Alerts by severity", self.alerts.clone());
        to.register("attempts", "Attempts to deliver by outcome", self.attempts.clone());
        to.register(
            "delivery_delay_seconds",
            "Time from the first sight of a story until its message was sent",
            self.delivery_delay.clone(),
        );
        to.register(
            "rules_last_reload_successful",
            "Whether the last reload of the configuration and the rules succeeded",
            self.reload_succeeded.clone(),
        );
        to.register(
            "rules_last_reload_success_timestamp_seconds",
            "When the configuration and the rules were last reloaded without an error",
            self.reload_success_time.clone(),
        );
    }

    /// Creates every sample whose labels are known, so that a rate over it begins at zero.
    fn create_samples(&self) {
        use {PageMetric as Page, PollMetric as Poll, StoryMetric as Story};
        for poll in [Poll::Read, Poll::Unchanged, Poll::Failed, Poll::Postponed] {
            drop(self.polls.get_or_create(&[("result", poll.as_str())]));
        }
        for page in [Page::Full, Page::Partial, Page::Teaser, Page::Again] {
            drop(self.pages.get_or_create(&[("result", page.as_str())]));
        }
        for story in [Story::Matched, Story::Unmatched, Story::Recorded] {
            drop(self.stories.get_or_create(&[("status", story.as_str())]));
        }
        for severity in Severity::ALL {
            drop(self.alerts.get_or_create(&[("severity", severity.as_str())]));
        }
    }

    /// Counts a poll and the time that it took.
    pub fn count_poll(&self, result: PollMetric, took: Duration) {
        self.polls.get_or_create(&[("result", result.as_str())]).inc();
        self.poll_duration.observe(took.as_secs_f64());
    }

    /// Records how long ago a new item was published when its feed was read.
    pub fn observe_lag(&self, lag: Duration) {
        self.feed_lag.observe(lag.as_secs_f64());
    }

    /// Counts a page.
    pub fn count_page(&self, result: PageMetric) {
        self.pages.get_or_create(&[("result", result.as_str())]).inc();
    }

    /// Records how long it took to match a story.
    pub fn observe_match(&self, took: Duration) {
        self.match_duration.observe(took.as_secs_f64());
    }

    /// Counts a story.
    pub fn count_story(&self, status: StoryMetric) {
        self.stories.get_or_create(&[("status", status.as_str())]).inc();
    }

    /// Counts an alert.
    pub fn count_alert(&self, severity: Severity) {
        self.alerts.get_or_create(&[("severity", severity.as_str())]).inc();
    }

    /// Counts an attempt of a notifier.
    pub fn count_attempt(&self, notifier: &NotifierName, outcome: AttemptMetric) {
        let labels = [("notifier", notifier.0.clone()), ("outcome", outcome.as_str().to_owned())];
        self.attempts.get_or_create(&labels).inc();
    }

    /// Records the time from the first sight of a story until its message was sent.
    pub fn observe_delivery(&self, notifier: &NotifierName, delay: Duration) {
        let labels = [("notifier", notifier.0.clone())];
        self.delivery_delay.get_or_create(&labels).observe(delay.as_secs_f64());
    }

    /// Records a reload at `at`, in seconds of Unix time, and whether it succeeded.
    pub fn record_reload(&self, succeeded: bool, at: i64) {
        self.reload_succeeded.set(i64::from(succeeded));
        if succeeded {
            self.reload_success_time.set(at);
        }
    }

    /// All metrics in the text format of Prometheus, with `further` gauges of this moment.
    #[must_use]
    pub fn write(&self, further: &Registry) -> String {
        let mut text = String::new();
        for registry in [&self.registry, further] {
            // A string takes all text.
            prometheus_text::encode(&mut text, registry).unwrap_or_default();
        }
        text
    }
}

impl PollMetric {
    fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Unchanged => "unchanged",
            Self::Failed => "failed",
            Self::Postponed => "postponed",
        }
    }
}

impl PageMetric {
    fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Partial => "partial",
            Self::Teaser => "teaser",
            Self::Again => "again",
        }
    }
}

impl StoryMetric {
    fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Unmatched => "unmatched",
            Self::Recorded => "recorded",
        }
    }
}

impl AttemptMetric {
    fn as_str(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Again => "again",
            Self::Dead => "dead",
        }
    }
}
