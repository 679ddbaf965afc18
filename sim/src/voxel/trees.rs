//! Trees: where they stand, and how an oak and a birch are built.

use super::block::Block;
use super::noise::{hash2, hash3, unit};
use super::structures::Structures;
use super::terrain::{Biome, Canvas, SEA_Y, Terrain};

/// At most one tree stands in each square of this many blocks.
const SPACING: i32 = 6;
/// How far leaves reach from the trunk.
const REACH: i32 = 2;

#[derive(Debug, Clone, Copy)]
struct Tree {
    x: i32,
    /// The ground block under the trunk.
    ground_y: i32,
    z: i32,
    birch: bool,
    trunk: i32,
    dice: u64,
}

/// The tree of one square, if one stands there.
fn tree_in(terrain: &Terrain, structures: &Structures, square_x: i32, square_z: i32) -> Option<Tree> {
    let dice = hash2(terrain.salted(40), square_x, square_z);
    let x = square_x * SPACING + 1 + (dice & 0xFF) as i32 % (SPACING - 2);
    let z = square_z * SPACING + 1 + (dice >> 8 & 0xFF) as i32 % (SPACING - 2);
    let chance = unit(dice);
    // The dearest biome first: most squares need no terrain at all.
    if chance > 0.72 || structures.covers(x, z, 3) {
        return None;
    }
    let column = terrain.column(x, z);
    let wanted = match column.biome {
        Biome::Forest => 0.72,
        Biome::Plains => 0.07,
        Biome::SnowyHills => 0.16,
        Biome::Desert => 0.0,
    };
    let soil = matches!(column.top, Block::Grass | Block::Snow);
    if chance > wanted || !soil || column.ground_y <= SEA_Y {
        return None;
    }
    let birch = super::noise::value(terrain.salted(41), x as f32, z as f32, 30.0) + unit(dice << 20) * 0.8 - 0.4 > 0.1;
    let trunk = if birch {
        5 + (dice >> 16 & 1) as i32
    } else {
        4 + (dice >> 16 & 1) as i32
    };
    Some(Tree {
        x,
        ground_y: column.ground_y,
        z,
        birch,
        trunk,
        dice,
    })
}

fn trees_between(
    terrain: &Terrain,
    structures: &Structures,
    (x_from, x_to): (i32, i32),
    (z_from, z_to): (i32, i32),
) -> impl Iterator<Item = Tree> {
    let squares = |from: i32, to: i32| from.div_euclid(SPACING)..=to.div_euclid(SPACING);
    squares(z_from, z_to).flat_map(move |square_z| {
        squares(x_from, x_to).filter_map(move |square_x| tree_in(terrain, structures, square_x, square_z))
    })
}

/// Whether a trunk stands within `reach` blocks of a place.
pub fn near(terrain: &Terrain, structures: &Structures, x: i32, z: i32, reach: i32) -> bool {
    trees_between(terrain, structures, (x - reach, x + reach), (z - reach, z + reach))
        .any(|tree| (tree.x - x).abs() <= reach && (tree.z - z).abs() <= reach)
}

/// Plants every tree that reaches into the chunk of `canvas`.
pub fn plant(terrain: &Terrain, structures: &Structures, canvas: &mut Canvas) {
    let spans = (
        (canvas.x0 - REACH, canvas.x0 + 15 + REACH),
        (canvas.z0 - REACH, canvas.z0 + 15 + REACH),
    );
    // Trunks first and leaves into the air that is left: the picture does not depend on which tree came first
    // except between leaves, and those follow the fixed order of squares in every chunk.
    for tree in trees_between(terrain, structures, spans.0, spans.1) {
        let log = if tree.birch { Block::BirchLog } else { Block::OakLog };
        canvas.put(tree.x, tree.ground_y, tree.z, Block::Dirt);
        for y in 1..=tree.trunk {
            canvas.put(tree.x, tree.ground_y + y, tree.z, log);
        }
    }
    for tree in trees_between(terrain, structures, spans.0, spans.1) {
        let leaves = if tree.birch {
            Block::BirchLeaves
        } else {
            Block::OakLeaves
        };
        let top = tree.ground_y + tree.trunk;
        let lowest = if tree.birch { -3 } else { -2 };
        for dy in lowest..=1 {
            let radius: i32 = if dy >= 0 { 1 } else { 2 };
            for dz in -radius..=radius {
                for dx in -radius..=radius {
                    let corner = dx.abs() == radius && dz.abs() == radius;
                    let kept = hash3(tree.dice, dx, dy, dz) & 1 == 0 && dy < 0 && dy > lowest;
                    if !corner || kept {
                        canvas.put_into_air(tree.x + dx, top + dy, tree.z + dz, leaves);
                    }
                }
            }
        }
    }
}
