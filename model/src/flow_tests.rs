//! Tests of water that runs.

use super::*;
use crate::state::Shown;

/// A memory of level ground, 17 blocks square, whose top is at height 0.
fn ground() -> (Memory, Alignment) {
    let (mut memory, at) = (Memory::new(), Pose::default());
    let alignment = Alignment::new(&at, &at);
    for cell in cells(IVec3::new(-8, -1, -8), IVec3::new(8, -1, 8)) {
        memory.fill(cell, &alignment, |_| [90, 60, 30], 1);
    }
    (memory, alignment)
}

/// The levels in a row of cells, after water has run for so many ticks.
fn run(flows: &mut Flows, made: &Made, memory: &mut Memory, alignment: &Alignment, ticks: u32) -> Vec<u8> {
    let (camera, frame, depth) = (Camera::new(8, 8), Frame::new(8, 8), Depth::new(8, 8));
    let last = Last { pose: Pose::default(), camera: &camera, frame: &frame, depth: &depth };
    for tick in 0..ticks {
        flows.step(made, memory, alignment, &last, tick);
    }
    (-2..=8).map(|x| flows.level(IVec3::new(x, 0, 0))).collect()
}

#[test]
fn it_spreads_on_level_ground_a_level_lower_each_block_and_runs_dry_without_its_source() {
    let ((mut memory, alignment), made) = (ground(), Made::new());
    let mut flows = Flows::default();
    flows.spring(IVec3::ZERO);
    assert_eq!(run(&mut flows, &made, &mut memory, &alignment, 5), [0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0]);
    assert_eq!(run(&mut flows, &made, &mut memory, &alignment, 7), [6, 7, 8, 7, 6, 0, 0, 0, 0, 0, 0]);
    assert_eq!(run(&mut flows, &made, &mut memory, &alignment, 60), [6, 7, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    assert!(flows.is_still() && flows.is_sound());
    assert!(!memory.has_top(IVec3::new(3, 0, 0), &alignment), "it is no block");
    // A stone in its place.
    flows.changed(IVec3::ZERO);
    let stone = Made::from([([0; 3], Matter::Stone)]);
    assert_eq!(run(&mut flows, &stone, &mut memory, &alignment, 200), [0; 11]);
}

#[test]
fn walls_and_panes_stop_it_and_it_falls_where_it_can() {
    let ((mut memory, alignment), mut made) = (ground(), Made::new());
    for cell in cells(IVec3::new(2, 0, -8), IVec3::new(2, 0, 8)) {
        made.insert(cell.to_array(), Matter::Glass);
    }
    let mut flows = Flows::default();
    flows.spring(IVec3::ZERO);
    assert_eq!(run(&mut flows, &made, &mut memory, &alignment, 100), [6, 7, 8, 7, 0, 0, 0, 0, 0, 0, 0]);
    // A pillar three blocks high, on which it begins.
    let (mut memory, alignment) = ground();
    let pillar: Made = (0..3).map(|y| ([0, y, 0], Matter::Stone)).collect();
    let mut flows = Flows::default();
    flows.spring(IVec3::new(0, 3, 0));
    let levels = run(&mut flows, &pillar, &mut memory, &alignment, 200);
    assert_eq!(flows.level(IVec3::new(1, 3, 0)), 7);
    assert_eq!((flows.level(IVec3::new(2, 3, 0)), flows.level(IVec3::new(1, 1, 0))), (0, 7), "down, not sideways");
    assert_eq!(levels[3..6], [7, 6, 5]);
}

#[test]
fn water_that_stands_free_is_found_by_its_outline_and_panes_hold_it() {
    let camera = Camera::new(128, 72);
    let pose = Pose { position: [0.4, 1.62, 0.6], yaw_deg: 10.0, ..Pose::default() };
    let axes = pose.axes();
    let cell = IVec3::new(-1, 0, 4);
    let met = |pixel: usize| {
        let ray = camera.ray(&axes, pixel % 128, pixel / 128);
        meet(pose.eye(), ray, cell).map(|(enters, _)| enters * ray.length())
    };
    let truth: Vec<Option<f32>> = (0..128 * 72).map(met).collect();
    let look = |panes: &[Pane], is_named: &dyn Fn(usize) -> bool| {
        let mut frame = Frame::new(128, 72);
        frame.rgb.fill(70);
        let blocks = truth.iter().map(|met| if met.is_some() { 20.0 } else { 9.0 }).collect();
        let mut depth = Depth { width: 128, height: 72, blocks };
        let named = |pixel: usize| if is_named(pixel) { Matter::Water } else { Matter::Grass };
        let mut matters: Vec<Matter> = (0..128 * 72).map(named).collect();
        let flows = find(&frame, &pose, &camera, panes, &mut depth, &mut matters);
        let off = truth.iter().zip(&depth.blocks).filter_map(|(truth, blocks)| Some((truth.as_ref()? - blocks).abs()));
        (flows, off.fold(0.0, f32::max))
    };
    // A tenth of it is named something else.
    let most = |pixel: usize| truth[pixel].is_some() && !pixel.is_multiple_of(10);
    let (flows, off) = look(&[], &most);
    assert!(flows.level(cell) == SOURCE && flows.pools.len() == 1 && off < 1e-3, "{flows:?}, {off}");
    assert_eq!((flows.colours, flows.floor_y), (Some([[70; 3]; 2]), 0));
    let pane = Pane { cell: cell - IVec3::Z, face: Vec3::NEG_Z, light: 1.0 };
    let (flows, off) = look(&[pane], &most);
    assert!(flows == Flows { floor_y: 0, ..Flows::default() } && off < 1e-3, "it stands where it is, and stays");
    let (flows, off) = look(&[], &|pixel| pixel / 128 > 40);
    assert!(flows.pools.is_empty() && off > 1.0, "a lake");
}

#[test]
fn what_has_run_is_seen_where_it_is() {
    let ((mut memory, alignment), made) = (ground(), Made::new());
    let mut flows = Flows::default();
    flows.spring(IVec3::ZERO);
    flows.colours = Some([[10, 20, 200]; 2]);
    run(&mut flows, &made, &mut memory, &alignment, 100);
    let (camera, mut sight) = (Camera::new(64, 48), crate::state::Sight::default());
    let down = Pose { position: [3.5, 4.0, 0.5], pitch_deg: 90.0, ..Pose::default() };
    memory.read(&down, &camera, &mut sight);
    let middle = 24 * 64 + 32;
    let (blue, blocks) = (sight.canvas.rgb[middle][2], sight.canvas.depth_blocks[middle]);
    assert!(blue > 190.0 && (blocks - 4.0 + 5.0 * LEVEL_BLOCKS).abs() < 0.1, "{blue}, {blocks}");
    // A frame that shows nothing of it does not take it away.
    let (frame, depth) = (Frame::new(64, 48), Depth { width: 64, height: 48, blocks: vec![4.0; 64 * 48] });
    memory.write(&down, &camera, &mut sight, &Shown::given(&frame, &depth, 101));
    memory.read(&down, &camera, &mut sight);
    assert!(sight.canvas.depth_blocks[middle] < 3.7);
}
