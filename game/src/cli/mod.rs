//! The command line: what commands there are, one file each; parsing, and how every error is told.

mod actions;
mod atomic_file;
mod bench;
mod bench_window;
mod compare;
mod contact_sheet;
mod data;
mod export;
mod fault;
mod film;
mod fork;
mod inspect;
mod interrupt;
mod model_folder;
mod out_folder;
mod pace;
mod picture;
mod play;
mod probe;
mod progress;
mod recording;
mod replay;
mod rollout;
mod strips;
mod timing;
mod train;
mod truth;
mod validate;
mod verify;

use clap::{CommandFactory, Parser, Subcommand};
use std::{io::IsTerminal, process::ExitCode};

/// A generated world that holds: what you saw, broke and built is still there when you come back.
///
/// Without a command it plays: `holdfast` is `holdfast play`.
#[derive(Debug, Parser)]
#[command(name = "holdfast", version, max_term_width = 100, args_conflicts_with_subcommands = true)]
#[command(subcommand_negates_reqs = true, after_help = EXAMPLES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    play: play::PlayArgs,
}

#[derive(Debug, Subcommand)]
enum Command {
    Play(play::PlayArgs),
    Rollout(Box<rollout::RolloutArgs>),
    Replay(replay::ReplayArgs),
    Inspect(inspect::InspectArgs),
    Bench(bench::BenchArgs),
    Train(train::TrainArgs),
    Data(data::DataArgs),
    Validate(validate::ValidateArgs),
    Probe(probe::ProbeArgs),
    Verify(verify::VerifyArgs),
}

const EXAMPLES: &str = "Examples:
  holdfast                                     walk about in a generated world
  holdfast rollout --seed 7 --policy wander --ticks 200 --out out
  holdfast bench --json
Each command has its own --help.";

/// Parses, runs, and turns what went wrong into one line and an exit code: 2 is the user's mistake, 1 is ours.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return fault::tell_usage(&error, &subcommand_names()),
    };
    fault::tell_panics();
    log_to_stderr();
    let result = match cli.command {
        None => play::run(&cli.play),
        Some(Command::Play(args)) => play::run(&args),
        Some(Command::Rollout(args)) => rollout::run(&args),
        Some(Command::Replay(args)) => replay::run(&args),
        Some(Command::Inspect(args)) => inspect::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Data(args)) => data::run(&args),
        Some(Command::Validate(args)) => validate::run(&args),
        Some(Command::Probe(args)) => probe::run(&args),
        // What it finds is in its exit code.
        Some(Command::Verify(args)) => return verify::run(&args).unwrap_or_else(|error| fault::tell(Err(error))),
    };
    fault::tell(result)
}

/// Warnings and errors, or what `RUST_LOG` asks for; the graphics stack warns of much that no player can change.
fn log_to_stderr() {
    let quiet = "warn,wgpu_core=error,wgpu_hal=error,naga=error,bevy_render=error,winit=error,c2pa=error";
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| quiet.into());
    let ansi = std::io::stderr().is_terminal();
    tracing_subscriber::fmt().with_env_filter(filter).with_ansi(ansi).with_writer(std::io::stderr).init();
}

fn subcommand_names() -> Vec<String> {
    Cli::command().get_subcommands().map(|command| command.get_name().to_string()).collect()
}

/// Parses a seed; clap adds the argument's name and the value.
fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| format!("expected a whole number from 0 to {}, such as 7", u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_consistent_and_each_has_help_with_an_example() {
        Cli::command().debug_assert();
        for mut command in Cli::command().get_subcommands().cloned() {
            let name = command.get_name().to_string();
            let help = command.render_long_help().to_string();
            assert!(help.contains(&format!("  holdfast {name}")), "{name}: no example in\n{help}");
        }
    }

    #[test]
    fn no_command_is_play() {
        let cli = Cli::try_parse_from(["holdfast", "--seed", "9"]).expect("play's flags stand without its name");
        assert!(cli.command.is_none());
        assert_eq!(cli.play.seed, Some(9));
    }
}
