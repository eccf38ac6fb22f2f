//! Progress on a terminal.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::screen::is_utf8;
use crate::text::{cut, escape};
use crate::writer::Step;

/// A bar that appears after half a second of work, or a spinner while a large tensor is drawn as a whole.
pub(super) struct Progress {
    bar: ProgressBar,
    shown_from: Option<Instant>,
    spins: AtomicBool,
}

const DELAY: Duration = Duration::from_millis(500);
const TICK: Duration = Duration::from_millis(100);
/// Drawing this number of elements together takes about as long as the delay.
const LARGE: u64 = 1 << 18;
const BYTES: &str = "{bar:30} {bytes} of {total_bytes}, {bytes_per_sec}, {eta} left";

impl Progress {
    pub(super) fn new(bytes: u64, shown: bool) -> Self {
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::hidden()).with_style(style(BYTES));
        Self { bar, shown_from: shown.then(|| Instant::now() + DELAY), spins: AtomicBool::new(false) }
    }

    pub(super) fn step(&self, step: &Step) {
        let is_due = self.shown_from.is_some_and(|from| Instant::now() >= from);
        match step {
            Step::Whole(tensor) if is_due || self.shown_from.is_some() && tensor.shape().count() >= LARGE => {
                let name = cut(&escape(tensor.name().as_str()), 40);
                self.bar.set_style(style("{spinner} drawing {msg}, {elapsed}"));
                self.bar.set_message(format!("{name}={}", tensor.shape()));
                self.show();
                self.bar.enable_steady_tick(TICK);
                self.spins.store(true, Ordering::Relaxed);
            }
            Step::Whole(_) => {}
            Step::Bytes(bytes) => {
                if self.spins.swap(false, Ordering::Relaxed) {
                    self.bar.disable_steady_tick();
                    self.bar.set_style(style(BYTES));
                }
                if is_due {
                    self.show();
                }
                self.bar.inc(*bytes);
            }
        }
    }

    fn show(&self) {
        if self.bar.is_hidden() {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }

    pub(super) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// The style of a template, in characters of the locale.
pub(super) fn style(template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    if is_utf8() { style } else { style.progress_chars("#>-").tick_chars("|/-\\ ") }
}
