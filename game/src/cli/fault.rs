//! How errors are told: one line on stderr that says what, where and what to do; 2 for the user's mistake, 1 for ours.

use std::{
    fmt::Display,
    io::{ErrorKind, Write},
    process::ExitCode,
};

/// Exit code for a mistake of the user's: a wrong argument, a broken file, a device that is not there.
const MISTAKE: u8 = 2;
/// Exit code for everything else: a full disk, a bug.
const FAILURE: u8 = 1;

/// Marks an error as the user's mistake, wherever it stands in the chain.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Mistake(String);

/// An error that the user can put right; the message says how.
pub fn mistake(message: impl Display) -> anyhow::Error {
    Mistake(message.to_string()).into()
}

/// Tells a command's outcome.
pub fn tell(result: anyhow::Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever read our output has enough of it: `holdfast bench | head -1`.
        Err(error) if error.downcast_ref::<std::io::Error>().is_some_and(|e| e.kind() == ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            print_error(&format!("{error:#}"));
            ExitCode::from(code(&error))
        }
    }
}

fn code(error: &anyhow::Error) -> u8 {
    if error.chain().any(|cause| cause.is::<Mistake>()) { MISTAKE } else { FAILURE }
}

/// Tells what the argument parser found, in one line; help and version go to stdout as they are.
pub fn tell_usage(error: &clap::Error, subcommands: &[String]) -> ExitCode {
    if !error.use_stderr() {
        // A closed pipe is no reason to complain about help.
        let _ = error.print();
        return ExitCode::SUCCESS;
    }
    let command = std::env::args().skip(1).find(|arg| subcommands.contains(arg));
    let help = command.map_or("holdfast --help".to_string(), |name| format!("holdfast {name} --help"));
    print_error(&format!("{}; see `{help}`", first_paragraph(&error.to_string())));
    ExitCode::from(MISTAKE)
}

/// Clap's message without its usage text: the first paragraph and the tips.
fn first_paragraph(text: &str) -> String {
    let mut paragraphs = text.split("\n\n").map(str::trim);
    let mut line = one_line(paragraphs.next().unwrap_or_default());
    line = line.strip_prefix("error: ").unwrap_or(&line).to_string();
    for tip in paragraphs.filter_map(|paragraph| paragraph.strip_prefix("tip: ")) {
        line = format!("{line}; {}", one_line(tip));
    }
    line
}

/// A panic is our bug: it is told in one line too, with the backtrace for those who ask for it.
pub fn tell_panics() {
    if std::env::var_os("RUST_BACKTRACE").is_some() {
        return;
    }
    std::panic::set_hook(Box::new(|panic| {
        let what = panic.payload_as_str().unwrap_or("unknown");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        print_error(&format!("this is a bug in holdfast ({what}, {place}); RUST_BACKTRACE=1 tells more"));
    }));
}

fn print_error(message: &str) {
    // There is nowhere left to complain if stderr is closed.
    let _ = writeln!(std::io::stderr(), "error: {}", one_line(message));
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn context_does_not_hide_whose_mistake_it_is() {
        let error = Err::<(), _>(mistake("line 3 is odd")).context("a.jsonl").expect_err("made above");
        assert_eq!((code(&error), format!("{error:#}").as_str()), (MISTAKE, "a.jsonl: line 3 is odd"));
        assert_eq!(code(&anyhow::anyhow!("disk on fire")), FAILURE);
    }

    #[test]
    fn usage_errors_become_one_line() {
        let text = "error: unexpected argument '--sed' found\n\n  tip: a similar argument exists: '--seed'\n\nUsage: holdfast\n";
        assert_eq!(first_paragraph(text), "unexpected argument '--sed' found; a similar argument exists: '--seed'");
        let text = "error: the following required arguments were not provided:\n  --out <DIR>\n\nUsage: holdfast\n";
        assert_eq!(first_paragraph(text), "the following required arguments were not provided: --out <DIR>");
    }
}
