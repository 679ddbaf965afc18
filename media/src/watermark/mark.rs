//! Writes the mark into a frame: more where the picture is lively, least where it is smooth.

use super::pattern::Key;
use crate::plane::Plane;
use holdfast_sim::Frame;

/// Grey levels in smooth places: a step of one is the least that eight bits can hold.
const FAINTEST: f32 = 1.0;
/// Grey levels in the liveliest places.
const STRONGEST: f32 = 5.0;
/// Grey levels of the mark for one of the picture's own activity.
const SHARE_OF_ACTIVITY: f32 = 0.4;
/// How much of the mark is spared where the picture agrees with it, and added where it disagrees.
const INFORMED: f32 = 0.5;
/// Activity (grey levels) below which the picture's own sign is taken for noise.
const NOISE: f32 = 3.0;

/// Marks a frame of the model's own size, before it is enlarged.
pub fn mark(frame: &mut Frame, key: &Key) {
    let grain = Plane::of(frame).grain();
    let places = (0..frame.height).flat_map(|y| (0..frame.width).map(move |x| (x, y)));
    let host = grain.detail.iter().zip(&grain.activity);
    for ((pixel, (x, y)), (detail, activity)) in frame.rgb.chunks_exact_mut(3).zip(places).zip(host) {
        let chip = Key::chip(x, y);
        let sign = key.signs[chip];
        let strength = (FAINTEST + SHARE_OF_ACTIVITY * activity).clamp(FAINTEST, STRONGEST);
        let agreement = (detail * sign / (activity + NOISE)).clamp(-1.0, 1.0);
        let step = (strength * (1.0 - INFORMED * agreement) * sign + key.dither[chip]).round() as i16;
        for value in pixel {
            *value = (i16::from(*value) + step).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grey_wall_changes_by_one_level_or_two_and_the_same_way_each_time() {
        let mut wall = Frame::new(128, 72);
        wall.rgb.fill(120);
        let mut again = wall.clone();
        mark(&mut wall, Key::public());
        mark(&mut again, Key::public());
        assert_eq!(wall, again);
        assert!(wall.rgb.iter().all(|&value| (118..=122).contains(&value) && value != 120));
    }
}
