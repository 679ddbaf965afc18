//! Recordings: what is written reads back, what is cut is readable up to there, and what is no recording is refused.

use super::*;
use crate::keep::{about::tests::about, frame_hash};
use holdfast_sim::{Action, Frame};

/// A frame of the model's size that tells its tick.
fn frame(tick: u64) -> Frame {
    let mut frame = Frame::new(128, 72);
    frame.rgb[..8].copy_from_slice(&tick.to_le_bytes());
    frame
}

fn action(tick: u64) -> Action {
    Action { forward: tick.is_multiple_of(3), camera: [0.0, tick as f32 % 90.0], ..Action::default() }
}

fn play(recorder: &mut Recorder<Vec<u8>>, from: u64, to: u64) {
    (from + 1..=to).for_each(|tick| recorder.push(&action(tick), &frame(tick)).expect("memory"));
}

/// Two worlds, the first with two forks, the second of them from before the first.
fn file(with_frames: bool) -> Vec<u8> {
    let mut recorder = Recorder::begin(Vec::new(), &about(), with_frames).expect("memory");
    recorder.start(&Beginning::Origin(Origin::Seed(7)), 5, 0, &frame(0)).expect("memory");
    play(&mut recorder, 0, 50);
    recorder.fork(30, 5, &frame(30)).expect("memory");
    play(&mut recorder, 30, 45);
    recorder.fork(10, 5, &frame(10)).expect("memory");
    play(&mut recorder, 10, 33);
    recorder.start(&Beginning::Origin(Origin::Image(frame(9), None)), 6, 0, &frame(9)).expect("memory");
    play(&mut recorder, 0, 25);
    recorder.end().expect("memory")
}

#[test]
fn a_tree_of_lines_reads_back() {
    for with_frames in [false, true] {
        let recording = Recording::read(file(with_frames).as_slice()).expect("whole");
        assert_eq!((recording.missing.as_deref(), recording.about.clone()), (None, about()));
        let shape: Vec<_> = recording.lines.iter().map(|line| (line.first_tick, line.last_tick())).collect();
        assert_eq!(shape, [(0, 50), (30, 45), (10, 33), (0, 25)]);
        let forks = [&recording.lines[1].beginning, &recording.lines[2].beginning];
        assert_eq!(forks, [&Beginning::Fork { line: 0 }, &Beginning::Fork { line: 0 }], "tick 10 is older than line 1");
        for (at, line) in recording.lines.iter().enumerate() {
            for (index, (read, hash)) in line.actions.iter().zip(&line.hashes).enumerate() {
                let tick = line.first_tick + index as u64 + 1;
                assert_eq!((*read, *hash), (action(tick), frame_hash(&frame(tick))));
                let kept = recording.frame(at, index).map(|frame| frame.expect("whole"));
                assert_eq!(kept, with_frames.then(|| frame(tick)));
            }
        }
    }
}

#[test]
fn a_cut_recording_is_readable_up_to_its_last_second() {
    let file = file(false);
    let whole = Recording::read(file.as_slice()).expect("whole").ticks();
    let mut before = 0;
    for length in (0..file.len()).step_by(7) {
        let Ok(recording) = Recording::read(&file[..length]) else {
            assert!(before == 0, "readable before, and not with more: {length}");
            continue;
        };
        let missing = recording.missing.as_ref().expect("the end is missing");
        assert!(missing.contains("is lost"), "{missing}");
        assert!((before..=before + 20).contains(&recording.ticks()), "{length}: {} after {before}", recording.ticks());
        before = recording.ticks();
    }
    assert_eq!(before, whole, "the end mark alone is cut last");
}

#[test]
fn claims_that_cannot_be_are_refused() {
    // Each with the right checksums: only what is said is wrong.
    let forged = |kind: u8, payload: &[u8]| {
        let mut blocks = crate::keep::container::BlockWriter::begin(Vec::new(), &KIND).expect("memory");
        blocks.push(block::HEADER, &about().to_json()).expect("memory");
        let mut line = [0u8; 48].to_vec();
        line.extend([0; 9]);
        blocks.push(block::LINE, &line).expect("memory");
        blocks.push(kind, payload).expect("memory");
        let recording = Recording::read(blocks.into_inner().as_slice()).expect("its header is good");
        (recording.lines.len(), recording.ticks(), recording.missing.expect("refused"))
    };
    let ticks = |first: u64, count: u16| [&first.to_le_bytes()[..], &count.to_le_bytes(), &[0; 43]].concat();
    assert!(forged(block::TICKS, &ticks(1, 1)).2.contains("no end mark"));
    for (first, count) in [(1, 0), (1, 2), (2, 1), (u64::MAX, 1), (1 << 60, 1), (1, u16::MAX)] {
        let (lines, ticks, missing) = forged(block::TICKS, &ticks(first, count));
        assert_eq!((lines, ticks), (1, 0), "{missing}");
    }
    let line = |tick: u64, rest: &[u8]| [&[0; 32][..], &tick.to_le_bytes(), &[0; 8], rest].concat();
    assert!(forged(block::LINE, &line(1 << 60, &[0; 9])).2.contains("begins at tick"));
    assert!(forged(block::LINE, &line(0, &[3, 9, 0, 0, 0])).2.contains("not there"));
    assert!(forged(block::LINE, &line(4, &[3, 0, 0, 0, 0])).2.contains("no such tick"));
    assert!(forged(block::LINE, &line(0, &[1, 0xff, 0xff, 0xff, 0xff])).2.contains("65535x65535"));
    assert!(forged(block::FRAMES, &u32::MAX.to_le_bytes()).2.contains("less than it must"));
    assert!(forged(block::HEADER, &about().to_json()).2.contains("second header"));
}
