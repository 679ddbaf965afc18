//! What a dream carries from tick to tick beside its map: the slot in hand, how long the hand has been at work on one
//! target, and the colours around.

use crate::{
    Condition,
    ambience::Ambience,
    cake::{self, Cakes},
    crosshair::Target,
    deed::Change,
    grid::{Grid, SLACK_BLOCKS, SLACK_SHARE},
    lore::Lore,
    matter::Matter,
    state::{Canvas, Shown},
};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Action, Camera, Depth, Pose,
    kinematics::{BODY_HEIGHT, BODY_WIDTH, EYE_HEIGHT, REACH_BLOCKS, USE_REPEAT_TICKS},
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// See the module. Training episodes and dreams keep it alike, so that the network meets the same conditions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Situation {
    hand: Hand,
    ambience: Ambience,
    /// How the blocks lie. Saved worlds hold it apart from the rest: those before version 3 lack it.
    #[serde(skip)]
    grid: Grid,
    /// What the last frame showed under the crosshair. Those before version 4 lack it.
    #[serde(skip)]
    under: Matter,
    /// What the hand put where, by cell. Those before version 5 lack it.
    #[serde(skip)]
    made: Arc<Made>,
    /// Cakes that the start showed. Saved worlds lack them: there the frame tells.
    #[serde(skip)]
    cakes: Arc<Cakes>,
}

/// Blocks of the hand's making.
pub type Made = BTreeMap<[i32; 3], Matter>;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Hand {
    slot: u8,
    /// Middle of the cell that the crosshair rests on.
    #[serde(with = "crate::keep::vec3::option")]
    aim: Option<Vec3>,
    /// Middle of the cell that is under attack, and for how many ticks it has been.
    #[serde(with = "crate::keep::vec3::option")]
    attacked: Option<Vec3>,
    attack_ticks: u32,
    use_ticks: u32,
}

impl Default for Hand {
    fn default() -> Self {
        Hand { slot: 1, aim: None, attacked: None, attack_ticks: 0, use_ticks: 0 }
    }
}

/// The pixel that the crosshair is on.
fn crosshair(camera: &Camera) -> usize {
    camera.height / 2 * camera.width + camera.width / 2
}

/// The cells within reach that the hand has filled.
fn made_near(made: &Made, pose: &Pose) -> impl Iterator<Item = IVec3> {
    let [first, last] = [-REACH_BLOCKS, REACH_BLOCKS].map(|reach| (pose.eye() + reach).floor().as_ivec3());
    let slice = made.range([first.x, i32::MIN, i32::MIN]..=[last.x, i32::MAX, i32::MAX]);
    let cells = slice.map(|(cell, _)| IVec3::from_array(*cell));
    cells.filter(move |cell| cell.cmpge(first).all() && cell.cmple(last).all())
}

/// What most of the pixels around the crosshair show.
fn under_crosshair(camera: &Camera, matters: &[Matter]) -> Matter {
    let middle = crosshair(camera);
    if matters.len() <= middle + camera.width + 1 {
        return Matter::default();
    }
    let rows = [middle - camera.width, middle, middle + camera.width];
    let around = rows.map(|middle| [matters[middle - 1], matters[middle], matters[middle + 1]]);
    let count = |matter: Matter| around.iter().flatten().filter(|other| **other == matter).count();
    let most = around.into_iter().flatten().max_by_key(|matter| count(*matter)).unwrap_or_default();
    if count(most) > count(matters[middle]) { most } else { matters[middle] }
}

/// Whether a body at `pose` stands in a cell.
fn is_in_the_way(pose: &Pose, cell: IVec3) -> bool {
    let feet = pose.eye() - Vec3::Y * EYE_HEIGHT;
    let away = (cell.as_vec3() + 0.5 - feet).abs();
    let beside = away.x.max(away.z) < 0.5 * (1.0 + BODY_WIDTH);
    let (low, high) = (cell.y as f32, cell.y as f32 + 1.0);
    beside && low < feet.y + BODY_HEIGHT && high > feet.y + 0.01
}

fn middle(cell: IVec3) -> Vec3 {
    cell.as_vec3() + 0.5
}

impl Situation {
    /// At the start of a dream whose blocks lie so.
    pub fn begin(grid: Grid) -> Situation {
        Situation { grid, ..Situation::default() }
    }

    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// Takes note of the cakes that a start shows.
    pub fn find_cakes(&mut self, cakes: Cakes) {
        self.cakes = Arc::new(cakes);
    }

    /// What the last frame showed under the crosshair.
    pub fn under(&self) -> Matter {
        self.under
    }

    /// What the hand put where.
    pub fn made(&self) -> &Made {
        &self.made
    }

    /// The situation that a save holds, how the blocks lie in it, what is under the crosshair and what the hand made.
    pub fn that_lies(self, grid: Grid, under: Matter, made: Made) -> Situation {
        Situation { grid, under, made: Arc::new(made), ..self }
    }

    /// Whether it is a situation that a player can be in: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        let Hand { slot, aim, attacked, attack_ticks, use_ticks } = self.hand;
        let finite = |point: Option<Vec3>| point.is_none_or(|point| point.is_finite());
        let counts = attack_ticks < u32::MAX / 2 && use_ticks < u32::MAX / 2;
        let sound = self.ambience.is_sound() && self.grid.is_sound();
        (1..=9).contains(&slot) && counts && finite(aim) && finite(attacked) && sound
    }

    /// The slot in hand, 1 to 9.
    pub fn slot(&self) -> u8 {
        self.hand.slot
    }

    /// The condition of the frame after `action`, which took the eye from `before` to `pose`; its noise level is 0.
    /// What lies under the crosshair is told by the canvas, read from `pose`, or else by the depth of the last frame.
    /// `truly` tells of a change whether it comes about now, for training; else the hand's own experience does.
    pub fn act(
        &mut self,
        action: &Action,
        [before, pose]: [&Pose; 2],
        camera: &Camera,
        canvas: Option<&Canvas>,
        last: Option<&Depth>,
        lore: &Lore,
        truly: Option<&dyn Fn(IVec3) -> bool>,
    ) -> Condition {
        let at_rest = self.at_rest(pose);
        let middle = crosshair(camera);
        let remembers = canvas.is_some();
        let canvas = canvas.filter(|canvas| canvas.known(middle)).map(|canvas| canvas.depth_blocks.as_slice());
        let depth_blocks = canvas.or(last.map(|depth| depth.blocks.as_slice()));
        let made = made_near(&self.made, &at_rest.pose).filter(|_| remembers);
        let target = self.hand.take(action, &at_rest.pose, camera, depth_blocks, made);
        let change = target.and_then(|Target { cell, face }| match (action.attack, action.use_) {
            (true, _) => Some(Change::Break(cell)),
            // Who has a cake before them eats, whatever else is in their hand.
            (_, true) if self.under == Matter::Cake => Some(Change::Bite(cell)),
            (_, true) => Some(Change::Place(cell + face)),
            _ => None,
        });
        let cake = depth_blocks.filter(|_| remembers && action.use_ && !action.attack);
        let cake = cake.and_then(|blocks| self.cake_ahead(&at_rest.pose, blocks[middle]));
        let change = cake.map(|(cell, _)| Change::Bite(cell)).or(change);
        let attack_ticks = self.hand.attack_ticks;
        let due = change.and_then(|change| self.due(change, &at_rest.pose, remembers, lore));
        let due = match (change, due, truly) {
            (Some(Change::Break(cell) | Change::Place(cell)), Some(_), Some(truly)) => Some(truly(cell)),
            _ => due,
        };
        if let (Some(change), Some(true)) = (change, due) {
            self.take_note(change, lore);
        }
        let axes = Pose { pitch_deg: 0.0, ..*pose }.axes();
        let moved = pose.eye() - before.eye();
        Condition {
            action: *action,
            slot: self.hand.slot,
            attack_ticks,
            use_ticks: self.hand.use_ticks,
            due,
            eaten: cake.map(|(_, eaten)| eaten),
            moved_blocks: [moved.dot(axes.right), moved.y, moved.dot(axes.forward)],
            change,
            ..at_rest
        }
    }

    /// Whether a change comes about now: a block breaks when its matter does, and is placed when use is pressed and, held,
    /// every few ticks. `None` where only a picture can tell.
    fn due(&self, change: Change, pose: &Pose, remembers: bool, lore: &Lore) -> Option<bool> {
        match change {
            Change::Break(cell) => {
                let made = self.made.get(&cell.to_array()).filter(|_| remembers).copied();
                Some(self.hand.attack_ticks >= lore.toughness.break_ticks(made.unwrap_or(self.under))?)
            }
            Change::Place(cell) => {
                lore.cube_in(self.hand.slot).map(|_| self.uses_in_turn() && !is_in_the_way(pose, cell))
            }
            Change::Bite(cell) => self.cakes.contains_key(&cell.to_array()).then(|| self.uses_in_turn()),
        }
    }

    /// Whether the hand does something in this tick of holding use.
    fn uses_in_turn(&self) -> bool {
        self.hand.use_ticks % u32::from(USE_REPEAT_TICKS) == 1
    }

    /// The known cake that the crosshair is on, if nothing stands before it, and the slices that are gone of it.
    fn cake_ahead(&self, pose: &Pose, shown_blocks: f32) -> Option<(IVec3, u8)> {
        let (eye, ahead) = (pose.eye(), pose.axes().forward);
        let met = self.cakes.iter().filter_map(|(cell, &eaten)| {
            let cell = IVec3::from_array(*cell);
            Some((cake::enters(eye, ahead, cell, eaten)?, (cell, eaten)))
        });
        let (enters, cake) = met.min_by(|a, b| a.0.total_cmp(&b.0))?;
        (enters <= REACH_BLOCKS && enters < shown_blocks + SLACK_BLOCKS + SLACK_SHARE * enters).then_some(cake)
    }

    /// Notes what the hand has done.
    fn take_note(&mut self, change: Change, lore: &Lore) {
        match (change, lore.cube_in(self.hand.slot)) {
            (Change::Break(cell), _) => {
                self.hand.attacked = None;
                Arc::make_mut(&mut self.made).remove(&cell.to_array());
                if self.cakes.contains_key(&cell.to_array()) {
                    Arc::make_mut(&mut self.cakes).remove(&cell.to_array());
                }
            }
            (Change::Place(cell), Some(cube)) => {
                Arc::make_mut(&mut self.made).insert(cell.to_array(), cube);
            }
            (Change::Bite(cell), _) => {
                let cakes = Arc::make_mut(&mut self.cakes);
                let eaten = cakes.get(&cell.to_array()).map_or(cake::SLICES, |eaten| eaten + 1);
                if eaten < cake::SLICES {
                    cakes.insert(cell.to_array(), eaten);
                } else {
                    cakes.remove(&cell.to_array());
                }
            }
            _ => {}
        }
    }

    /// The condition of a frame that no action led to.
    pub fn at_rest(&self, pose: &Pose) -> Condition {
        let pose = self.grid.place(pose);
        Condition { slot: self.hand.slot, pose, ambience: self.ambience, ..Condition::default() }
    }

    /// Takes in the frame that followed.
    pub fn see(&mut self, pose: &Pose, camera: &Camera, shown: &Shown) {
        self.ambience.see(pose, camera, shown);
        // Cracks make of a block what it is not.
        if self.hand.attacked.is_none() || self.hand.attack_ticks <= 1 {
            self.under = under_crosshair(camera, shown.matters);
        }
    }
}

impl Hand {
    /// Takes up a tick's action: what it is at work on, and for how long. What the hand itself `made` it finds again for
    /// certain.
    fn take(
        &mut self,
        action: &Action,
        pose: &Pose,
        camera: &Camera,
        depth_blocks: Option<&[f32]>,
        made: impl Iterator<Item = IVec3>,
    ) -> Option<Target> {
        if action.hotbar > 0 {
            self.slot = action.hotbar;
        }
        self.use_ticks = if action.use_ { self.use_ticks + 1 } else { 0 };
        let held = self.aim.map(|middle| middle.floor().as_ivec3());
        let grip = self.attacked.filter(|_| action.attack && self.attack_ticks > 0);
        let gripped = grip.and_then(|middle| Target::gripped(pose, camera, depth_blocks?, middle.floor().as_ivec3()));
        let made = || Target::among(made, pose, depth_blocks?[crosshair(camera)]);
        let found = || Target::find(pose, camera, depth_blocks?, held);
        let target = gripped.or_else(made).or_else(found);
        self.aim = target.map(|target| middle(target.cell));
        self.attack_ticks = match (action.attack, self.aim.is_some() && self.aim == self.attacked) {
            (false, _) => 0,
            (true, true) => self.attack_ticks + 1,
            (true, false) => 1,
        };
        self.attacked = self.aim.filter(|_| action.attack);
        target
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{hotbar::Hotbar, materials::Materials, toughness::Toughness};

    /// One tick in front of a wall so many blocks ahead, from half a block into a cell.
    fn tick(situation: &mut Situation, action: &Action, wall_blocks: f32) -> Condition {
        let (pose, camera) = (Pose::default(), Camera::new(8, 8));
        let axes = pose.axes();
        let blocks = (0..64).map(|at| camera.ray(&axes, at % 8, at / 8).length() * wall_blocks).collect();
        let last = Depth { width: 8, height: 8, blocks };
        situation.act(action, [&pose, &pose], &camera, None, Some(&last), &Lore::default(), None)
    }

    #[test]
    fn attack_is_counted_on_one_target_at_a_time() {
        let mut situation = Situation::default();
        let attack = Action { attack: true, ..Action::default() };
        let broken = |z: i32| Some(Change::Break(IVec3::new(0, 0, z)));
        for expected in 1..=4 {
            let condition = tick(&mut situation, &attack, 2.5 + 0.1 * (expected % 2) as f32);
            assert_eq!((condition.attack_ticks, condition.change), (expected, broken(3)));
        }
        // The block is gone: what stands behind it is another target.
        let condition = tick(&mut situation, &attack, 3.5);
        assert_eq!((condition.attack_ticks, condition.change), (1, broken(4)));
        assert_eq!(tick(&mut situation, &attack, 3.5).attack_ticks, 2);
        assert_eq!(tick(&mut situation, &Action::default(), 3.5).attack_ticks, 0);
        assert_eq!(tick(&mut situation, &attack, 3.5).attack_ticks, 1);
        // Nothing in reach: each tick is a first one.
        for _ in 0..2 {
            let condition = tick(&mut situation, &attack, Depth::SKY);
            assert_eq!((condition.attack_ticks, condition.change), (1, None));
        }
    }

    #[test]
    fn a_block_breaks_when_its_matter_does_and_use_places_in_turns() {
        let (pose, camera) = (Pose::default(), Camera::new(8, 8));
        let axes = pose.axes();
        let blocks = (0..64).map(|at| camera.ray(&axes, at % 8, at / 8).length() * 2.5).collect();
        let wall = Depth { width: 8, height: 8, blocks };
        let mut ticks = [0; Matter::COUNT];
        (ticks[Matter::Sand as usize], ticks[Matter::Stone as usize]) = (3, 9);
        let texel = |at: usize| (at * 7 % 250) as u8;
        let lore = Lore {
            toughness: Toughness::new(ticks),
            materials: Materials::new((0..Materials::BYTES).map(texel).collect()),
            ..Lore::default()
        };
        let side: Vec<u8> = lore.materials.picture(Matter::Sand, 1).copied().collect();
        let lore = Lore { hotbar: Hotbar::new(side.repeat(Hotbar::SLOTS)), ..lore };
        let frame = holdfast_sim::Frame::new(8, 8);
        let mut situation = Situation::default();
        let due = |situation: &mut Situation, action: &Action, shows: Matter| {
            let matters = [shows; 64];
            situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &wall, 1) });
            situation.act(action, [&pose, &pose], &camera, None, Some(&wall), &lore, None).due
        };
        let attack = Action { attack: true, ..Action::default() };
        // Its cracks look like stone; it is sand.
        let shown = [Matter::Sand, Matter::Sand, Matter::Stone, Matter::Sand, Matter::Sand];
        let broken = shown.map(|shows| due(&mut situation, &attack, shows));
        assert_eq!(broken, [false, false, true, false, false].map(Some), "and then the next block is begun");
        due(&mut situation, &Action::default(), Matter::Stone);
        let place = Action { use_: true, ..Action::default() };
        let placed = [0; 6].map(|_| due(&mut situation, &place, Matter::Stone));
        assert_eq!(placed, [true, false, false, false, true, false].map(Some));
        // What it put there it knows, whatever is seen: sand, in the cell before the wall.
        let due_on = |situation: &mut Situation, blocks: f32, action: &Action| {
            let blocks = (0..64).map(|at| camera.ray(&axes, at % 8, at / 8).length() * blocks).collect();
            let wall = Depth { width: 8, height: 8, blocks };
            let canvas = Canvas {
                width: 8,
                height: 8,
                depth_blocks: wall.blocks,
                confidence: vec![1.0; 64],
                ..Canvas::default()
            };
            situation.act(action, [&pose, &pose], &camera, Some(&canvas), None, &lore, None).due
        };
        let broken = [1.5; 4].map(|blocks| due_on(&mut situation, blocks, &attack));
        assert_eq!(broken, [false, false, true, false].map(Some));
        assert!(situation.made().is_empty());
        // Not into the player.
        let feet = Pose { position: [0.5, EYE_HEIGHT, 0.5], ..Pose::default() };
        assert!(is_in_the_way(&feet, IVec3::ZERO) && is_in_the_way(&feet, IVec3::Y));
        assert!(!is_in_the_way(&feet, IVec3::NEG_Y) && !is_in_the_way(&feet, IVec3::X));
    }

    #[test]
    fn what_is_placed_stands_before_what_was_aimed_at() {
        let place = Action { use_: true, ..Action::default() };
        let condition = tick(&mut Situation::default(), &place, 2.5);
        assert_eq!(condition.change, Some(Change::Place(IVec3::new(0, 0, 2))));
    }

    #[test]
    fn a_cake_is_bitten_and_nothing_is_placed_on_it() {
        let (mut situation, pose, camera) = (Situation::default(), Pose::default(), Camera::new(8, 8));
        let place = Action { use_: true, ..Action::default() };
        let (frame, depth) = (holdfast_sim::Frame::new(8, 8), Depth::new(8, 8));
        let mut matters = [Matter::Cake; 64];
        situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &depth, 1) });
        assert_eq!(tick(&mut situation, &place, 2.5).change, Some(Change::Bite(IVec3::new(0, 0, 3))));
        (3..6).for_each(|row| matters[row * 8 + 3..row * 8 + 6].fill(Matter::Sand));
        situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &depth, 2) });
        assert_eq!(tick(&mut situation, &place, 2.5).change, Some(Change::Place(IVec3::new(0, 0, 2))));
    }

    #[test]
    fn a_cake_of_the_start_is_eaten_slice_by_slice_and_is_then_gone() {
        // The crosshair is on the slice that goes last.
        let pose = Pose { position: [0.85, 1.62, 0.5], pitch_deg: 30.0, ..Pose::default() };
        let camera = Camera::new(8, 8);
        let canvas =
            Canvas { width: 8, height: 8, depth_blocks: vec![3.2; 64], confidence: vec![1.0; 64], ..Canvas::default() };
        let mut situation = Situation::begin(Grid { yaw_deg: 0.0, origin: [0.0; 3] });
        let cell = IVec3::new(0, 0, 2);
        situation.find_cakes(Cakes::from([(cell.to_array(), 0)]));
        let mut bites = Vec::new();
        for slice in 1..=cake::SLICES {
            for use_ in [true, slice < cake::SLICES, false] {
                let action = Action { use_, ..Action::default() };
                let condition =
                    situation.act(&action, [&pose, &pose], &camera, Some(&canvas), None, &Lore::default(), None);
                if use_ {
                    assert_eq!(condition.change, Some(Change::Bite(cell)));
                    bites.push((condition.eaten, condition.due));
                }
            }
        }
        // Held, it is not eaten at once.
        assert_eq!(
            bites[..4],
            [(Some(0), Some(true)), (Some(1), Some(false)), (Some(1), Some(true)), (Some(2), Some(false))]
        );
        let action = Action { use_: true, ..Action::default() };
        let condition = situation.act(&action, [&pose, &pose], &camera, Some(&canvas), None, &Lore::default(), None);
        assert!(!matches!(condition.change, Some(Change::Bite(_))), "{:?}", condition.change);
        assert_eq!(condition.eaten, None);
    }

    #[test]
    fn the_slot_stays_until_another_is_chosen() {
        let mut situation = Situation::default();
        assert_eq!(tick(&mut situation, &Action { hotbar: 4, ..Action::default() }, 9.0).slot, 4);
        assert_eq!(tick(&mut situation, &Action::default(), 9.0).slot, 4);
        let used = [true, true, false, true].map(|use_| {
            let action = Action { use_, ..Action::default() };
            tick(&mut situation, &action, 9.0).use_ticks
        });
        assert_eq!(used, [1, 2, 0, 1]);
    }
}
