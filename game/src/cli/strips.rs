//! A validation for people to look at: strips of truth above dream above the dream without memory, as PNG.

use super::{
    atomic_file,
    contact_sheet::{self, Column},
};
use holdfast_model::train::{StripColumn, Validation};
use std::{fs, io, path::Path};

/// Writes `rollout-NAME.png` and `turn-away-NAME.png` into the folder.
pub fn write(folder: &Path, name_of_all: &str, validation: &Validation) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, strips) in [("rollout", &validation.rollout_strips), ("turn-away", &validation.turn_away_strips)] {
        if let Some(sheet) = contact_sheet::draw(&columns(strips), 1) {
            atomic_file::write(&folder.join(format!("{name}-{name_of_all}.png")), &sheet.to_png())?;
        }
    }
    Ok(())
}

/// A tick a column, three pictures a seed, in the order in which ticks and seeds first come.
fn columns(strips: &[StripColumn]) -> Vec<Column> {
    let mut columns: Vec<Column> = Vec::new();
    for strip in strips {
        let pictures = [&strip.truth, &strip.dream, &strip.memory_off].map(Clone::clone);
        match columns.iter_mut().find(|column| column.tick == strip.tick) {
            Some(column) => column.pictures.extend(pictures),
            None => columns.push(Column { tick: strip.tick, pictures: pictures.to_vec() }),
        }
    }
    columns
}

/// The scores that are asked for first, in one line.
pub fn scores(validation: &Validation) -> String {
    let rollout: Vec<_> = validation.rollout.iter().map(|at| format!("{} {:.1}", at.tick, at.all_db.dream)).collect();
    let mut line = format!("PSNR in dB at tick {}", rollout.join(", "));
    if let Some(away) = validation.turn_away {
        let gain = away.all_db.dream - away.all_db.memory_off;
        line += &format!("; back from a look away {:.1}, memory gives {gain:+.1}", away.all_db.dream);
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::Frame;

    #[test]
    fn ticks_are_columns_and_seeds_are_rows() {
        let strip = |seed, tick| {
            let [truth, dream, memory_off] =
                [1u8, 2, 3].map(|value| Frame { width: 1, height: 1, rgb: vec![value; 3] });
            StripColumn { seed, tick, truth, dream, memory_off }
        };
        let columns = columns(&[strip(5, 1), strip(5, 40), strip(6, 1), strip(6, 40)]);
        assert_eq!(columns.iter().map(|column| column.tick).collect::<Vec<_>>(), [1, 40]);
        let values: Vec<u8> = columns[1].pictures.iter().map(|picture| picture.rgb[0]).collect();
        assert_eq!(values, [1, 2, 3, 1, 2, 3]);
    }
}
