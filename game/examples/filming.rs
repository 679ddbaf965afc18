//! What recording costs: the same game with F2 on and off in turns, its step times and what was late or dropped; then
//! what the watermark costs a frame.
//!
//! ```text
//! cargo run --release --example filming -- assets/models/pebble [turns] [seconds a turn]
//! ```

use anyhow::Context;
use bevy::{
    app::{App, ScheduleRunnerPlugin},
    input::{
        ButtonState, InputPlugin,
        keyboard::{Key, KeyCode, KeyboardInput, NativeKey},
    },
    prelude::{Entity, MinimalPlugins, PluginGroup},
    state::app::StatesPlugin,
};
use holdfast_game::{
    app::{
        WorldFactory, Worlds,
        core::CorePlugin,
        session::{Notice, Pictures},
        stats::Stats,
    },
    export::Seal,
};
use holdfast_model::{
    Dream, DreamOptions, device::threads_of_a_dream, folder::ModelFolder, keep::About, train::first_frame,
};
use std::{
    path::PathBuf,
    thread,
    time::{Duration, Instant},
};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let folder = PathBuf::from(args.next().context("name the model's folder")?);
    let turns: usize = args.next().map_or(Ok(6), |text| text.parse()).context("turns are a number")?;
    let seconds: u64 = args.next().map_or(Ok(20), |text| text.parse()).context("seconds are a number")?;
    let clips = tempfile::tempdir()?;
    let mut app = game(folder, clips.path().to_path_buf());
    tap(&mut app, KeyCode::Enter);
    while tick(&app) < 20 {
        update(&mut app);
    }
    key(&mut app, KeyCode::KeyW, ButtonState::Pressed);
    let mut times = [Vec::new(), Vec::new()];
    let mut missed = [0, 0];
    // Off and on by turns, each first as often as the other: the map grows, and what grows must not look like a cost.
    for turn in 0..turns * 2 {
        let on = (turn + turn / 2) % 2;
        if on == 1 {
            tap(&mut app, KeyCode::F2);
        }
        play(&mut app, Duration::from_secs(1), &mut Vec::new());
        let before = stats(&app).missed_ticks;
        play(&mut app, Duration::from_secs(seconds), &mut times[on]);
        missed[on] += stats(&app).missed_ticks - before;
        if on == 1 {
            println!("{}", app.world().resource::<Stats>().text("recording"));
            tap(&mut app, KeyCode::F2);
        }
        play(&mut app, Duration::from_secs(1), &mut Vec::new());
        println!("{}", app.world().resource::<Notice>().text());
    }
    println!("| recording | ticks | step p50 (ms) | p95 (ms) | ticks that were late |");
    println!("| --- | --- | --- | --- | --- |");
    for (name, (times, missed)) in ["off", "on"].into_iter().zip(times.iter_mut().zip(missed)) {
        times.sort_by(f32::total_cmp);
        let at = |share: f32| times[((times.len() - 1) as f32 * share) as usize];
        println!("| {name} | {} | {:.2} | {:.2} | {missed} |", times.len(), at(0.5), at(0.95));
    }
    let pictures = app.world().resource::<Pictures>();
    let exporter = pictures.exporter.as_ref().context("a world with a model")?;
    let start = Instant::now();
    for _ in 0..1000 {
        std::hint::black_box(exporter.marked(&pictures.dream));
    }
    println!("the watermark: {:.3} ms a frame", start.elapsed().as_secs_f64());
    Ok(())
}

fn game(folder: PathBuf, clips: PathBuf) -> App {
    let factory: WorldFactory = Box::new(move || {
        let model = ModelFolder::load(&folder)?;
        let options = DreamOptions { threads: threads_of_a_dream(), ..DreamOptions::default() };
        let dream = Dream::new(model, options, Box::new(first_frame))?;
        let (device, about) = (dream.status().device, Some(About::of(&dream, "measured")));
        Ok(Worlds { dream: Box::new(dream), truth: None, device, about })
    });
    let mut app = App::new();
    let plugins = MinimalPlugins.set(ScheduleRunnerPlugin::run_once());
    let core = CorePlugin::new(7, factory).with_recordings(Some(clips)).with_seal(Seal::default());
    app.add_plugins((plugins, StatesPlugin, InputPlugin, core));
    app
}

/// Plays on, and adds the time of each step.
fn play(app: &mut App, duration: Duration, times: &mut Vec<f32>) {
    let start = Instant::now();
    let mut last = tick(app);
    while start.elapsed() < duration {
        update(app);
        if tick(app) != last {
            last = tick(app);
            times.push(stats(app).step_ms);
        }
    }
}

fn update(app: &mut App) {
    app.update();
    thread::sleep(Duration::from_millis(2));
}

fn stats(app: &App) -> &Stats {
    app.world().resource()
}

fn tick(app: &App) -> u64 {
    stats(app).tick
}

fn tap(app: &mut App, key_code: KeyCode) {
    key(app, key_code, ButtonState::Pressed);
    key(app, key_code, ButtonState::Released);
}

fn key(app: &mut App, key_code: KeyCode, state: ButtonState) {
    let logical_key = Key::Unidentified(NativeKey::Unidentified);
    let event = KeyboardInput { key_code, logical_key, state, text: None, repeat: false, window: Entity::PLACEHOLDER };
    app.world_mut().write_message(event);
    app.update();
}
