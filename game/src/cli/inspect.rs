//! `holdfast inspect`: what a saved world or a recording holds, in words and as a map.

use super::{
    atomic_file,
    fault::mistake,
    model_folder::{self, DreamArgs},
    replay,
};
use anyhow::{Context, anyhow};
use holdfast_model::{
    keep::{
        About, Fault, Save, Snapshot,
        recording::{Beginning, RecordedLine, Recording, Replay},
    },
    state::Chart,
};
use holdfast_sim::{Camera, TICKS_PER_SECOND};
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

const AFTER_HELP: &str = "Examples:
  holdfast inspect out/rollout.holdfast
  holdfast inspect ~/.local/share/holdfast/worlds/world-1790000000.world
  holdfast inspect out/rollout.holdfast --map out/map.png --map-size 1280x720

The map shows what the world state knows, from above: on the left the colours of the highest known surface,
on the right how old it is (new is yellow, ten minutes are violet) above how sure (dark red is doubtful,
pale is sure). What is not known is dark grey; the white line is the way, the red mark the eye and what it
sees, magenta what lives and where it goes. A recording holds no world, only what was done: its last line is
dreamed again to its end, which needs the model and takes as long as the frames take.";

/// Tell what a saved world or a recording holds
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct InspectArgs {
    /// Saved world or recording
    file: PathBuf,
    /// Draw what the world state knows, from above, to this PNG
    #[arg(long, value_name = "PNG")]
    map: Option<PathBuf>,
    /// Size of the map, pixels
    #[arg(long, value_name = "WxH", default_value = "960x540", value_parser = size, requires = "map")]
    map_size: [usize; 2],
    /// For the map of a recording: folder of the model that it was recorded with [default: the shipped assets/models/pebble]
    #[arg(long, value_name = "DIR", requires = "map")]
    model: Option<PathBuf>,
}

pub fn run(args: &InspectArgs) -> anyhow::Result<()> {
    let name = args.file.display();
    let bytes = fs::metadata(&args.file).map_or(0, |about| about.len());
    let rows = match Save::open(&args.file) {
        Ok(save) => {
            if let Some(map) = &args.map {
                draw(&save.snapshot, &[], map, args.map_size)?;
            }
            of_save(&save)
        }
        Err(Fault::Foreign(_)) => match Recording::open(&args.file) {
            Ok(recording) => {
                if let Some(map) = &args.map {
                    let (end, trail) = end_of(&recording, args)?;
                    draw(&end, &trail, map, args.map_size)?;
                }
                of_recording(&recording)
            }
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

/// Draws the map of a world.
fn draw(world: &Snapshot, trail: &[[f32; 2]], path: &Path, [width, height]: [usize; 2]) -> anyhow::Result<()> {
    let camera = Some(Camera::new(world.frame().width, world.frame().height));
    let chart = Chart { pose: Some(world.pose()), camera, trail, tick: world.tick(), ..Chart::default() };
    let picture = world.world_state().draw_chart(&chart, width, height);
    atomic_file::write(path, &picture.to_png()).map_err(|error| mistake(format!("{}: {error}", path.display())))
}

/// The world at the end of a recording's last line, and the way there: dreamed again.
fn end_of(recording: &Recording, args: &InspectArgs) -> anyhow::Result<(Snapshot, Vec<[f32; 2]>)> {
    let dream_args = DreamArgs { model: args.model.clone(), ..DreamArgs::default() };
    let (model, options) = replay::model_of(recording, &dream_args, &args.file)?;
    let mut dream = model_folder::dream(model, options)?;
    // By tick, so that a fork goes on from where it left its line.
    let mut way: Vec<(u64, [f32; 2])> = Vec::new();
    let (mut replay, mut line, mut unequal) = (Replay::new(recording), 0, 0);
    while let Some(outcome) = replay.next(recording, &mut dream).map_err(|e| anyhow!(e)).context("the replay failed")? {
        let (tick, pose) = (outcome.observation.tick, outcome.observation.pose);
        let forks = matches!(recording.lines[outcome.line].beginning, Beginning::Fork { .. });
        if outcome.line != line {
            line = outcome.line;
            way.retain(|(earlier, _)| forks && *earlier < tick);
        }
        way.push((tick, [pose.position[0], pose.position[2]]));
        unequal += u64::from(!outcome.equal);
    }
    if unequal > 0 {
        eprintln!("note: {unequal} frames differ from the recorded ones; the map is that of the frames made now");
    }
    let end = dream.snapshot().ok_or_else(|| mistake(format!("{} holds no frame", args.file.display())))?;
    Ok((end, way.into_iter().map(|(_, at)| at).collect()))
}

fn size(text: &str) -> Result<[usize; 2], String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some([width.parse().ok()?, height.parse().ok()?]));
    sides
        .filter(|sides| sides.iter().all(|side| (16..=8192).contains(side)))
        .ok_or_else(|| "expected WIDTHxHEIGHT, each 16 to 8192, such as 960x540".to_string())
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_or_refused() {
        assert_eq!(size("960x540"), Ok([960, 540]));
        for bad in ["", "960", "960x", "0x9", "15x15", "9000x20", "-1x5"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
