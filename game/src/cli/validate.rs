//! `holdfast validate`: how well a model follows the truth on seeds that it was never trained on.

use super::{
    atomic_file,
    fault::mistake,
    interrupt,
    model_folder::{DreamArgs, scored_on},
    progress, strips,
};
use anyhow::Context;
use holdfast_model::{
    DreamOptions,
    train::{self, Scores, TickScores, TrainError, Validation},
};
use std::{ops::Range, path::PathBuf};

const AFTER_HELP: &str = "Examples:
  holdfast validate --seeds 1000000..1000050
  holdfast validate --model runs/pebble/model --seeds 1000000..1000010 --out out/validation

The dream gets the first frame and the actions. Scored: mean PSNR in dB against the simulator
after 1, 10, 20 and 40 ticks of mixed actions, and after a look of 20 ticks the other way and back;
over all pixels, over those whose surface an earlier true frame had shown, and over those whose
surface the start had shown (all that the dream was given). Beside it stand the same model with its
world state off, and the start frame held still.";

/// Score a model against the simulator on validation seeds
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct ValidateArgs {
    #[command(flatten)]
    dream: DreamArgs,
    /// Validation seeds, first and one past the last, from 1000000..2000000
    #[arg(long, value_name = "FROM..TO", default_value = "1000000..1000050", value_parser = seeds)]
    seeds: Range<u64>,
    /// Folder for validation.json and strips of truth, dream, and dream without its world state
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Print the figures as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &ValidateArgs) -> anyhow::Result<()> {
    let stop = interrupt::stop_flag()?;
    let (model, options) = args.dream.read(0, true)?;
    let options = DreamOptions { device: scored_on(options.device), ..options };
    let bar = progress::bar(args.seeds.end - args.seeds.start, "seeds");
    let mut tell = |done: u64| bar.set_position(done);
    let result = train::validate(&model, options, args.seeds.clone(), stop, &mut tell);
    bar.finish_and_clear();
    let validation = result.map_err(|error| match error {
        TrainError::ValidationSeeds { .. } => mistake(error),
        other => anyhow::Error::new(other),
    })?;
    if validation.seeds == 0 {
        return Ok(());
    }
    let json = serde_json::to_string_pretty(&validation).context("the figures do not serialise")?;
    if let Some(out) = &args.out {
        let name = format!("{}-{}", args.seeds.start, args.seeds.end);
        strips::write(out, &name, &validation).with_context(|| format!("cannot write to {}", out.display()))?;
        let path = out.join("validation.json");
        atomic_file::write(&path, json.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
    }
    println!("{}", if args.json { json } else { table(&validation) });
    Ok(())
}

/// The figures for people.
fn table(validation: &Validation) -> String {
    let scores = |s: &Scores| format!("{:7.2} {:8.2} {:7.2}", s.dream, s.memory_off, s.start_frame);
    let row = |name: String, t: &TickScores| {
        let share = |share: f64| format!("{:3.0}%", share * 100.0);
        let (seen, shown) = (share(t.seen_share), share(t.shown_share));
        format!("{name:<10} {}  | {} {seen} | {} {shown}", scores(&t.all_db), scores(&t.seen_db), scores(&t.shown_db))
    };
    let parts = "  dream  map off   start";
    let mut lines = vec![
        format!(
            "{:<10} {:^24}  | {:^28} | {:^28}",
            "PSNR, dB", "all pixels", "seen in an earlier frame", "shown at the start"
        ),
        format!("{:<10} {parts}  | {parts} share| {parts} share", ""),
    ];
    lines.extend(validation.rollout.iter().map(|t| row(format!("tick {}", t.tick), t)));
    lines.extend(validation.turn_away.iter().map(|t| row("turn away".into(), t)));
    lines.push(format!(
        "{} seeds; position off by {:.2} blocks after {} ticks",
        validation.seeds,
        validation.position_error_blocks,
        validation.rollout.last().map_or(0, |t| t.tick)
    ));
    lines.join("\n")
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range
        .filter(|range| !range.is_empty())
        .ok_or_else(|| "expected FROM..TO with FROM below TO, such as 1000000..1000050".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_seeds_are_read_or_refused() {
        assert_eq!(seeds("1000000..1000002"), Ok(1_000_000..1_000_002));
        for bad in ["5", "7..7", "9..3", "a..b", ""] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }
}
