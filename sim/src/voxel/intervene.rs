//! How probes and prompts reach into the true world: blocks, the player, animals and the sky, at will.

use super::block::Block;
use super::entity::Kind;
use super::hands::Edit;
use super::player::Player;
use super::sky::Weather;
use super::world::{LOAD_RADIUS, VoxelWorld};
use glam::{IVec3, Vec3};

impl VoxelWorld {
    /// Sets a block as if it had always been due: neighbours react from the next tick on.
    pub fn set_block(&mut self, cell: IVec3, block: Block) {
        let before = self.chunks.get(cell);
        if before != block {
            self.apply(Edit {
                cell: cell.to_array(),
                before,
                after: block,
            });
            self.aim();
        }
    }

    /// Puts the player somewhere, at rest.
    pub fn place_player(&mut self, feet: Vec3, yaw_deg: f32, pitch_deg: f32) {
        self.player = Player::new(feet, yaw_deg);
        self.player.pitch_deg = pitch_deg.clamp(-90.0, 90.0);
        self.chunks.load_around(self.centre(), LOAD_RADIUS);
        self.populate();
        self.aim();
    }

    /// Puts an animal somewhere, walking straight on for `walk_ticks` before it makes up its own mind. Returns its id.
    pub fn spawn_animal(&mut self, kind: Kind, feet: Vec3, yaw_deg: f32, walk_ticks: u16) -> u64 {
        self.herds.spawn(kind, feet.as_dvec3(), yaw_deg, walk_ticks)
    }

    /// Takes all animals away; none come back where the player has been near.
    pub fn clear_animals(&mut self) {
        self.herds.animals.clear();
    }

    /// Moves the sun: the day goes on from this time (0 midnight, 0.5 noon).
    pub fn set_time_of_day(&mut self, time_of_day: f32) {
        self.day_offset += time_of_day - self.sky.time_of_day;
        self.refresh_sky();
    }

    /// Asks for a weather, from now on; `None` leaves it to the seed again.
    pub fn set_weather(&mut self, weather: Option<Weather>) {
        self.weather = weather;
        self.refresh_sky();
    }
}
