//! The table of `docs/decisions/provenance.md`: what `verify` says of files after what befalls files.
//!
//! `cargo run --release -p holdfast-media --example provenance -- ROLLOUT... [--photos FOLDER]`: rollouts written with
//! `--format png,mp4 --unmarked`; needs `ffmpeg` for the changes that others' programs make.

#[path = "../tests/material/mod.rs"]
mod material;

use holdfast_media::{
    credentials::{Identity, Origin, Signer, Start, Statement},
    decode::{self, Format},
    upscale,
    verify::{Validity, Verdict, Watermark, verify_bytes},
    video::Mp4Writer,
    watermark::{Finding, Key, Search, mark},
};
use holdfast_sim::Frame;
use std::{
    collections::BTreeMap,
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Command,
};

/// Frames of a rollout that become stills, evenly spaced.
const STILLS: usize = 8;
/// Keys beside the public one, by which the rate of false positives is measured.
const OTHER_KEYS: usize = 12;

#[derive(Default)]
struct Row {
    files: usize,
    valid: usize,
    invalid: usize,
    marked: usize,
    generated: usize,
    /// The mark's score over its threshold, the least and the most.
    least: Option<f64>,
    most: f64,
}

/// Rows in the order in which they first appear.
#[derive(Default)]
struct Table {
    rows: BTreeMap<String, Row>,
    order: Vec<String>,
    anchors: Option<String>,
}

impl Table {
    fn add(&mut self, what: &str, bytes: &[u8]) {
        match verify_bytes(what, bytes, self.anchors.as_deref()) {
            Ok(verdict) => self.count(what, &verdict),
            Err(error) => eprintln!("{what}: {error}"),
        }
    }

    fn count(&mut self, what: &str, verdict: &Verdict) {
        if !self.rows.contains_key(what) {
            self.order.push(what.to_string());
        }
        let row = self.rows.entry(what.to_string()).or_default();
        row.files += 1;
        row.valid += usize::from(verdict.credentials == Validity::Valid);
        row.invalid += usize::from(verdict.credentials == Validity::Invalid);
        row.marked += usize::from(verdict.watermark == Watermark::Found);
        row.generated += usize::from(verdict.generated == Some(true));
        if let (Some(score), Some(threshold)) = (verdict.watermark_score, verdict.watermark_threshold) {
            let share = score / threshold;
            row.least = Some(row.least.map_or(share, |least| least.min(share)));
            row.most = row.most.max(share);
        }
        for note in &verdict.notes {
            eprintln!("{what}: {note}");
        }
    }

    fn print(&self) {
        println!(
            "| what | files | signed, unchanged | changed after signing | watermark found | called generated | score / threshold |"
        );
        println!("| --- | --- | --- | --- | --- | --- | --- |");
        for what in &self.order {
            let row = &self.rows[what];
            let (files, valid, invalid, marked, generated) =
                (row.files, row.valid, row.invalid, row.marked, row.generated);
            let least = row.least.unwrap_or_default();
            println!(
                "| {what} | {files} | {valid} | {invalid} | {marked} | {generated} | {least:.2} to {:.2} |",
                row.most
            );
        }
    }
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let split = args.iter().position(|arg| arg == "--photos").unwrap_or(args.len());
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("identity");
    let signer = Signer::new(&Identity::of_this_computer(&home).expect("made")).expect("fit");
    let mut table = Table { anchors: Identity::anchors(&home), ..Table::default() };
    for rollout in &args[..split] {
        let frames = frames_of(Path::new(rollout));
        stills(&mut table, &frames, &signer, folder.path());
        videos(&mut table, &frames, &signer, folder.path());
    }
    let photos = args.get(split + 1).map(|photos| pictures_below(Path::new(photos))).unwrap_or_default();
    foreign(&mut table, &photos);
    table.print();
}

/// The model's frames of a rollout, unmarked.
fn frames_of(rollout: &Path) -> Vec<Frame> {
    let paths = (0..).map(|tick| rollout.join(format!("frames/{tick:06}.png")));
    let paths = paths.take_while(|path| path.is_file());
    let frames: Vec<Frame> = paths.map(|path| read_png(&path)).collect();
    assert!(frames.len() > STILLS, "{}: too few frames", rollout.display());
    frames
}

fn read_png(path: &Path) -> Frame {
    let decoder = png::Decoder::new(std::io::BufReader::new(fs::File::open(path).expect("a frame")));
    let mut reader = decoder.read_info().expect("a PNG");
    let mut rgb = vec![0; reader.output_buffer_size().expect("small")];
    let info = reader.next_frame(&mut rgb).expect("whole");
    assert_eq!(info.color_type, png::ColorType::Rgb, "a frame of ours");
    Frame { width: info.width as usize, height: info.height as usize, rgb }
}

fn statement() -> Statement {
    Statement {
        title: "a frame".into(),
        version: env!("CARGO_PKG_VERSION").into(),
        origin: Origin::Model { name: "pebble".into(), hash: "0".into() },
        start: Start::Seed(0),
        actions_hash: None,
        ticks: [0, 0],
        is_marked: true,
    }
}

fn marked(frame: &Frame) -> Frame {
    let mut frame = frame.clone();
    mark(&mut frame, Key::public());
    frame
}

fn stills(table: &mut Table, frames: &[Frame], signer: &Signer, folder: &Path) {
    for frame in frames.iter().step_by(frames.len() / STILLS) {
        let small = marked(frame);
        let large = upscale::nearest(&small, upscale::video_scale(small.width, small.height));
        let (width, height) = (large.width, large.height);
        let signed = signer.sign(&large.to_png(), &statement()).expect("signed");
        table.add("still, fresh", &signed);
        table.add("still of the frame's own size, fresh", &signer.sign(&small.to_png(), &statement()).expect("signed"));
        table.add("still, credentials stripped", &material::strip_png(&signed));
        let mut touched = large.clone();
        touched.rgb[width * height] ^= 1;
        let touched = material::move_credentials(&signed, &touched.to_png());
        table.add("still, one level of one pixel changed", &touched);
        let half = material::resized(&large, width / 2, height / 2);
        table.add("still, half the size", &half.to_png());
        table.add("still, half the size and back", &material::resized(&half, width, height).to_png());
        let quarter = material::crop(&large, 203, 97, width / 2, height / 2);
        table.add("still, a quarter of it", &quarter.to_png());
        let source = folder.join("still.png");
        fs::write(&source, large.to_png()).expect("room");
        for (what, filter, quality) in [
            ("still, as JPEG (ffmpeg -q 5)", "null", "5"),
            ("still, two thirds of the size, as JPEG", "scale=iw*2/3:-2", "5"),
            ("still, a quarter of it, as JPEG", "crop=iw/2:ih/2:161:53", "5"),
        ] {
            let target = folder.join("still.jpg");
            if ffmpeg(&source, &["-vf", filter, "-q:v", quality], &target) {
                table.add(what, &fs::read(&target).expect("written"));
            }
        }
        table.add("still, unmarked", &upscale::nearest(frame, 5).to_png());
    }
}

fn videos(table: &mut Table, frames: &[Frame], signer: &Signer, folder: &Path) {
    let source = folder.join("video.mp4");
    let mut writer = Mp4Writer::create(&source, frames[0].width, frames[0].height).expect("room");
    frames.iter().for_each(|frame| writer.push(&marked(frame)).expect("room"));
    writer.finish().expect("room");
    let plain = fs::read(&source).expect("written");
    let signed = signer.sign(&plain, &statement()).expect("signed");
    table.add("video, fresh", &signed);
    table.add("video, credentials stripped", &material::strip_mp4(&signed));
    let mut touched = signed.clone();
    let at = touched.len() - 500;
    touched[at] ^= 1;
    table.add("video, one bit changed", &touched);
    table.add("video, cut off in the middle", &signed[..signed.len() / 2]);
    fs::write(&source, &signed).expect("room");
    for (what, options) in [
        ("video, trimmed without decoding (ffmpeg -c copy)", &["-ss", "2", "-t", "3", "-c", "copy"][..]),
        ("video, re-encoded (x264, crf 23)", &["-c:v", "libx264", "-preset", "veryfast", "-crf", "23"]),
        ("video, re-encoded (x264, crf 30)", &["-c:v", "libx264", "-preset", "veryfast", "-crf", "30"]),
        ("video, re-encoded (x264, crf 36)", &["-c:v", "libx264", "-preset", "veryfast", "-crf", "36"]),
        ("video, half the size", &["-vf", "scale=iw/2:-2", "-c:v", "libx264", "-preset", "veryfast"]),
        (
            "video, half the size and back",
            &["-vf", "scale=iw/2:-2,scale=iw*2:-2", "-c:v", "libx264", "-preset", "veryfast"],
        ),
        ("video, twice the size", &["-vf", "scale=iw*2:-2", "-c:v", "libx264", "-preset", "veryfast"]),
        ("video, a quarter of it", &["-vf", "crop=iw/2:ih/2:161:53", "-c:v", "libx264", "-preset", "veryfast"]),
        ("video, one second of it", &["-ss", "1", "-t", "1", "-c:v", "libx264", "-preset", "veryfast"]),
    ] {
        let target = folder.join("changed.mp4");
        if ffmpeg(&source, options, &target) {
            table.add(what, &fs::read(&target).expect("written"));
        }
    }
    for second in 1..4 {
        let target = folder.join("grabbed.png");
        let at = second.to_string();
        for (what, filter) in [
            ("one frame grabbed from the video", "null"),
            ("one frame grabbed, a quarter of it", "crop=iw/2:ih/2:161:53"),
        ] {
            if ffmpeg(&source, &["-ss", &at, "-frames:v", "1", "-update", "1", "-vf", filter], &target) {
                table.add(what, &fs::read(&target).expect("written"));
            }
        }
    }
}

fn ffmpeg(source: &Path, options: &[&str], target: &Path) -> bool {
    let mut command = Command::new("ffmpeg");
    command.args(["-v", "error", "-y", "-i"]).arg(source).args(options).arg(target);
    command.status().is_ok_and(|status| status.success())
}

fn pictures_below(folder: &Path) -> Vec<PathBuf> {
    let (mut folders, mut files) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).expect("a folder").map(|entry| entry.expect("readable").path()) {
            if path.is_dir() { folders.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}

/// Pictures of others: none may be taken for ours, under the public key or any other.
fn foreign(table: &mut Table, photos: &[PathBuf]) {
    let keys: Vec<Key> = (0..OTHER_KEYS).map(|index| Key::from_words(&format!("key {index}"))).collect();
    let mut shares: Vec<f64> = Vec::new();
    let mut add = |what: &str, bytes: &[u8]| {
        let format = Format::of(bytes).expect("a picture");
        let mut search: Option<Search> = None;
        let read = decode::planes(bytes, format, &mut |plane| {
            search.get_or_insert_with(|| Search::new(plane.width, plane.height)).push(&plane);
            ControlFlow::Continue(())
        });
        let (Ok(()), Some(search)) = (read, search) else {
            eprintln!("{what}: not read");
            return;
        };
        table.add(what, bytes);
        let share = |finding: Finding| finding.score / finding.threshold;
        shares.extend(keys.iter().map(|key| share(search.best(key))));
    };
    for path in photos {
        let bytes = fs::read(path).expect("readable");
        if Format::of(&bytes).is_some_and(|format| format != Format::Mp4) {
            add("foreign: photographs", &bytes);
        }
    }
    let sizes = [(128, 72), (256, 144), (320, 180), (640, 360), (500, 333), (400, 600)];
    for index in 0..120 {
        let (width, height) = sizes[index % sizes.len()];
        let picture = material::photograph(&format!("table {index}"), width, height);
        add("foreign: made with photographs' statistics", &picture.to_png());
        if index < 60 {
            let view = material::view(5000 + index as u64, width, height);
            add("foreign: the simulator, drawn at its size", &view.to_png());
            let view = upscale::nearest(&material::view(6000 + index as u64, 128, 72), 5);
            add("foreign: the simulator, enlarged as our exports are", &view.to_png());
        }
    }
    shares.sort_by(f64::total_cmp);
    let at = |share: f64| shares[((shares.len() - 1) as f64 * share) as usize];
    println!(
        "Trials under {OTHER_KEYS} other keys: {}; score / threshold: median {:.3}, 99% {:.3}, 99.9% {:.3}, highest {:.3}; found: {}.\n",
        shares.len(),
        at(0.5),
        at(0.99),
        at(0.999),
        at(1.0),
        shares.iter().filter(|share| **share > 1.0).count()
    );
}
