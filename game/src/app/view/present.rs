//! Key-to-pixel time: from the moment the app sees an input event until the frame that answers it has been handed
//! to the screen; and for the mouse, until the last frame turned by it has. What the screen itself adds cannot be seen from here.

use super::turning;
use crate::app::{
    core::AppSet,
    session::Pictures,
    stats::{Answer, Presented, Stats},
};
use bevy::{
    prelude::*,
    render::{Extract, ExtractSchedule, Render, RenderApp, RenderSystems},
};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::time::Instant;

pub struct PresentPlugin;

/// Times not yet read; more than a few can never wait.
const WAITING_TIMES: usize = 8;

#[derive(Resource)]
struct Measured(Receiver<Presented>);

/// In the main world: the input events answered by this update.
#[derive(Resource, Default)]
struct Answering(Vec<(Answer, Instant)>);

/// In the render world: the input events answered by what is being drawn.
#[derive(Resource)]
struct Drawing {
    answers: Vec<(Answer, Instant)>,
    measured: Sender<Presented>,
}

impl Plugin for PresentPlugin {
    fn build(&self, app: &mut App) {
        let (measured, receiver) = bounded(WAITING_TIMES);
        app.insert_resource(Measured(receiver))
            .add_message::<Presented>()
            .init_resource::<Answering>()
            .add_systems(Update, (hand_over.after(turning::update), note).in_set(AppSet::Show));
        let Some(render_app) = app.get_sub_app_mut(RenderApp) else {
            return;
        };
        render_app
            .insert_resource(Drawing { answers: Vec::new(), measured })
            .add_systems(ExtractSchedule, extract)
            // After the frame has been presented.
            .add_systems(Render, presented.in_set(RenderSystems::Cleanup));
    }
}

fn hand_over(mut pictures: ResMut<Pictures>, ahead: Res<turning::Ahead>, mut answering: ResMut<Answering>) {
    answering.0.clear();
    let frame = pictures.bypass_change_detection().input_at.take();
    answering.0.extend(frame.map(|at| (Answer::Frame, at)));
    answering.0.extend(ahead.moved_at.map(|at| (Answer::Turn, at)));
}

fn extract(answering: Extract<Res<Answering>>, mut drawing: ResMut<Drawing>) {
    drawing.answers.clone_from(&answering.0);
}

fn presented(mut drawing: ResMut<Drawing>) {
    let Drawing { answers, measured } = &mut *drawing;
    for (by, arrived_at) in answers.drain(..) {
        // A full channel only loses a sample.
        let _ = measured.try_send(Presented { by, arrived_at, elapsed: arrived_at.elapsed() });
    }
}

fn note(measured: Res<Measured>, mut stats: ResMut<Stats>, mut told: MessageWriter<Presented>) {
    for presented in measured.0.try_iter() {
        stats.note(&presented);
        told.write(presented);
    }
}
