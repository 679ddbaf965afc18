//! The thread that draws the map of what is known. The generator hands a copy of the world over and goes on; while one
//! map is being drawn, it hands over no other.

use super::{
    generator::{Event, Outlet},
    worlds::DrawChart,
};
use crossbeam_channel::{Sender, bounded};
use holdfast_sim::Pose;
use std::{
    io,
    thread::{self, JoinHandle},
};

/// A map to be drawn, and the way so far.
type Job = (DrawChart, Vec<[f32; 2]>);

/// See the module.
#[derive(Debug)]
pub(super) struct Charter {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Charter {
    pub fn start(outlet: Outlet) -> io::Result<Charter> {
        // Nothing waits: a job is taken by an idle thread or not at all.
        let (sender, jobs) = bounded::<Job>(0);
        let run = move || {
            for (draw, trail) in jobs {
                outlet.say(Event::Chart(draw(&trail)));
            }
        };
        let thread = thread::Builder::new().name("map".into()).spawn(run)?;
        Ok(Charter { jobs: Some(sender), thread: Some(thread) })
    }

    /// Hands a map over, if the thread is idle.
    pub fn draw(&self, job: Job) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send(job).is_ok())
    }
}

impl Drop for Charter {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by the hook, and no map follows.
            let _ = thread.join();
        }
    }
}

/// Where the eye was: a point for each step of some length, and fewer of the older ones when there are too many.
#[derive(Debug, Clone, Default)]
pub(super) struct Trail {
    points: Vec<[f32; 2]>,
}

/// Nearer points say nothing new, blocks.
const STEP_BLOCKS: f32 = 0.4;
const MOST_POINTS: usize = 4096;

impl Trail {
    pub fn clear(&mut self) {
        self.points.clear();
    }

    pub fn note(&mut self, pose: &Pose) {
        let at = [pose.position[0], pose.position[2]];
        let far = |last: &[f32; 2]| (last[0] - at[0]).hypot(last[1] - at[1]) >= STEP_BLOCKS;
        if self.points.last().is_none_or(far) {
            if self.points.len() == MOST_POINTS {
                let mut index = 0;
                // Every second one of the older half; the first stays.
                self.points.retain(|_| {
                    index += 1;
                    index > MOST_POINTS / 2 || index % 2 == 1
                });
            }
            self.points.push(at);
        }
    }

    /// The points, and where the eye is now.
    pub fn up_to(&self, pose: &Pose) -> Vec<[f32; 2]> {
        self.points.iter().copied().chain([[pose.position[0], pose.position[2]]]).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_way_stays_short_and_keeps_both_ends() {
        let mut trail = Trail::default();
        let pose = |z: f32| Pose { position: [0.0, 0.0, z], ..Pose::default() };
        for step in 0..30_000 {
            trail.note(&pose(step as f32 * 0.5));
            trail.note(&pose(step as f32 * 0.5 + 0.1));
        }
        let points = trail.up_to(&pose(15_000.0));
        assert!(points.len() <= MOST_POINTS + 1 && points.len() > MOST_POINTS / 2, "{}", points.len());
        assert!(points.windows(2).all(|pair| pair[0][1] < pair[1][1]));
        assert!(points[0] == [0.0; 2] && points[points.len() - 1] == [0.0, 15_000.0], "{:?}", points[0]);
    }
}
