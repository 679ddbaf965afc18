//! What a dream carries from tick to tick beside its map: the slot in hand, how long the hand has been at work on one
//! target, and the colours around.

use crate::{
    Condition,
    ambience::Ambience,
    cake::{self, Cakes},
    cracks::Cracks,
    crosshair::Target,
    deed::Change,
    flow::Flows,
    grid::{Alignment, Grid, SLACK_BLOCKS, SLACK_SHARE},
    loose::{self, Last, Loose, Piece},
    lore::Lore,
    matter::Matter,
    motion::{Ground, Motion},
    state::{Canvas, Memory, SIDES, Shown},
    trodden::Trodden,
    water::Water,
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
    /// Those before version 6 lack it.
    #[serde(skip)]
    known: Arc<Known>,
}

/// What a dream knows of single cells.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Known {
    /// Cakes that the start showed.
    cakes: Cakes,
    /// Sand and gravel that may fall.
    loose: Loose,
    /// What the block above the one under attack shows.
    above: Matter,
    /// Where the player was, and on what.
    trodden: Trodden,
    /// Where there is water.
    water: Water,
    /// Where it runs. Saved worlds hold it apart from the rest: those before version 9 lack it.
    #[serde(skip)]
    flows: Flows,
}

impl Known {
    pub fn flows(&self) -> &Flows {
        &self.flows
    }

    /// The same, where water runs so.
    pub fn that_flow(self, flows: Flows) -> Known {
        Known { flows, ..self }
    }

    /// Bytes in memory that it does not share with a later one.
    pub fn bytes_not_shared_with(&self, later: &Known) -> usize {
        self.trodden.bytes_not_shared_with(&later.trodden) + self.water.bytes_not_shared_with(&later.water)
    }
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
        Arc::make_mut(&mut self.known).cakes = cakes;
    }

    /// Takes note of the panes that a start shows: what one looks through is found again as certainly as what the hand made.
    pub fn find_glass(&mut self, cells: impl Iterator<Item = IVec3>) {
        Arc::make_mut(&mut self.made).extend(cells.map(|cell| (cell.to_array(), Matter::Glass)));
    }

    /// Takes note of what a start shows hanging.
    pub fn find_loose(&mut self, loose: Loose) {
        Arc::make_mut(&mut self.known).loose = loose;
    }

    /// Takes note of the water that a start shows standing free.
    pub fn find_flows(&mut self, flows: Flows) {
        Arc::make_mut(&mut self.known).flows = flows;
    }

    /// Lets what is loose fall on by a tick, and water run; see [`loose::step`] and [`Flows::step`].
    pub fn stir(
        &mut self,
        memory: &mut Memory,
        alignment: &Alignment,
        last: &Last,
        lore: &Lore,
        tick: u32,
    ) -> Vec<IVec3> {
        let mut stirred = Vec::new();
        if !self.known.loose.is_empty() {
            let (known, made) = (Arc::make_mut(&mut self.known), Arc::make_mut(&mut self.made));
            stirred = loose::step(&mut known.loose, made, memory, alignment, last, lore, tick);
            for cell in &stirred {
                match known.loose.contains_key(&cell.to_array()) {
                    true => known.trodden.fill(*cell),
                    false => known.trodden.empty(*cell),
                }
                known.flows.changed(*cell);
            }
        }
        if !self.known.flows.is_still() {
            let flows = &mut Arc::make_mut(&mut self.known).flows;
            stirred.extend(flows.step(&self.made, memory, alignment, last, tick));
        }
        stirred
    }

    /// The player has come to `pose`.
    pub fn tread(&mut self, pose: &Pose, motion: &Motion) {
        let (low, high, trusts) = motion.body(&self.grid.place(pose));
        Arc::make_mut(&mut self.known).trodden.tread(low, high, trusts);
    }

    /// What is known of the ground beside what is remembered.
    pub fn ground(&self) -> Ground<'_> {
        Ground { grid: self.grid, trodden: &self.known.trodden, water: &self.known.water }
    }

    /// How bright the world around is in the mean, 0..1.
    pub fn brightness(&self) -> f32 {
        self.ambience.brightness().unwrap_or(1.0)
    }

    /// What the last frame showed under the crosshair.
    pub fn under(&self) -> Matter {
        self.under
    }

    /// What the hand put where.
    pub fn made(&self) -> &Made {
        &self.made
    }

    /// What it knows of single cells.
    pub fn known(&self) -> &Known {
        &self.known
    }

    /// Takes what another knows of single cells, and gives back what it knew: what the hand put where, and the rest.
    pub fn exchange_cells(&mut self, (made, known): (Arc<Made>, Arc<Known>)) -> (Arc<Made>, Arc<Known>) {
        (std::mem::replace(&mut self.made, made), std::mem::replace(&mut self.known, known))
    }

    /// The situation that a save holds, how the blocks lie in it, what is under the crosshair, what the hand made, and what
    /// it knows of single cells.
    pub fn that_lies(self, grid: Grid, under: Matter, made: Made, known: Known) -> Situation {
        Situation { grid, under, made: Arc::new(made), known: Arc::new(known), ..self }
    }

    /// Whether it is a situation that a player can be in: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        let Hand { slot, aim, attacked, attack_ticks, use_ticks } = self.hand;
        let finite = |point: Option<Vec3>| point.is_none_or(|point| point.is_finite());
        let counts = attack_ticks < u32::MAX / 2 && use_ticks < u32::MAX / 2;
        let Known { cakes, loose, .. } = self.known.as_ref();
        let known = cakes.values().all(|eaten| *eaten < cake::SLICES)
            && loose.values().all(Piece::is_sound)
            && self.known.flows.is_sound();
        let sound = self.ambience.is_sound() && self.grid.is_sound() && known;
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
        let trodden = &self.known.trodden;
        let is_empty = |cell| remembers && trodden.is_empty(cell);
        let target = self.hand.take(action, &at_rest.pose, camera, depth_blocks, made, is_empty);
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
        let crack_stage = match (change, due) {
            (Some(Change::Break(cell)), Some(false)) => {
                let whole = lore.toughness.break_ticks(self.under_attack(cell, remembers));
                whole.map(|whole| Cracks::stage(attack_ticks, whole))
            }
            _ => None,
        };
        if let (Some(change), Some(true)) = (change, due) {
            self.take_note(change, lore);
        }
        // In training the denoiser is to draw what is true, panes too.
        let (due, pane) = match change {
            Some(Change::Place(cell)) if remembers && truly.is_none() && lore.has_panes_in(self.hand.slot) => {
                (Some(false), self.is_placed_now(cell, &at_rest.pose).then_some(cell))
            }
            _ => (due, None),
        };
        if let Some(cell) = pane {
            self.fill(cell, Matter::Glass);
        }
        let axes = Pose { pitch_deg: 0.0, ..*pose }.axes();
        let moved = pose.eye() - before.eye();
        Condition {
            action: *action,
            slot: self.hand.slot,
            attack_ticks,
            use_ticks: self.hand.use_ticks,
            due,
            pane,
            crack_stage,
            eaten: cake.map(|(_, eaten)| eaten),
            moved_blocks: [moved.dot(axes.right), moved.y, moved.dot(axes.forward)],
            change,
            exposure: lore.exposure(self.ambience.brightness()),
            ..at_rest
        }
    }

    /// Whether a change comes about now: a block breaks when its matter does, and is placed when use is pressed and, held,
    /// every few ticks. `None` where only a picture can tell.
    fn due(&self, change: Change, pose: &Pose, remembers: bool, lore: &Lore) -> Option<bool> {
        match change {
            Change::Break(cell) => {
                Some(self.hand.attack_ticks >= lore.toughness.break_ticks(self.under_attack(cell, remembers))?)
            }
            Change::Place(cell) => lore.cube_in(self.hand.slot).map(|_| self.is_placed_now(cell, pose)),
            Change::Bite(cell) => self.known.cakes.contains_key(&cell.to_array()).then(|| self.uses_in_turn()),
        }
    }

    /// What the cell under attack is made of.
    fn under_attack(&self, cell: IVec3, remembers: bool) -> Matter {
        self.made.get(&cell.to_array()).filter(|_| remembers).copied().unwrap_or(self.under)
    }

    /// Whether the hand does something in this tick of holding use.
    fn uses_in_turn(&self) -> bool {
        self.hand.use_ticks % u32::from(USE_REPEAT_TICKS) == 1
    }

    /// Whether use fills a cell in this tick.
    fn is_placed_now(&self, cell: IVec3, pose: &Pose) -> bool {
        self.uses_in_turn() && !is_in_the_way(pose, cell)
    }

    /// The known cake that the crosshair is on, if nothing stands before it, and the slices that are gone of it.
    fn cake_ahead(&self, pose: &Pose, shown_blocks: f32) -> Option<(IVec3, u8)> {
        let (eye, ahead) = (pose.eye(), pose.axes().forward);
        let met = self.known.cakes.iter().filter_map(|(cell, &eaten)| {
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
                Arc::make_mut(&mut self.known).trodden.empty(cell);
                self.loosen(cell);
                self.let_in(cell);
                if self.known.cakes.contains_key(&cell.to_array()) {
                    Arc::make_mut(&mut self.known).cakes.remove(&cell.to_array());
                }
            }
            (Change::Place(cell), Some(cube)) => {
                self.fill(cell, cube);
                if cube.falls() {
                    Arc::make_mut(&mut self.known).loose.insert(cell.to_array(), Piece::lying(cube));
                }
            }
            (Change::Bite(cell), _) => {
                let cakes = &mut Arc::make_mut(&mut self.known).cakes;
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

    /// Notes what the hand has put into a cell.
    fn fill(&mut self, cell: IVec3, matter: Matter) {
        Arc::make_mut(&mut self.made).insert(cell.to_array(), matter);
        let known = Arc::make_mut(&mut self.known);
        known.trodden.fill(cell);
        known.flows.changed(cell);
    }

    /// Water beside a cell that the hand has emptied, or above it, runs into it.
    fn let_in(&mut self, emptied: IVec3) {
        let beside = SIDES.into_iter().filter(|side| side.y >= 0).map(|side| emptied + side);
        let springs = |cell: &IVec3| self.known.water.is_in(*cell) && !self.known.flows.is_in(*cell);
        let springs: Vec<IVec3> = beside.filter(springs).collect();
        let flows = &mut Arc::make_mut(&mut self.known).flows;
        springs.into_iter().for_each(|cell| flows.spring(cell));
        flows.changed(emptied);
    }

    /// What stood on a cell that the hand has emptied may fall.
    fn loosen(&mut self, emptied: IVec3) {
        let above = (emptied + IVec3::Y).to_array();
        let matter = self.made.get(&above).copied().unwrap_or(self.known.above);
        if matter.falls() || self.known.loose.contains_key(&emptied.to_array()) {
            let loose = &mut Arc::make_mut(&mut self.known).loose;
            loose.remove(&emptied.to_array());
            if matter.falls() {
                loose.insert(above, Piece::falling(matter));
            }
        }
        Arc::make_mut(&mut self.known).above = Matter::default();
    }

    /// The condition of a frame that no action led to.
    pub fn at_rest(&self, pose: &Pose) -> Condition {
        let pose = self.grid.place(pose);
        Condition { slot: self.hand.slot, pose, ambience: self.ambience, ..Condition::default() }
    }

    /// Takes in the frame that followed.
    pub fn see(&mut self, pose: &Pose, camera: &Camera, shown: &Shown) {
        self.ambience.see(pose, camera, shown);
        let last = Last { pose: self.grid.place(pose), camera, frame: shown.frame, depth: shown.depth };
        if shown.matters.contains(&Matter::Water) {
            Arc::make_mut(&mut self.known).water.see(&last, shown.matters, shown.doubt.is_empty());
        }
        // Cracks make of a block what it is not.
        if self.hand.attacked.is_none() || self.hand.attack_ticks <= 1 {
            self.under = under_crosshair(camera, shown.matters);
        }
        if let Some(attacked) = self.hand.attacked.filter(|_| !shown.matters.is_empty()) {
            Arc::make_mut(&mut self.known).above = last.most_of(attacked.floor().as_ivec3() + IVec3::Y, shown.matters);
        }
    }
}

impl Hand {
    /// Takes up a tick's action: what it is at work on, and for how long. What the hand itself `made` it finds again for
    /// certain, and nothing in what it knows to be empty.
    fn take(
        &mut self,
        action: &Action,
        pose: &Pose,
        camera: &Camera,
        depth_blocks: Option<&[f32]>,
        made: impl Iterator<Item = IVec3>,
        is_empty: impl Fn(IVec3) -> bool,
    ) -> Option<Target> {
        if action.hotbar > 0 {
            self.slot = action.hotbar;
        }
        self.use_ticks = if action.use_ { self.use_ticks + 1 } else { 0 };
        let held = self.aim.map(|middle| middle.floor().as_ivec3()).filter(|cell| !is_empty(*cell));
        let grip = self.attacked.filter(|_| action.attack && self.attack_ticks > 0);
        let gripped = grip.and_then(|middle| Target::gripped(pose, camera, depth_blocks?, middle.floor().as_ivec3()));
        let made = || Target::among(made, pose, depth_blocks?[crosshair(camera)]);
        let found = || Target::find(pose, camera, depth_blocks?, held)?.behind(pose, &is_empty);
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
#[path = "situation_tests.rs"]
mod tests;
