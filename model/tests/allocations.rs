//! How often a dream's step asks the system for memory: only for what it hands over, and for what the map grows by.
#![allow(unsafe_code)] // an allocator that counts is an allocator, and that trait is unsafe

use holdfast_model::{Dream, DreamOptions, ModelConfig, device::instructions, folder::ModelFolder, layout::output};
use holdfast_sim::{Action, Frame, Start, World};
use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicUsize, Ordering},
};

/// The system's allocator, counting what is asked of it on all threads.
struct Counting;

static ASKED: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call is passed on unchanged to the system's allocator, which keeps the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller vouches.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: as the caller vouches.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ASKED.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as the caller vouches.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

/// What a step hands over: the frame, its depth, the list of stages; and of each pixel, how far it was copied from the map,
/// how far its depth is doubted, and what is seen.
const HANDED_OVER: usize = 6;

/// Allocations of each of the last steps of a dream that looks around in a place that it knows, and in which nothing lives:
/// each body in view asks for room for its pixels.
fn asked_by_step(threads: usize) -> Vec<usize> {
    let config = ModelConfig { d_model: 64, heads: 2, layers: 2, ..ModelConfig::default() };
    let mut model = ModelFolder::untrained(config, 5);
    let bias = model.weights.tensors.iter_mut().find(|tensor| tensor.name == "head_out.bias").expect("a head");
    bias.values[output::MATTER..].fill(-9.0);
    let ground = |_, camera: holdfast_sim::Camera| {
        let mut frame = Frame::new(camera.width, camera.height);
        frame.rgb.iter_mut().enumerate().for_each(|(at, value)| *value = (at * 7 % 200) as u8);
        (frame, holdfast_sim::Pose::default())
    };
    let options = DreamOptions { threads, ..DreamOptions::default() };
    let mut dream = Dream::new(model, options, Box::new(ground)).expect("a valid model");
    dream.reset(&Start::Seed(1)).expect("starts");
    let look = Action { camera: [0.0, 6.0], ..Action::default() };
    let mut step = || {
        let before = ASKED.load(Ordering::Relaxed);
        let observation = dream.step(&look).expect("goes on");
        let asked = ASKED.load(Ordering::Relaxed) - before;
        drop(observation);
        asked
    };
    // Until the map hardly grows.
    for _ in 0..1440 {
        step();
    }
    (0..60).map(|_| step()).collect()
}

/// One test, since the count is of the whole process.
#[test]
fn a_step_asks_for_what_it_hands_over() {
    for threads in [1, 2] {
        let mut asked = asked_by_step(threads);
        let mean = asked.iter().sum::<usize>() as f64 / asked.len() as f64;
        asked.sort_unstable();
        let median = asked[asked.len() / 2];
        println!("{threads} threads: median {median}, mean {mean:.2}, most {}", asked[asked.len() - 1]);
        // Elsewhere attention's products go to the `gemm` crate, which asks for buffers of its own, as many in each step.
        let expected = if instructions() == "avx512bf16" { HANDED_OVER } else { asked[0] };
        assert_eq!(median, expected, "{threads} threads: {asked:?}");
        // The map's lists and tables double now and then while it grows.
        assert!(mean < expected as f64 + 4.0, "{threads} threads: {asked:?}");
    }
}
