//! What training puts before its players, and the pictures of what worlds are made of.

use super::matters::of_block;
use crate::{
    cracks::Cracks,
    creature::{Creature, Creatures, Part},
    exposure::LEAST_BRIGHTNESS,
    hotbar::Hotbar,
    light::FaceLight,
    lore::Lore,
    materials::Materials,
    matter::Matter,
    pictures::SIDE_PX,
    toughness::Toughness,
};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Frame, Pose,
    script::Policy,
    voxel::{
        block::Block, built_of, entity::Kind, entity_box::EntityBox, face_light, hands::PALETTE, texture::Textures,
        world::VoxelWorld,
    },
};
use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// A uniform draw in 0..1.
pub(super) fn unit(rng: &mut ChaCha8Rng) -> f32 {
    (rng.next_u32() >> 8) as f32 / (1u32 << 24) as f32
}

/// What is so in every world of the simulator: what the slots hold, each from the side, what all sides of a cube look
/// like, how long each block withstands the hand, and how it cracks.
pub fn lore() -> Lore {
    let hotbar = PALETTE.into_iter().flat_map(|block| Textures::get().side(block).rgb).collect();
    let grey = Frame { width: SIDE_PX, height: SIDE_PX, rgb: vec![128; SIDE_PX * SIDE_PX * 3] };
    let rows = Matter::ALL.map(|matter| {
        let made = Block::ALL.into_iter().find(|&block| block.is_full_cube() && of_block(block) == matter);
        let made = made.filter(|_| matter != Matter::Rest);
        [1, 0, -1].map(|up| made.map_or_else(|| grey.clone(), |block| Textures::get().face(block, up)))
    });
    let texels = rows.iter().flat_map(|faces| {
        let row = |y: usize| faces.iter().flat_map(move |face| &face.rgb[y * SIDE_PX * 3..(y + 1) * SIDE_PX * 3]);
        (0..SIDE_PX).flat_map(row)
    });
    let toughness = Toughness::new(Matter::ALL.map(|matter| {
        let ticks = Block::ALL.into_iter().filter(|&block| of_block(block) == matter).find_map(Block::hardness_ticks);
        ticks.filter(|_| matter != Matter::Rest).unwrap_or(0) as u16
    }));
    let face_light = FaceLight::new([(1, 1), (0, 0), (2, 0), (1, -1)].map(|(axis, up)| face_light(axis, up)));
    let (hotbar, materials) = (Hotbar::new(hotbar), Materials::new(texels.copied().collect()));
    let cracks = (0..Cracks::STAGES).flat_map(|stage| Textures::get().left_by_crack(stage as u8).rgb);
    let (cracks, least_brightness) = (Cracks::new(cracks.collect()), LEAST_BRIGHTNESS);
    Lore { hotbar, materials, toughness, face_light, creatures: creatures(), cracks, least_brightness }
}

/// The animals.
fn creatures() -> Creatures {
    let part = |part: EntityBox| {
        let texels = (0..Part::SIDES * SIDE_PX * SIDE_PX).flat_map(|at| {
            let (side, y, x) = (at / (SIDE_PX * SIDE_PX), at / SIDE_PX % SIDE_PX, at % SIDE_PX);
            part.colour_at(Part::place(side, x, y), side / 2).to_array().map(|value| (value * 255.0 + 0.5) as u8)
        });
        Part { middle: part.centre, half: part.half, rgb: texels.collect() }
    };
    let kind = |kind: Kind| {
        let parts = built_of(kind).into_iter().map(part).collect();
        Creature { parts, pace_blocks: kind.pace() }
    };
    Creatures::new(Kind::ALL.map(kind).into())
}

/// A free cell on the ground, up to so many blocks ahead of the player, if there is some.
fn spot_ahead(world: &VoxelWorld, most_blocks: f32, rng: &mut ChaCha8Rng) -> Option<IVec3> {
    let axes = Pose { pitch_deg: 0.0, ..world.pose() }.axes();
    let ahead = 2.0 + (most_blocks - 2.0) * unit(rng);
    let aside = (unit(rng) - 0.5) * 0.6 * most_blocks;
    let there = world.player().feet.as_vec3() + axes.forward * ahead + axes.right * aside;
    let mut cells = (-2..=1).map(|up| there.floor().as_ivec3() + IVec3::Y * up);
    let free = |cell: &IVec3| world.block(*cell) == Block::Air && world.block(*cell - IVec3::Y).is_full_cube();
    cells.find(free)
}

/// A block as players place them, now and then another that fills its cell.
fn any_cube(rng: &mut ChaCha8Rng) -> Block {
    let placed = |rng: &mut ChaCha8Rng| PALETTE[rng.next_u32() as usize % (PALETTE.len() - 1)];
    let other = |rng: &mut ChaCha8Rng| Block::ALL[rng.next_u32() as usize % Block::ALL.len()];
    match rng.next_u32() % 4 {
        0 => Some(other(rng)).filter(|block| block.is_full_cube()).unwrap_or_else(|| placed(rng)),
        _ => placed(rng),
    }
}

/// Puts something to do or to see before the player: a cake for who builds, blocks for who digs, animals for all others;
/// and for each of them blocks as well, since a block that stands alone is rare in nature and common in play.
pub(super) fn furnish(world: &mut VoxelWorld, policy: Policy, rng: &mut ChaCha8Rng) {
    for _ in 0..1 + rng.next_u32() % 3 {
        if policy == Policy::Dig || rng.next_u32().is_multiple_of(2) {
            let (made, two_high) = (any_cube(rng), rng.next_u32().is_multiple_of(4));
            if let Some(cell) = spot_ahead(world, 5.0, rng) {
                world.set_block(cell, made);
                if two_high {
                    world.set_block(cell + IVec3::Y, any_cube(rng));
                }
            }
        } else if policy == Policy::Build {
            let cell = spot_ahead(world, 5.0, rng);
            cell.into_iter().for_each(|cell| world.set_block(cell, Block::Cake0));
        } else {
            let kind = Kind::ALL[rng.next_u32() as usize % Kind::ALL.len()];
            let (yaw_deg, walk_ticks) = (unit(rng) * 360.0, (rng.next_u32() % 120) as u16);
            if let Some(cell) = spot_ahead(world, 9.0, rng) {
                let feet = cell.as_vec3() + Vec3::new(0.5, 0.0, 0.5);
                world.spawn_animal(kind, feet, yaw_deg, walk_ticks);
            }
        }
    }
}
