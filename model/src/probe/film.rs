//! A scene and the film of it: what is prepared, what the player does, and what the truth then shows.

use glam::{IVec3, Vec3};
use holdfast_sim::{
    Action, Camera, Depth, Frame, Pose,
    voxel::{render::View, world::VoxelWorld},
};
use std::collections::BTreeMap;

/// Where a trial begins and what is done in it. A probed world gets the picture of the start and the actions.
#[derive(Debug, Clone)]
pub struct Scene {
    /// The true world at the start; it draws through the camera of the probed world.
    pub start: VoxelWorld,
    pub actions: Vec<Action>,
}

/// One tick of the truth.
#[derive(Debug, Clone)]
pub struct Shot {
    pub view: View,
    pub pose: Pose,
}

/// What the truth shows at the ticks that a probe asks about (0 is the start), and how the world is at the end.
#[derive(Debug, Clone)]
pub struct Film {
    pub camera: Camera,
    pub shots: BTreeMap<usize, Shot>,
    pub end: VoxelWorld,
}

impl Scene {
    /// The picture of the start: all that a probed world is given of the truth.
    pub fn first_frame(&self) -> Frame {
        look(&self.start).frame
    }

    /// The last tick.
    pub fn last(&self) -> usize {
        self.actions.len()
    }

    /// Films the truth; the start and the last tick are always kept.
    pub fn film(&self, ticks: &[usize]) -> Film {
        let camera = self.start.camera();
        let mut world = self.start.clone();
        let mut shots = BTreeMap::new();
        for tick in 0..=self.last() {
            if tick > 0 {
                world.tick(&self.actions[tick - 1]);
            }
            if tick == 0 || tick == self.last() || ticks.contains(&tick) {
                shots.insert(tick, Shot { view: look(&world), pose: world.pose() });
            }
        }
        Film { camera, shots, end: world }
    }
}

/// What the player of a true world sees.
pub fn look(world: &VoxelWorld) -> View {
    let camera = world.camera();
    let mut view = View::new(camera.width, camera.height);
    world.view(&camera, &mut view);
    view
}

impl Film {
    pub fn frame(&self, tick: usize) -> &Frame {
        &self.shots[&tick].view.frame
    }

    pub fn last(&self) -> &Shot {
        self.shots.values().next_back().expect("the start is always kept")
    }

    pub fn last_tick(&self) -> usize {
        *self.shots.keys().next_back().expect("the start is always kept")
    }

    /// Which pixels of a tick show a surface that the picture of the start had shown: the point lands in that picture
    /// at that picture's own depth. The sky has no place and never counts.
    pub fn shown(&self, tick: usize) -> Vec<bool> {
        self.seen_from(tick, 0)
    }

    /// Which pixels of a tick show a surface that the picture of an `earlier` one had shown.
    pub fn seen_from(&self, tick: usize, earlier: usize) -> Vec<bool> {
        let (now, before) = (&self.shots[&tick], &self.shots[&earlier]);
        let axes = before.pose.axes();
        let lands = |point: Vec3| {
            let from_eye = point - before.pose.eye();
            let Some((x, y, _)) = self.camera.project(&axes, from_eye) else { return false };
            let inside = x >= 0.0 && y >= 0.0 && x < self.camera.width as f32 && y < self.camera.height as f32;
            inside && {
                let there = before.view.depth.blocks[y as usize * self.camera.width + x as usize];
                (there - from_eye.length()).abs() < 0.05 * there + 0.1
            }
        };
        self.points(now).map(|point| point.is_some_and(lands)).collect()
    }

    /// The pixels of a tick that show a cell.
    pub fn pixels_of_cell(&self, tick: usize, cell: IVec3) -> Vec<usize> {
        let shot = &self.shots[&tick];
        let eye = shot.pose.eye();
        let inside = |point: Vec3| (point + (point - eye).normalize() * 0.02).floor().as_ivec3() == cell;
        self.points(shot).enumerate().filter(|(_, point)| point.is_some_and(inside)).map(|(pixel, _)| pixel).collect()
    }

    /// The point under each pixel of a shot; `None` for the sky.
    pub fn points<'a>(&'a self, shot: &'a Shot) -> impl Iterator<Item = Option<Vec3>> + 'a {
        let axes = shot.pose.axes();
        let eye = shot.pose.eye();
        shot.view.depth.blocks.iter().enumerate().map(move |(at, &blocks)| {
            let ray = self.camera.ray(&axes, at % self.camera.width, at / self.camera.width).normalize();
            (blocks < Depth::SKY).then(|| eye + ray * blocks)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene(actions: Vec<Action>) -> Scene {
        let mut start = VoxelWorld::new(Camera::new(64, 40));
        start.reset_seed(1_000_003);
        Scene { start, actions }
    }

    #[test]
    fn what_is_turned_away_from_was_not_shown() {
        let turn = |yaw_deg| Action { camera: [0.0, yaw_deg], ..Action::default() };
        let film = scene(vec![turn(180.0), turn(180.0)]).film(&[1]);
        let share = |tick| film.shown(tick).iter().filter(|&&shown| shown).count();
        let surface = film.frame(0).rgb.len() / 3 - film.points(&film.shots[&0]).filter(Option::is_none).count();
        assert_eq!(share(1), 0);
        assert!(share(2) * 10 > surface * 9, "{} of {surface}", share(2));
    }

    #[test]
    fn the_pixels_of_a_cell_show_it() {
        let mut scene = scene(vec![Action { camera: [40.0, 0.0], ..Action::default() }]);
        let target = {
            let mut world = scene.start.clone();
            world.tick(&scene.actions[0]);
            world.target().expect("the ground is within reach")
        };
        let film = scene.film(&[]);
        let pixels = film.pixels_of_cell(1, target.cell);
        assert!(pixels.len() > 30, "{}", pixels.len());
        let ids = &film.last().view.block_ids;
        assert!(pixels.iter().all(|&pixel| ids[pixel] == target.block.id()));
        scene.start.set_block(target.cell, holdfast_sim::voxel::block::Block::Brick);
        assert_ne!(scene.film(&[]).frame(1), film.frame(1));
    }
}
