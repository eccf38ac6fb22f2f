//! A progress bar that appears after half a second of work.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

pub(super) struct Progress {
    bar: ProgressBar,
    shown_from: Option<Instant>,
}

impl Progress {
    const DELAY: Duration = Duration::from_millis(500);

    pub(super) fn new(bytes: u64, shown: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden());
        if let Ok(style) =
            ProgressStyle::with_template("{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left")
        {
            bar.set_style(style);
        }
        Self { bar, shown_from: shown.then(|| Instant::now() + Self::DELAY) }
    }

    pub(super) fn advance(&self, bytes: u64) {
        if self.bar.is_hidden() && self.shown_from.is_some_and(|from| Instant::now() >= from) {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(bytes);
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
