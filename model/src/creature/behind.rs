//! What is to be expected behind a body: what shows on both sides of it.

use holdfast_sim::{Depth, Frame};

/// A picture and its depths without what is hidden, row by row.
///
/// # Arguments
/// - `hidden` `[pixels]`: shows a body, or may.
pub fn behind(frame: &Frame, depth: &Depth, hidden: &[bool]) -> (Frame, Depth) {
    let (mut frame, mut depth) = (frame.clone(), depth.clone());
    let width = frame.width;
    for row in (0..hidden.len()).step_by(width) {
        let mut x = 0;
        while x < width {
            if !hidden[row + x] {
                x += 1;
                continue;
            }
            let first = x;
            x += hidden[row + x..row + width].iter().take_while(|hidden| **hidden).count();
            let left = first.checked_sub(1).map(|left| row + left);
            let right = (x < width).then_some(row + x);
            // A whole row of it says nothing.
            let (Some(left), Some(right)) = (left.or(right), right.or(left)) else { continue };
            for at in first..x {
                let share = (at - first + 1) as f32 / (x - first + 1) as f32;
                let mix = |a: f32, b: f32| a + (b - a) * share;
                for channel in 0..3 {
                    let [a, b] = [left, right].map(|side| f32::from(frame.rgb[side * 3 + channel]));
                    frame.rgb[(row + at) * 3 + channel] = mix(a, b) as u8;
                }
                // The way to the sky is not to be halved: the nearer side goes on.
                let [a, b] = [left, right].map(|side| depth.blocks[side]);
                let is_one = a.max(b) < Depth::SKY || a.min(b) >= Depth::SKY;
                depth.blocks[row + at] = if is_one { mix(a, b) } else { a.min(b) };
            }
        }
    }
    (frame, depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_shows_on_both_sides_goes_on_behind() {
        let frame =
            Frame { width: 5, height: 2, rgb: [10, 200, 200, 200, 50, 200, 200, 7, 7, 200].map(|v| [v; 3]).concat() };
        let depth =
            Depth { width: 5, height: 2, blocks: vec![2.0, 1.0, 1.0, 1.0, 4.0, 1.0, 1.0, 9.0, Depth::SKY, 1.0] };
        let hidden: Vec<bool> = frame.rgb.chunks_exact(3).map(|rgb| rgb[0] == 200).collect();
        let (frame, depth) = behind(&frame, &depth, &hidden);
        let row: Vec<u8> = frame.rgb.chunks_exact(3).map(|rgb| rgb[1]).collect();
        assert_eq!(row, [10, 20, 30, 40, 50, 7, 7, 7, 7, 7]);
        assert_eq!(depth.blocks, [2.0, 2.5, 3.0, 3.5, 4.0, 9.0, 9.0, 9.0, Depth::SKY, Depth::SKY]);
    }

    #[test]
    fn what_is_hidden_whole_stays() {
        let (frame, depth) =
            (Frame { width: 2, height: 1, rgb: vec![9; 6] }, Depth { width: 2, height: 1, blocks: vec![3.0; 2] });
        assert_eq!(behind(&frame, &depth, &[true; 2]), (frame, depth));
    }
}
