//! Whether this machine can open a window at all, found out before Bevy is started: winit and the renderer panic
//! where this answers in one line.

use bevy::{
    render::{renderer::initialize_renderer, settings::WgpuSettings},
    tasks::block_on,
};
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use wgpu_types::DeviceType;

/// What to do instead, told with every refusal.
const INSTEAD: &str = "without a window, try `holdfast rollout --seed 7 --policy wander --ticks 200 --out out`";

/// Who draws the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renderer {
    Card,
    /// The processor plays a card (llvmpipe, say).
    Processor,
}

/// Checks for a display and for a graphics driver.
pub fn can_show() -> anyhow::Result<Renderer> {
    #[cfg(all(unix, not(target_os = "macos")))]
    display::find(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .map_err(|reason| anyhow::anyhow!("no display: {reason}; {INSTEAD}"))?;
    renderer().ok_or_else(|| {
        anyhow::anyhow!("no Vulkan driver for the window was found (on Debian: mesa-vulkan-drivers); {INSTEAD}")
    })
}

/// Asks for the renderer just as the app will. It says no by a panic, so its hook is quiet for that moment.
fn renderer() -> Option<Renderer> {
    let settings = WgpuSettings::default();
    let backends = settings.backends?;
    let hook = take_hook();
    set_hook(Box::new(|_| ()));
    let found = catch_unwind(AssertUnwindSafe(|| block_on(initialize_renderer(backends, None, &settings))));
    set_hook(hook);
    let info = found.ok()?.2;
    Some(if info.device_type == DeviceType::Cpu { Renderer::Processor } else { Renderer::Card })
}

#[cfg(all(unix, not(target_os = "macos")))]
mod display {
    use std::{net::TcpStream, os::unix::net::UnixStream, path::PathBuf};

    /// Connects where winit will connect: to Wayland if it is named, to X11 otherwise.
    pub fn find(variable: impl Fn(&str) -> Option<String>) -> Result<(), String> {
        if variable("WAYLAND_SOCKET").is_some() {
            return Ok(());
        }
        if let Some(name) = variable("WAYLAND_DISPLAY") {
            let folder = variable("XDG_RUNTIME_DIR").unwrap_or_default();
            let socket = PathBuf::from(folder).join(&name);
            let refused = |error| format!("cannot connect to WAYLAND_DISPLAY={name}: {error}");
            return UnixStream::connect(socket).map(drop).map_err(refused);
        }
        let Some(name) = variable("DISPLAY") else {
            return Err("neither DISPLAY nor WAYLAND_DISPLAY is set".into());
        };
        let refused = |reason: String| Err(format!("cannot connect to DISPLAY={name}: {reason}"));
        let Some((host, number)) = parse_x11(&name) else {
            return refused("expected a name like :0".into());
        };
        let outcome = match host {
            "" | "unix" => UnixStream::connect(format!("/tmp/.X11-unix/X{number}")).map(drop),
            host => TcpStream::connect((host, 6000 + number)).map(drop),
        };
        outcome.or_else(|error| refused(error.to_string()))
    }

    /// Host and number of `host:number.screen`.
    fn parse_x11(name: &str) -> Option<(&str, u16)> {
        let (host, rest) = name.rsplit_once(':')?;
        let number = rest.split('.').next()?.parse().ok().filter(|&number: &u16| number < 1000)?;
        Some((host, number))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[track_caller]
        fn check(variables: &[(&str, &str)], expected: &str) {
            let look_up =
                |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_string());
            let reason = find(look_up).expect_err(expected);
            assert!(reason.contains(expected), "{reason:?} lacks {expected:?}");
        }

        #[test]
        fn what_is_missing_is_named() {
            check(&[], "neither DISPLAY nor WAYLAND_DISPLAY is set");
            check(&[("DISPLAY", ":931")], "cannot connect to DISPLAY=:931");
            check(&[("DISPLAY", "nonsense")], "expected a name like :0");
            check(&[("DISPLAY", ":0"), ("WAYLAND_DISPLAY", "gone-7")], "cannot connect to WAYLAND_DISPLAY=gone-7");
        }

        #[test]
        fn display_names_are_read_with_host_and_screen() {
            assert_eq!(parse_x11(":0"), Some(("", 0)));
            assert_eq!(parse_x11("far.example:10.0"), Some(("far.example", 10)));
            assert_eq!(parse_x11(":zero"), None);
        }
    }
}
