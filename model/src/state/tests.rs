//! What the world state promises: it shows what was seen, forgets what is seen through, and does not grow with time.

use super::{Canvas, Reader, Seen, WorldState};
use holdfast_sim::{Camera, Depth, Frame, Pose};
use proptest::prelude::*;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

const WIDTH: usize = 64;
const HEIGHT: usize = 40;
const CENTRE: usize = HEIGHT / 2 * WIDTH + WIDTH / 2;

/// A life in front of scenes of one colour: reads, then writes, once a tick.
#[derive(Clone, Default)]
struct Life {
    state: WorldState,
    reader: Reader,
    canvas: Canvas,
    tick: u32,
}

impl Life {
    /// Looks once at a scene: `z_of` gives the distance along the view axis by pixel, from the pixel's ray.
    fn look(&mut self, pose: &Pose, rgb: [u8; 3], mut z_of: impl FnMut(glam::Vec3) -> f32) {
        let camera = Camera::new(WIDTH, HEIGHT);
        let axes = pose.axes();
        let (mut frame, mut depth) = (Frame::new(WIDTH, HEIGHT), Depth::new(WIDTH, HEIGHT));
        for pixel in 0..WIDTH * HEIGHT {
            let ray = camera.ray(&axes, pixel % WIDTH, pixel / WIDTH);
            depth.blocks[pixel] = z_of(ray) * ray.length();
            frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&rgb);
        }
        self.state.read(pose, &camera, &mut self.reader, &mut self.canvas);
        let seen = Seen::given(&frame, &depth, &self.canvas, self.tick);
        self.state.write(pose, &camera, &self.reader, &seen);
        self.tick += 1;
    }

    /// Looks at a wall across the view.
    fn wall(&mut self, pose: &Pose, z_blocks: f32, rgb: [u8; 3], times: usize) {
        (0..times).for_each(|_| self.look(pose, rgb, |_| z_blocks));
    }

    fn canvas_from(&mut self, pose: &Pose) -> &Canvas {
        self.state.read(pose, &Camera::new(WIDTH, HEIGHT), &mut self.reader, &mut self.canvas);
        &self.canvas
    }
}

/// Looks at a wall or the ground with a noise on depth of up to `share`, as a model's is; answers the cells after each.
fn jittered(pose: &Pose, share: f32, times: usize, z_of: impl Fn(glam::Vec3) -> f32) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut life = Life::default();
    let mut draw = move || ((rng.next_u32() >> 8) as f32 / (1u32 << 23) as f32 - 1.0) * share;
    let look = |_| {
        let whole = 1.0 + draw() * 0.5;
        life.look(pose, [90, 80, 70], |ray| z_of(ray) * (whole + draw() * 0.5));
        life.state.cells()
    };
    (0..times).map(look).collect()
}

#[track_caller]
fn check_colour(found: [f32; 3], expected: [f32; 3]) {
    assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01), "{found:?}");
}

#[test]
fn nothing_is_known_before_it_is_seen() {
    let mut life = Life::default();
    let canvas = life.canvas_from(&Pose::default());
    assert!((0..WIDTH * HEIGHT).all(|pixel| !canvas.known(pixel)));
}

#[test]
fn what_was_seen_is_shown_again_with_its_colour_and_depth() {
    let mut life = Life::default();
    life.wall(&Pose::default(), 6.0, [200, 100, 50], 1);
    let canvas = life.canvas_from(&Pose::default());
    let known = (0..WIDTH * HEIGHT).filter(|&pixel| canvas.known(pixel)).count();
    assert!(known > 2500, "{known}");
    check_colour(canvas.rgb[CENTRE], [200.0, 100.0, 50.0]);
    assert!((canvas.depth_blocks[CENTRE] - 6.0).abs() < 0.05, "{}", canvas.depth_blocks[CENTRE]);
    let away = life.canvas_from(&Pose { yaw_deg: 180.0, ..Pose::default() });
    assert!((0..WIDTH * HEIGHT).all(|pixel| !away.known(pixel)));
}

#[test]
fn the_number_of_threads_changes_no_bit_of_a_read() {
    let mut life = Life::default();
    let ground = |ray: glam::Vec3| if ray.y < -0.02 { -1.6 / ray.y } else { 100.0 };
    for step in 0..6 {
        let pose = Pose { yaw_deg: step as f32 * 40.0, pitch_deg: 20.0, ..Pose::default() };
        life.look(&pose, [200, 40 * step, 0], ground);
    }
    let (pose, camera) = (Pose { yaw_deg: 70.0, ..Pose::default() }, Camera::new(WIDTH, HEIGHT));
    let expected = life.clone().canvas_from(&pose).clone();
    for threads in [2, 3] {
        let (mut life, crew) = (life.clone(), crate::kernel::Crew::new(threads));
        life.state.read_on(&crew, &pose, &camera, &mut life.reader, &mut life.canvas);
        assert_eq!(life.canvas, expected, "{threads} threads");
    }
}

#[test]
fn what_is_seen_through_is_forgotten() {
    let mut life = Life::default();
    life.wall(&Pose::default(), 3.0, [10; 3], 6);
    life.wall(&Pose::default(), 8.0, [250; 3], 3);
    let canvas = life.canvas_from(&Pose::default());
    check_colour(canvas.rgb[CENTRE], [250.0; 3]);
    assert!((canvas.depth_blocks[CENTRE] - 8.0).abs() < 0.1);
}

#[test]
fn what_is_seen_through_from_afar_is_forgotten_in_its_fine_cells_too() {
    let mut life = Life::default();
    life.wall(&Pose::default(), 2.0, [10; 3], 6);
    let back = Pose { position: [0.0, 0.0, -20.0], ..Pose::default() };
    life.wall(&back, 40.0, [250; 3], 4);
    check_colour(life.canvas_from(&back).rgb[CENTRE], [250.0; 3]);
    check_colour(life.canvas_from(&Pose::default()).rgb[CENTRE], [250.0; 3]);
}

#[test]
fn the_hole_of_a_broken_block_stays() {
    let mut life = Life::default();
    let pose = Pose::default();
    life.wall(&pose, 3.5, [10; 3], 20);
    // A block's width of the wall is gone, and a block's depth behind it shows.
    let broken = |ray: glam::Vec3| {
        if (ray * 3.5).abs().max_element() <= 3.5 && ray.x.abs().max(ray.y.abs()) < 0.14 { 4.5 } else { 3.5 }
    };
    (0..4).for_each(|_| life.look(&pose, [60; 3], broken));
    let away = Pose { yaw_deg: 120.0, ..pose };
    life.wall(&away, 5.0, [99; 3], 20);
    let shown = life.canvas_from(&pose).depth_blocks[CENTRE];
    assert!((shown - 4.5).abs() < 0.15, "{shown}");
    let beside = life.canvas_from(&pose).depth_blocks[CENTRE + 16];
    assert!(beside < 4.2, "{beside}");
}

#[test]
fn looking_on_does_not_grow_the_state() {
    let mut life = Life::default();
    life.wall(&Pose::default(), 5.0, [1, 2, 3], 1);
    let cells = life.state.cells();
    life.wall(&Pose::default(), 5.0, [1, 2, 3], 20);
    assert_eq!(life.state.cells(), cells);
    assert_eq!(life.state.bricks.iter().map(|brick| brick.count()).sum::<usize>(), cells);
}

#[test]
fn a_nearer_look_replaces_a_coarse_one() {
    let mut life = Life::default();
    life.wall(&Pose::default(), 20.0, [100; 3], 3);
    let near = Pose { position: [0.0, 0.0, 18.0], ..Pose::default() };
    life.wall(&near, 2.0, [30, 200, 30], 1);
    check_colour(life.canvas_from(&near).rgb[CENTRE], [30.0, 200.0, 30.0]);
}

#[track_caller]
fn check_growth(name: &str, cells: &[usize]) {
    let (first, last) = (cells[0] as f32, cells[cells.len() - 1] as f32);
    assert!(last < first * 1.5, "{name}: {first} to {last}");
    // What grows grows early: rare extremes of the noise add a little for long, ever more slowly.
    let middle = cells[cells.len() / 2] as f32;
    assert!(last < middle * 1.1, "{name}: {middle} half-way, {last} at the end");
}

#[test]
fn jittering_depth_does_not_grow_the_state_with_time() {
    for z_blocks in [3.0, 10.0, 30.0] {
        check_growth(&format!("a wall at {z_blocks}"), &jittered(&Pose::default(), 0.04, 300, |_| z_blocks));
    }
    let down = Pose { pitch_deg: 20.0, ..Pose::default() };
    let ground = |ray: glam::Vec3| if ray.y < -0.03 { 1.62 / -ray.y } else { 200.0 };
    check_growth("the ground", &jittered(&down, 0.04, 300, ground));
}

#[test]
fn a_brick_holds_only_so_much() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut life = Life::default();
    for _ in 0..80 {
        let pose = Pose { yaw_deg: (rng.next_u32() % 360) as f32, ..Pose::default() };
        life.look(&pose, [50; 3], |_| 0.5 + (rng.next_u32() % 1024) as f32 / 512.0);
    }
    let most = life.state.bricks.iter().map(|brick| brick.count()).max();
    assert!(most.is_some_and(|most| most <= super::brick::MOST_CELLS), "{most:?}");
    assert_eq!(life.state.bricks.iter().map(|brick| brick.count()).sum::<usize>(), life.state.cells());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever is seen, in whatever order: the same looks leave the same canvas, bit for bit, and the count of cells
    /// is that of the cells.
    #[test]
    fn the_same_looks_give_the_same_canvas(looks in prop::collection::vec((0.0f32..360.0, -40.0f32..40.0, 0.3f32..90.0, 0u8..=255), 1..12)) {
        let live = || {
            let mut life = Life::default();
            for (at, &(yaw_deg, pitch_deg, z_blocks, grey)) in looks.iter().enumerate() {
                let pose = Pose { position: [at as f32 * 0.7, 0.0, at as f32 * -0.4], yaw_deg, pitch_deg };
                life.look(&pose, [grey; 3], |ray| z_blocks * (1.0 + 0.1 * (ray.x * 40.0).sin()));
            }
            life
        };
        let (mut a, mut b) = (live(), live());
        prop_assert_eq!(a.state.bricks.iter().map(|brick| brick.count()).sum::<usize>(), a.state.cells());
        let pose = Pose { yaw_deg: looks[0].0, ..Pose::default() };
        let (a, b) = (a.canvas_from(&pose), b.canvas_from(&pose));
        prop_assert_eq!(&a.rgb, &b.rgb);
        prop_assert_eq!(&a.depth_blocks, &b.depth_blocks);
        prop_assert_eq!(&a.confidence, &b.confidence);
    }
}
