//! A dream that is kept and goes on is the dream that never stopped, bit for bit.

use holdfast_model::{Dream, DreamOptions, ModelConfig, folder::ModelFolder, keep::Snapshot};
use holdfast_sim::{Action, Frame, Start, World, script::Policy};

/// A small untrained model: what must be equal is equal for any weights.
fn dream(seed: u64) -> Dream {
    let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
    let model = ModelFolder::untrained(config, seed);
    let options = DreamOptions { noise_seed: 5, ..DreamOptions::default() };
    Dream::new(model, options, Box::new(holdfast_model::train::first_frame)).expect("a valid model")
}

fn frames(dream: &mut Dream, actions: impl Iterator<Item = Action>) -> Vec<Frame> {
    actions.map(|action| dream.step(&action).expect("a dream goes on").frame).collect()
}

#[test]
fn a_save_at_tick_500_goes_on_like_the_unbroken_run() {
    let actions: Vec<_> = Policy::Wander.open_loop(3).take(1000).collect();
    let mut unbroken = dream(1);
    unbroken.reset(&Start::Seed(3)).expect("a seed");
    frames(&mut unbroken, actions[..500].iter().copied());
    let live = unbroken.snapshot().expect("it has begun");
    let bytes = live.to_bytes();
    let expected = frames(&mut unbroken, actions[500..].iter().copied());

    // Another dream, which has been elsewhere before.
    let mut loaded = dream(1);
    loaded.reset(&Start::Seed(99)).expect("a seed");
    frames(&mut loaded, Policy::Wander.open_loop(99).take(20));
    let read = Snapshot::from_bytes(&bytes, live.model_hash.clone()).expect("just written");
    assert_eq!(loaded.restore(&read).expect("the same model").tick, 500);
    assert_eq!(loaded.snapshot().expect("restored").to_bytes(), bytes, "equal dreams have equal bytes");
    assert!(frames(&mut loaded, actions[500..].iter().copied()) == expected, "from bytes");

    // The snapshot itself is as it was, though the dream that it shares its map with has gone on.
    assert_eq!(live.to_bytes(), bytes);
    unbroken.restore(&live).expect("its own");
    assert!(frames(&mut unbroken, actions[500..].iter().copied()) == expected, "from the live snapshot");
    assert_eq!(
        unbroken.snapshot().expect("goes on").to_bytes(),
        loaded.snapshot().expect("goes on").to_bytes(),
        "whatever a frame does not show is equal too"
    );
}

#[test]
fn another_models_snapshot_says_so() {
    let mut one = dream(1);
    assert!(one.snapshot().is_none(), "nothing has begun");
    one.reset(&Start::Seed(3)).expect("a seed");
    let snapshot = one.snapshot().expect("it has begun");
    let message = dream(2).restore(&snapshot).expect_err("another model").to_string();
    assert!(message.contains("another model") && message.contains("--model"), "{message}");
}
