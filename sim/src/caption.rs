//! The scene in words, in a short and a detailed form, from what is true and what is drawn.
//!
//! The wording is plain and always the same for the same scene: a prompt's words must mean one thing.

use crate::voxel::block::Block;
use crate::voxel::entity::Kind;
use crate::voxel::render::View;
use crate::voxel::sky::{Sky, Weather};
use crate::voxel::terrain::Biome;
use crate::voxel::truth::Truth;
use crate::{Camera, Pose};
use glam::Vec3;

/// A scene in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caption {
    /// One phrase: where, when, and the most striking thing in sight.
    pub short: String,
    /// Several sentences: also what is left, ahead and right, the animals, and what is in hand.
    pub detailed: String,
}

/// A thing is worth a word when it covers this share of its third of the picture.
const WORTH_A_WORD: f32 = 0.04;
/// Small things are seen sooner.
const SMALL_THING: f32 = 0.008;

/// What a viewer would call the things that blocks make up, the most striking first.
const THINGS: [(&str, &[Block], f32); 13] = [
    ("a cake", &[], SMALL_THING),
    ("a lamp", &[Block::Lamp], SMALL_THING),
    (
        "a building",
        &[Block::Planks, Block::Cobble, Block::Brick, Block::Glass],
        WORTH_A_WORD,
    ),
    (
        "crops",
        &[Block::Crop0, Block::Crop1, Block::Crop2, Block::Crop3],
        SMALL_THING,
    ),
    ("birch trees", &[Block::BirchLog, Block::BirchLeaves], WORTH_A_WORD),
    ("oak trees", &[Block::OakLog, Block::OakLeaves], WORTH_A_WORD),
    ("cacti", &[Block::Cactus], SMALL_THING),
    ("water", &[], WORTH_A_WORD),
    ("red flowers", &[Block::RedFlower], SMALL_THING),
    ("yellow flowers", &[Block::YellowFlower], SMALL_THING),
    ("rock", &[Block::Stone, Block::Gravel, Block::Bedrock], WORTH_A_WORD),
    ("sand", &[Block::Sand], WORTH_A_WORD),
    ("bare earth", &[Block::Dirt], WORTH_A_WORD),
];

fn is_thing(index: usize, block: Block) -> bool {
    match THINGS[index].0 {
        "a cake" => block.is_cake(),
        "water" => block.is_liquid(),
        _ => THINGS[index].1.contains(&block),
    }
}

/// Describes what `view` (drawn through `camera`) shows of `truth`.
pub fn describe(truth: &Truth, camera: &Camera, view: &View) -> Caption {
    let when = time_words(&truth.sky);
    let place = match truth.biome {
        Biome::Plains => "a grassy plain",
        Biome::Forest => "a forest",
        Biome::Desert => "a sandy desert",
        Biome::SnowyHills => "snowy hills",
    };
    let weather = match truth.sky.weather {
        Weather::Clear => "",
        Weather::Rain => ", in the rain",
        Weather::Snow => ", in falling snow",
    };
    let thirds = [0, 1, 2].map(|third| things_in(view, third));
    let animals = animals_in_sight(truth, camera, view);

    let mut short = format!("{place} {when}{weather}");
    let striking = animals.first().map(|(kind, count, _)| count_words(*kind, *count));
    let first_thing = || {
        thirds[1]
            .iter()
            .chain(&thirds[0])
            .chain(&thirds[2])
            .min()
            .map(|&thing| THINGS[thing].0)
    };
    if let Some(thing) = striking.or_else(|| first_thing().map(str::to_string)) {
        short.push_str(&format!(", with {thing}"));
    }

    let mut detailed = format!("{} {when}{weather}.", capital(place));
    for (side, things) in ["On the left", "Ahead", "On the right"].into_iter().zip(&thirds) {
        let names: Vec<&str> = things.iter().take(3).map(|&thing| THINGS[thing].0).collect();
        if !names.is_empty() {
            detailed.push_str(&format!(" {side}: {}.", join(&names)));
        }
    }
    for (kind, count, side) in &animals {
        let where_ = ["on the left", "ahead", "on the right"][*side];
        detailed.push_str(&format!(" {} {where_}.", capital(&count_words(*kind, *count))));
    }
    match truth.pose.pitch_deg {
        pitch if pitch > 50.0 => detailed.push_str(" Looking down at the ground."),
        pitch if pitch < -50.0 => detailed.push_str(" Looking up at the sky."),
        _ => {}
    }
    if truth.in_water {
        detailed.push_str(" Swimming.");
    }
    if let Some((_, stage)) = truth.crack
        && let Some(target) = truth.target
    {
        let done = ["just begun", "half done", "nearly done"][usize::from(stage) * 3 / 10];
        detailed.push_str(&format!(" Breaking {}, {done}.", block_words(target.block)));
    }
    detailed.push_str(&format!(" In hand: {}.", block_words(truth.held)));
    Caption { short, detailed }
}

fn time_words(sky: &Sky) -> &'static str {
    match sky.time_of_day {
        t if (0.21..0.29).contains(&t) => "at dawn",
        t if (0.29..0.40).contains(&t) => "in the morning",
        t if (0.40..0.60).contains(&t) => "at noon",
        t if (0.60..0.71).contains(&t) => "in the afternoon",
        t if (0.71..0.79).contains(&t) => "at dusk",
        _ => "at night",
    }
}

/// The things of a third of the picture (0 left, 1 centre, 2 right) as indices of [`THINGS`], the most striking first.
fn things_in(view: &View, third: usize) -> Vec<usize> {
    let width = view.frame.width;
    let columns = third * width / 3..(third + 1) * width / 3;
    let mut by_id = [0u32; 256];
    for row in view.block_ids.chunks_exact(width) {
        for &id in &row[columns.clone()] {
            by_id[usize::from(id)] += 1;
        }
    }
    let all = (columns.len() * view.frame.height) as f32;
    let share = |thing: usize| {
        let pixels: u32 = Block::ALL
            .into_iter()
            .filter(|&block| is_thing(thing, block))
            .map(|block| by_id[usize::from(block.id())])
            .sum();
        pixels as f32 / all
    };
    (0..THINGS.len())
        .filter(|&thing| share(thing) > THINGS[thing].2)
        .collect()
}

/// Animals whose middle is drawn, nearest first: kind, how many of it there, and the third they stand in.
fn animals_in_sight(truth: &Truth, camera: &Camera, view: &View) -> Vec<(Kind, usize, usize)> {
    let axes = Pose { ..truth.pose }.axes();
    let mut seen: Vec<(f32, Kind, usize)> = Vec::new();
    for entity in &truth.entities {
        let (_, height) = entity.kind.size();
        let middle = Vec3::from_array(entity.feet.map(|v| v as f32)) + Vec3::Y * height * 0.6;
        let Some((x, y, _)) = camera.project(&axes, middle - truth.pose.eye()) else {
            continue;
        };
        let inside = (0.0..camera.width as f32).contains(&x) && (0.0..camera.height as f32).contains(&y);
        if inside && view.block_ids[y as usize * camera.width + x as usize] == View::ENTITY {
            seen.push((
                middle.distance(truth.pose.eye()),
                entity.kind,
                (x as usize * 3 / camera.width).min(2),
            ));
        }
    }
    seen.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut groups: Vec<(Kind, usize, usize)> = Vec::new();
    for (_, kind, side) in seen {
        match groups.iter_mut().find(|group| (group.0, group.2) == (kind, side)) {
            Some(group) => group.1 += 1,
            None => groups.push((kind, 1, side)),
        }
    }
    groups
}

fn count_words(kind: Kind, count: usize) -> String {
    match (kind, count) {
        (_, 1) => format!("a {}", kind.name()),
        (Kind::Sheep, _) => "some sheep".to_string(),
        _ => format!("some {}s", kind.name()),
    }
}

/// A block by the name that a person would use.
fn block_words(block: Block) -> String {
    match block {
        Block::Cake0 => "a whole cake".to_string(),
        _ if block.is_cake() => {
            let eaten = block.id() - Block::Cake0.id();
            format!("a cake with {eaten} of {} slices eaten", Block::CAKE_SLICES)
        }
        _ if block.is_liquid() => "water".to_string(),
        _ => block.name().trim_end_matches(char::is_numeric).replace('_', " "),
    }
}

fn join(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_string(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voxel::world::VoxelWorld;
    use glam::IVec3;

    fn captioned(change: impl Fn(&mut VoxelWorld, IVec3)) -> Caption {
        let camera = Camera::new(96, 54);
        let mut world = VoxelWorld::new(camera);
        world.reset_seed(1);
        let pose = world.pose();
        let ahead = pose.eye() + pose.axes().forward * 2.5;
        change(&mut world, ahead.floor().as_ivec3());
        let mut view = View::new(96, 54);
        world.view(&camera, &mut view);
        describe(&world.truth(), &camera, &view)
    }

    #[test]
    fn what_stands_ahead_is_named() {
        let before = captioned(|_, _| {});
        assert!(before.detailed.ends_with("In hand: dirt."), "{}", before.detailed);
        let after = captioned(|world, cell| world.set_block(cell, Block::Lamp));
        assert!(after.short.contains(", with "), "{}", after.short);
        assert!(after.detailed.contains("Ahead: a lamp"), "{}", after.detailed);
    }

    #[test]
    fn weather_is_named() {
        let snow = captioned(|world, _| world.set_weather(Some(Weather::Snow)));
        assert!(
            snow.short.contains("in falling snow") && snow.detailed.contains("in falling snow"),
            "{snow:?}"
        );
    }

    #[test]
    fn lists_read_well() {
        assert_eq!(join(&["a", "b", "c"]), "a, b and c");
        assert_eq!(block_words(Block::Cake2), "a cake with 2 of 6 slices eaten");
        assert_eq!(block_words(Block::Crop3), "crop");
        assert_eq!(capital("some sheep"), "Some sheep");
    }
}
