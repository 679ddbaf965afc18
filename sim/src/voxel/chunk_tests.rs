//! Chunks and the terrain in them: the same in any order, bounded, and with nothing in the air.

use super::*;

fn hash_blocks(chunks: &Chunks, centre: IVec3, radius: i32) -> blake3::Hash {
    let mut hasher = blake3::Hasher::new();
    for z in -radius..=radius {
        for x in -radius..=radius {
            for y in 0..HEIGHT as i32 {
                hasher.update(&[chunks.get(IVec3::new(centre.x + x, y, centre.z + z)).id()]);
            }
        }
    }
    hasher.finalize()
}

#[test]
fn a_place_is_the_same_whichever_way_one_came() {
    let goal = IVec3::new(-37, 30, 410);
    let mut direct = Chunks::new(9);
    direct.load_around(goal, 40);
    let expected = hash_blocks(&direct, goal, 40);
    for from in [IVec3::new(-300, 30, 300), IVec3::new(200, 30, 500)] {
        let mut walked = Chunks::new(9);
        for step in 0..=40 {
            let at = from + (goal - from) * step / 40;
            walked.load_around(at, 40);
        }
        assert_eq!(hash_blocks(&walked, goal, 40), expected);
    }
}

#[test]
fn a_long_walk_is_bounded_and_forgets_no_edit() {
    let mut chunks = Chunks::new(4);
    let home = IVec3::new(3, 40, 5);
    chunks.load_around(home, 48);
    chunks.set(home, Block::Brick);
    chunks.set(IVec3::new(2000, 41, 0), Block::Lamp);
    for step in 0..100 {
        chunks.load_around(IVec3::new(step * 24, 40, step * 3), 48);
        assert!(chunks.loaded_chunks() <= 256);
        assert_eq!(chunks.get(home), Block::Brick);
    }
    chunks.unload_far(IVec3::new(2400, 40, 300), 20);
    assert!(chunks.loaded_chunks() <= 16, "{}", chunks.loaded_chunks());
    chunks.load_around(IVec3::new(2000, 40, 0), 16);
    assert_eq!(chunks.lamps_near(IVec3::new(2000, 40, 0), 3).count(), 1);
    chunks.load_around(home, 48);
    assert_eq!(chunks.get(home), Block::Brick);
    let edits: Vec<_> = chunks.edits().collect();
    assert_eq!(edits, [(home, Block::Brick), (IVec3::new(2000, 41, 0), Block::Lamp)]);
}

#[test]
fn edits_keep_the_quick_answers_true() {
    let mut edited = Chunks::new(6);
    let centre = IVec3::new(100, 30, -60);
    edited.load_around(centre, 20);
    for step in 0..400 {
        let dice = super::super::noise::hash2(6, step, 1);
        let at = centre + IVec3::new((dice & 15) as i32, (dice >> 4 & 31) as i32 - 8, (dice >> 9 & 15) as i32);
        edited.set(at, Block::ALL[(dice >> 20) as usize % Block::ALL.len()]);
    }
    // Loading again works everything out anew.
    let mut anew = edited.clone();
    anew.unload_far(IVec3::new(10_000, 0, 0), 1);
    assert_eq!(anew.loaded_chunks(), 0);
    anew.load_around(centre, 20);
    assert_eq!(edited.blocks, anew.blocks);
    assert_eq!(edited.bricks, anew.bricks);
    assert_eq!(edited.open_from, anew.open_from);
    assert_eq!(edited.lamps, anew.lamps);
    assert!(
        edited
            .empty_from
            .iter()
            .zip(&anew.empty_from)
            .all(|(kept, tight)| kept >= tight)
    );
    let hash = |chunks: &Chunks| {
        let mut hasher = blake3::Hasher::new();
        chunks.hash_state(&mut hasher);
        hasher.finalize()
    };
    assert_eq!(hash(&edited), hash(&anew), "what is loaded is no part of the state");
    anew.set(centre, Block::Lamp);
    edited.set(centre, Block::Brick);
    assert_ne!(hash(&edited), hash(&anew));
}

#[test]
fn what_is_not_loaded_answers_as_the_bare_ground() {
    let bare = Chunks::new(8);
    let mut loaded = Chunks::new(8);
    loaded.load_around(IVec3::ZERO, 32);
    for z in -32..32 {
        for x in -32..32 {
            let ground_y = bare.surface_y(x, z);
            assert_eq!(bare.get(IVec3::new(x, 63, z)), Block::Air);
            let deep = IVec3::new(x, ground_y - 6, z);
            assert_eq!(bare.get(deep), loaded.get(deep));
        }
    }
}

/// Everything but air and water that is not joined, face to face, to the bedrock.
fn floating(chunks: &Chunks, radius: i32) -> Vec<(IVec3, Block)> {
    let side = 2 * radius;
    let at = |p: IVec3| ((p.y * side + p.z + radius) * side + p.x + radius) as usize;
    let inside =
        |p: IVec3| (0..64).contains(&p.y) && (-radius..radius).contains(&p.x) && (-radius..radius).contains(&p.z);
    let holds = |block: Block| block != Block::Air && !block.is_liquid();
    let mut joined = vec![false; (side * side * 64) as usize];
    let mut open: Vec<IVec3> = (-radius..radius)
        .flat_map(|z| (-radius..radius).map(move |x| IVec3::new(x, 0, z)))
        .collect();
    while let Some(p) = open.pop() {
        if inside(p) && !joined[at(p)] && holds(chunks.get(p)) {
            joined[at(p)] = true;
            for step in [IVec3::X, IVec3::Y, IVec3::Z] {
                open.extend([p + step, p - step]);
            }
        }
    }
    // Crowns at the border may hang on trunks outside.
    let inner = radius - 6;
    let cells =
        (-inner..inner).flat_map(|z| (-inner..inner).flat_map(move |x| (0..64).map(move |y| IVec3::new(x, y, z))));
    cells
        .filter(|&p| holds(chunks.get(p)) && !joined[at(p)])
        .map(|p| (p, chunks.get(p)))
        .collect()
}

#[test]
fn nothing_floats() {
    for seed in 0..6 {
        let mut chunks = Chunks::new(seed);
        chunks.load_around(IVec3::ZERO, 80);
        assert_eq!(floating(&chunks, 80), [], "seed {seed}");
        for (z, x, y) in (-70..70).flat_map(|z| (-70..70).flat_map(move |x| (1..64).map(move |y| (z, x, y)))) {
            let (here, below) = (chunks.get(IVec3::new(x, y, z)), chunks.get(IVec3::new(x, y - 1, z)));
            let stands = match here {
                Block::Sand | Block::Gravel => below.is_solid(),
                Block::Cactus => matches!(below, Block::Cactus | Block::Sand),
                _ if here.is_liquid() => below != Block::Air && !below.is_plant(),
                _ if here.is_plant() => matches!(below, Block::Grass | Block::Dirt),
                _ => true,
            };
            assert!(stands, "seed {seed}: {here:?} on {below:?} at {x} {y} {z}");
        }
    }
}

#[test]
fn every_start_is_dry_open_and_not_dull() {
    let mut biomes = BTreeMap::new();
    for seed in (0..40).chain(1_000_000..1_000_020) {
        let mut chunks = Chunks::new(seed);
        let feet = chunks.spawn();
        let cell = feet.floor().as_ivec3();
        chunks.load_around(cell, 8);
        assert!(chunks.get(cell - IVec3::Y).is_solid(), "seed {seed} at {feet}");
        for y in 0..3 {
            assert!(
                !chunks.get(cell + IVec3::Y * y).is_solid() && !chunks.get(cell).is_liquid(),
                "seed {seed} at {feet}"
            );
        }
        assert_eq!(feet, chunks.spawn());
        *biomes.entry(chunks.terrain().biome(cell.x, cell.z).name()).or_insert(0) += 1;
    }
    assert!(
        biomes.len() == 4 && biomes.values().all(|&count| count >= 4),
        "{biomes:?}"
    );
}

#[test]
fn the_ground_is_what_it_always_was() {
    let golden = |seed| {
        let mut chunks = Chunks::new(seed);
        chunks.load_around(IVec3::ZERO, 60);
        hash_blocks(&chunks, IVec3::ZERO, 60).to_hex()[..16].to_string()
    };
    assert_eq!(golden(1), "ea0b02c75461a7c7");
    assert_eq!(golden(1_000_001), "94187ad6997e4b1e");
}
