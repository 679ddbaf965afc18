//! Loose matter: sand and gravel fall where nothing holds them, seen or unseen (`docs/decisions/active.md`).
//!
//! A dream knows of few blocks for certain what they are and that nothing is under them: those that a start shows
//! hanging, those that the hand put there, and those under which the hand took something away. These it moves itself, a
//! block at a time, as it moves what the hand does; the frames follow the memory.

use crate::{
    grid::{Alignment, SLACK_BLOCKS, close_slack, cross, cross_widened},
    imagined::Imagined,
    light,
    lore::Lore,
    matter::Matter,
    situation::Made,
    state::{Canvas, Memory, SIDES},
};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Frame, Pose, kinematics::EYE_HEIGHT};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Loose blocks, by cell.
pub type Loose = BTreeMap<[i32; 3], Piece>;

/// A block that falls when nothing holds it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Piece {
    matter: Matter,
    /// How bright it is over what it looks like in full light, once that was seen.
    light: Option<f32>,
    /// Ticks until it falls by a block; `None` while it lies.
    falls_in: Option<u8>,
    /// Blocks that it has fallen without a rest.
    fallen: u8,
}

/// Ticks for each block of a fall.
const FALL_TICKS: u8 = 2;
/// Who falls farther has left the world, blocks.
const MOST_FALL: u8 = 48;
/// Farther off it is not told what a block is and what is under it, blocks.
const RANGE_BLOCKS: f32 = 8.0;
/// A block shows in so many pixels, and what is seen below it in so many, or it is not told.
const LEAST_PIXELS: usize = 12;
const LEAST_THROUGH: usize = 8;
/// Share of the pixels in which the cell below would show that look through it.
const THROUGH_SHARE: f32 = 0.5;
/// What fell in the dark is about so bright.
const UNSEEN_LIGHT: f32 = 0.8;

/// What was seen last: an eye among the blocks, and how far off and of what colour everything was.
#[derive(Debug, Clone, Copy)]
pub struct Last<'a> {
    pub pose: Pose,
    pub camera: &'a Camera,
    pub frame: &'a Frame,
    pub depth: &'a Depth,
}

impl Last<'_> {
    pub(crate) fn rays(&self) -> impl Iterator<Item = (usize, Vec3)> {
        let (axes, camera) = (self.pose.axes(), *self.camera);
        let ray = move |pixel: usize| camera.ray(&axes, pixel % camera.width, pixel / camera.width);
        (0..camera.width * camera.height).map(move |pixel| (pixel, ray(pixel)))
    }

    /// The pixels that show a cell's surface, and the places on it, -1..1 from wall to wall.
    pub fn showing(&self, cell: IVec3) -> impl Iterator<Item = (usize, Vec3)> {
        let eye = self.pose.eye();
        self.rays().filter_map(move |(pixel, ray)| {
            let (enters, ..) = cross(eye, ray, cell)?;
            let shown = self.depth.blocks[pixel] / ray.length();
            let is_there = (shown - enters).abs() < close_slack(enters);
            let place = (eye + ray * enters - cell.as_vec3()) * 2.0 - 1.0;
            is_there.then(|| (pixel, place.clamp(Vec3::NEG_ONE, Vec3::ONE)))
        })
    }

    /// What a cell is made of, by most of the pixels that show it; nothing if they are few.
    pub fn most_of(&self, cell: IVec3, matters: &[Matter]) -> Matter {
        let (mut counts, mut all) = ([0; Matter::COUNT], 0);
        for (pixel, _) in self.showing(cell).filter(|(pixel, _)| !self.shows_top_below(cell, *pixel)) {
            counts[matters[pixel] as usize] += 1;
            all += 1;
        }
        let most = Matter::ALL.into_iter().find(|matter| counts[*matter as usize] * 2 > all);
        most.filter(|_| all >= LEAST_PIXELS).unwrap_or_default()
    }

    /// Whether a pixel shows the top of what is below a cell, rather than the cell: a flat look at the one passes through the
    /// other's lowest part.
    fn shows_top_below(&self, cell: IVec3, pixel: usize) -> bool {
        let (eye, axes) = (self.pose.eye(), self.pose.axes());
        let ray = self.camera.ray(&axes, pixel % self.camera.width, pixel / self.camera.width);
        let off = |enters: f32| (self.depth.blocks[pixel] / ray.length() - enters).abs();
        match (cross(eye, ray, cell), cross(eye, ray, cell - IVec3::Y)) {
            (Some((enters, ..)), Some((below, _, IVec3::Y))) => off(below) < off(enters),
            _ => false,
        }
    }

    /// Whether one sees through a cell.
    fn sees_through(&self, cell: IVec3) -> bool {
        let (mut crossing, mut through) = (0, 0);
        for (pixel, ray) in self.rays() {
            let Some((_, leaves, _)) = cross(self.pose.eye(), ray, cell) else { continue };
            let slack = close_slack(leaves);
            crossing += 1;
            through += usize::from(self.depth.blocks[pixel] / ray.length() > leaves + slack);
        }
        through >= LEAST_THROUGH && through as f32 >= THROUGH_SHARE * crossing as f32
    }
}

impl Piece {
    pub fn lying(matter: Matter) -> Piece {
        Piece { matter, light: None, falls_in: None, fallen: 0 }
    }

    /// Of a block under which something has just gone.
    pub fn falling(matter: Matter) -> Piece {
        Piece { falls_in: Some(FALL_TICKS), ..Piece::lying(matter) }
    }

    /// Whether it is one: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.matter.falls() && self.light.is_none_or(|light| (0.0..1e3).contains(&light))
    }
}

/// The blocks that a start shows hanging.
///
/// # Arguments
/// - `matters`: as the start was read, `[height * width]`.
pub fn find(last: &Last, matters: &[Matter]) -> Loose {
    let mut seen: BTreeMap<([i32; 3], u8), usize> = BTreeMap::new();
    let is_loose = |pixel: usize| matters[pixel].falls() && last.depth.blocks[pixel] < RANGE_BLOCKS;
    for (pixel, ray) in last.rays().filter(|(pixel, _)| is_loose(*pixel)) {
        let point = last.pose.eye() + ray.normalize() * (last.depth.blocks[pixel] + 0.02);
        *seen.entry((point.floor().as_ivec3().to_array(), matters[pixel] as u8)).or_default() += 1;
    }
    let large = seen.into_iter().filter(|(_, pixels)| *pixels >= LEAST_PIXELS);
    let hanging = large.filter(|((cell, _), _)| last.sees_through(IVec3::from_array(*cell) - IVec3::Y));
    hanging.map(|((cell, matter), _)| (cell, Piece::falling(Matter::ALL[usize::from(matter)]))).collect()
}

/// Lets everything that nothing holds fall on by a tick. Answers the cells in which something has changed.
///
/// # Arguments
/// - `made`: what the hand put where. What has fallen is known as well as that.
/// - `last`: as it was seen before this tick.
pub fn step(
    loose: &mut Loose,
    made: &mut Made,
    memory: &mut Memory,
    alignment: &Alignment,
    last: &Last,
    lore: &Lore,
    tick: u32,
) -> Vec<IVec3> {
    let mut stirred = Vec::new();
    let mut due = Vec::new();
    for (cell, piece) in loose.iter_mut() {
        let cell = IVec3::from_array(*cell);
        match &mut piece.falls_in {
            Some(ticks) => {
                *ticks = ticks.saturating_sub(1);
                if *ticks == 0 {
                    due.push(cell);
                }
            }
            None => {
                let is_near = (cell.as_vec3() + 0.5).distance(last.pose.eye()) < RANGE_BLOCKS;
                if is_near && last.sees_through(cell - IVec3::Y) {
                    piece.falls_in = Some(FALL_TICKS - 1);
                }
            }
        }
    }
    due.sort_by_key(|cell| cell.y);
    let feet_y = (last.pose.eye().y - EYE_HEIGHT).round() as i32;
    for cell in due {
        let Some(mut piece) = loose.remove(&cell.to_array()) else { continue };
        let below = cell - IVec3::Y;
        let is_held = made.contains_key(&below.to_array()) || loose.contains_key(&below.to_array());
        // The first block of a fall is certain; then what is remembered below holds it.
        if is_held || piece.fallen > 0 && is_ground(below, memory, alignment, feet_y) {
            loose.insert(cell.to_array(), Piece { falls_in: None, fallen: 0, ..piece });
            continue;
        }
        let light = piece.light.or_else(|| light::shown_on(last.frame, piece.matter, last.showing(cell), lore));
        let light = light.unwrap_or(UNSEEN_LIGHT);
        let shared = SIDES.map(|side| made.contains_key(&(cell + side).to_array()));
        memory.empty(cell, alignment, shared);
        made.remove(&cell.to_array());
        stirred.push(cell);
        if let Some(above) = loose.get_mut(&(cell + IVec3::Y).to_array()) {
            above.falls_in.get_or_insert(FALL_TICKS);
        }
        piece = Piece { light: Some(light), falls_in: Some(FALL_TICKS), fallen: piece.fallen + 1, ..piece };
        if piece.fallen < MOST_FALL {
            memory.fill(below, alignment, |place| lore.colour(piece.matter, place, light), tick);
            made.insert(below.to_array(), piece.matter);
            loose.insert(below.to_array(), piece);
            stirred.push(below);
        }
    }
    stirred
}

/// Whether something holds what falls onto a cell: what is remembered there; and where nothing is, however deep one looks,
/// ground that goes on level with the player's.
fn is_ground(cell: IVec3, memory: &Memory, alignment: &Alignment, feet_y: i32) -> bool {
    let depths = 0..i32::from(MOST_FALL);
    memory.holds(cell, alignment)
        || cell.y == feet_y - 1 && !depths.into_iter().any(|down| memory.holds(cell - IVec3::Y * down, alignment))
}

/// Where something has fallen, what is known shows as it is remembered.
///
/// # Arguments
/// - `pose`: of the eye among the blocks.
/// - `canvas`: read after it fell.
pub fn show(stirred: &[IVec3], imagined: &mut Imagined, pose: &Pose, camera: &Camera, canvas: &Canvas) {
    for pixel in about(stirred, pose, camera, canvas).filter(|&pixel| canvas.known(pixel)) {
        imagined.keep(pixel, canvas);
    }
}

/// Where something has fallen and nothing is known, what shows now is not worth remembering: it may be what has gone.
pub fn let_pass(stirred: &[IVec3], pose: &Pose, camera: &Camera, canvas: &Canvas, passing: &mut Vec<bool>) {
    for pixel in about(stirred, pose, camera, canvas).filter(|&pixel| !canvas.known(pixel)) {
        passing.resize(camera.width * camera.height, false);
        passing[pixel] = true;
    }
}

/// The pixels that show something in or about some cells, or behind them.
fn about<'a>(
    cells: &'a [IVec3],
    pose: &Pose,
    camera: &'a Camera,
    canvas: &'a Canvas,
) -> impl Iterator<Item = usize> + 'a {
    let (eye, axes) = (pose.eye(), pose.axes());
    let pixels = if cells.is_empty() { 0 } else { camera.width * camera.height };
    (0..pixels).filter(move |&pixel| {
        let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
        let shown = canvas.depth_blocks.get(pixel).map_or(f32::INFINITY, |blocks| blocks / ray.length());
        let is_behind = |(enters, _): (f32, f32)| shown > enters - SLACK_BLOCKS;
        cells.iter().any(|&cell| cross_widened(eye, ray, cell, Vec3::splat(SLACK_BLOCKS)).is_some_and(is_behind))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Shown, Sight};

    /// A player looks along z, slightly down; the ground is level with their feet, at 0.
    struct Place {
        memory: Memory,
        made: Made,
        frame: Frame,
        depth: Depth,
        matters: Vec<Matter>,
    }

    const CAMERA: Camera = Camera { width: 64, height: 48, fov_y_deg: Camera::FOV_Y_DEG };
    const POSE: Pose = Pose { position: [0.5, EYE_HEIGHT, 0.5], yaw_deg: 0.0, pitch_deg: 10.0 };

    impl Place {
        /// With blocks of sand standing there, which the memory knows.
        fn with(cells: &[IVec3]) -> Place {
            let (eye, axes) = (POSE.eye(), POSE.axes());
            let (mut frame, mut depth) = (Frame::new(64, 48), Depth::new(64, 48));
            let mut matters = vec![Matter::Rest; 64 * 48];
            frame.rgb.fill(100);
            for (pixel, blocks) in depth.blocks.iter_mut().enumerate() {
                let ray = CAMERA.ray(&axes, pixel % 64, pixel / 64).normalize();
                *blocks = if ray.y < -0.05 { EYE_HEIGHT / -ray.y } else { Depth::SKY };
                let met = cells.iter().filter_map(|&cell| cross(eye, ray, cell));
                if let Some(enters) = met.map(|(enters, ..)| enters).min_by(f32::total_cmp).filter(|at| at < blocks) {
                    (*blocks, matters[pixel]) = (enters, Matter::Sand);
                }
            }
            let (mut memory, mut sight) = (Memory::new(), Sight::default());
            memory.read(&POSE, &CAMERA, &mut sight);
            memory.write(&POSE, &CAMERA, &mut sight, &Shown::given(&frame, &depth, 0));
            Place { memory, made: Made::new(), frame, depth, matters }
        }

        fn last(&self) -> Last<'_> {
            Last { pose: POSE, camera: &CAMERA, frame: &self.frame, depth: &self.depth }
        }

        /// Where the blocks are after some ticks in which nobody looks, and how often something was stirred.
        fn after(&mut self, mut loose: Loose, ticks: u32) -> (Vec<[i32; 3]>, usize) {
            let alignment = Alignment::new(&POSE, &POSE);
            // Nothing more is seen of it.
            let dark = Depth { blocks: vec![0.0; 64 * 48], ..self.depth.clone() };
            let mut stirred = 0;
            for tick in 1..=ticks {
                let last = Last { pose: POSE, camera: &CAMERA, frame: &self.frame, depth: &dark };
                let (made, memory) = (&mut self.made, &mut self.memory);
                stirred += step(&mut loose, made, memory, &alignment, &last, &Lore::default(), tick).len();
            }
            (loose.into_keys().collect(), stirred)
        }
    }

    #[test]
    fn what_hangs_falls_to_the_ground_and_lies_there() {
        let hanging = IVec3::new(0, 3, 4);
        let mut place = Place::with(&[hanging]);
        let loose = find(&place.last(), &place.matters);
        assert_eq!(loose.keys().collect::<Vec<_>>(), [&hanging.to_array()]);
        let fallen = |ticks: u32| Place::with(&[hanging]).after(loose.clone(), ticks).0;
        assert_eq!([fallen(1), fallen(2), fallen(5)], [vec![[0, 3, 4]], vec![[0, 2, 4]], vec![[0, 1, 4]]]);
        let (cells, stirred) = place.after(loose.clone(), 40);
        assert_eq!((cells, stirred), (vec![[0, 0, 4]], 6));
        assert_eq!(place.made.keys().collect::<Vec<_>>(), [&[0, 0, 4]], "and is known as well as what the hand made");
    }

    #[test]
    fn what_stands_on_the_ground_or_on_another_stays() {
        let place = Place::with(&[IVec3::new(0, 0, 4), IVec3::new(0, 1, 4)]);
        assert!(find(&place.last(), &place.matters).is_empty());
        // Put there by hand: it lies until one sees through what is below it.
        let mut place = Place::with(&[IVec3::new(0, 0, 4)]);
        let lying = Loose::from([([0, 0, 4], Piece::lying(Matter::Sand)), ([0, 1, 4], Piece::lying(Matter::Sand))]);
        assert_eq!(place.after(lying.clone(), 20), (lying.into_keys().collect(), 0));
    }

    #[test]
    fn the_top_of_a_block_is_no_block_on_it() {
        let (low, high) = (IVec3::new(0, 0, 4), IVec3::new(0, 1, 4));
        let above = |cells: &[IVec3]| {
            let place = Place::with(cells);
            place.last().most_of(high, &place.matters)
        };
        assert_eq!([above(&[low]), above(&[low, high])], [Matter::Rest, Matter::Sand]);
    }

    #[test]
    fn what_rests_on_loose_blocks_falls_with_them() {
        let cells = [IVec3::new(0, 2, 4), IVec3::new(0, 3, 4)];
        let mut place = Place::with(&cells);
        let mut loose = find(&place.last(), &place.matters);
        loose.insert([0, 3, 4], Piece::lying(Matter::Gravel));
        assert_eq!(place.after(loose, 40).0, [[0, 0, 4], [0, 1, 4]]);
    }

    #[test]
    fn where_no_ground_is_known_it_is_level_with_the_players() {
        let mut place = Place::with(&[IVec3::new(0, 3, 4)]);
        let loose = find(&place.last(), &place.matters);
        place.memory.clear();
        assert_eq!(place.after(loose, 40).0, [[0, 0, 4]]);
    }
}
