//! Which pixels may show a thing.

use glam::Vec3;
use holdfast_sim::{Camera, pose::Axes};
use std::ops::Range;

/// Columns and rows that may show something within `radius` blocks of a point `away` from the eye; none of what is behind
/// it, all of them for what is too near to tell.
pub fn window(camera: &Camera, axes: &Axes, away: Vec3, radius: f32) -> (Range<usize>, Range<usize>) {
    if away.dot(axes.forward) < -radius {
        return (0..0, 0..0);
    }
    let spread = |z: f32| (radius * 1.5 / z * camera.focal_px()) as usize + 2;
    let range = |centre: f32, spread: usize, side: usize| {
        let centre = centre.clamp(-1e4, 1e4) as i32;
        (centre - spread as i32).clamp(0, side as i32) as usize..(centre + spread as i32).clamp(0, side as i32) as usize
    };
    let about = camera.project(axes, away).filter(|(.., z)| *z > 2.0 * radius);
    about.map_or((0..camera.width, 0..camera.height), |(x, y, z)| {
        (range(x, spread(z), camera.width), range(y, spread(z), camera.height))
    })
}
