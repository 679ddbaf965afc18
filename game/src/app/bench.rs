//! What is asked of a window that measures itself, and what it answers.

use crossbeam_channel::Sender;

/// How long to measure, and who wants to know.
#[derive(Debug, Clone)]
pub struct WindowBench {
    pub seconds: f64,
    /// Takes one run, or what kept the world from running.
    pub done: Sender<Result<WindowRun, String>>,
}

/// One measured run of the window.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct WindowRun {
    pub seconds: f64,
    /// The device that dreams.
    pub device: String,
    /// The device that draws.
    pub renderer: String,
    pub window_px: [u32; 2],
    pub ticks: u64,
    pub missed_ticks: u64,
    /// Frames that the window was too slow to take.
    pub dropped_frames: u64,
    /// Times a second that the window was drawn while the mouse moved.
    pub redraws_per_s: f64,
    /// Milliseconds of each step of the dream.
    pub step_ms: Vec<f64>,
    /// From a key going down or up until the frame that answers it was handed to the screen.
    pub key_to_pixel_ms: Vec<f64>,
    /// From the mouse's motion until the last frame, turned by it, was.
    pub mouse_to_pixel_ms: Vec<f64>,
}
