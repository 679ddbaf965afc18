//! The kernel against the plain Burn module: outputs and automatic gradients.

use super::*;
use crate::{denoiser::Denoiser, layout::output, weights::normal};
use burn::tensor::{Device, Tensor, TensorData};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

/// Sizes that leave every remainder loop something to do, weights far from their zeros, two samples.
fn problem(width: usize, height: usize, head_features: usize) -> (ModelConfig, Weights, Vec<f32>, Vec<f32>) {
    let config = ModelConfig {
        d_model: 40,
        heads: 2,
        layers: 2,
        mlp_ratio: 2,
        patch_px: 4,
        width,
        height,
        head_features,
        head_hidden: 18,
        ..ModelConfig::default()
    };
    let mut weights = Weights::init(&config, 7);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    for tensor in &mut weights.tensors {
        tensor.values.iter_mut().for_each(|value| *value += 0.1 * normal(&mut rng));
    }
    let pixels = (0..2 * height * width * input::CHANNELS).map(|_| normal(&mut rng)).collect();
    let condition = (0..2 * Condition::FEATURES).map(|_| normal(&mut rng)).collect();
    (config, weights, pixels, condition)
}

fn worst_error(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let scale = expected.iter().fold(1e-6f32, |most, value| most.max(value.abs()));
    found.iter().zip(expected).map(|(a, b)| (a - b).abs() / scale).fold(0.0, f32::max)
}

#[test]
fn the_order_of_tensors_is_the_order_of_the_spec() {
    let config = ModelConfig { layers: 3, ..ModelConfig::default() };
    let specs = Weights::spec(&config);
    let name = |index: usize| specs[index].name.as_str();
    assert_eq!(name(at::PATCH_IN), "patch_in.weight");
    assert_eq!(name(at::NO_PROMPT), "no_prompt");
    assert_eq!(name(at::FINAL_MODULATION), "final_modulation.weight");
    assert_eq!(name(at::block(2).table), "blocks.2.modulation_table");
    assert_eq!(name(at::block(1).mlp_out), "blocks.1.mlp_out.weight");
    assert_eq!(name(at::tail(3).final_table), "final_modulation_table");
    assert_eq!(name(at::tail(3).head_out_bias), "head_out.bias");
    assert_eq!(specs.len(), at::tail(3).head_out_bias + 1);
}

#[test]
fn output_and_gradients_agree_with_burn() {
    let (config, weights, pixels, condition) = problem(20, 12, 5);
    let device = Device::flex().autodiff();
    let network = Denoiser::new(&config, &weights, &device);
    let pixel_tensor = Tensor::<4>::from_data(TensorData::new(pixels.clone(), [2, 12, 20, input::CHANNELS]), &device);
    let condition_tensor =
        Tensor::<2>::from_data(TensorData::new(condition.clone(), [2, Condition::FEATURES]), &device);
    let angles = network.angles(20, 12, &device);
    let expected = network.forward(pixel_tensor, condition_tensor, &angles);

    let mut rng = ChaCha8Rng::seed_from_u64(2);
    let d_output: Vec<f32> = (0..2 * 12 * 20 * output::CHANNELS).map(|_| normal(&mut rng)).collect();
    let weighted = Tensor::<4>::from_data(TensorData::new(d_output.clone(), [2, 12, 20, output::CHANNELS]), &device);
    let gradients = (expected.clone() * weighted).sum().backward();
    let mut of_burn = weights.zeros_like();
    network.add_gradients(&gradients, &mut of_burn).expect("every parameter has a gradient");

    let kernel = Kernel::with_precision(config.clone(), Precision::F32);
    let mut tape = Tape::default();
    let batch = Batch { pixels: &pixels, condition: &condition, samples: 2, width: 20, height: 12 };
    let (mut own, mut packing) = (weights.zeros_like(), Packing::default());
    let packed = packing.pack(&kernel, &weights, Passes::ForwardAndBackward);
    // Twice: the second pass must not see what the first left in the buffers.
    for _ in 0..2 {
        own = weights.zeros_like();
        kernel.forward(packed, &batch, &mut tape);
        kernel.backward(packed, &batch, &mut tape, &d_output, &mut own);
    }
    let error = worst_error(tape.output(), &expected.into_data().try_to_vec::<f32>().expect("f32"));
    assert!(error < 2e-5, "output: {error}");
    for (found, expected) in own.tensors.iter().zip(&of_burn.tensors) {
        let error = worst_error(&found.values, &expected.values);
        assert!(error < 2e-4, "gradient of {}: {error}", expected.name);
    }
}

/// Output and gradients of one pass.
fn passed(config: &ModelConfig, weights: &Weights, precision: Precision, batch: &Batch) -> (Vec<f32>, Weights) {
    let kernel = Kernel::with_precision(config.clone(), precision);
    let (mut tape, mut gradients, mut packing) = (Tape::default(), weights.zeros_like(), Packing::default());
    let packed = packing.pack(&kernel, weights, Passes::ForwardAndBackward);
    kernel.forward(packed, batch, &mut tape);
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let d_output: Vec<f32> = tape.output().iter().map(|_| normal(&mut rng)).collect();
    kernel.backward(packed, batch, &mut tape, &d_output, &mut gradients);
    (tape.output().to_vec(), gradients)
}

/// Length of the difference over length of what is expected.
fn relative_error(found: &[f32], expected: &[f32]) -> f64 {
    let length = |values: &mut dyn Iterator<Item = f32>| values.map(|value| f64::from(value).powi(2)).sum::<f64>();
    let difference = length(&mut found.iter().zip(expected).map(|(a, b)| a - b));
    (difference / length(&mut expected.iter().copied()).max(1e-12)).sqrt()
}

/// Gradients may differ more than outputs: a rounded value can fall on the other side of a kink of `relu`.
#[test]
fn bf16_stays_near_f32_and_repeats_to_the_bit() {
    let (config, weights, pixels, condition) = problem(52, 28, 6);
    let batch = Batch { pixels: &pixels, condition: &condition, samples: 2, width: 52, height: 28 };
    let (expected, expected_gradients) = passed(&config, &weights, Precision::F32, &batch);
    let (output, gradients) = passed(&config, &weights, Precision::Bf16, &batch);
    let error = relative_error(&output, &expected);
    assert!(error < 0.01, "output: {error}");
    for (found, expected) in gradients.tensors.iter().zip(&expected_gradients.tensors) {
        let error = relative_error(&found.values, &expected.values);
        assert!(error < 0.1, "gradient of {}: {error}", found.name);
    }
    let whole = |weights: &Weights| weights.tensors.iter().flat_map(|t| t.values.clone()).collect::<Vec<f32>>();
    let error = relative_error(&whole(&gradients), &whole(&expected_gradients));
    assert!(error < 0.06, "whole gradient: {error}");
    assert!(passed(&config, &weights, Precision::Bf16, &batch) == (output, gradients), "another run, other bits");
}

/// Of white noise, whose rows have no outliers; what a trained model loses is in `docs/decisions/int8.md`.
#[test]
fn int8_stays_near_f32() {
    let (config, weights, pixels, condition) = problem(52, 28, 6);
    let batch = Batch { pixels: &pixels, condition: &condition, samples: 2, width: 52, height: 28 };
    let [expected, output] = [Precision::F32, Precision::Int8].map(|precision| {
        let kernel = Kernel::with_precision(config.clone(), precision);
        let (mut packing, mut tape) = (Packing::default(), Tape::default());
        let packed = packing.pack(&kernel, &weights, Passes::Forward);
        kernel.forward(packed, &batch, &mut tape);
        tape.output().to_vec()
    });
    let error = relative_error(&output, &expected);
    assert!(error < 0.03, "{error}");
}

/// The forward pass without a tape: near the one with a tape, and the same to the bit for any number of threads.
#[test]
fn a_frame_does_not_depend_on_the_number_of_threads() {
    for (precision, most) in [(Precision::F32, 2e-6), (Precision::Bf16, 0.01), (Precision::Int8, 0.01)] {
        let (config, weights, pixels, condition) = problem(52, 28, 6);
        let kernel = Kernel::with_precision(config.clone(), precision);
        let frame = Batch {
            pixels: &pixels[..pixels.len() / 2],
            condition: &condition[..Condition::FEATURES],
            samples: 1,
            width: 52,
            height: 28,
        };
        let (mut packing, mut tape) = (Packing::default(), Tape::default());
        let packed = packing.pack(&kernel, &weights, Passes::Forward);
        kernel.forward(packed, &frame, &mut tape);
        let alone = {
            let mut tape = FrameTape::default();
            kernel.frame(packed, &frame, &mut tape, &Crew::new(1));
            tape.output().to_vec()
        };
        let error = relative_error(&alone, tape.output());
        assert!(error < most, "{precision:?}: {error}");
        for threads in [2, 3, 5] {
            let (crew, mut tape) = (Crew::new(threads), FrameTape::default());
            // Twice: the second frame must not see what the first left in the buffers.
            for _ in 0..2 {
                kernel.frame(packed, &frame, &mut tape, &crew);
            }
            assert!(tape.output() == alone, "{precision:?}, {threads} threads: other bits");
        }
    }
}
