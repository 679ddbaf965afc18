//! Scripted players: they make the training data, drive probes, and are what `--policy` names.
//!
//! A script is a policy, a seed and a plan of [`Step`]s. Given the true world it looks where it goes; without it (an
//! open loop) it depends on the seed and the tick alone, so it may drive a dream without leaking any truth.

mod acts;
mod deeds;
mod dice;
mod eyes;
mod returns;
mod stroke;

pub use dice::Dice;
pub use stroke::{Step, Stroke};

use crate::voxel::world::VoxelWorld;
use crate::{Action, Camera, Episode};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::fmt;
use std::str::FromStr;

/// What a scripted player is up to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Policy {
    /// Does nothing.
    Still,
    /// Walks, looks, jumps, strafes, with no aim.
    Wander,
    /// Looks away by 90 or 180 degrees, waits, and looks back.
    LookBack,
    /// Walks A-B-A, A-B-C-A, or round something.
    Loop,
    /// Breaks blocks, looks away, and returns to what it broke.
    Dig,
    /// Places blocks, looks at them from other sides, eats cake if there is some.
    Build,
    /// Does something somewhere, goes away, and comes back to see it.
    Revisit,
    /// Every key and the camera at random: for evaluation, not for data.
    Random,
}

/// A name that is no policy.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("no policy is called {name:?}; expected one of {}", Policy::NAMES.join(", "))]
pub struct UnknownPolicy {
    name: String,
}

impl Policy {
    pub const ALL: [Policy; 8] = [
        Policy::Still,
        Policy::Wander,
        Policy::LookBack,
        Policy::Loop,
        Policy::Dig,
        Policy::Build,
        Policy::Revisit,
        Policy::Random,
    ];
    /// The names, in the order of [`Policy::ALL`].
    pub const NAMES: [&str; 8] = [
        "still",
        "wander",
        "look_back",
        "loop",
        "dig",
        "build",
        "revisit",
        "random",
    ];

    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// The policy of a training episode: two thirds of all come back to what they saw.
    pub fn mixed(seed: u64) -> Policy {
        const WEIGHTS: [(Policy, f32); 7] = [
            (Policy::LookBack, 0.18),
            (Policy::Loop, 0.18),
            (Policy::Revisit, 0.22),
            (Policy::Dig, 0.11),
            (Policy::Build, 0.11),
            (Policy::Wander, 0.16),
            (Policy::Random, 0.04),
        ];
        let mut dice = Dice::new(seed ^ POLICY_SALT);
        WEIGHTS[dice.weighted(&WEIGHTS.map(|(_, weight)| weight))].0
    }

    /// A player with eyes: give it the true world at each tick.
    pub fn script(self, seed: u64) -> Script {
        Script::new(self, seed)
    }

    /// Lets a player with eyes play for some ticks; nothing is drawn.
    pub fn record(self, seed: u64, ticks: usize) -> Episode {
        let mut world = VoxelWorld::new(Camera::new(1, 1));
        world.reset_seed(seed);
        let mut script = self.script(seed);
        let mut actions = Vec::with_capacity(ticks);
        for _ in 0..ticks {
            let action = script.next(Some(&world));
            world.tick(&action);
            actions.push(action);
        }
        Episode {
            seed,
            player: self.name().to_string(),
            actions,
        }
    }

    /// An endless list of actions that depends on the seed alone.
    pub fn open_loop(self, seed: u64) -> impl Iterator<Item = Action> {
        let mut script = Script::new(self, seed);
        std::iter::from_fn(move || Some(script.next(None)))
    }
}

/// Keeps the choice of a policy apart from the dice of the script under the same seed.
const POLICY_SALT: u64 = 0x706f_6c69_6379_0001;

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let index = Self::NAMES.iter().position(|&known| known == name);
        index
            .map(|index| Self::ALL[index])
            .ok_or_else(|| UnknownPolicy { name: name.to_string() })
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A scripted player at work.
#[derive(Debug, Clone)]
pub struct Script {
    policy: Policy,
    dice: Dice,
    plan: VecDeque<Step>,
    /// The sum of all pitch turns so far, stopped at straight up and down: what an open loop knows of its camera.
    pitch_deg: f32,
    eyes: eyes::Eyes,
}

impl Script {
    pub fn new(policy: Policy, seed: u64) -> Self {
        let dice = Dice::new(seed ^ ((policy as u64 + 1) << 56));
        Script {
            policy,
            dice,
            plan: VecDeque::new(),
            pitch_deg: 0.0,
            eyes: eyes::Eyes::default(),
        }
    }

    pub fn policy(&self) -> Policy {
        self.policy
    }

    /// The next tick's action. `world` is the true world as it is now; without it the script acts blindly.
    pub fn next(&mut self, world: Option<&VoxelWorld>) -> Action {
        if let Some(world) = world {
            self.pitch_deg = world.player().pitch_deg;
        }
        let action = self.decide(world);
        self.pitch_deg = (self.pitch_deg + action.camera[0]).clamp(-90.0, 90.0);
        action
    }

    fn decide(&mut self, world: Option<&VoxelWorld>) -> Action {
        // A step that has nothing to do is dropped and the next one asked; plans are never empty for long.
        for _ in 0..64 {
            let Some(step) = self.plan.front_mut() else {
                let plan = acts::plan(self.policy, self.pitch_deg, &mut self.dice, world);
                self.plan.extend(plan);
                continue;
            };
            let action = match (step, world) {
                (Step::Stroke(stroke), None) => stroke.advance(),
                (step, Some(world)) => self.eyes.perform(step, self.policy, world, &mut self.dice),
                // The other steps need eyes.
                (_, None) => None,
            };
            match action {
                Some(action) => return action,
                None => {
                    self.plan.pop_front();
                    self.eyes.rest();
                }
            }
        }
        Action::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for policy in Policy::ALL {
            assert_eq!(policy.name().parse::<Policy>(), Ok(policy));
            assert_eq!(
                serde_json::to_string(&policy).expect("a unit variant"),
                format!("{:?}", policy.name())
            );
        }
        let error = "walk".parse::<Policy>().expect_err("unknown").to_string();
        assert!(error.contains("\"walk\"") && error.contains("look_back"), "{error}");
    }

    #[test]
    fn open_loops_depend_on_the_seed_alone_and_stay_in_range() {
        for policy in Policy::ALL {
            let run = |seed| policy.open_loop(seed).take(600).collect::<Vec<_>>();
            assert_eq!(run(3), run(3));
            if policy != Policy::Still {
                assert_ne!(run(3), run(4), "{policy}");
            }
            for action in run(5) {
                action.check().expect("in range");
            }
        }
    }

    #[test]
    fn open_loops_use_every_field() {
        let actions: Vec<Action> = Policy::ALL
            .iter()
            .flat_map(|policy| (0..8).flat_map(|seed| policy.open_loop(seed).take(400)))
            .collect();
        type Field = fn(&Action) -> bool;
        let used = |field: Field| actions.iter().filter(|&action| field(action)).count();
        let fields: [(&str, Field); 12] = [
            ("forward", |a| a.forward),
            ("back", |a| a.back),
            ("left", |a| a.left),
            ("right", |a| a.right),
            ("jump", |a| a.jump),
            ("sneak", |a| a.sneak),
            ("sprint", |a| a.sprint),
            ("attack", |a| a.attack),
            ("use", |a| a.use_),
            ("hotbar", |a| a.hotbar > 0),
            ("pitch", |a| a.camera[0] != 0.0),
            ("yaw", |a| a.camera[1].abs() > 15.0),
        ];
        for (name, field) in fields {
            assert!(used(field) > 20, "{name}: {} of {}", used(field), actions.len());
        }
    }
}
