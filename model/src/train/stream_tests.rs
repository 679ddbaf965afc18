//! Tests of the training data.

use super::*;

/// Room for one sample of 32x24 pixels.
struct Room {
    pixels: Vec<f32>,
    condition: Vec<f32>,
    rgb: Vec<f32>,
    depth: Vec<f32>,
    eventful: Vec<bool>,
    matters: Vec<Matter>,
}

const PIXELS: usize = 32 * 24;

impl Room {
    fn new() -> Room {
        Room {
            pixels: vec![0.0; PIXELS * input::CHANNELS],
            condition: vec![0.0; Condition::FEATURES],
            rgb: vec![0.0; PIXELS * 3],
            depth: vec![0.0; PIXELS],
            eventful: vec![false; PIXELS],
            matters: vec![Matter::Rest; PIXELS],
        }
    }

    fn take(&mut self, episode: &mut Episode, config: &TrainConfig) {
        let mut slot = SampleSlot {
            pixels: &mut self.pixels,
            condition: &mut self.condition,
            rgb: &mut self.rgb,
            depth: &mut self.depth,
            eventful: &mut self.eventful,
            matters: &mut self.matters,
        };
        episode.sample(config, &Lore::default(), &mut slot);
    }
}

#[test]
fn episodes_use_training_seeds_only_and_repeat() {
    // No samples without the state: it is looked into below.
    let config = TrainConfig { perceive_share: 0.0, hidden_state_share: 0.0, ..TrainConfig::default() };
    let camera = Camera::new(32, 24);
    for draw in 0..12 {
        let episode = Episode::new(&config, camera, draw, 0.0);
        assert!(seeds::TRAINING.contains(&episode.world.seed()));
    }
    let sample = |own_share: f32| {
        let mut episode = Episode::new(&config, camera, 3, own_share);
        let mut room = Room::new();
        for _ in 0..5 {
            room.take(&mut episode, &config);
            let raw = vec![0.0; PIXELS * crate::layout::output::CHANNELS];
            episode.answer(&config, &Lore::default(), &room.pixels, &raw);
        }
        (room.pixels, room.rgb)
    };
    assert_eq!(sample(0.0), sample(0.0));
    let known = sample(0.0).0.chunks_exact(input::CHANNELS).filter(|pixel| pixel[input::KNOWN] > 0.0).count();
    assert!(known > 50, "after a few ticks the canvas knows part of the view: {known}");
}

#[test]
fn drafts_are_made_from_the_truth_under_much_noise() {
    let config = TrainConfig { draft_share: 1.0, ..TrainConfig::default() };
    let camera = Camera::new(32, 24);
    let mut room = Room::new();
    let (mut drafts, mut doubted) = (0, 0);
    for draw in 0..8 {
        let mut episode = Episode::new(&config, camera, draw, 1.0);
        while !episode.is_over() && episode.tick < 20 {
            room.take(&mut episode, &config);
            if episode.pending_draft {
                drafts += 1;
                assert!(!episode.is_blind(), "the truth shows through");
            }
            // It says that it knows nothing of depths.
            let mut raw = vec![0.0; PIXELS * crate::layout::output::CHANNELS];
            let scales = raw.iter_mut().skip(crate::layout::output::DEPTH_LOG_SCALE);
            scales.step_by(crate::layout::output::CHANNELS).for_each(|scale| *scale = 2.0);
            episode.answer(&config, &Lore::default(), &room.pixels, &raw);
        }
        doubted += episode.state.cells() - episode.state.firm().cells();
    }
    assert!(drafts > 50 && doubted > 500, "{drafts} drafts left {doubted} doubted cells");
}

#[test]
fn what_the_hand_changes_is_eventful_and_most_else_is_not() {
    let config = TrainConfig { handiwork_share: 1.0, ..TrainConfig::default() };
    let mut room = Room::new();
    let (mut deeds, mut quiet) = (0, 0);
    for draw in 0..8 {
        let mut episode = Episode::new(&config, Camera::new(32, 24), draw, 0.0);
        while !episode.is_over() && episode.tick < 40 {
            room.take(&mut episode, &config);
            let eventful = room.eventful.iter().filter(|eventful| **eventful).count();
            deeds += usize::from(!episode.world.edits().is_empty() && eventful > 0);
            quiet += usize::from(eventful * 4 < PIXELS);
            episode.answer(&config, &Lore::default(), &room.pixels, &[0.0; PIXELS * crate::layout::output::CHANNELS]);
        }
    }
    assert!(deeds > 10 && quiet > 40, "{deeds} {quiet}");
}
