//! How long the denoiser's kernel takes in each precision: a frame as a dream asks for it, on one thread and on two, and
//! on one thread a sample forward, and four samples forward and backward as the trainer does.

use criterion::{Criterion, criterion_group, criterion_main};
use holdfast_model::{
    Condition, ModelConfig,
    kernel::{Batch, Crew, FrameTape, Kernel, Packing, Passes, Precision, Tape},
    layout::{input, output},
    weights::{Weights, normal},
};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

fn kernel(c: &mut Criterion) {
    let config = ModelConfig { d_model: 192, heads: 3, ..ModelConfig::default() };
    let (width, height, samples) = (config.width, config.height, 4);
    let weights = Weights::init(&config, 1);
    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let mut draw = |len: usize| -> Vec<f32> { (0..len).map(|_| normal(&mut rng)).collect() };
    let pixels = draw(samples * width * height * input::CHANNELS);
    let condition = draw(samples * Condition::FEATURES);
    let d_output = draw(samples * width * height * output::CHANNELS);
    let of = |samples: usize| Batch {
        pixels: &pixels[..samples * width * height * input::CHANNELS],
        condition: &condition[..samples * Condition::FEATURES],
        samples,
        width,
        height,
    };
    for precision in [Precision::F32, Precision::Bf16, Precision::Int8] {
        let kernel = Kernel::with_precision(config.clone(), precision);
        let (mut tape, mut packing) = (Tape::default(), Packing::default());
        let packed = packing.pack(&kernel, &weights, Passes::ForwardAndBackward);
        c.bench_function(&format!("forward/1/{precision:?}"), |b| {
            b.iter(|| kernel.forward(packed, &of(1), &mut tape));
        });
        for threads in [1, 2] {
            let (mut tape, crew) = (FrameTape::default(), Crew::new(threads));
            c.bench_function(&format!("frame/{threads} threads/{precision:?}"), |b| {
                b.iter(|| kernel.frame(packed, &of(1), &mut tape, &crew));
            });
        }
        if precision == Precision::Int8 {
            // Nobody trains in it.
            continue;
        }
        let mut gradients = weights.zeros_like();
        c.bench_function(&format!("forward and backward/{samples}/{precision:?}"), |b| {
            b.iter(|| {
                kernel.forward(packed, &of(samples), &mut tape);
                kernel.backward(packed, &of(samples), &mut tape, &d_output, &mut gradients);
            });
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default().sample_size(20);
    targets = kernel
}
criterion_main!(benches);
