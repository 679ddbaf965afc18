//! A picture of the world state for people: what is known from above, how old it is and how sure, and where the player
//! has been. Nothing reads it but eyes.

use super::{
    CELL_BLOCKS, Memory, WorldState,
    brick::{BRICK_BLOCKS, Cell, PROVEN_LOOKS},
    memory::DRAFT_TRUST,
    pen::{Pen, lighter},
    write::MOST_VOTES,
};
use glam::{Vec2, Vec3};
use holdfast_sim::{Camera, Frame, Pose, TICKS_PER_SECOND};

/// What is drawn over the map, and how much of it is shown.
#[derive(Debug, Clone, Copy)]
pub struct Chart<'a> {
    /// Where the eye is, and how wide the frames are that it sees.
    pub pose: Option<Pose>,
    pub camera: Option<Camera>,
    /// Where the eye was, the oldest first, as `[x, z]`.
    pub trail: &'a [[f32; 2]],
    /// The tick that ages are counted to.
    pub tick: u64,
    /// A world wider than this is shown only around the eye, blocks.
    pub most_blocks: f32,
}

/// A rectangle of the ground and the pixels that show it: +z is up in the picture, so that a yaw of 0 looks up and
/// grows clockwise.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Sheet {
    width: usize,
    height: usize,
    centre: Vec2,
    pixels_per_block: f32,
}

/// The highest known surface under a pixel.
#[derive(Debug, Clone, Copy)]
struct Ground {
    y: f32,
    rgb: [u8; 3],
    tick: u32,
    sureness: f32,
}

/// Share of the width that the panel of colours has; age stands above confidence in the rest.
const COLOURS_SHARE: f32 = 2.0 / 3.0;
const GAP_PX: usize = 2;
const UNKNOWN: [u8; 3] = [22, 24, 28];
const BETWEEN: [u8; 3] = [0, 0, 0];
const TRAIL: [u8; 3] = [255, 255, 255];
const PLAYER: [u8; 3] = [255, 80, 60];
pub(super) const MOVER: [u8; 3] = [255, 0, 255];
/// A mover's line goes to where it would be after so many ticks.
const AHEAD_TICKS: f32 = 40.0;
/// Around what is known, blocks.
const MARGIN_BLOCKS: f32 = 2.0;
const LEAST_BLOCKS: f32 = 16.0;
/// How much lighter a slope towards the upper left is for each block that it rises.
const RELIEF: f32 = 0.16;
/// From here on all is equally old, seconds.
const OLD_S: f32 = 600.0;
/// From new to old, and from doubtful to sure: colours that grow evenly darker or lighter (after viridis and cividis).
const AGES: [[u8; 3]; 4] = [[253, 231, 37], [53, 183, 121], [49, 104, 142], [68, 1, 84]];
const SURENESS: [[u8; 3]; 4] = [[110, 30, 50], [190, 90, 50], [230, 190, 90], [250, 250, 220]];

impl Default for Chart<'_> {
    fn default() -> Self {
        Chart { pose: None, camera: None, trail: &[], tick: 0, most_blocks: f32::INFINITY }
    }
}

impl Memory {
    /// Draws the maps from above in three panels: on the left the colours of the highest known surface, on the right its
    /// age (new is yellow, ten minutes old is violet) above its confidence (dark red is doubtful, white is sure). What
    /// is not known is dark grey; what lives is a magenta dot, with a line to where it goes. Drafts are shown where the firm map knows nothing, as half as sure.
    ///
    /// # Panics
    /// If the picture has no pixel.
    pub fn draw_chart(&self, chart: &Chart, width: usize, height: usize) -> Frame {
        assert!(width > 0 && height > 0, "a picture has pixels");
        let left = ((width as f32 * COLOURS_SHARE) as usize).clamp(1, width);
        let (right, upper) = ((width - left).saturating_sub(GAP_PX), height.saturating_sub(GAP_PX) / 2);
        let ages = |ground: &Ground| ramp(&AGES, age_share(chart.tick, ground.tick));
        let sureness = |ground: &Ground| ramp(&SURENESS, ground.sureness);
        let mut frame = Frame::new(width, height);
        frame.rgb.chunks_exact_mut(3).for_each(|rgb| rgb.copy_from_slice(&BETWEEN));
        let below = (left + GAP_PX, upper + GAP_PX);
        type Paint<'a> = &'a dyn Fn(&Ground) -> [u8; 3];
        let panels: [(usize, usize, usize, usize, Paint); 3] = [
            (0, 0, left, height, &|ground| ground.rgb),
            (left + GAP_PX, 0, right, upper, &ages),
            (below.0, below.1, right, height.saturating_sub(below.1), &sureness),
        ];
        for (x, y, width, height, paint) in panels {
            if width > 0 && height > 0 {
                let panel = self.draw_panel(chart, width, height, paint);
                for (row, line) in panel.rgb.chunks_exact(width * 3).enumerate() {
                    let at = ((y + row) * frame.width + x) * 3;
                    frame.rgb[at..at + line.len()].copy_from_slice(line);
                }
            }
        }
        frame
    }

    fn draw_panel(&self, chart: &Chart, width: usize, height: usize, paint: impl Fn(&Ground) -> [u8; 3]) -> Frame {
        let sheet = self.sheet(chart, width, height);
        let grounds = self.survey(&sheet);
        let mut frame = Frame::new(width, height);
        for (at, rgb) in frame.rgb.chunks_exact_mut(3).enumerate() {
            rgb.copy_from_slice(&match &grounds[at] {
                Some(ground) => {
                    let neighbour = at.checked_sub(width + 1).filter(|_| at % width > 0);
                    let before = neighbour.and_then(|at| grounds[at].as_ref()).map_or(ground.y, |before| before.y);
                    lighter(paint(ground), 1.0 + ((ground.y - before) * RELIEF).clamp(-0.35, 0.35))
                }
                None => UNKNOWN,
            });
        }
        sheet.draw_movers(self.movers.places().chain(self.herd.places()), &mut frame);
        sheet.draw_player(chart, &mut frame);
        frame
    }

    /// All that is known, or as much of it as is shown around the eye.
    fn sheet(&self, chart: &Chart, width: usize, height: usize) -> Sheet {
        let eye = chart.pose.map(|pose| Vec2::new(pose.position[0], pose.position[2]));
        let places = self.firm.columns.keys().chain(self.drafts.columns.keys());
        let corners = places.flat_map(|&(x, z)| {
            let corner = Vec2::new(x as f32, z as f32) * BRICK_BLOCKS;
            [corner, corner + BRICK_BLOCKS]
        });
        let bounds = corners.chain(eye).fold(None, |bounds: Option<(Vec2, Vec2)>, point| {
            Some(bounds.map_or((point, point), |(low, high)| (low.min(point), high.max(point))))
        });
        let (low, high) = bounds.unwrap_or_default();
        let span = (high - low + 2.0 * MARGIN_BLOCKS).max(Vec2::splat(LEAST_BLOCKS));
        let (width_px, height_px) = (width as f32, height as f32);
        let whole = (width_px / span.x).min(height_px / span.y);
        let near = width_px.min(height_px) / chart.most_blocks;
        let (centre, pixels_per_block) = match eye {
            Some(eye) if near > whole => (eye, near),
            _ => ((low + high) * 0.5, whole),
        };
        Sheet { width, height, centre, pixels_per_block }
    }

    /// The highest surface under each pixel.
    fn survey(&self, sheet: &Sheet) -> Vec<Option<Ground>> {
        let mut grounds = self.firm.survey(sheet);
        for (ground, draft) in grounds.iter_mut().zip(self.drafts.survey(sheet)) {
            let draft = draft.map(|draft| Ground { sureness: draft.sureness * DRAFT_TRUST, ..draft });
            *ground = ground.or(draft);
        }
        grounds
    }
}

impl WorldState {
    /// The highest surface under each pixel.
    fn survey(&self, sheet: &Sheet) -> Vec<Option<Ground>> {
        let mut grounds: Vec<Option<Ground>> = vec![None; sheet.width * sheet.height];
        let (low, high) = sheet.bounds();
        for (&(x, z), column) in &self.columns {
            let corner = Vec2::new(x as f32, z as f32) * BRICK_BLOCKS;
            if (corner + BRICK_BLOCKS).cmplt(low).any() || corner.cmpgt(high).any() {
                continue;
            }
            for &(_, at) in column {
                for (level, layer) in self.bricks[at as usize].layers.iter().enumerate() {
                    layer.cells.iter().for_each(|cell| sheet.put(&mut grounds, cell, CELL_BLOCKS[level]));
                }
            }
        }
        grounds
    }
}

impl Sheet {
    /// The least and the greatest x and z that are shown.
    fn bounds(&self) -> (Vec2, Vec2) {
        let half = Vec2::new(self.width as f32, self.height as f32) * (0.5 / self.pixels_per_block);
        (self.centre - half, self.centre + half)
    }

    /// Continuous pixel coordinates of a place.
    fn place(&self, at: Vec2) -> Vec2 {
        let middle = Vec2::new(self.width as f32, self.height as f32) * 0.5;
        middle - (at - self.centre) * self.pixels_per_block
    }

    /// Puts a cell, a square of a side in blocks, over what lies lower. Equal heights go to the newer and then to the
    /// brighter, so that the order of a table never shows.
    fn put(&self, grounds: &mut [Option<Ground>], cell: &Cell, side_blocks: f32) {
        let votes = f32::from(cell.votes) / f32::from(MOST_VOTES);
        let looks = f32::from(cell.looks) / f32::from(PROVEN_LOOKS);
        let ground =
            Ground { y: cell.position.y, rgb: cell.rgb, tick: cell.tick, sureness: (votes.min(1.0) + looks) * 0.5 };
        let middle = self.place(Vec2::new(cell.position.x, cell.position.z));
        let half = side_blocks * 0.5 * self.pixels_per_block;
        let range = |middle: f32, most: usize| {
            let first = (middle - half).round().max(0.0) as usize;
            // A cell smaller than a pixel still shows.
            let last = ((middle + half).round() as i64).max((middle - half).round() as i64 + 1);
            first..(last.max(0) as usize).min(most)
        };
        for y in range(middle.y, self.height) {
            for x in range(middle.x, self.width) {
                let there = &mut grounds[y * self.width + x];
                let rank = |ground: &Ground| (ground.y, ground.tick, ground.rgb);
                if there.is_none_or(|there| rank(&there) < rank(&ground)) {
                    *there = Some(ground);
                }
            }
        }
    }

    /// What lives, and where it goes.
    fn draw_movers(&self, places: impl Iterator<Item = (Vec3, Vec3)>, frame: &mut Frame) {
        let mut pen = Pen::on(frame);
        for (middle, velocity) in places {
            let [at, goal] =
                [middle, middle + velocity * AHEAD_TICKS].map(|there| self.place(Vec2::new(there.x, there.z)));
            pen.line(at, goal, MOVER, 0.9);
            pen.dot(at, (self.pixels_per_block * 0.4).max(1.5), MOVER);
        }
    }

    /// The trail, the eye, and the edges of what it sees.
    fn draw_player(&self, chart: &Chart, frame: &mut Frame) {
        let mut pen = Pen::on(frame);
        for pair in chart.trail.windows(2) {
            pen.line(self.place(pair[0].into()), self.place(pair[1].into()), TRAIL, 0.75);
        }
        let Some(pose) = chart.pose else { return };
        let eye = self.place(Vec2::new(pose.position[0], pose.position[2]));
        let reach = (self.width.min(self.height) as f32 * 0.12).max(4.0);
        let half_deg = chart.camera.map_or(Camera::FOV_Y_DEG * 0.5, |camera| {
            (camera.width as f32 * 0.5 / camera.focal_px()).atan().to_degrees()
        });
        for side in [-1.0, 1.0] {
            // Up is yaw 0, and clockwise is to the right.
            let (sin, cos) = (pose.yaw_deg + side * half_deg).to_radians().sin_cos();
            pen.line(eye, eye + Vec2::new(sin, -cos) * reach, PLAYER, 0.9);
        }
        pen.dot(eye, (reach * 0.12).max(1.5), PLAYER);
    }
}

/// 0 for new, 1 for as old as it gets; half way after some twenty seconds.
fn age_share(now: u64, tick: u32) -> f32 {
    let age_s = now.saturating_sub(u64::from(tick)) as f32 / TICKS_PER_SECOND as f32;
    ((1.0 + age_s).ln() / (1.0 + OLD_S).ln()).min(1.0)
}

/// A colour of a ramp, 0..1.
fn ramp(colours: &[[u8; 3]; 4], share: f32) -> [u8; 3] {
    let along = share.clamp(0.0, 1.0) * (colours.len() - 1) as f32;
    let first = (along as usize).min(colours.len() - 2);
    let part = along - first as f32;
    std::array::from_fn(|c| {
        let [a, b] = [colours[first][c], colours[first + 1][c]].map(f32::from);
        (a + (b - a) * part + 0.5) as u8
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Canvas, Reader, Seen};
    use holdfast_sim::Depth;

    const GREEN: [u8; 3] = [40, 160, 60];

    /// A state that has looked straight down from 4 blocks above the ground, at tick 100.
    fn ground() -> (Memory, Pose) {
        let camera = Camera::new(32, 32);
        let pose = Pose { position: [10.0, 4.0, -6.0], pitch_deg: 90.0, yaw_deg: 0.0 };
        let axes = pose.axes();
        let (mut frame, mut depth) = (Frame::new(32, 32), Depth::new(32, 32));
        for pixel in 0..32 * 32 {
            let ray = camera.ray(&axes, pixel % 32, pixel / 32);
            depth.blocks[pixel] = ray.length() * 4.0;
            frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&GREEN);
        }
        let mut state = WorldState::new();
        let (mut reader, mut canvas) = (Reader::default(), Canvas::default());
        state.read(&pose, &camera, &mut reader, &mut canvas);
        let seen = Seen::given(&frame, &depth, &canvas, 100);
        state.write(&pose, &camera, &reader, &seen);
        (Memory { firm: state, ..Memory::new() }, pose)
    }

    #[test]
    fn what_is_known_has_its_colour_and_the_rest_is_unknown() {
        let (state, _) = ground();
        let picture = state.draw_chart(&Chart::default(), 240, 120);
        // The panel of colours is 160 wide; what was seen lies in its middle.
        let middle = picture.pixel(80, 60);
        assert!(middle.iter().zip(GREEN).all(|(a, b)| a.abs_diff(b) < 8), "{middle:?}");
        assert_eq!(picture.pixel(2, 2), UNKNOWN);
        assert_eq!(picture.pixel(160, 60), BETWEEN);
        let known = picture.rgb.chunks_exact(3).filter(|rgb| rgb[1] > 100).count();
        assert!(known > 1000, "{known}");
    }

    #[test]
    fn age_and_confidence_have_their_panels() {
        let (state, _) = ground();
        let at = |tick, x, y| state.draw_chart(&Chart { tick, ..Chart::default() }, 240, 120).pixel(x, y);
        // Upper and lower panel on the right.
        assert_eq!((at(100, 201, 29), at(100_000, 201, 29)), (AGES[0], AGES[3]));
        assert_eq!(at(100, 201, 90), at(100_000, 201, 90));
        let doubtful = at(100, 201, 90);
        assert!(doubtful[0] < 200 && doubtful[0] > doubtful[2], "{doubtful:?}");
    }

    #[test]
    fn the_trail_and_the_eye_lie_where_they_were() {
        let (state, pose) = ground();
        let trail = [[10.0, -6.0], [10.0, -20.0]];
        let pose = Pose { position: [10.0, 4.0, -20.0], ..pose };
        let chart = Chart { pose: Some(pose), trail: &trail, ..Chart::default() };
        let picture = state.draw_chart(&chart, 300, 200);
        let sheet = state.sheet(&chart, 200, 200);
        let pixel = |x: f32, z: f32| {
            let at = sheet.place(Vec2::new(x, z));
            picture.pixel(at.x as usize, at.y as usize)
        };
        assert_eq!(pixel(10.0, -20.0), PLAYER);
        let way = pixel(10.0, -14.0);
        assert!(way.iter().all(|&part| part > 150), "{way:?}");
        // +z is up, and right of it is -x.
        assert!(sheet.place(Vec2::new(10.0, -6.0)).y < sheet.place(Vec2::new(10.0, -20.0)).y);
        assert!(sheet.place(Vec2::new(5.0, -6.0)).x > sheet.place(Vec2::new(10.0, -6.0)).x);
    }

    #[test]
    fn a_large_world_is_shown_around_the_eye() {
        let (state, pose) = ground();
        let far = Pose { position: [200.0, 4.0, 200.0], ..pose };
        let sheet = state.sheet(&Chart { pose: Some(far), most_blocks: 64.0, ..Chart::default() }, 128, 128);
        assert_eq!(sheet, Sheet { width: 128, height: 128, centre: Vec2::splat(200.0), pixels_per_block: 2.0 });
        let all = state.sheet(&Chart { pose: Some(far), ..Chart::default() }, 128, 128);
        assert!(all.pixels_per_block < 1.0, "{all:?}");
    }

    #[test]
    fn nothing_known_and_the_smallest_picture_are_drawn_too() {
        for (width, height) in [(1, 1), (3, 2), (64, 1), (1, 64)] {
            assert_eq!(Memory::new().draw_chart(&Chart::default(), width, height).rgb.len(), width * height * 3);
        }
    }
}
