//! Frames a second of the true renderer on one core: `cargo bench -p holdfast-sim --bench render`.

use criterion::{Criterion, criterion_group, criterion_main};
use glam::Vec3;
use holdfast_sim::voxel::chunk::Chunks;
use holdfast_sim::voxel::render::{Scene, View, render};
use holdfast_sim::voxel::sky::{Sky, VIEW_BLOCKS};
use holdfast_sim::{Camera, Pose};
use std::hint::black_box;

/// The start of several worlds, looking all around: no single lucky view.
fn views() -> Vec<(Chunks, Vec<Pose>)> {
    (0..6)
        .map(|seed| {
            let mut chunks = Chunks::new(seed);
            let eye = chunks.spawn() + Vec3::Y * 1.62;
            chunks.load_around(eye.as_ivec3(), VIEW_BLOCKS as i32 + 1);
            let poses = (0..8)
                .map(|turn| Pose {
                    position: eye.to_array(),
                    yaw_deg: turn as f32 * 45.0,
                    pitch_deg: [0.0, 10.0, 25.0, -5.0][turn % 4],
                })
                .collect();
            (chunks, poses)
        })
        .collect()
}

fn frames(criterion: &mut Criterion) {
    let worlds = views();
    let sky = Sky::default();
    for (width, height) in [(64, 40), (128, 72), (256, 144)] {
        let camera = Camera::new(width, height);
        let mut view = View::new(width, height);
        let mut turn = worlds
            .iter()
            .flat_map(|(chunks, poses)| poses.iter().map(move |pose| (chunks, pose)))
            .cycle();
        criterion.bench_function(&format!("render {width}x{height}"), |bencher| {
            bencher.iter(|| {
                let (chunks, pose) = turn.next().expect("a cycle never ends");
                let scene = Scene {
                    chunks,
                    sky: &sky,
                    boxes: &[],
                    crack: None,
                };
                render(&scene, pose, &camera, &mut view);
                black_box(view.frame.rgb[0]);
            });
        });
    }
}

fn chunks(criterion: &mut Criterion) {
    let mut corner = 0;
    criterion.bench_function("generate a chunk", |bencher| {
        let mut chunks = Chunks::new(3);
        bencher.iter(|| {
            corner += 16;
            chunks.load_around(glam::IVec3::new(corner, 0, -corner), 0);
        });
    });
}

criterion_group!(benches, frames, chunks);
criterion_main!(benches);
