//! A contact sheet: small pictures side by side in rows, each column with its tick above it.

use holdfast_sim::Frame;

/// Pixels between pictures, and around them.
const GAP: usize = 4;
/// Pixels of one dot of a digit.
const DOT: usize = 2;
const BACKGROUND: u8 = 24;
const INK: u8 = 224;

/// Digits of 3x5 dots, a row in three bits, the leftmost dot highest.
const DIGITS: [[u8; 5]; 10] = [
    [7, 5, 5, 5, 7],
    [2, 6, 2, 2, 7],
    [7, 1, 7, 4, 7],
    [7, 1, 7, 1, 7],
    [5, 5, 7, 1, 1],
    [7, 4, 7, 1, 7],
    [7, 4, 7, 5, 7],
    [7, 1, 2, 2, 2],
    [7, 5, 7, 5, 7],
    [7, 5, 7, 1, 7],
];

/// One column of a sheet: a tick, and the pictures of that tick from top to bottom.
#[derive(Debug, Clone)]
pub struct Column {
    pub tick: u64,
    pub pictures: Vec<Frame>,
}

/// Draws the columns at `scale` times their size; all pictures must have one size. `None` without any.
pub fn draw(columns: &[Column], scale: usize) -> Option<Frame> {
    let first = columns.iter().find_map(|column| column.pictures.first())?;
    let (cell_width, cell_height) = (first.width * scale, first.height * scale);
    let rows = columns.iter().map(|column| column.pictures.len()).max()?;
    let label_height = 5 * DOT + GAP;
    let width = GAP + columns.len() * (cell_width + GAP);
    let height = GAP + label_height + rows * (cell_height + GAP);
    let mut sheet = Frame { width, height, rgb: vec![BACKGROUND; width * height * 3] };
    for (index, column) in columns.iter().enumerate() {
        let left = GAP + index * (cell_width + GAP);
        write_number(&mut sheet, left, GAP, column.tick);
        for (row, picture) in column.pictures.iter().enumerate() {
            paste(&mut sheet, picture, left, GAP + label_height + row * (cell_height + GAP), scale);
        }
    }
    Some(sheet)
}

/// `count` ticks from 0 to `last`, evenly spaced, none twice.
pub fn evenly_spaced_ticks(last: u64, count: u64) -> Vec<u64> {
    let steps = count.saturating_sub(1).clamp(1, last.max(1));
    let mut ticks: Vec<u64> = (0..=steps).map(|step| step * last / steps).collect();
    ticks.dedup();
    ticks
}

fn paste(sheet: &mut Frame, picture: &Frame, left: usize, top: usize, scale: usize) {
    for y in 0..picture.height * scale {
        for x in 0..picture.width * scale {
            set(sheet, left + x, top + y, picture.pixel(x / scale, y / scale));
        }
    }
}

fn write_number(sheet: &mut Frame, left: usize, top: usize, number: u64) {
    for (place, digit) in number.to_string().bytes().enumerate() {
        let rows = DIGITS[usize::from(digit - b'0')];
        for (dot_y, dot_x) in (0..5).flat_map(|y| (0..3).map(move |x| (y, x))) {
            if rows[dot_y] >> (2 - dot_x) & 1 == 0 {
                continue;
            }
            for (y, x) in (0..DOT).flat_map(|y| (0..DOT).map(move |x| (y, x))) {
                set(sheet, left + (place * 4 + dot_x) * DOT + x, top + dot_y * DOT + y, [INK; 3]);
            }
        }
    }
}

/// Sets a pixel; what lies outside is cut off (a long number over a narrow picture).
fn set(sheet: &mut Frame, x: usize, y: usize, rgb: [u8; 3]) {
    if x < sheet.width && y < sheet.height {
        sheet.rgb[(y * sheet.width + x) * 3..][..3].copy_from_slice(&rgb);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_stand_in_their_cells() {
        let picture = |value| Frame { width: 2, height: 1, rgb: vec![value; 6] };
        let columns = [0, 40].map(|tick| Column { tick, pictures: vec![picture(100), picture(200)] });
        let sheet = draw(&columns, 3).expect("two columns");
        assert_eq!((sheet.width, sheet.height), (GAP + 2 * (6 + GAP), GAP + 10 + GAP + 2 * (3 + GAP)));
        let (left, top) = (GAP + 6 + GAP, GAP + 10 + GAP);
        assert_eq!(sheet.pixel(left, top), [100; 3]);
        assert_eq!(sheet.pixel(left + 5, top + 3 + GAP + 2), [200; 3]);
        assert_eq!(sheet.pixel(left + 6, top), [BACKGROUND; 3]);
        assert_eq!(sheet.pixel(GAP, GAP), [INK; 3], "the 0 of the first column");
    }

    #[test]
    fn nothing_gives_no_sheet() {
        assert_eq!(draw(&[], 2), None);
    }

    #[test]
    fn ticks_are_spread_from_first_to_last() {
        assert_eq!(evenly_spaced_ticks(400, 5), [0, 100, 200, 300, 400]);
        assert_eq!(evenly_spaced_ticks(3, 8), [0, 1, 2, 3]);
        assert_eq!(evenly_spaced_ticks(0, 8), [0]);
    }
}
