//! `holdfast inspect`: what a saved world or a recording holds, in words.

use super::fault::mistake;
use holdfast_model::keep::{
    About, Fault, Save,
    recording::{Beginning, RecordedLine, Recording},
};
use holdfast_sim::TICKS_PER_SECOND;
use std::{fs, io::Write, path::PathBuf};

const AFTER_HELP: &str = "Examples:
  holdfast inspect out/rollout.holdfast
  holdfast inspect ~/.local/share/holdfast/worlds/world-1790000000.world";

/// Tell what a saved world or a recording holds
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct InspectArgs {
    /// Saved world or recording
    file: PathBuf,
}

pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let name = args.file.display();
    let bytes = fs::metadata(&args.file).map_or(0, |about| about.len());
    let rows = match Save::open(&args.file) {
        Ok(save) => of_save(&save),
        Err(Fault::Foreign(_)) => match Recording::open(&args.file) {
            Ok(recording) => of_recording(&recording),
            Err(Fault::Foreign(_)) => {
                return Err(mistake(format!("{name} is neither a saved world nor a recording of holdfast")));
            }
            Err(fault) => return Err(mistake(format!("{name}: {fault}"))),
        },
        Err(fault) => return Err(mistake(format!("{name}: {fault}"))),
    };
    let rows = rows.into_iter().chain([("size".to_string(), format!("{:.2} MB", bytes as f64 / 1e6))]);
    for (what, value) in rows {
        writeln!(std::io::stdout(), "{what:<12} {value}")?;
    }
    Ok(())
}

fn of_model(about: &About) -> [(String, String); 3] {
    let (width, height) = (about.model_config.width, about.model_config.height);
    let memory = if about.memory { "on" } else { "off" };
    let (device, instructions, threads) = (&about.device, &about.instructions, about.threads);
    [
        ("made by".into(), about.program.clone()),
        (
            "model".into(),
            format!("{}, {width}x{height}, {} steps a frame, memory {memory}", about.model(), about.sampler_steps),
        ),
        ("device".into(), format!("{device} with {instructions}, threads: {threads}")),
    ]
}

fn of_save(save: &Save) -> Vec<(String, String)> {
    let world = &save.snapshot;
    let [x, y, z] = world.pose().position;
    let (yaw, pitch) = (world.pose().yaw_deg, world.pose().pitch_deg);
    let began = save.line.origin.seed().map_or("a picture".to_string(), |seed| format!("seed {seed}"));
    let mut rows = vec![("what".to_string(), "a saved world".to_string())];
    rows.extend(of_model(&save.about));
    rows.push(("began with".into(), format!("{began}, noise seed {}", save.line.noise_seed)));
    rows.push(("at".into(), format!("tick {} ({:.1} s)", world.tick(), seconds(world.tick()))));
    rows.push(("eye".into(), format!("{x:.2} {y:.2} {z:.2}, yaw {yaw:.1}, pitch {pitch:.1} degrees")));
    rows.push(("world state".into(), format!("{} cells", world.memory_cells())));
    rows
}

fn of_recording(recording: &Recording) -> Vec<(String, String)> {
    let ticks = recording.ticks();
    let mut rows = vec![("what".to_string(), format!("a recording of {ticks} ticks ({:.1} s)", seconds(ticks)))];
    rows.extend(of_model(&recording.about));
    for (at, line) in recording.lines.iter().enumerate() {
        rows.push((format!("line {at}"), of_line(line)));
    }
    rows.push(("missing".into(), recording.missing.clone().unwrap_or("nothing".into())));
    rows
}

fn of_line(line: &RecordedLine) -> String {
    let began = match &line.beginning {
        Beginning::Origin(origin) => origin.seed().map_or("from a picture".into(), |seed| format!("from seed {seed}")),
        Beginning::Save(bytes) => format!("from a save of {:.2} MB", bytes.len() as f64 / 1e6),
        Beginning::Fork { line } => format!("fork of line {line}"),
    };
    format!("{began}, tick {} to {}, noise seed {}", line.first_tick, line.last_tick(), line.noise_seed)
}

fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_SECOND as f64
}
