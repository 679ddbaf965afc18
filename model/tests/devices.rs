//! Where a dream computes: devices agree with the processor within what is said here, and one that fails takes nothing along.

#[path = "../../tests/faulty/mod.rs"]
mod faulty;

use faulty::Faulty;
use holdfast_model::{
    DeviceChoice, Dream, DreamOptions, ModelConfig, ModelError,
    device::Found,
    engine::{self, BurnEngine, Engine},
    folder::ModelFolder,
    train::{self, Event, RunOptions, Stage, TrainConfig, first_frame},
};
use holdfast_sim::{Frame, Start, World, script::Policy};
use std::sync::atomic::AtomicBool;

fn small() -> ModelFolder {
    ModelFolder::untrained(ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() }, 1)
}

fn shipped() -> ModelFolder {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/pebble");
    ModelFolder::load(&folder).expect("the shipped model")
}

fn options(device: DeviceChoice) -> DreamOptions {
    DreamOptions { device, ..DreamOptions::default() }
}

/// A dream whose device fails after so many evaluations.
fn failing(after: usize, device: DeviceChoice) -> Dream {
    let model = small();
    let engine = Faulty::after(after, &model.config, &model.weights);
    Dream::with_engine(model, options(device), Box::new(first_frame), engine).expect("a valid model")
}

/// The frames of so many ticks from a seed, the start's first.
fn frames(dream: &mut Dream, ticks: usize) -> Vec<Frame> {
    let first = dream.reset(&Start::Seed(3)).expect("a seed").frame;
    let rest = Policy::Wander.open_loop(3).take(ticks);
    std::iter::once(first).chain(rest.map(|action| dream.step(&action).expect("goes on").frame)).collect()
}

#[test]
fn a_device_that_fails_in_mid_play_costs_no_frame() {
    let expected = frames(&mut failing(usize::MAX, DeviceChoice::Auto), 12);
    // At the start's own evaluation, at a frame's first, and between the evaluations of one frame.
    for after in [0, 1, 8, 9] {
        let mut dream = failing(after, DeviceChoice::Auto);
        assert_eq!(dream.status().device, Faulty::NAME);
        assert!(frames(&mut dream, 12) == expected, "after {after} evaluations");
        assert_eq!(dream.status().device, "cpu", "after {after} evaluations");
        let fault = dream.device_fault().expect("it failed").to_string();
        assert_eq!(fault, format!("the device {} failed: device lost", Faulty::NAME));
    }
}

#[test]
fn a_named_device_that_fails_stops_the_dream_after_a_whole_step() {
    let expected = frames(&mut failing(usize::MAX, DeviceChoice::Auto), 12);
    let mut dream = failing(9, DeviceChoice::Vulkan);
    dream.reset(&Start::Seed(3)).expect("a seed");
    let mut actions = Policy::Wander.open_loop(3).take(12);
    let mut tick = 0;
    let error = loop {
        match dream.step(&actions.next().expect("it fails before the end")) {
            Ok(observation) => tick = observation.tick as usize,
            Err(error) => break error.to_string(),
        }
    };
    assert!(error.contains("device lost") && (1..12).contains(&tick), "{error}, tick {tick}");
    assert!(dream.reset(&Start::Seed(4)).is_err(), "nor does it begin again");
    // What it dreamed goes on elsewhere as if nothing had happened.
    let snapshot = dream.snapshot().expect("a world");
    let mut other = Dream::new(small(), options(DeviceChoice::Cpu), Box::new(first_frame)).expect("a valid model");
    assert!(other.restore(&snapshot).expect("the same model").frame == expected[tick]);
    for (action, expected) in Policy::Wander.open_loop(3).take(12).skip(tick).zip(&expected[tick + 1..]) {
        assert!(other.step(&action).expect("goes on").frame == *expected);
    }
}

#[test]
fn a_device_that_is_not_there_is_refused_with_what_to_do() {
    for device in [DeviceChoice::Vulkan, DeviceChoice::Metal, DeviceChoice::Cuda] {
        match engine::check(device) {
            Ok(()) => println!("{device} is here"),
            Err(error @ (ModelError::NotBuilt { .. } | ModelError::NoDevice { .. })) => {
                let text = error.to_string();
                assert!(text.contains(&device.to_string()) && text.contains("--device cpu"), "{text}");
            }
            Err(other) => panic!("{other}"),
        }
    }
    assert!(engine::check(DeviceChoice::Auto).is_ok() && engine::check(DeviceChoice::Cpu).is_ok());
}

/// How far two frames lie apart on average, of 255.
fn apart(a: &Frame, b: &Frame) -> f64 {
    let sum: u64 = a.rgb.iter().zip(&b.rgb).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
    sum as f64 / a.rgb.len() as f64
}

/// Stated tolerances, in levels of 255 a frame on average. A dream reads what it drew, so on ground that both invent every
/// difference grows from tick to tick, two- to fourfold. A device computes in f32: beside the processor in f32, for so many
/// ticks of a walk; and beside the processor as it is played on, with factors rounded to bf16 or int8 (0.2 % and more in each
/// evaluation), where what is decided by a rule parts ways sooner.
const MOST_APART_IN_F32: [(usize, f64); 2] = [(5, 0.005), (10, 0.5)];
const MOST_APART: (usize, f64) = (7, 1.5);

/// Rolls the shipped model out on an engine and on the processor, and compares the frames.
#[track_caller]
fn check_that_it_dreams_the_same(model: ModelFolder, engine: Box<dyn Engine>) {
    let on = |engine: Box<dyn Engine>| {
        let options = options(DeviceChoice::Auto);
        Dream::with_engine(model.clone(), options, Box::new(first_frame), engine).expect("a valid model")
    };
    let mut dream = on(engine);
    let there = frames(&mut dream, 10);
    assert_eq!(dream.device_fault(), None);
    let in_f32 = frames(&mut on(Faulty::never_in_f32(&model.config, &model.weights)), 10);
    let mut played = Dream::new(model, options(DeviceChoice::Cpu), Box::new(first_frame)).expect("a valid model");
    let played = frames(&mut played, 10);
    let apart = |others: &[Frame]| others.iter().zip(&there).map(|(a, b)| apart(a, b)).collect::<Vec<f64>>();
    let (in_f32, played) = (apart(&in_f32), apart(&played));
    println!("beside f32 {in_f32:.4?}, beside what is played {played:.3?}");
    let within = |apart: &[f64], (ticks, most)| apart[..=ticks].iter().all(|apart| *apart < most);
    assert!(MOST_APART_IN_F32.into_iter().all(|most| within(&in_f32, most)), "beside f32: {in_f32:.4?}");
    assert!(within(&played, MOST_APART), "beside what is played: {played:.3?}");
}

#[test]
fn the_definition_of_the_network_dreams_what_the_processor_dreams() {
    let model = shipped();
    let device = burn::tensor::Device::flex();
    let engine = BurnEngine::new("flex", device, &model.config, &model.weights).expect("the processor is there");
    check_that_it_dreams_the_same(model, Box::new(engine));
}

/// Loss over the first steps of a small run, and its samples.
fn trained(devices: usize, threads: usize) -> (f64, u64) {
    let model = ModelConfig { d_model: 32, heads: 2, layers: 1, width: 32, height: 24, ..ModelConfig::default() };
    let stages = vec![Stage { width: 32, height: 24, until_step: 1000 }];
    let config = TrainConfig { model, stages, steps: 20, batch: 6, own_frames_share: 0.0, ..TrainConfig::default() };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let device = Found { name: "flex".into(), device: burn::tensor::Device::flex(), is_software: true };
    let options = RunOptions {
        resume: false,
        start_from: None,
        run_dir: folder.path().into(),
        max_minutes: None,
        threads: Some(threads),
        devices: vec![device; devices],
    };
    let mut loss = f64::NAN;
    let mut tell = |event: Event| {
        if let Event::Progress(progress) = event {
            loss = progress.loss;
        }
    };
    let outcome = train::run(&config, &options, &AtomicBool::new(false), &mut tell).expect("trains");
    assert!(outcome.finished);
    (loss, outcome.samples)
}

#[test]
fn devices_are_trained_on_as_our_own_kernel_is() {
    let (own, samples) = trained(0, 1);
    // One thread draws the same samples each time; two share out others among two devices.
    for (devices, threads, most) in [(1, 1, 2e-3), (2, 2, 0.3)] {
        let (loss, seen) = trained(devices, threads);
        println!("{devices} devices: {loss:.5}, our own kernel {own:.5}");
        assert!((loss / own - 1.0).abs() < most, "{devices} devices: {loss}, our own kernel {own}");
        assert_eq!(seen, samples);
    }
}

/// With `--features gpu`: software Vulkan, or whatever card there is.
#[cfg(feature = "gpu")]
fn card(model: &ModelFolder) -> Box<dyn Engine> {
    let kind = if cfg!(target_os = "macos") { DeviceChoice::Metal } else { DeviceChoice::Vulkan };
    let crew = holdfast_model::kernel::Crew::new(1);
    let engine =
        engine::open(kind, &model.config, &model.weights, &crew).expect("a device: mesa-vulkan-drivers has one");
    engine.expect("not the processor's own path")
}

#[cfg(feature = "gpu")]
#[test]
fn a_graphics_card_dreams_what_the_processor_dreams() {
    let model = shipped();
    let engine = card(&model);
    println!("{}", engine.name());
    check_that_it_dreams_the_same(model, engine);
}

/// The same evaluation on both, without the rounding to bf16: the largest difference over the largest value.
#[cfg(feature = "gpu")]
#[test]
fn a_graphics_card_evaluates_as_the_processor_does_in_f32() {
    use holdfast_model::{
        Condition,
        engine::Cpu,
        kernel::{Crew, Precision},
        layout::input,
        weights::normal,
    };
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    let model = shipped();
    let ModelFolder { config, weights, .. } = &model;
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    let mut noise = |count: usize| (0..count).map(|_| normal(&mut rng)).collect::<Vec<f32>>();
    let (pixels, condition) = (noise(config.width * config.height * input::CHANNELS), noise(Condition::FEATURES));
    let crew = Crew::new(2);
    let mut cpu = Cpu::with_precision(config, weights.clone(), Precision::F32);
    cpu.evaluate(&pixels, &condition, &crew);
    let mut device = card(&model);
    device.evaluate(&pixels, &condition).expect("evaluates");
    let once = device.output().to_vec();
    device.evaluate(&pixels, &condition).expect("evaluates");
    let largest = cpu.output().iter().fold(0.0f32, |most, value| most.max(value.abs()));
    let error = once.iter().zip(cpu.output()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max) / largest;
    println!("largest relative difference {error:.2e}; the same bits again: {}", once == device.output());
    assert!(error < 1e-4, "{error}");
}
