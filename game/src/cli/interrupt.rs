//! Ctrl-C: the first asks the command to end cleanly and keep what is done, the second ends it at once.

use anyhow::Context;
use std::sync::atomic::{AtomicBool, Ordering};

/// A signal handler reaches nothing but a static.
static STOP: AtomicBool = AtomicBool::new(false);

/// Exit code of a process that an interrupt ended, as shells have it.
const INTERRUPTED: i32 = 130;

/// Takes over Ctrl-C (and a polite kill); the flag turns true at the first one.
pub fn stop_flag() -> anyhow::Result<&'static AtomicBool> {
    ctrlc::set_handler(|| {
        if STOP.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED);
        }
    })
    .context("cannot take over Ctrl-C")?;
    Ok(&STOP)
}
