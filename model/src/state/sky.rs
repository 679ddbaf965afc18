//! What is too far to have a place: the colours of the sky by direction.
//!
//! A fixed grid over the sphere, so it never grows. A direction that was seen as sky shows again wherever the map holds
//! no surface in front of it.

use super::write::MIX;
use glam::Vec3;
use std::sync::Arc;

/// Cells around the horizon and from straight down to straight up: 1.5 degrees each.
const ACROSS: usize = 240;
const UP: usize = 120;

#[derive(Debug, Clone, Default)]
pub(super) struct Sky {
    /// RGB and whether it was seen; empty until something is.
    cells: Arc<Vec<Option<[f32; 3]>>>,
}

impl Sky {
    /// Continuous cell coordinates of a direction.
    fn place(direction: Vec3) -> (f32, f32) {
        let across = (-direction.x).atan2(direction.z) / std::f32::consts::TAU;
        let up = (direction.y / direction.length()).clamp(-1.0, 1.0).asin() / std::f32::consts::PI + 0.5;
        (across.rem_euclid(1.0) * ACROSS as f32, up * UP as f32)
    }

    pub fn keep(&self) -> Vec<Option<[f32; 3]>> {
        self.cells.to_vec()
    }

    pub fn from_kept(cells: Vec<Option<[f32; 3]>>) -> Result<Sky, String> {
        let finite = cells.iter().flatten().flatten().all(|part| part.is_finite());
        if !finite || !(cells.is_empty() || cells.len() == ACROSS * UP) {
            return Err("the sky is not one".into());
        }
        Ok(Sky { cells: Arc::new(cells) })
    }

    pub fn is_shared_with(&self, other: &Sky) -> bool {
        Arc::ptr_eq(&self.cells, &other.cells)
    }

    pub fn bytes(&self) -> usize {
        size_of_val(self.cells.as_slice())
    }

    pub fn write(&mut self, direction: Vec3, rgb: [u8; 3], copied: f32) {
        let cells = Arc::make_mut(&mut self.cells);
        if cells.is_empty() {
            cells.resize(ACROSS * UP, None);
        }
        let (across, up) = Self::place(direction);
        let cell = &mut cells[(up as usize).min(UP - 1) * ACROSS + across as usize % ACROSS];
        let rgb = rgb.map(f32::from);
        *cell = Some(match *cell {
            None => rgb,
            Some(old) => std::array::from_fn(|c| old[c] + (rgb[c] - old[c]) * MIX * (1.0 - copied)),
        });
    }

    /// The colour in a direction, blended from the seen ones of the four nearest cells.
    pub fn read(&self, direction: Vec3) -> Option<[f32; 3]> {
        if self.cells.is_empty() {
            return None;
        }
        let (across, up) = Self::place(direction);
        let (across, up) = (across - 0.5, (up - 0.5).clamp(0.0, UP as f32 - 1.0));
        let (a, b) = (across.floor(), up.floor());
        let (fa, fb) = (across - a, up - b);
        let (mut sum, mut weight) = ([0.0; 3], 0.0);
        for (da, db, share) in
            [(0, 0, (1.0 - fa) * (1.0 - fb)), (1, 0, fa * (1.0 - fb)), (0, 1, (1.0 - fa) * fb), (1, 1, fa * fb)]
        {
            let column = (a as i32 + da).rem_euclid(ACROSS as i32) as usize;
            let row = (b as usize + db).min(UP - 1);
            if let Some(rgb) = self.cells[row * ACROSS + column] {
                let share = share + 1e-3;
                (0..3).for_each(|c| sum[c] += rgb[c] * share);
                weight += share;
            }
        }
        (weight > 0.25).then(|| sum.map(|value| value / weight))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_direction_keeps_its_colour_and_others_stay_unknown() {
        let mut sky = Sky::default();
        for degrees in [0.2f32, 90.0, 181.0, 357.0] {
            let (sin, cos) = degrees.to_radians().sin_cos();
            let direction = Vec3::new(-sin, 0.4, cos);
            assert_eq!(sky.read(direction), None, "{degrees}");
            sky.write(direction, [10, 20, 30], 0.0);
            let read = sky.read(direction).expect("was seen");
            assert!((read[1] - 20.0).abs() < 1e-3, "{read:?}");
        }
        assert_eq!(sky.read(Vec3::new(0.0, -1.0, 0.1)), None);
        sky.write(Vec3::Y, [1, 1, 1], 0.0);
        assert!(sky.read(Vec3::Y).is_some());
    }
}
