//! The world state's time a frame by the cells that it holds: `cargo bench -p holdfast-model --bench state`.
//!
//! A million cells may cost no more a frame than what of them is in view: the cells are left behind by a walk.

use criterion::{Criterion, criterion_group, criterion_main};
use holdfast_model::state::{Canvas, Reader, Seen, WorldState};
use holdfast_sim::{Camera, Depth, Frame, Pose};
use std::hint::black_box;

const CAMERA: (usize, usize) = (128, 72);
const EYE_BLOCKS: f32 = 1.62;
/// Cells of the largest map.
const LARGEST: usize = 10_000_000;

/// A hilly ground with a step every few blocks, as high as a block, seen from `pose`.
fn look(camera: &Camera, pose: &Pose, frame: &mut Frame, depth: &mut Depth) {
    let axes = pose.axes();
    let ground = |x: f32, z: f32| ((x * 0.19).sin() + (z * 0.23).sin() - EYE_BLOCKS).floor();
    for pixel in 0..camera.width * camera.height {
        let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width).normalize();
        let mut blocks = 0.3;
        let below = |blocks: f32| {
            let point = pose.eye() + ray * blocks;
            point.y < ground(point.x, point.z)
        };
        while blocks < 60.0 && !below(blocks) {
            blocks *= 1.04;
        }
        depth.blocks[pixel] = if blocks < 60.0 { blocks } else { Depth::SKY };
        let shade = (blocks * 40.0) as u8;
        frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&[shade, shade / 2, 90]);
    }
}

/// A walk that goes on, looking about.
fn pose_at(step: usize) -> Pose {
    let along = step as f32 * 0.8;
    let position = [(along * 0.02).sin() * 60.0, 1.5, along];
    Pose { position, yaw_deg: (along * 0.7).sin() * 100.0, pitch_deg: 15.0 + 10.0 * (along * 0.31).sin() }
}

fn state(criterion: &mut Criterion) {
    let camera = Camera::new(CAMERA.0, CAMERA.1);
    let (mut frame, mut depth) = (Frame::new(CAMERA.0, CAMERA.1), Depth::new(CAMERA.0, CAMERA.1));
    let (mut state, mut reader, mut canvas) = (WorldState::new(), Reader::default(), Canvas::default());
    let mut step = 0;
    // Tests run the benches too, and the largest map takes minutes to walk together.
    let largest = if std::env::args().any(|arg| arg == "--bench") { LARGEST } else { LARGEST / 10 };
    for wanted in [1_000, 10_000, 100_000, 1_000_000, LARGEST].into_iter().filter(|wanted| *wanted <= largest) {
        let mut pose = pose_at(step);
        while state.cells() < wanted {
            step += 1;
            pose = pose_at(step);
            look(&camera, &pose, &mut frame, &mut depth);
            // A small state is a corner of the first look.
            let rows = if wanted < 10_000 { CAMERA.1 * 7 / 8 } else { 0 };
            depth.blocks[..rows * CAMERA.0].fill(Depth::SKY);
            state.read(&pose, &camera, &mut reader, &mut canvas);
            let seen = Seen::given(&frame, &depth, &canvas, step as u32);
            state.write(&pose, &camera, &reader, &seen);
        }
        let name = format!("{wanted} cells");
        criterion.bench_function(&format!("read {name}"), |bencher| {
            bencher.iter(|| {
                state.read(&pose, &camera, &mut reader, &mut canvas);
                black_box(canvas.confidence[0])
            });
        });
        // A write needs a read of the same map, so the two are timed together; the same look again leaves the map as it is.
        criterion.bench_function(&format!("read and write {name}"), |bencher| {
            let (mut copy, mut tick) = (state.clone(), step as u32);
            bencher.iter(|| {
                tick += 1;
                copy.read(&pose, &camera, &mut reader, &mut canvas);
                let seen = Seen::given(&frame, &depth, &canvas, tick);
                copy.write(&pose, &camera, &reader, &seen);
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = state
}
criterion_main!(benches);
