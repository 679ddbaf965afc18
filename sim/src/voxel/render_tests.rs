//! The renderer against geometry that can be worked out by hand, and its goldens.

use super::*;
use crate::voxel::entity_box::Front;
use crate::voxel::sky::VIEW_BLOCKS;

/// A stone floor high above the ground, with nothing above it: its top is at `FLOOR_Y`.
fn stage(centre: IVec3) -> Chunks {
    let mut chunks = Chunks::new(1);
    chunks.load_around(centre, 24);
    for z in -20..=20 {
        for x in -20..=20 {
            for y in FLOOR_Y as i32..64 {
                chunks.set(IVec3::new(centre.x + x, y, centre.z + z), Block::Air);
            }
            chunks.set(IVec3::new(centre.x + x, FLOOR_Y as i32 - 1, centre.z + z), Block::Stone);
        }
    }
    chunks
}

const FLOOR_Y: f32 = 52.0;
const CAMERA: Camera = Camera {
    width: 64,
    height: 40,
    fov_y_deg: Camera::FOV_Y_DEG,
};

fn look(chunks: &Chunks, sky: &Sky, boxes: &[EntityBox], pose: &Pose) -> View {
    let mut view = View::new(CAMERA.width, CAMERA.height);
    render(
        &Scene {
            chunks,
            sky,
            boxes,
            crack: None,
        },
        pose,
        &CAMERA,
        &mut view,
    );
    view
}

/// Compares every pixel with the distance that geometry gives; `None` is not compared. Returns how many were.
#[track_caller]
fn check_depth(view: &View, pose: &Pose, block: Block, expected: impl Fn(Vec3) -> Option<f32>) -> usize {
    let axes = pose.axes();
    let mut compared = 0;
    for y in 0..CAMERA.height {
        for x in 0..CAMERA.width {
            let at = y * CAMERA.width + x;
            if let Some(distance) = expected(CAMERA.ray(&axes, x, y).normalize()) {
                let found = view.depth.blocks[at];
                assert!(
                    (found - distance).abs() < 2e-3,
                    "({x}, {y}): {found}, expected {distance}"
                );
                assert_eq!(view.block_ids[at], block.id(), "({x}, {y})");
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn depth_of_a_floor_follows_geometry_near_and_far_from_the_origin() {
    for centre in [IVec3::ZERO, IVec3::new(-70_000, 0, 90_000)] {
        let chunks = stage(centre);
        for (yaw_deg, pitch_deg) in [(0.0, 30.0), (77.0, 10.0), (200.0, 90.0), (-45.0, 60.0)] {
            let eye = centre.as_vec3() + Vec3::new(0.3, FLOOR_Y + 1.62, 0.7);
            let pose = Pose {
                position: eye.to_array(),
                yaw_deg,
                pitch_deg,
            };
            let compared = check_depth(
                &look(&chunks, &Sky::default(), &[], &pose),
                &pose,
                Block::Stone,
                |ray| {
                    let distance = (eye.y - FLOOR_Y) / -ray.y;
                    (ray.y < 0.0 && distance < 19.0).then_some(distance)
                },
            );
            assert!(compared > 800, "{compared}");
        }
    }
}

#[test]
fn depth_of_a_wall_follows_geometry() {
    let mut chunks = stage(IVec3::ZERO);
    for x in -20..=20 {
        for y in FLOOR_Y as i32..64 {
            chunks.set(IVec3::new(x, y, 9), Block::Brick);
        }
    }
    let eye = Vec3::new(0.5, FLOOR_Y + 5.0, 0.25);
    let pose = Pose {
        position: eye.to_array(),
        yaw_deg: 12.0,
        pitch_deg: -3.0,
    };
    let compared = check_depth(
        &look(&chunks, &Sky::default(), &[], &pose),
        &pose,
        Block::Brick,
        |ray| {
            let distance = (9.0 - eye.z) / ray.z;
            let point = eye + ray * distance;
            (ray.z > 0.0 && (FLOOR_Y + 0.01..63.99).contains(&point.y) && point.x.abs() < 20.0).then_some(distance)
        },
    );
    assert!(compared > 1500, "{compared}");
}

#[test]
fn a_look_into_the_open_sky_is_sky_all_over() {
    let chunks = stage(IVec3::ZERO);
    let pose = Pose {
        position: [0.5, FLOOR_Y + 1.62, 0.5],
        yaw_deg: 0.0,
        pitch_deg: -90.0,
    };
    let view = look(&chunks, &Sky::default(), &[], &pose);
    assert!(view.depth.blocks.iter().all(|&depth| depth == Depth::SKY));
    assert!(view.block_ids.iter().all(|&id| id == Block::Air.id()));
}

#[test]
fn water_has_the_depth_of_its_surface_and_glass_of_what_is_behind() {
    let mut chunks = stage(IVec3::ZERO);
    let pose = Pose {
        position: [0.5, FLOOR_Y + 3.0, 0.5],
        yaw_deg: 0.0,
        pitch_deg: 90.0,
    };
    let middle = CAMERA.width * (CAMERA.height / 2) + CAMERA.width / 2;
    for (block, depth) in [
        (Block::Water, 3.0 - 0.875),
        (Block::Glass, 3.0),
        (Block::WaterFlow4, 3.0 - 0.4375),
    ] {
        for (x, z) in [(0, 0), (1, 0), (0, 1), (-1, 0), (0, -1)] {
            chunks.set(IVec3::new(x, FLOOR_Y as i32, z), block);
        }
        let found = look(&chunks, &Sky::default(), &[], &pose).depth.blocks[middle];
        assert!((found - depth).abs() < 0.01, "{block:?}: {found}, expected {depth}");
    }
}

#[test]
fn water_colours_all_that_is_seen_through_it_the_more_the_longer_the_way() {
    let mut chunks = stage(IVec3::ZERO);
    let down = |up: f32| Pose {
        position: [0.5, FLOOR_Y + up, 0.5],
        yaw_deg: 0.0,
        pitch_deg: 90.0,
    };
    let up = |from: f32| Pose {
        pitch_deg: -90.0,
        ..down(from)
    };
    // The middle of the picture: stone is grey, so the blue that it lacks is the water's.
    let blueness = |chunks: &Chunks, pose: &Pose| {
        let [r, _, b] = look(chunks, &Sky::default(), &[], pose)
            .frame
            .pixel(32, 20)
            .map(f32::from);
        b / r.max(1.0)
    };
    let (dry, dry_sky) = (blueness(&chunks, &down(5.5)), blueness(&chunks, &up(0.5)));
    for (x, y, z) in (-3..=3).flat_map(|x| (0..4).flat_map(move |y| (-3..=3).map(move |z| (x, y, z)))) {
        chunks.set(IVec3::new(x, FLOOR_Y as i32 + y, z), Block::Water);
    }
    let (from_shallow, from_deep) = (blueness(&chunks, &down(0.4)), blueness(&chunks, &down(3.4)));
    assert!(
        dry < from_shallow && from_shallow < from_deep,
        "{dry} {from_shallow} {from_deep}"
    );
    let (sky_near, sky_far) = (blueness(&chunks, &up(3.4)), blueness(&chunks, &up(0.4)));
    assert!(
        dry_sky < sky_near && sky_near < sky_far,
        "{dry_sky} {sky_near} {sky_far}"
    );
}

#[test]
fn a_box_hides_what_is_behind_and_is_hidden_by_what_is_before() {
    let mut chunks = stage(IVec3::ZERO);
    let eye = Vec3::new(0.5, FLOOR_Y + 1.5, 0.5);
    let pose = Pose {
        position: eye.to_array(),
        yaw_deg: 0.0,
        pitch_deg: 0.0,
    };
    let animal = EntityBox {
        centre: eye + Vec3::Z * 3.0,
        half: Vec3::new(0.5, 0.5, 1.0),
        yaw_deg: 0.0,
        colour: [200, 100, 100],
        second_colour: [90, 60, 60],
        front: Front::Face,
    };
    let middle = CAMERA.width * (CAMERA.height / 2) + CAMERA.width / 2;
    let seen = look(&chunks, &Sky::default(), &[animal], &pose);
    assert!((seen.depth.blocks[middle] - 2.0).abs() < 0.01 && seen.block_ids[middle] == View::ENTITY);
    let area = seen.block_ids.iter().filter(|&&id| id == View::ENTITY).count() as f32;
    let expected = (CAMERA.focal_px() / 2.0).powi(2);
    assert!(
        (area / expected - 1.0).abs() < 0.25,
        "{area} pixels, expected about {expected}"
    );
    let turned = look(
        &chunks,
        &Sky::default(),
        &[EntityBox {
            yaw_deg: 90.0,
            ..animal
        }],
        &pose,
    );
    assert!(
        (turned.depth.blocks[middle] - 2.5).abs() < 0.01,
        "turned sideways it ends later"
    );
    chunks.set(IVec3::new(0, FLOOR_Y as i32 + 1, 1), Block::Brick);
    let hidden = look(&chunks, &Sky::default(), &[animal], &pose);
    assert_eq!(hidden.block_ids[middle], Block::Brick.id());
}

#[test]
fn roofs_darken_and_lamps_brighten() {
    let mut chunks = stage(IVec3::ZERO);
    let pose = Pose {
        position: [0.5, FLOOR_Y + 1.8, 0.5],
        yaw_deg: 0.0,
        pitch_deg: 90.0,
    };
    let mean = |chunks: &Chunks, sky: &Sky| {
        let view = look(chunks, sky, &[], &pose);
        view.frame.rgb.iter().map(|&channel| f32::from(channel)).sum::<f32>() / view.frame.rgb.len() as f32
    };
    let night = Sky {
        time_of_day: 0.0,
        ..Sky::default()
    };
    let (open_day, open_night) = (mean(&chunks, &Sky::default()), mean(&chunks, &night));
    for z in -6..=6 {
        for x in -6..=6 {
            chunks.set(IVec3::new(x, FLOOR_Y as i32 + 4, z), Block::Planks);
        }
    }
    assert!(mean(&chunks, &Sky::default()) < 0.8 * open_day);
    assert!(mean(&chunks, &night) < 0.8 * open_night);
    chunks.set(IVec3::new(0, FLOOR_Y as i32 + 3, 0), Block::Lamp);
    assert!(mean(&chunks, &night) > 1.3 * open_night);
}

#[test]
fn cracks_show_on_their_block_alone() {
    let chunks = stage(IVec3::ZERO);
    let pose = Pose {
        position: [0.5, FLOOR_Y + 1.62, 0.5],
        yaw_deg: 0.0,
        pitch_deg: 90.0,
    };
    let whole = look(&chunks, &Sky::default(), &[], &pose);
    let mut cracked = View::default();
    let mut changes = Vec::new();
    for stage in 0..10 {
        let crack = Some((IVec3::new(0, FLOOR_Y as i32 - 1, 0), stage));
        let scene = Scene {
            chunks: &chunks,
            sky: &Sky::default(),
            boxes: &[],
            crack,
        };
        render(&scene, &pose, &CAMERA, &mut cracked);
        assert_eq!(cracked.depth, whole.depth);
        changes.push(
            whole
                .frame
                .rgb
                .iter()
                .zip(&cracked.frame.rgb)
                .filter(|(a, b)| a != b)
                .count(),
        );
        // The corner pixels look at other blocks.
        assert_eq!(cracked.frame.pixel(0, 0), whole.frame.pixel(0, 0));
    }
    assert!(
        changes[0] > 0 && changes.windows(2).all(|pair| pair[0] <= pair[1]),
        "{changes:?}"
    );
}

#[test]
fn rain_is_sparse_moves_and_stays_outside() {
    let mut chunks = stage(IVec3::ZERO);
    let pose = Pose {
        position: [0.5, FLOOR_Y + 1.62, 0.5],
        yaw_deg: 30.0,
        pitch_deg: 0.0,
    };
    for weather in [Weather::Rain, Weather::Snow] {
        let at = |chunks: &Chunks, tick| {
            look(
                chunks,
                &Sky {
                    weather,
                    tick,
                    ..Sky::default()
                },
                &[],
                &pose,
            )
            .frame
        };
        let (now, next) = (at(&chunks, 1000), at(&chunks, 1001));
        let changed = now
            .rgb
            .chunks(3)
            .zip(next.rgb.chunks(3))
            .filter(|(a, b)| a != b)
            .count();
        let share = changed as f32 / (CAMERA.width * CAMERA.height) as f32;
        assert!((0.002..0.25).contains(&share), "{weather:?}: {share}");
        assert_eq!(now, at(&chunks, 1000));
    }
    for (x, z) in (-12..=12).flat_map(|x| (-12..=12).map(move |z| (x, z))) {
        chunks.set(IVec3::new(x, FLOOR_Y as i32 + 4, z), Block::Planks);
    }
    let down = Pose {
        pitch_deg: 60.0,
        ..pose
    };
    let inside = |tick| {
        look(
            &chunks,
            &Sky {
                weather: Weather::Rain,
                tick,
                ..Sky::default()
            },
            &[],
            &down,
        )
        .frame
    };
    assert_eq!(inside(1000), inside(1003));
}

/// Eyes on the middle of blocks that look along diagonals send rays exactly through corners, where rounding once held
/// them for ever. (Failing, this test does not end.)
#[test]
fn every_ray_ends() {
    let mut chunks = Chunks::new(2);
    let start = chunks.spawn().floor() + Vec3::new(0.5, 1.62, 0.5);
    chunks.load_around(start.as_ivec3(), 60);
    for turn in 0..96 {
        let aside = Vec3::new(
            (turn % 7 * 3) as f32 - 9.0,
            (turn % 9) as f32,
            (turn % 5 * 4) as f32 - 8.0,
        );
        let pose = Pose {
            position: (start + aside).to_array(),
            yaw_deg: (turn % 8) as f32 * 45.0,
            pitch_deg: (turn * 37 % 110) as f32 - 20.0,
        };
        look(&chunks, &Sky::default(), &[], &pose);
    }
    // Where the first one was caught.
    let pose = Pose {
        position: [230.5, 36.62, -191.5],
        yaw_deg: 45.0,
        pitch_deg: 24.0,
    };
    let mut view = View::default();
    chunks.load_around(pose.eye().as_ivec3(), 60);
    let scene = Scene {
        chunks: &chunks,
        sky: &Sky::default(),
        boxes: &[],
        crack: None,
    };
    render(&scene, &pose, &Camera::new(128, 72), &mut view);
    look(
        &chunks,
        &Sky::default(),
        &[],
        &Pose {
            yaw_deg: f32::NAN,
            ..pose
        },
    );
}

/// What is seen from the start of a world, hashed: colour, depth and blocks.
fn golden(seed: u64) -> String {
    let mut hasher = blake3::Hasher::new();
    let mut chunks = Chunks::new(seed);
    let eye = chunks.spawn() + Vec3::Y * 1.62;
    chunks.load_around(eye.floor().as_ivec3(), VIEW_BLOCKS as i32 + 1);
    let mut view = View::default();
    for turn in 0..8u64 {
        let sky = Sky {
            time_of_day: 0.42 + turn as f32 * 0.09,
            weather: [Weather::Clear, Weather::Rain, Weather::Snow][turn as usize % 3],
            tick: 77 * turn,
        };
        let pose = Pose {
            position: eye.to_array(),
            yaw_deg: turn as f32 * 45.0,
            pitch_deg: 8.0,
        };
        let scene = Scene {
            chunks: &chunks,
            sky: &sky,
            boxes: &[],
            crack: None,
        };
        render(&scene, &pose, &Camera::new(128, 72), &mut view);
        hasher.update(&view.frame.rgb).update(&view.block_ids);
        view.depth.blocks.iter().for_each(|depth| {
            hasher.update(&depth.to_le_bytes());
        });
    }
    hasher.finalize().to_hex()[..16].to_string()
}

/// A change of these means that models trained before see another world: never change them in passing.
#[test]
fn the_world_looks_as_it_always_did() {
    assert_eq!(golden(1), "57fff9fca7e9cf8c");
    assert_eq!(golden(1_000_001), "cffdea8b47520691");
}
