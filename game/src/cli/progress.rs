//! Progress on stderr, drawn only where a person watches.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::io::IsTerminal;

/// A bar of `length` steps with time left and a message; invisible when stderr is no terminal.
pub fn bar(length: u64, unit: &str) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let template = format!("{{wide_bar:.green/dim}} {{pos}}/{{len}} {unit}, {{eta}} left  {{msg}}");
    let style = ProgressStyle::with_template(&template).expect("a template of ours, tested").progress_chars("━━─");
    ProgressBar::with_draw_target(Some(length), target).with_style(style)
}

/// A line for people on stderr, above the bar if there is one.
pub fn note(bar: &ProgressBar, line: &str) {
    if bar.is_hidden() {
        eprintln!("{line}");
    } else {
        bar.println(line);
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_template_is_valid() {
        super::bar(3, "ticks").inc(1);
    }
}
