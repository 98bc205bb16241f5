//! The progress of a backtest, on standard error if that is a terminal.

use indicatif::{HumanCount, ProgressBar, ProgressStyle};

use crate::backtest::batch::Batch;

/// A line that is redrawn a few times a second. Hidden if standard error is not a terminal.
pub(super) struct Progress {
    bar: ProgressBar,
    stories: u64,
}

impl Progress {
    /// Starts at zero of `size` bytes, if the size is known.
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

    /// Counts a finished batch.
    pub(super) fn advance(&mut self, batch: &Batch) {
        self.stories += batch.stories.len() as u64;
        self.bar.set_message(HumanCount(self.stories).to_string());
        self.bar.inc(batch.bytes);
    }

    /// Hides the line while `print` prints something else.
    pub(super) fn hidden<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Removes the line.
    pub(super) fn end(self) {
        self.bar.finish_and_clear();
    }
}
