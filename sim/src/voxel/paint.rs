//! Paints the full-size tiles, texel by texel, from hashes and a few colours.

use super::noise::look_hash;
use super::texture::{SIDE, Tile};

/// Red, green, blue, coverage.
type Texel = [u8; 4];
type Picture = [Texel; SIDE * SIDE];

/// The picture of a tile, row by row from the top left.
pub fn tile(tile: Tile) -> Picture {
    let salt = tile as i32;
    match tile {
        Tile::GrassTop => each(|x, y| shade([112, 158, 62], speckle(salt, x, y, 0.16) + blotch(salt, x, y, 0.10))),
        Tile::GrassSide => each(|x, y| {
            let fringe = 3 + (grain(salt, x, 99) * 3.0) as i32;
            if y < fringe {
                shade([108, 152, 58], speckle(salt, x, y, 0.16) - 0.02 * y as f32)
            } else {
                dirt(x, y)
            }
        }),
        Tile::Dirt => each(dirt),
        Tile::Stone => each(|x, y| {
            let seam = if grain(salt + 1, x / 4, y) > 0.80 { -0.12 } else { 0.0 };
            shade(
                [126, 126, 128],
                speckle(salt, x, y, 0.08) + blotch(salt, x, y, 0.10) + seam,
            )
        }),
        Tile::Sand => each(|x, y| shade([219, 206, 158], speckle(salt, x, y, 0.08) + blotch(salt, x, y, 0.05))),
        Tile::Gravel => each(|x, y| cells(salt, x, y, 3, [[132, 126, 122], [104, 98, 96], [152, 144, 138]], 0.20)),
        Tile::Snow => each(|x, y| shade([238, 244, 248], speckle(salt, x, y, 0.03) + blotch(salt, x, y, 0.035))),
        Tile::OakLogSide => each(|x, y| {
            let groove = if grain(salt, x, y / 5) > 0.62 { -0.30 } else { 0.0 };
            shade([110, 86, 53], groove + speckle(salt, x, y, 0.14))
        }),
        Tile::OakLogTop => each(|x, y| rings(salt, x, y, [176, 142, 88], [110, 86, 53])),
        Tile::OakLeaves => each(|x, y| leaves(salt, x, y, [66, 112, 38])),
        Tile::BirchLogSide => each(|x, y| {
            let scar = grain(salt, x / 3, y) > 0.84 || (grain(salt + 1, x / 5, y) > 0.88);
            if scar {
                shade([58, 56, 52], speckle(salt, x, y, 0.2))
            } else {
                shade([218, 218, 208], speckle(salt, x, y, 0.06))
            }
        }),
        Tile::BirchLogTop => each(|x, y| rings(salt, x, y, [200, 180, 130], [218, 218, 208])),
        Tile::BirchLeaves => each(|x, y| leaves(salt, x, y, [112, 146, 66])),
        Tile::Planks => each(|x, y| {
            let board = y / 4;
            let seam = y % 4 == 3 || x == (board * 7 + 3) % 16;
            let wave = 0.05 * (grain(salt, x / 3, y) - 0.5) + 0.07 * (grain(salt, 50, board) - 0.5);
            shade(
                [164, 131, 79],
                wave + speckle(salt, x, y, 0.06) - if seam { 0.30 } else { 0.0 },
            )
        }),
        Tile::Cobble => each(|x, y| cells(salt, x, y, 4, [[128, 128, 128], [108, 108, 110], [146, 146, 144]], 0.38)),
        Tile::Brick => each(|x, y| {
            let mortar = y % 4 == 3 || (x + if y / 4 % 2 == 0 { 0 } else { 4 }) % 8 == 7;
            let brick = 0.10 * (grain(salt, (x + if y / 4 % 2 == 0 { 0 } else { 4 }) / 8, y / 4 + 20) - 0.5);
            if mortar {
                shade([172, 164, 154], speckle(salt, x, y, 0.08))
            } else {
                shade([152, 82, 66], brick + speckle(salt, x, y, 0.12))
            }
        }),
        Tile::Glass => each(|x, y| {
            let frame = x == 0 || y == 0 || x == 15 || y == 15;
            let glint = (x + y == 9 || x + y == 10) && (2..8).contains(&x) || x + y == 21 && (9..13).contains(&x);
            match (frame, glint) {
                (true, _) => opaque([206, 228, 232]),
                (_, true) => [236, 248, 250, 150],
                _ => [200, 230, 236, 0],
            }
        }),
        Tile::Water => each(|x, y| {
            shade(
                [48, 92, 190],
                blotch(salt, x, y, 0.16) + 0.06 * (grain(salt, x / 4, y) - 0.5),
            )
        }),
        Tile::RedFlower => each(|x, y| flower(x, y, [204, 38, 34], [84, 20, 22])),
        Tile::YellowFlower => each(|x, y| flower(x, y, [244, 208, 46], [226, 152, 24])),
        Tile::TallGrass => each(|x, y| blades(salt, x, y, 13, [104, 148, 58])),
        Tile::Crop0 => each(|x, y| crop(x, y, 4, [92, 160, 52], None)),
        Tile::Crop1 => each(|x, y| crop(x, y, 7, [98, 160, 50], None)),
        Tile::Crop2 => each(|x, y| crop(x, y, 11, [128, 160, 48], None)),
        Tile::Crop3 => each(|x, y| crop(x, y, 14, [178, 156, 60], Some([222, 184, 78]))),
        Tile::CakeTop => each(|x, y| {
            if grain(salt, x / 2, y / 2) > 0.82 {
                opaque([204, 44, 40])
            } else {
                shade([244, 236, 228], speckle(salt, x, y, 0.04))
            }
        }),
        Tile::CakeSide => each(|x, y| match y {
            // The cake is half as high as its cell: only the lower eight rows show.
            ..=10 if y < 10 + (grain(salt, x, 7) * 2.5) as i32 => shade([240, 232, 224], speckle(salt, x, y, 0.04)),
            _ => shade([168, 92, 48], speckle(salt, x, y, 0.12)),
        }),
        Tile::CakeCut => each(|x, y| match y {
            ..=9 => shade([240, 232, 224], speckle(salt, x, y, 0.04)),
            12 => shade([198, 48, 44], speckle(salt, x, y, 0.10)),
            _ => shade([204, 150, 92], speckle(salt, x, y, 0.14)),
        }),
        Tile::CakeBottom => each(|x, y| shade([140, 76, 40], speckle(salt, x, y, 0.12))),
        Tile::Lamp => each(|x, y| {
            let edge = x == 0 || y == 0 || x == 15 || y == 15;
            let bar = x == 7 || x == 8 || y == 7 || y == 8;
            let glow = 0.10 - 0.03 * ((x % 8 - 4).abs().max((y % 8 - 4).abs())) as f32;
            match (edge, bar) {
                (true, _) => shade([116, 78, 40], speckle(salt, x, y, 0.12)),
                (_, true) => shade([190, 128, 62], speckle(salt, x, y, 0.10)),
                _ => shade([250, 214, 130], glow + speckle(salt, x, y, 0.05)),
            }
        }),
        Tile::CactusSide => each(|x, y| {
            let spine = x % 4 == 1 && grain(salt, x, y) > 0.62;
            let rib = if x % 4 == 3 { -0.24 } else { 0.0 };
            if spine {
                opaque([214, 218, 176])
            } else {
                shade([76, 130, 46], rib + speckle(salt, x, y, 0.10))
            }
        }),
        Tile::CactusTop => each(|x, y| {
            let edge = x < 2 || y < 2 || x > 13 || y > 13;
            shade(
                if edge { [66, 112, 40] } else { [126, 172, 84] },
                speckle(salt, x, y, 0.14),
            )
        }),
        Tile::Bedrock => each(|x, y| cells(salt, x, y, 3, [[84, 84, 84], [48, 48, 50], [110, 110, 110]], 0.3)),
        _ => crack(tile as i32 - Tile::Crack0 as i32),
    }
}

fn each(paint: impl Fn(i32, i32) -> Texel) -> Picture {
    std::array::from_fn(|at| paint((at % SIDE) as i32, (at / SIDE) as i32))
}

fn opaque([r, g, b]: [u8; 3]) -> Texel {
    [r, g, b, 255]
}

/// A colour made lighter or darker by a share of itself.
fn shade(colour: [u8; 3], by: f32) -> Texel {
    opaque(colour.map(|channel| (f32::from(channel) * (1.0 + by) + 0.5).clamp(0.0, 255.0) as u8))
}

/// A number in 0..1 that belongs to a texel.
fn grain(salt: i32, x: i32, y: i32) -> f32 {
    (look_hash(x, salt.wrapping_mul(977) + 13, y) >> 8) as f32 / (1 << 24) as f32
}

/// Texel noise of the given height, in four steps as a painter's palette would have.
fn speckle(salt: i32, x: i32, y: i32, high: f32) -> f32 {
    ((grain(salt, x, y) * 4.0).floor() / 3.0 - 0.5) * high * 2.0
}

/// Soft patches four texels wide that join at the tile's edges.
fn blotch(salt: i32, x: i32, y: i32, high: f32) -> f32 {
    let (x4, y4) = (x / 4, y / 4);
    let (fx, fy) = ((x % 4) as f32 / 4.0, (y % 4) as f32 / 4.0);
    let at = |dx: i32, dy: i32| grain(salt + 300, (x4 + dx) & 3, (y4 + dy) & 3);
    let top = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
    let low = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
    (top + (low - top) * fy - 0.5) * 2.0 * high
}

fn dirt(x: i32, y: i32) -> Texel {
    let salt = Tile::Dirt as i32;
    let pebble = grain(salt + 1, x, y);
    let colour = if pebble > 0.95 { [150, 128, 106] } else { [134, 97, 67] };
    shade(colour, speckle(salt, x, y, 0.17) + blotch(salt, x, y, 0.06))
}

/// Rounded stones: each texel belongs to the nearest of a wrapping grid of jittered points; joints are dark.
fn cells(salt: i32, x: i32, y: i32, pitch: i32, palette: [[u8; 3]; 3], joint: f32) -> Texel {
    let across = SIDE as i32 / pitch;
    let (mut first, mut second, mut owner) = (f32::MAX, f32::MAX, 0);
    for gy in 0..across {
        for gx in 0..across {
            let jitter = |axis: i32| grain(salt + axis, gx, gy) * 0.8 + 0.1;
            let spread = SIDE as f32 / across as f32;
            let (px, py) = ((gx as f32 + jitter(1)) * spread, (gy as f32 + jitter(2)) * spread);
            let wrap = |d: f32| d.abs().min(SIDE as f32 - d.abs());
            let (dx, dy) = (wrap(x as f32 + 0.5 - px), wrap(y as f32 + 0.5 - py));
            let far = dx * dx + dy * dy;
            if far < first {
                (second, first, owner) = (first, far, gy * across + gx);
            } else {
                second = second.min(far);
            }
        }
    }
    let colour = palette[(grain(salt + 3, owner, 5) * 2.999) as usize];
    let dark = if second.sqrt() - first.sqrt() < 0.8 {
        -joint
    } else {
        0.0
    };
    shade(colour, dark + speckle(salt, x, y, 0.07))
}

fn rings(salt: i32, x: i32, y: i32, wood: [u8; 3], bark: [u8; 3]) -> Texel {
    let ring = (2 * x - 15).abs().max((2 * y - 15).abs()) / 2;
    match ring {
        7 => shade(bark, speckle(salt, x, y, 0.14)),
        _ => shade(
            wood,
            if ring % 2 == 0 { -0.16 } else { 0.03 } + speckle(salt, x, y, 0.06),
        ),
    }
}

fn leaves(salt: i32, x: i32, y: i32, colour: [u8; 3]) -> Texel {
    let by = speckle(salt, x, y, 0.24) + blotch(salt, x, y, 0.16);
    let [r, g, b, _] = shade(colour, by);
    let hole = grain(salt + 7, x / 2, y / 2) > 0.86 && grain(salt + 8, x, y) > 0.3;
    [r, g, b, if hole { 0 } else { 255 }]
}

fn flower(x: i32, y: i32, petal: [u8; 3], heart: [u8; 3]) -> Texel {
    let (dx, dy) = (2 * x - 15, y - 8);
    match () {
        _ if y < 13 && dx.abs() <= 1 && dy == 0 => opaque(heart),
        _ if dx.abs() <= 5 && (dy + 1).abs() <= 2 && dx.abs() + 2 * (dy + 1).abs() <= 7 => {
            shade(petal, speckle(400, x, y, 0.10))
        }
        _ if y > 9 && dx.abs() <= 1 => shade([64, 122, 40], speckle(401, x, y, 0.12)),
        _ if (12..15).contains(&y) && dx.abs() == 15 - y + 2 => opaque([74, 136, 46]),
        _ => [64, 122, 40, 0],
    }
}

fn blades(salt: i32, x: i32, y: i32, highest: i32, colour: [u8; 3]) -> Texel {
    let root = 16 - y;
    // Each blade leans to its own side as it rises.
    let covered = (0..9).any(|blade| {
        let (at, lean) = (grain(salt, blade, 1) * 14.0 + 1.0, (grain(salt, blade, 2) - 0.5) * 0.8);
        let tall = (0.45 + 0.55 * grain(salt, blade, 3)) * highest as f32;
        root as f32 <= tall && (at + lean * root as f32 - x as f32 - 0.5).abs() < 0.75
    });
    let [r, g, b, _] = shade(colour, speckle(salt, x, y, 0.12) + 0.02 * (root - 7) as f32);
    [r, g, b, if covered { 255 } else { 0 }]
}

fn crop(x: i32, y: i32, tall: i32, colour: [u8; 3], ear: Option<[u8; 3]>) -> Texel {
    let root = 16 - y;
    let stalk = x % 4 == 1 || (x % 4 == 2 && root % 3 == 1) || (x % 4 == 0 && root % 3 == 2 && root < tall - 1);
    let uneven = tall - (grain(410, x / 4, tall) * 2.0) as i32;
    let covered = stalk && root <= uneven;
    let picked = match ear {
        Some(ear) if root > uneven - 5 => ear,
        _ => colour,
    };
    let [r, g, b, _] = shade(picked, speckle(411, x, y, 0.14) + 0.015 * (root - 6) as f32);
    [r, g, b, if covered { 255 } else { 0 }]
}

/// Dark lines that walk out from the middle, farther and in more branches with each stage.
fn crack(stage: i32) -> Picture {
    let mut picture = [[24, 22, 20, 0]; SIDE * SIDE];
    for arm in 0..3 + stage * 2 / 3 {
        let (mut x, mut y) = (7 + (arm & 1), 7 + (arm >> 1 & 1));
        for walked in 0..3 + stage * 3 / 2 {
            picture[(y.rem_euclid(16) * 16 + x.rem_euclid(16)) as usize][3] = 200;
            let (dx, dy) = [(1, 0), (0, 1), (-1, 0), (0, -1), (1, 1), (-1, -1), (1, -1), (-1, 1)][(arm % 8) as usize];
            let swerve = (grain(500 + arm, walked, 0) * 3.0) as i32 - 1;
            (x, y) = if walked & 1 == 0 {
                (x + dx, y + dy)
            } else {
                (x + dx + swerve * dy, y + dy + swerve * dx)
            };
        }
    }
    picture
}
