//! The game measures itself: a made-up player moves the mouse and presses keys at known moments, and what the window makes
//! of them is counted.

use super::turning;
use crate::{
    app::{
        bench::{WindowBench, WindowRun},
        core::AppSet,
        menu::Screen,
        session::{Phase, Session},
        stats::{Answer, Presented, Stats},
        waker::Waker,
    },
    input::{Config, Devices, Input, devices},
};
use bevy::{
    input::keyboard::KeyboardFocusLost, prelude::*, render::renderer::RenderAdapterInfo, window::PrimaryWindow,
    winit::WinitSettings,
};
use crossbeam_channel::{Receiver, Sender, bounded};
use std::{
    thread,
    time::{Duration, Instant},
};

/// Between two events of the mouse: plain ones report 125 times a second.
const MOUSE_EVERY: Duration = Duration::from_millis(8);
/// Counts of a mouse in one event: with the usual sensitivity 56 degrees a second.
const COUNTS: f32 = 3.0;
/// Between two events of a key: no part of a tick, so that they fall anywhere in one.
const KEY_EVERY: Duration = Duration::from_millis(137);
/// The mouse alone, then keys alone, so that it is plain what a frame answers.
const TURNS: Duration = Duration::from_secs(2);
const KEYS: [KeyCode; 5] = [KeyCode::KeyW, KeyCode::KeyD, KeyCode::KeyS, KeyCode::KeyA, KeyCode::Space];
/// Of play, before the clock starts.
const WARM_UP: Duration = Duration::from_secs(3);
/// A mouse that moved so lately moves still.
const STILL_MOVES: Duration = Duration::from_millis(100);
/// Events that wait for a window that is busy drawing.
const WAITING_EVENTS: usize = 1024;

/// Plays and measures, then ends the app. Needs `CorePlugin`.
#[derive(Debug, Clone)]
pub struct BenchPlugin {
    pub bench: WindowBench,
    pub waker: Waker,
}

/// What the made-up player does.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Deed {
    Turn(Vec2),
    Press(KeyCode),
    Release(KeyCode),
}

#[derive(Resource)]
struct Running {
    bench: WindowBench,
    deeds: Receiver<(Instant, Deed)>,
    /// When the mouse moved last.
    turned_at: Option<Instant>,
    play_began_at: Option<Instant>,
    /// When the clock started, and what had been counted then.
    clock: Option<(Instant, Stats)>,
    run: WindowRun,
    last_tick: u64,
    /// While the mouse moved.
    moved: Moved,
}

#[derive(Default)]
struct Moved {
    last: Option<(Instant, u64)>,
    redraws: u64,
    seconds: f64,
}

impl Moved {
    /// Notes how often the window had been drawn at a moment.
    fn note(&mut self, now: Instant, redraws: u64, moves: bool) {
        if let Some((before, redraws_before)) = self.last.filter(|_| moves) {
            self.seconds += (now - before).as_secs_f64();
            self.redraws += redraws - redraws_before;
        }
        self.last = Some((now, redraws));
    }
}

impl Plugin for BenchPlugin {
    fn build(&self, app: &mut App) {
        let (sender, deeds) = bounded(WAITING_EVENTS);
        let waker = self.waker.clone();
        let player = thread::Builder::new().name("player".into()).spawn(move || play(&sender, &waker));
        player.expect("a machine that cannot start one thread cannot run Bevy either");
        app.insert_resource(Running {
            bench: self.bench.clone(),
            deeds,
            turned_at: None,
            play_began_at: None,
            clock: None,
            run: WindowRun::default(),
            last_tick: 0,
            moved: Moved::default(),
        })
        .add_systems(
            PreUpdate,
            (stay_in_play.before(devices::gather), act.after(devices::gather)).in_set(AppSet::Gather),
        )
        .add_systems(Update, (stay_awake.after(turning::stay_awake), measure));
    }
}

/// Plays until nobody listens. A key wakes the window, as the system's own would; the mouse does not, since not every
/// system tells of a pointer that is held.
fn play(sender: &Sender<(Instant, Deed)>, waker: &Waker) {
    let begun = Instant::now();
    let (mut at, mut keys) = (begun, 0);
    loop {
        let turn = (at - begun).as_millis() / TURNS.as_millis();
        let deed = match turn % 4 {
            1 | 3 => {
                let key = KEYS[keys / 2 % KEYS.len()];
                keys += 1;
                if keys % 2 == 1 { Deed::Press(key) } else { Deed::Release(key) }
            }
            right => Deed::Turn(Vec2::new(if right == 0 { COUNTS } else { -COUNTS }, 0.0)),
        };
        at += if matches!(deed, Deed::Turn(_)) { MOUSE_EVERY } else { KEY_EVERY };
        thread::sleep(at.saturating_duration_since(Instant::now()));
        if sender.send((Instant::now(), deed)).is_err() {
            return;
        }
        if !matches!(deed, Deed::Turn(_)) {
            waker.wake();
        }
    }
}

/// A window that measures itself plays on without the focus, which would else pause the game for good: nobody is there to
/// resume it.
fn stay_in_play(mut focus_lost: ResMut<Messages<KeyboardFocusLost>>) {
    focus_lost.clear();
}

/// Hands the player's deeds over as if the devices had said them.
fn act(mut running: ResMut<Running>, mut devices: ResMut<Devices>, config: Res<Config>, screen: Res<State<Screen>>) {
    let running = &mut *running;
    for (at, deed) in running.deeds.try_iter() {
        if *screen.get() != Screen::Play {
            continue;
        }
        match deed {
            Deed::Turn(counts) => {
                devices.move_mouse(counts, at);
                running.turned_at = Some(at);
            }
            Deed::Press(key) => devices.press(Input::Key(key), &config, at),
            Deed::Release(key) => devices.release(Input::Key(key), at),
        }
    }
}

/// Nobody may be there to give a window the focus: it is awake all the same.
fn stay_awake(mut winit: ResMut<WinitSettings>) {
    if winit.unfocused_mode != winit.focused_mode {
        winit.unfocused_mode = winit.focused_mode;
    }
}

fn measure(
    mut running: ResMut<Running>,
    (session, stats, screen): (Res<Session>, Res<Stats>, Res<State<Screen>>),
    (window, adapter): (Single<&Window, With<PrimaryWindow>>, Res<RenderAdapterInfo>),
    mut presented: MessageReader<Presented>,
    mut exit: MessageWriter<AppExit>,
) {
    let running = &mut *running;
    if let Phase::Failed { message, .. } = &session.phase {
        // The one who asked may be gone; the app ends all the same.
        let _ = running.bench.done.try_send(Err(message.clone()));
        exit.write(AppExit::error());
        return;
    }
    if *screen.get() != Screen::Play {
        return;
    }
    let now = Instant::now();
    let play_began_at = *running.play_began_at.get_or_insert(now);
    if now < play_began_at + WARM_UP {
        presented.clear();
        return;
    }
    let (begun, before) = running.clock.get_or_insert_with(|| (now, stats.clone()));
    for answer in presented.read() {
        match answer.by {
            Answer::Turn => running.run.mouse_to_pixel_ms.push(answer.ms()),
            // Since the mouse rested.
            Answer::Frame if running.turned_at.is_none_or(|turned_at| answer.arrived_at > turned_at) => {
                running.run.key_to_pixel_ms.push(answer.ms());
            }
            Answer::Frame => {}
        }
    }
    let moves = running.turned_at.is_some_and(|turned_at| now - turned_at < STILL_MOVES);
    running.moved.note(now, stats.redraws, moves);
    if stats.tick != running.last_tick {
        running.last_tick = stats.tick;
        running.run.step_ms.push(f64::from(stats.step_ms));
    }
    let seconds = (now - *begun).as_secs_f64();
    if seconds >= running.bench.seconds {
        running.run.seconds = seconds;
        running.run.device.clone_from(&session.device);
        running.run.renderer.clone_from(&adapter.name);
        running.run.window_px = [window.physical_width(), window.physical_height()];
        running.run.ticks = stats.tick - before.tick;
        running.run.missed_ticks = stats.missed_ticks - before.missed_ticks;
        running.run.dropped_frames = stats.dropped_frames - before.dropped_frames;
        running.run.redraws_per_s = running.moved.redraws as f64 / running.moved.seconds.max(1e-3);
        let _ = running.bench.done.try_send(Ok(std::mem::take(&mut running.run)));
        exit.write(AppExit::Success);
    }
}
