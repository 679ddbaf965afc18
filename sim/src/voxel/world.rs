//! The true world itself: everything that lives in it, stepped tick by tick, and its view.

use super::block::Block;
use super::chunk::{Chunks, HEIGHT};
use super::climate;
use super::dynamics::{Cells, Dynamics};
use super::hands::{Edit, Hands};
use super::herds::Herds;
use super::pick::{self, Target};
use super::player::Player;
use super::sky::{Sky, VIEW_BLOCKS, Weather};
use super::terrain::Biome;
use super::truth::{EntityTruth, Truth};
use crate::{Action, Camera, Pose};
use glam::{IVec3, Vec3};

/// The world exists this far around the player, blocks: a little further than the eye sees.
pub const LOAD_RADIUS: i32 = VIEW_BLOCKS as i32 + 2;

/// The reference world behind [`World`]. Clone it to fork: what both do afterwards is exact.
#[derive(Debug, Clone)]
pub struct VoxelWorld {
    pub(super) camera: Camera,
    seed: u64,
    tick: u64,
    pub(super) chunks: Chunks,
    pub(super) player: Player,
    hands: Hands,
    dynamics: Dynamics,
    pub(super) herds: Herds,
    pub(super) sky: Sky,
    /// Whether the start lies in the snow: what falls from the sky is snow then.
    cold: bool,
    /// Weather that was asked for; otherwise it follows from the seed.
    pub(super) weather: Option<Weather>,
    /// How far the sun was moved from where the seed has it, in days.
    pub(super) day_offset: f32,
    target: Option<Target>,
    edits: Vec<Edit>,
}

/// The part of the world that dynamics may change.
struct Live<'a> {
    chunks: &'a mut Chunks,
    player: &'a Player,
    herds: &'a Herds,
    edits: &'a mut Vec<Edit>,
}

impl Cells for Live<'_> {
    fn block(&self, cell: IVec3) -> Block {
        self.chunks.get(cell)
    }

    fn change(&mut self, edit: Edit) {
        self.chunks.set(IVec3::from_array(edit.cell), edit.after);
        self.edits.push(edit);
    }

    fn is_occupied(&self, cell: IVec3) -> bool {
        is_occupied(self.player, self.herds, cell)
    }
}

fn is_occupied(player: &Player, herds: &Herds, cell: IVec3) -> bool {
    player.body().overlaps_cell(cell) || herds.animals.iter().any(|animal| animal.body().overlaps_cell(cell))
}

impl VoxelWorld {
    /// A world of seed 0; `camera` is what [`World`]'s observations are seen through.
    pub fn new(camera: Camera) -> Self {
        let mut world = VoxelWorld {
            camera,
            seed: 0,
            tick: 0,
            chunks: Chunks::new(0),
            player: Player::new(Vec3::ZERO, 0.0),
            hands: Hands::default(),
            dynamics: Dynamics::default(),
            herds: Herds::default(),
            sky: climate::sky(0, 0, false, None),
            cold: false,
            weather: None,
            day_offset: 0.0,
            target: None,
            edits: Vec::new(),
        };
        world.reset_seed(0);
        world
    }

    /// Starts anew from a seed, without drawing anything.
    pub fn reset_seed(&mut self, seed: u64) {
        self.seed = seed;
        self.tick = 0;
        self.chunks = Chunks::new(seed);
        let feet = self.chunks.spawn();
        self.chunks.load_around(feet.floor().as_ivec3(), LOAD_RADIUS);
        self.cold = self.biome_at(feet) == Biome::SnowyHills;
        self.player = Player::new(feet, climate::start_yaw_deg(seed));
        self.hands = Hands::default();
        self.dynamics = Dynamics::default();
        self.herds = Herds::default();
        self.weather = None;
        self.edits.clear();
        self.day_offset = 0.0;
        self.refresh_sky();
        self.populate();
        self.aim();
    }

    /// Advances one tick without drawing.
    pub fn tick(&mut self, action: &Action) {
        self.tick += 1;
        self.edits.clear();
        let chunks = &self.chunks;
        let blocks = |cell: IVec3| chunks.get(cell);
        self.player.step(action, &blocks);
        self.aim();

        let (player, herds, chunks) = (&self.player, &self.herds, &self.chunks);
        let occupied = |cell: IVec3| is_occupied(player, herds, cell) || !(0..HEIGHT as i32).contains(&cell.y);
        if let Some(edit) = self.hands.step(action, self.target, occupied, &|cell| chunks.get(cell)) {
            self.apply(edit);
        }
        let centre = self.centre();
        let mut live =
            Live { chunks: &mut self.chunks, player: &self.player, herds: &self.herds, edits: &mut self.edits };
        self.dynamics.step(self.tick, self.seed, centre, &mut live);
        let chunks = &self.chunks;
        self.herds.step(self.tick, self.seed, centre, &|cell| chunks.get(cell));
        self.herds.make_room(&self.player.body(), &|cell| chunks.get(cell));

        self.chunks.load_around(centre, LOAD_RADIUS);
        self.populate();
        self.refresh_sky();
        self.aim();
    }

    fn biome_at(&self, feet: Vec3) -> Biome {
        self.chunks.terrain().biome(feet.x.floor() as i32, feet.z.floor() as i32)
    }

    /// Where the player stands.
    pub fn biome(&self) -> Biome {
        self.biome_at(self.player.feet.as_vec3())
    }

    pub fn block(&self, cell: IVec3) -> Block {
        self.chunks.get(cell)
    }

    pub fn player(&self) -> &Player {
        &self.player
    }

    pub fn hands(&self) -> &Hands {
        &self.hands
    }

    pub fn herds(&self) -> &Herds {
        &self.herds
    }

    pub fn chunks(&self) -> &Chunks {
        &self.chunks
    }

    pub fn sky(&self) -> &Sky {
        &self.sky
    }

    pub fn target(&self) -> Option<Target> {
        self.target
    }

    /// Every cell that changed during the last tick, in order.
    pub fn edits(&self) -> &[Edit] {
        &self.edits
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn ticks(&self) -> u64 {
        self.tick
    }

    pub fn camera(&self) -> Camera {
        self.camera
    }

    pub fn pose(&self) -> Pose {
        self.player.pose()
    }

    /// What is true now.
    pub fn truth(&self) -> Truth {
        let entities = self.herds.animals.iter().map(|animal| EntityTruth {
            id: animal.id,
            kind: animal.kind,
            feet: animal.feet.to_array(),
            yaw_deg: animal.yaw_deg,
            velocity: animal.velocity.to_array(),
        });
        Truth {
            tick: self.tick,
            pose: self.player.pose(),
            velocity: self.player.velocity.to_array(),
            on_ground: self.player.on_ground,
            in_water: self.player.in_water,
            against_wall: self.player.against_wall,
            slot: self.hands.slot,
            held: self.hands.held(),
            target: self.target,
            crack: self.crack().map(|(cell, stage)| (cell.to_array(), stage)),
            edits: self.edits.clone(),
            entities: entities.collect(),
            biome: self.biome(),
            sky: self.sky,
        }
    }

    /// A digest of everything that decides the future.
    pub fn state_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&self.seed.to_le_bytes());
        hasher.update(&self.tick.to_le_bytes());
        self.player.hash_state(&mut hasher);
        self.hands.hash_state(&mut hasher);
        self.chunks.hash_state(&mut hasher);
        self.dynamics.hash_state(&mut hasher);
        self.herds.hash_state(&mut hasher);
        hasher.update(&self.sky.time_of_day.to_bits().to_le_bytes());
        hasher.update(&[self.sky.weather as u8]);
        hasher.finalize().to_hex().to_string()
    }

    pub(super) fn refresh_sky(&mut self) {
        self.sky = climate::sky(self.seed, self.tick, self.cold, self.weather);
        self.sky.time_of_day = (self.sky.time_of_day + self.day_offset).rem_euclid(1.0);
    }

    pub(super) fn apply(&mut self, edit: Edit) {
        let cell = IVec3::from_array(edit.cell);
        self.chunks.set(cell, edit.after);
        self.edits.push(edit);
        let chunks = &self.chunks;
        self.dynamics.wake(cell, self.tick, |near| chunks.get(near));
    }

    pub(super) fn crack(&self) -> Option<(IVec3, u8)> {
        self.hands.crack(&|cell| self.chunks.get(cell))
    }

    pub(super) fn centre(&self) -> IVec3 {
        self.player.feet.floor().as_ivec3()
    }

    pub(super) fn populate(&mut self) {
        let (chunks, centre) = (&self.chunks, self.centre());
        self.herds.populate(self.seed, centre, LOAD_RADIUS, |x, z| {
            let y = chunks.surface_y(x, z);
            let above = chunks.get(IVec3::new(x, y + 1, z));
            (y, if above.is_liquid() { above } else { chunks.get(IVec3::new(x, y, z)) })
        });
    }

    pub(super) fn aim(&mut self) {
        let pose = self.player.pose();
        self.target = pick::pick(pose.eye(), pose.axes().forward, pick::REACH, &|cell| self.chunks.get(cell));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::script::Policy;
    use proptest::prelude::*;

    fn world(seed: u64) -> VoxelWorld {
        let mut world = VoxelWorld::new(Camera::new(16, 9));
        world.reset_seed(seed);
        world
    }

    fn run(world: &mut VoxelWorld, policy: Policy, seed: u64, ticks: usize) {
        policy.open_loop(seed).take(ticks).for_each(|action| world.tick(&action));
    }

    #[test]
    fn runs_and_forks_agree() {
        for seed in [11, 12] {
            let mut first = world(seed);
            run(&mut first, Policy::Random, seed, 250);
            let mut fork = first.clone();
            run(&mut first, Policy::Dig, seed, 250);
            run(&mut fork, Policy::Dig, seed, 250);
            assert_eq!(first.state_hash(), fork.state_hash());
            let mut again = world(seed);
            run(&mut again, Policy::Random, seed, 250);
            run(&mut again, Policy::Dig, seed, 250);
            assert_eq!(first.state_hash(), again.state_hash());
            run(&mut fork, Policy::Wander, seed, 5);
            assert_ne!(first.state_hash(), fork.state_hash());
        }
    }

    #[test]
    fn the_player_is_never_inside_a_block() {
        for (seed, policy) in (100..).zip(Policy::ALL) {
            let mut world = world(seed);
            let mut script = policy.script(seed);
            for tick in 0..400 {
                let action = script.next(Some(&world));
                action.check().expect("in range");
                world.tick(&action);
                let blocks = |cell: IVec3| world.block(cell);
                assert!(!world.player().body().is_stuck(&blocks), "{policy} {seed} at {tick}: {:?}", world.player());
            }
        }
    }

    proptest! {
        // Each case makes a world anew.
        #![proptest_config(ProptestConfig::with_cases(12))]
        #[test]
        fn what_two_forks_are_told_alike_they_do_alike(
            seed in 0u64..1_000_000,
            before in 0usize..60,
            keys in proptest::collection::vec((any::<[bool; 9]>(), 0u8..10, -30.0f32..30.0, -60.0f32..60.0), 1..60),
        ) {
            let mut world = world(seed);
            run(&mut world, Policy::Random, seed, before);
            let mut fork = world.clone();
            for (keys, hotbar, pitch, yaw) in keys {
                let [forward, back, left, right, jump, sneak, sprint, attack, use_] = keys;
                let camera = [pitch, yaw];
                let action = Action { forward, back, left, right, jump, sneak, sprint, attack, use_, hotbar, camera };
                world.tick(&action);
                fork.tick(&action);
                prop_assert_eq!(world.truth(), fork.truth());
                let blocks = |cell: IVec3| world.block(cell);
                prop_assert!(!world.player().body().is_stuck(&blocks));
            }
            prop_assert_eq!(world.state_hash(), fork.state_hash());
        }
    }
}
