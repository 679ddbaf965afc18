//! Waking the window from other threads: it sleeps until something happens.

use bevy::ecs::resource::Resource;
use std::{fmt, sync::Arc};

/// Wakes the app's event loop; without a window it does nothing, since a headless app runs by its own clock.
#[derive(Clone, Resource)]
pub struct Waker(Arc<dyn Fn() + Send + Sync>);

impl Waker {
    pub fn new(wake: impl Fn() + Send + Sync + 'static) -> Self {
        Waker(Arc::new(wake))
    }

    pub fn wake(&self) {
        (self.0)();
    }
}

impl Default for Waker {
    fn default() -> Self {
        Waker::new(|| ())
    }
}

impl fmt::Debug for Waker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Waker")
    }
}
