//! How far a backtest is, on standard error, when a person watches; otherwise nothing.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::backtest::batch::Batch;

/// A line that is drawn over and over, a few times a second; hidden where standard error is no
/// terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    stories: u64,
}

impl Progress {
    /// Starts at nothing, of `size` bytes if that is known.
    pub(super) fn start(size: Option<u64>) -> Self {
        let (bar, template) = match size {
            Some(size) => {
                (ProgressBar::new(size), "{bar:30} {percent:>3} %, {msg} stories, {eta} left")
            }
            None => (ProgressBar::no_length(), "{msg} stories"),
        };
        let style = ProgressStyle::with_template(template).expect("a sound template");
        Self { bar: bar.with_style(style).with_message("0"), stories: 0 }
    }

    /// A batch more is done.
    pub(super) fn advance(&mut self, batch: &Batch) {
        self.stories += batch.stories.len() as u64;
        self.bar.set_message(HumanCount(self.stories).to_string());
        self.bar.inc(batch.bytes);
    }

    /// Does what prints something else, with the line out of the way.
    pub(super) fn hidden<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Removes the line.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}
