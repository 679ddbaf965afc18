//! Rain and snow: a few drops around the eye, each with a place of its own in the world.

use super::noise::{hash2, unit};
use super::render::{Scene, View};
use super::sky::{Air, Weather};
use crate::{Camera, Pose};
use glam::Vec3;

/// Drops fill a cube of this size around the eye, over and over.
const CUBE: f32 = 20.0;
const DROPS: i32 = 700;

struct Kind {
    fall_a_tick: f32,
    sway: f32,
    /// Length of a streak in blocks.
    streak: f32,
    colour: Vec3,
    cover: f32,
}

/// Draws what falls over a finished picture; depth stays that of the surfaces behind.
pub(super) fn draw(scene: &Scene, air: &Air, pose: &Pose, camera: &Camera, out: &mut View) {
    let kind = match scene.sky.weather {
        Weather::Clear => return,
        Weather::Rain => Kind {
            fall_a_tick: 0.85,
            sway: 0.0,
            streak: 0.55,
            colour: Vec3::new(0.74, 0.81, 0.95),
            cover: 0.60,
        },
        Weather::Snow => Kind {
            fall_a_tick: 0.11,
            sway: 0.35,
            streak: 0.0,
            colour: Vec3::new(0.97, 0.98, 1.0),
            cover: 0.95,
        },
    };
    let axes = pose.axes();
    let eye = pose.eye();
    let colour = kind.colour * (air.light * 0.8 + 0.2);
    for drop in 0..DROPS {
        let dice = hash2(scene.chunks.seed() ^ 0xFA11, drop, 0);
        // The tick wraps where every drop has fallen a whole number of cubes, so that f32 never loses it.
        let fallen = ((scene.sky.tick % 400_000) as f64 * f64::from(kind.fall_a_tick) % f64::from(CUBE)) as f32;
        let phase = (scene.sky.tick % 126) as f32 / 126.0 * std::f32::consts::TAU;
        let sway = libm::sinf(phase + unit(dice << 9) * std::f32::consts::TAU) * kind.sway;
        let home = Vec3::new(
            unit(dice) * CUBE + sway,
            unit(dice << 13) * CUBE - fallen,
            unit(dice << 26) * CUBE,
        );
        // The copy of the drop nearest to the eye.
        let away = home - eye;
        let from_eye = away - (away / CUBE + 0.5).floor() * CUBE;
        let place = eye + from_eye;
        let ground = scene.chunks.open_from(place.x.floor() as i32, place.z.floor() as i32);
        if place.y < ground as f32 {
            continue;
        }
        let (Some(top), Some(low)) = (
            camera.project(&axes, from_eye + Vec3::Y * kind.streak),
            camera.project(&axes, from_eye),
        ) else {
            continue;
        };
        let distance = from_eye.length();
        let thick = camera.focal_px() * if kind.streak > 0.0 { 0.018 } else { 0.07 } / low.2;
        let cover = kind.cover * thick.min(1.0) * (1.0 - distance / (CUBE * 0.9)).max(0.0);
        if cover < 0.02 || distance < 0.6 {
            continue;
        }
        let half = ((thick - 1.0) * 0.5).clamp(0.0, 2.0);
        let (from_y, to_y) = (top.1.min(low.1) - half, top.1.max(low.1) + half);
        for y in
            from_y.max(0.0) as usize..=(to_y.max(-1.0) as i64).max(-1).min(out.frame.height as i64 - 1).max(0) as usize
        {
            let along = if to_y - from_y > 0.01 {
                (y as f32 - top.1) / (low.1 - top.1 + 0.001)
            } else {
                0.0
            };
            let middle = top.0 + (low.0 - top.0) * along.clamp(0.0, 1.0);
            let (from_x, to_x) = ((middle - half).floor() as i64, (middle + half).floor() as i64);
            for x in from_x.max(0)..=to_x.min(out.frame.width as i64 - 1) {
                let at = y * out.frame.width + x as usize;
                if to_y < 0.0 || out.depth.blocks[at] < distance {
                    continue;
                }
                for (channel, ink) in out.frame.rgb[at * 3..at * 3 + 3]
                    .iter_mut()
                    .zip((colour * 255.0).to_array())
                {
                    *channel = (f32::from(*channel) * (1.0 - cover) + ink * cover + 0.5) as u8;
                }
            }
        }
    }
}
