//! Probes a world that is not of this house: the picture of the start, slid sideways as the player turns.
//!
//! `cargo run --release -p holdfast-model --example probe_your_world -- out/my-world`

use holdfast_model::probe::{self, Options, OwnWorld, Scale, suite};
use holdfast_sim::{Action, Camera, Depth, Frame, Observation, Pose, Start, World, WorldError};
use std::sync::atomic::AtomicBool;

const CAMERA: Camera = Camera { width: 128, height: 72, fov_y_deg: Camera::FOV_Y_DEG };

#[derive(Default)]
struct SlidingPicture {
    start: Frame,
    pose: Pose,
    tick: u64,
}

impl SlidingPicture {
    fn observe(&self) -> Observation {
        let mut frame = Frame::new(CAMERA.width, CAMERA.height);
        let slide_px = (self.pose.yaw_deg.to_radians().tan() * CAMERA.focal_px()) as i64;
        for (at, pixel) in frame.rgb.chunks_exact_mut(3).enumerate() {
            let x = ((at % CAMERA.width) as i64 + slide_px).clamp(0, CAMERA.width as i64 - 1) as usize;
            pixel.copy_from_slice(&self.start.pixel(x, at / CAMERA.width));
        }
        let depth = Depth::new(CAMERA.width, CAMERA.height);
        Observation { tick: self.tick, frame, depth, pose: self.pose, stages_ms: Vec::new() }
    }
}

impl World for SlidingPicture {
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
        let Start::Image(frame, _) = start else { return Err(WorldError::NoImageStart("only a picture")) };
        *self = SlidingPicture { start: frame.clone(), ..SlidingPicture::default() };
        Ok(self.observe())
    }

    fn step(&mut self, action: &Action) -> Result<Observation, WorldError> {
        (self.pose, self.tick) = (self.pose.turned(action.camera), self.tick + 1);
        Ok(self.observe())
    }
}

fn main() -> Result<(), probe::ProbeError> {
    let out = std::env::args().nth(1).unwrap_or_else(|| "out/my-world".into());
    let make: probe::MakeWorld = Box::new(|| Box::new(SlidingPicture::default()));
    let subject = OwnWorld { name: "sliding picture".into(), camera: CAMERA, make };
    let probes = suite::named(Scale::Quick, &["turn_away", "paired_history", "fork"])?;
    let options = Options { resume: true, ..Options::new(2_000_000..2_000_006, out) };
    let report = probe::run(&subject, &probes, &options, &AtomicBool::new(false), &|event| eprintln!("{event:?}"))?;
    println!("{}", serde_json::to_string_pretty(&report).expect("plain fields always serialise"));
    Ok(())
}
