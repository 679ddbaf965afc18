//! Key-to-pixel time: from the moment the app sees an input event until the frame that answers it has been handed
//! to the screen. What the screen itself adds cannot be seen from here.

use crate::app::{core::AppSet, session::Pictures, stats::Stats};
use bevy::{
    prelude::*,
    render::{Extract, ExtractSchedule, Render, RenderApp, RenderSystems},
};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::time::{Duration, Instant};

pub struct PresentPlugin;

/// Times not yet read; more than a few can never wait.
const WAITING_TIMES: usize = 8;

#[derive(Resource)]
struct Measured(Receiver<Duration>);

/// In the main world: the input event answered by the frame of this update.
#[derive(Resource, Default)]
struct Answering(Option<Instant>);

/// In the render world: the input event answered by the frame being drawn.
#[derive(Resource)]
struct Drawing {
    input_at: Option<Instant>,
    measured: Sender<Duration>,
}

impl Plugin for PresentPlugin {
    fn build(&self, app: &mut App) {
        let (measured, receiver) = bounded(WAITING_TIMES);
        app.insert_resource(Measured(receiver))
            .init_resource::<Answering>()
            .add_systems(Update, (hand_over, note).in_set(AppSet::Show));
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render_app
            .insert_resource(Drawing { input_at: None, measured })
            .add_systems(ExtractSchedule, extract)
            // After the frame has been presented.
            .add_systems(Render, presented.in_set(RenderSystems::Cleanup));
    }
}

fn hand_over(mut pictures: ResMut<Pictures>, mut answering: ResMut<Answering>) {
    answering.0 = pictures.bypass_change_detection().input_at.take();
}

fn extract(answering: Extract<Res<Answering>>, mut drawing: ResMut<Drawing>) {
    drawing.input_at = answering.0;
}

fn presented(mut drawing: ResMut<Drawing>) {
    if let Some(input_at) = drawing.input_at.take() {
        // A full channel only loses a sample.
        let _ = drawing.measured.try_send(input_at.elapsed());
    }
}

fn note(measured: Res<Measured>, mut stats: ResMut<Stats>) {
    for elapsed in measured.0.try_iter() {
        stats.note_key_to_pixel(elapsed);
    }
}
