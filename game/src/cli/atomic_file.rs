//! Files that are whole or not there, and line files that end with a whole line, also when the disk is full.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

/// Writes `bytes` beside `path`, then renames: a reader never sees half a file, a failure leaves nothing behind.
pub fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let written = fs::write(&partial, bytes).and_then(|()| fs::rename(&partial, path));
    if written.is_err() {
        // What stopped the writing is the error to tell, not what stops the tidying.
        let _ = fs::remove_file(&partial);
    }
    written
}

/// A file that grows by lines.
#[derive(Debug)]
pub struct LineFile {
    file: File,
    /// Bytes of whole lines.
    whole: u64,
}

impl LineFile {
    pub fn create(path: &Path) -> io::Result<LineFile> {
        Ok(LineFile { file: File::create(path)?, whole: 0 })
    }

    /// Appends one line; after a failure the file still ends with the last whole one.
    pub fn push(&mut self, line: &str) -> io::Result<()> {
        let bytes = format!("{line}\n");
        match self.file.write_all(bytes.as_bytes()) {
            Ok(()) => {
                self.whole += bytes.len() as u64;
                Ok(())
            }
            Err(error) => {
                // Shrinking needs no space; if it fails all the same, the first error is the one to tell.
                let _ = self.file.set_len(self.whole);
                Err(error)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_nothing_behind() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        // A folder stands where the file should go: the rename fails.
        let path = folder.path().join("taken");
        fs::create_dir_all(path.join("inside")).expect("room for a folder");
        write(&path, b"frame").expect_err("a folder cannot be replaced by a file");
        assert_eq!(fs::read_dir(folder.path()).expect("still there").count(), 1);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_full_disk_is_an_error_of_the_line() {
        let mut lines = LineFile::create(Path::new("/dev/full")).expect("every Linux has it");
        assert_eq!(lines.push("{}").expect_err("always full").kind(), io::ErrorKind::StorageFull);
        assert_eq!(lines.whole, 0);
    }
}
