//! The simulator beside a dream: the same seed and actions, as pictures, truth lines and captions.

use holdfast_sim::{
    Action, Camera, Frame, caption,
    voxel::{render::View, world::VoxelWorld},
};

/// The true world and how it looks now.
#[derive(Debug)]
pub struct Truth {
    world: VoxelWorld,
    camera: Camera,
    view: View,
}

impl Truth {
    pub fn new(seed: u64, width: usize, height: usize) -> Truth {
        let camera = Camera::new(width, height);
        let mut truth = Truth { world: VoxelWorld::new(camera), camera, view: View::new(width, height) };
        truth.world.reset_seed(seed);
        truth.draw();
        truth
    }

    pub fn step(&mut self, action: &Action) {
        self.world.tick(action);
        self.draw();
    }

    pub fn world(&self) -> &VoxelWorld {
        &self.world
    }

    pub fn frame(&self) -> &Frame {
        &self.view.frame
    }

    /// This tick's line of `truth.jsonl`, without the newline.
    pub fn line(&self) -> String {
        self.world.truth().to_json_line()
    }

    /// This tick's line of `captions.jsonl`: the scene in words.
    pub fn caption_line(&self) -> String {
        let caption = caption::describe(&self.world.truth(), &self.camera, &self.view);
        let tick = self.world.ticks();
        serde_json::json!({ "tick": tick, "short": caption.short, "detailed": caption.detailed }).to_string()
    }

    fn draw(&mut self) {
        self.world.view(&self.camera, &mut self.view);
    }
}
