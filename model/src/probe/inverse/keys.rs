//! The keys that pictures can show, and the ticks at which it does: by the truth, never by the probed world.

use crate::probe::Scene;
use glam::Vec3;
use holdfast_sim::{
    Action, Pose,
    voxel::{block::Block, world::VoxelWorld},
};

/// A key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Key {
    Forward,
    Back,
    Left,
    Right,
    Jump,
    Attack,
    Use,
}

impl Key {
    pub const COUNT: usize = 7;
    pub const ALL: [Key; Key::COUNT] =
        [Key::Forward, Key::Back, Key::Left, Key::Right, Key::Jump, Key::Attack, Key::Use];

    pub fn name(self) -> &'static str {
        ["forward", "back", "left", "right", "jump", "attack", "use"][self as usize]
    }

    fn is_held(self, action: &Action) -> bool {
        let [right, forward] = action.wish();
        match self {
            // Opposed keys cancel: what they do is nothing.
            Key::Forward => forward > 0.0,
            Key::Back => forward < 0.0,
            Key::Left => right < 0.0,
            Key::Right => right > 0.0,
            Key::Jump => action.jump,
            Key::Attack => action.attack,
            Key::Use => action.use_,
        }
    }
}

/// Whether each key is held in a tick; `None` where the truth itself does not show it.
pub type Held = [Option<bool>; Key::COUNT];

/// A key that pushes this far, blocks a tick, has an effect: less is a ledge or a wall.
const LEAST_PUSH: f32 = 0.02;
/// A jump that rises less met a ceiling, blocks.
const LEAST_RISE: f32 = 0.2;

/// Earlier stages of a crack are a few pixels.
const CLEAR_CRACK: u8 = 3;

/// What is held in each tick of a scene.
pub fn held(scene: &Scene) -> Vec<Held> {
    let mut world = scene.start.clone();
    scene.actions.iter().map(|action| held_in(&mut world, action)).collect()
}

/// Lets a tick pass, and says what its keys did.
fn held_in(world: &mut VoxelWorld, action: &Action) -> Held {
    let (before, edits, crack) = (world.player().clone(), world.edits().len(), world.truth().crack);
    world.tick(action);
    let player = world.player();
    let moved = (player.feet - before.feet).as_vec3();
    let axes = Pose { yaw_deg: player.yaw_deg, ..Pose::default() }.axes();
    let [right, forward] = action.wish();
    let wish = axes.right * right + axes.forward * forward;
    let stands = before.on_ground && !before.in_water && !player.in_water;
    // A body in the air or against a wall goes on as it must, whatever is held.
    let free = stands && !player.against_wall && (wish == Vec3::ZERO || moved.dot(wish) > LEAST_PUSH);
    let edit = world.edits().get(edits);
    let broke = edit.is_some_and(|edit| edit.after == Block::Air && !action.use_);
    let cracks = world.truth().crack.is_some_and(|(_, stage)| stage >= CLEAR_CRACK) && world.truth().crack != crack;
    Key::ALL.map(|key| {
        let held = key.is_held(action);
        let shows = match key {
            Key::Forward | Key::Back | Key::Left | Key::Right => free,
            Key::Jump => stands && (!held || moved.y > LEAST_RISE),
            Key::Attack => !held || cracks || broke,
            Key::Use => !held || edit.is_some() && !broke,
        };
        shows.then_some(held)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::stage;
    use holdfast_sim::Camera;

    #[track_caller]
    fn check(action: Action, ticks: usize, key: Key, expected: Option<bool>) {
        let on = |seed| stage::facing_ground(Camera::new(32, 18), seed, [[4.0, 0.0]]);
        let (start, _) = (1_000_000..).find_map(on).expect("level ground somewhere");
        // A body that was just put down stands after a tick.
        let mut actions = vec![Action::default(); 2];
        actions.resize(2 + ticks, action);
        let found = held(&Scene { start, actions });
        assert_eq!(found[ticks + 1][key as usize], expected, "{key:?} under {action:?}");
    }

    #[test]
    fn keys_count_where_they_show() {
        let forward = Action { forward: true, ..Action::default() };
        check(forward, 2, Key::Forward, Some(true));
        check(forward, 2, Key::Left, Some(false));
        check(Action { back: true, ..forward }, 2, Key::Forward, Some(false));
        let jump = Action { jump: true, ..Action::default() };
        check(jump, 1, Key::Jump, Some(true));
        // In the air nothing tells.
        check(jump, 3, Key::Jump, None);
        check(Action { forward: true, ..jump }, 3, Key::Forward, None);
        // Nothing is in reach of a level look; the ground is of a look down.
        let attack = Action { attack: true, ..Action::default() };
        check(attack, 1, Key::Attack, None);
        let down = Action { camera: [50.0, 0.0], ..Action::default() };
        check(down, 1, Key::Attack, Some(false));
        check(Action { use_: true, ..down }, 1, Key::Use, Some(true));
    }
}
