//! Deeds: what the hand is about to change, where that would show, and what it does to the memory
//! (`docs/decisions/deeds.md`).

use crate::{
    Condition, cake,
    grid::{Alignment, close_slack, cross},
    light,
    lore::Lore,
    outcome::Outcome,
    situation::Made,
    state::{Canvas, Memory, SIDES},
};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Frame, Pose};

/// What the hand is about to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This cell may become empty.
    Break(IVec3),
    /// This cell may become full.
    Place(IVec3),
    /// A part of what stands in this cell may go.
    Bite(IVec3),
}

/// Before a frame is drawn in which a block breaks or a slice is eaten: takes it out of the memory. Answers whether that
/// must be read again. `made` is what the hand has put where.
pub fn begin(memory: &mut Memory, pose: &Pose, condition: &Condition, made: &Made) -> bool {
    let alignment = Alignment::new(pose, &condition.pose);
    match (condition.change, condition.due, condition.eaten) {
        (Some(Change::Break(cell)), Some(true), _) => {
            let shared = SIDES.map(|side| made.contains_key(&(cell + side).to_array()));
            memory.empty(cell, &alignment, shared);
        }
        (Some(Change::Bite(cell)), Some(true), Some(eaten)) => {
            memory.empty_part(cell, &alignment, |place| cake::is_on_next_slice(place, eaten));
        }
        _ => return false,
    }
    true
}

/// After a frame was drawn and remembered in which a block was placed: puts all of it into the memory, in the light that
/// the frame shows it in.
pub fn end(memory: &mut Memory, pose: &Pose, frame: &Frame, outcome: &Outcome, told: &Told) {
    let Told { condition, camera, canvas, lore, tick } = *told;
    let (Some(change @ Change::Place(cell)), Some(true)) = (condition.change, condition.due) else { return };
    let Some(cube) = lore.cube_in(condition.slot) else { return };
    let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
    let places = (0..outcome.changed.len()).filter(|&pixel| outcome.changed[pixel]).filter_map(|pixel| {
        let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
        Some((pixel, change.at(eye, ray, canvas, pixel)?.place))
    });
    if let Some(light) = light::shown_on(frame, cube, places, lore) {
        let colour = |place: Vec3| lore.colour(cube, place, light);
        memory.fill(cell, &Alignment::new(pose, &condition.pose), colour, tick);
    }
}

/// What a frame was drawn from.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    pub condition: &'a Condition,
    pub camera: &'a Camera,
    pub canvas: &'a Canvas,
    pub lore: &'a Lore,
    pub tick: u32,
}

/// Where a ray would end if a change came about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Changed {
    /// Distance along the ray, blocks.
    pub depth_blocks: f32,
    /// The point's place in the cell that changes, -1..1 from wall to wall.
    pub place: Vec3,
}

impl Change {
    /// What a ray from `eye` would meet after the change; `None` where it makes no difference, as far as can be told.
    ///
    /// A cell that empties shows the walls behind it, a cell that fills its own.
    pub fn at(&self, eye: Vec3, ray: Vec3, canvas: &Canvas, pixel: usize) -> Option<Changed> {
        let (Change::Break(cell) | Change::Place(cell) | Change::Bite(cell)) = *self;
        let (enters, leaves, _) = cross(eye, ray, cell)?;
        let length = ray.length();
        let shown = canvas.depth_blocks.get(pixel).map_or(f32::INFINITY, |blocks| blocks / length);
        let slack = close_slack(enters);
        let ends = match self {
            Change::Break(_) | Change::Bite(_) => {
                (shown.is_infinite() || (enters - slack..leaves + slack).contains(&shown)).then_some(leaves)
            }
            Change::Place(_) => (enters < shown + slack).then_some(enters),
        }?;
        let place = (eye + ray * ends - cell.as_vec3()) * 2.0 - 1.0;
        Some(Changed { depth_blocks: ends * length, place: place.clamp(Vec3::NEG_ONE, Vec3::ONE) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_shows_where_it_would_be_seen() {
        let (eye, cell) = (Vec3::new(0.5, 0.5, 0.5), IVec3::new(0, 0, 3));
        let canvas = |blocks: f32| Canvas { width: 1, height: 1, depth_blocks: vec![blocks], ..Canvas::default() };
        let broken = Change::Break(cell).at(eye, Vec3::Z, &canvas(2.5), 0).expect("seen");
        assert_eq!((broken.depth_blocks, broken.place), (3.5, Vec3::new(0.0, 0.0, 1.0)));
        let placed = Change::Place(cell).at(eye, Vec3::Z, &canvas(9.0), 0).expect("seen");
        assert_eq!((placed.depth_blocks, placed.place), (2.5, Vec3::new(0.0, 0.0, -1.0)));
        assert_eq!(Change::Break(cell).at(eye, Vec3::Z, &canvas(9.0), 0), None, "already gone");
        assert_eq!(Change::Break(cell).at(eye, Vec3::Z, &canvas(1.0), 0), None, "behind something");
        assert_eq!(Change::Place(cell).at(eye, Vec3::Z, &canvas(1.0), 0), None, "behind something");
        assert_eq!(Change::Place(cell).at(eye, Vec3::X, &canvas(9.0), 0), None, "beside it");
        assert!(Change::Place(cell).at(eye, Vec3::Z, &Canvas::default(), 0).is_some(), "nothing is known");
    }
}
