//! The pointer: locked while playing, free in menus.

use crate::app::session::Session;
use bevy::{
    prelude::*,
    window::{CursorGrabMode, CursorOptions, PrimaryWindow},
};

pub fn grab(session: Res<Session>, mut cursor: Single<&mut CursorOptions, With<PrimaryWindow>>) {
    // Who only watches keeps the pointer.
    if session.is_replay {
        return;
    }
    cursor.visible = false;
    // Where locking is not to be had (X11), winit confines instead; raw motion arrives either way.
    cursor.grab_mode = CursorGrabMode::Locked;
}

pub fn release(mut cursor: Single<&mut CursorOptions, With<PrimaryWindow>>) {
    cursor.visible = true;
    cursor.grab_mode = CursorGrabMode::None;
}

/// A window manager may refuse a lock or take it away: a click asks for it again.
pub fn grab_again(
    buttons: Res<ButtonInput<MouseButton>>,
    session: Res<Session>,
    mut cursor: Single<&mut CursorOptions, With<PrimaryWindow>>,
) {
    if !session.is_replay && buttons.get_just_pressed().len() > 0 && cursor.grab_mode == CursorGrabMode::None {
        cursor.visible = false;
        cursor.grab_mode = CursorGrabMode::Locked;
    }
}
