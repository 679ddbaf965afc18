//! `holdfast verify`: what is known of a picture or a video, in plain words or for machines.

use super::{fault::mistake, progress};
use holdfast_game::export::identity_folder;
use holdfast_media::{
    Error,
    credentials::Identity,
    verify::{self, Validity, Verdict},
};
use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};

const AFTER_HELP: &str = "Examples:
  holdfast verify clip.mp4
  holdfast verify out --json
  holdfast verify clip.mp4 --trust their-certificate.pem

Reads PNG, JPEG, GIF, WebP and MP4 (H.264); of a folder all such files below it. Works offline.

Exit codes, for scripts:
  0  every file is signed and unchanged
  1  holdfast failed
  2  a file cannot be read, or is neither a picture nor a video
  3  a file was changed after it was signed, or signed wrongly
  4  none of those, but a file is not signed (it may still have the watermark)";

/// A file was changed after it was signed.
const CHANGED: u8 = 3;
/// A file is not signed.
const UNSIGNED: u8 = 4;

/// Say who signed a picture or video, whether it changed since, and whether a model made it
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct VerifyArgs {
    /// A picture, a video, or a folder of them
    #[arg(value_name = "FILE|FOLDER")]
    path: PathBuf,
    /// Print a JSON list instead of words
    #[arg(long)]
    json: bool,
    /// Certificates (PEM) of signers to know besides this computer's own
    #[arg(long, value_name = "PEM")]
    trust: Option<PathBuf>,
}

pub fn run(args: &VerifyArgs) -> anyhow::Result<ExitCode> {
    let anchors = anchors(args)?;
    let files = files(&args.path)?;
    let bar = progress::bar(files.len() as u64, "files");
    let mut verdicts = Vec::new();
    for path in &files {
        bar.inc(1);
        match verify::verify(path, anchors.as_deref()) {
            Ok(verdict) => verdicts.push(verdict),
            // Folders hold other things, too.
            Err(Error::Unknown) if files.len() > 1 || args.path.is_dir() => {}
            Err(error) => return Err(mistake(told(path, &error))),
        }
    }
    bar.finish_and_clear();
    if verdicts.is_empty() {
        return Err(mistake(format!("{}: no picture (PNG, JPEG, GIF, WebP) and no MP4 video", args.path.display())));
    }
    tell(&verdicts, args.json)?;
    let any = |validity: Validity| verdicts.iter().any(|verdict| verdict.credentials == validity);
    Ok(match () {
        () if any(Validity::Invalid) => ExitCode::from(CHANGED),
        () if any(Validity::None) => ExitCode::from(UNSIGNED),
        () => ExitCode::SUCCESS,
    })
}

fn tell(verdicts: &[Verdict], json: bool) -> io::Result<()> {
    let mut out = io::stdout().lock();
    if json {
        let text = serde_json::to_string_pretty(verdicts).expect("fixed names and finite numbers always serialise");
        return writeln!(out, "{text}");
    }
    for verdict in verdicts {
        writeln!(out, "{}", verdict.words())?;
    }
    Ok(())
}

fn told(path: &Path, error: &Error) -> String {
    match error {
        // These name the file themselves.
        Error::Io { .. } | Error::Identity { .. } => error.to_string(),
        other => format!("{}: {other}", path.display()),
    }
}

/// Certificates of this computer's own identity, if it has one, and those asked for.
fn anchors(args: &VerifyArgs) -> anyhow::Result<Option<String>> {
    let own = identity_folder().and_then(|folder| Identity::anchors(&folder));
    let Some(path) = &args.trust else {
        return Ok(own);
    };
    let asked = fs::read_to_string(path).map_err(|error| mistake(format!("{}: {error}", path.display())))?;
    if !asked.contains("BEGIN CERTIFICATE") {
        return Err(mistake(format!("{}: holds no certificate; give a PEM file of them", path.display())));
    }
    Ok(Some(own.unwrap_or_default() + &asked))
}

/// The file itself, or all files of a folder and the folders in it, by name. Links are not followed out of it.
fn files(path: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let fail = |error: io::Error| mistake(format!("{}: {error}", path.display()));
    if !fs::metadata(path).map_err(fail)?.is_dir() {
        return Ok(vec![path.to_path_buf()]);
    }
    let (mut folders, mut files) = (vec![path.to_path_buf()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let kind = entry.file_type().map_err(fail)?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                files.push(entry.path());
            }
        }
    }
    files.sort();
    Ok(files)
}
