//! Folders that a command writes to: taken when new, empty, or written by the same command before.

use super::fault::mistake;
use anyhow::anyhow;
use std::{fs, io, path::Path};

/// Makes `out` ready. `marker` is the file by which a former run is known; `clear` removes such a run.
pub fn prepare(
    out: &Path,
    overwrite: bool,
    marker: &str,
    clear: impl FnOnce(&Path) -> io::Result<()>,
) -> anyhow::Result<()> {
    let name = out.display();
    let fail =
        |error: io::Error| mistake(format!("cannot use --out {name}: {error}; choose a folder you can write to"));
    fs::create_dir_all(out).map_err(fail)?;
    let is_empty = fs::read_dir(out).map_err(fail)?.next().is_none();
    if !is_empty && !overwrite && !out.join(marker).is_file() {
        return Err(mistake(format!(
            "--out {name} is not empty and was not written by this command; choose another folder, or add --overwrite \
             to write into it"
        )));
    }
    clear(out).map_err(fail)
}

/// Removes the numbered pictures of a folder that may not be there, and nothing else.
pub fn remove_numbered_pictures(folder: &Path) -> io::Result<()> {
    if !folder.is_dir() {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let stem = name.strip_suffix(".png").unwrap_or_default();
        if stem.len() >= 6 && stem.bytes().all(|byte| byte.is_ascii_digit()) {
            fs::remove_file(&path)?;
        }
    }
    Ok(())
}

/// Removes those of these files that are there.
pub fn remove_files<'a>(folder: &Path, names: impl IntoIterator<Item = &'a str>) -> io::Result<()> {
    for path in names.into_iter().map(|name| folder.join(name)).filter(|path| path.is_file()) {
        fs::remove_file(path)?;
    }
    Ok(())
}

/// The name of a tick's picture.
pub fn picture_name(tick: u64) -> String {
    format!("{tick:06}.png")
}

/// A write that failed; `kept` says what is there all the same.
pub fn write_error(path: &Path, error: &io::Error, kept: &str) -> anyhow::Error {
    let remedy = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "free some space or choose another --out",
        _ => "choose another --out",
    };
    anyhow!("cannot write {}: {error}; {kept} is kept; {remedy}", path.display())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_other_things_is_taken_only_when_asked_and_never_emptied() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (thesis, picture) = (folder.path().join("thesis.txt"), folder.path().join("cat.png"));
        fs::write(&thesis, "years").expect("room for a small file");
        fs::write(&picture, "purr").expect("room for a small file");
        let clear = |folder: &Path| remove_numbered_pictures(folder);
        let error = prepare(folder.path(), false, "mark.json", clear).expect_err("not ours").to_string();
        assert!(error.contains("--overwrite"), "{error}");
        fs::write(folder.path().join(picture_name(3)), "frame").expect("room for a small file");
        prepare(folder.path(), true, "mark.json", clear).expect("asked for");
        assert!(thesis.is_file() && picture.is_file() && !folder.path().join("000003.png").exists());
    }
}
