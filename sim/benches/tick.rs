//! How long the true world takes to live a tick without being drawn, to start, and to fork.

use criterion::{Criterion, criterion_group, criterion_main};
use holdfast_sim::Camera;
use holdfast_sim::script::Policy;
use holdfast_sim::voxel::world::VoxelWorld;
use std::hint::black_box;

fn world(seed: u64) -> VoxelWorld {
    let mut world = VoxelWorld::new(Camera::new(128, 72));
    world.reset_seed(seed);
    world
}

fn tick(c: &mut Criterion) {
    for policy in [Policy::Still, Policy::Wander, Policy::Build, Policy::Random] {
        // A scripted player goes on and on: new chunks are part of the price.
        let (mut world, mut script) = (world(7), policy.script(7));
        c.bench_function(&format!("tick/{policy}"), |b| {
            b.iter(|| {
                let action = script.next(Some(&world));
                world.tick(&action);
            });
        });
    }
    let mut started = world(7);
    let mut seed = 0;
    c.bench_function("start", |b| {
        b.iter(|| {
            seed += 1;
            started.reset_seed(seed);
        });
    });
    c.bench_function("fork", |b| b.iter(|| black_box(started.clone())));
    c.bench_function("truth", |b| b.iter(|| black_box(started.truth())));
}

criterion_group!(benches, tick);
criterion_main!(benches);
