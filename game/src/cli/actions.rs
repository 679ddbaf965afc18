//! Where a rollout's actions come from: a file (ours or VPT's), or a scripted player.

use super::fault::mistake;
use holdfast_game::vpt;
use holdfast_sim::Action;
use std::{
    fs::File,
    io::{BufRead, BufReader, Seek},
    path::Path,
};

/// Reads an actions file; which of the two formats it has shows in its first line.
pub fn read(path: &Path) -> anyhow::Result<Vec<Action>> {
    let name = path.display();
    let file = File::open(path).map_err(|error| mistake(format!("cannot open the actions file {name}: {error}")))?;
    let mut reader = BufReader::new(file);
    let mut first = String::new();
    // A line that is not text is told below, with its number.
    let is_vpt = reader.read_line(&mut first).is_ok() && vpt::is_vpt_line(&first);
    reader
        .rewind()
        .map_err(|error| mistake(format!("cannot read {name} twice, which takes a file, no pipe: {error}")))?;
    let actions = if is_vpt { vpt::read_jsonl(reader) } else { Action::read_jsonl(reader) };
    actions.map_err(|error| mistake(format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str) -> Result<Vec<Action>, String> {
        let file = tempfile::NamedTempFile::new().expect("a temporary file");
        std::fs::write(file.path(), text).expect("room for a small file");
        read(file.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn both_formats_are_told_apart() {
        let forward = Action { forward: true, ..Action::default() };
        assert_eq!(check("{\"forward\":true}\n"), Ok(vec![forward]));
        let vpt = "{\"mouse\":{\"dx\":0,\"dy\":0},\"keyboard\":{\"keys\":[\"key.keyboard.w\"]}}\n";
        assert_eq!(check(vpt), Ok(vec![forward]));
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let message = check(&("{}\n".repeat(16) + "{\"forwards\":true}\n")).expect_err("line 17 is bad");
        assert!(message.contains(": line 17: unknown field `forwards`"), "{message}");
        assert!(read(Path::new("nowhere.jsonl")).expect_err("not there").to_string().contains("nowhere.jsonl"));
    }
}
