//! The window under Xvfb with software Vulkan: it starts, frames change when keys are pressed, screenshots are kept.
//!
//! This program is both the test and, started by itself on a display of its own, the app under test: winit wants the
//! main thread, which a test harness keeps for itself.

#[cfg(feature = "view")]
mod kept;
#[cfg(feature = "view")]
mod worlds;

#[cfg(feature = "view")]
fn main() {
    if std::env::var_os(window::APP_FOLDER).is_some() {
        return window::play_app();
    }
    // Harness arguments that only list or filter must not open windows.
    if std::env::args().any(|argument| argument == "--list") {
        return;
    }
    window::no_display_is_told_in_one_line();
    match window::missing() {
        None => {
            window::keys_change_what_the_window_shows();
            window::a_replay_is_shown_and_its_screenshots_are_signed();
            window::the_window_measures_itself();
            println!("window: passed");
        }
        Some(reason) => {
            assert!(std::env::var_os("HOLDFAST_REQUIRE_WINDOW").is_none(), "the window cannot be tested: {reason}");
            println!("skipped, the window cannot be tested: {reason}");
        }
    }
}

#[cfg(not(feature = "view"))]
fn main() {
    println!("skipped: built without the window");
}

#[cfg(feature = "view")]
mod window {
    use super::{
        kept::Place,
        worlds::{Manner, striped},
    };
    use holdfast_game::{
        app::{PlayOptions, play},
        export::{Notary, Seal},
    };
    use holdfast_media::{
        credentials::Identity,
        verify::{Validity, Watermark, verify},
    };
    use std::{
        env,
        fs::{self, File, Permissions},
        os::unix::fs::PermissionsExt,
        path::{Path, PathBuf},
        process::{Child, Command, Stdio},
        thread,
        time::{Duration, Instant},
    };

    /// Names the folder of the app under test; its presence makes this program that app.
    pub const APP_FOLDER: &str = "HOLDFAST_WINDOW_TEST_FOLDER";
    /// A file in that folder which ends the loading of the model.
    const LOADED: &str = "loaded";
    /// Folder of recordings in that folder.
    const CLIPS: &str = "clips";
    const PATIENCE: Duration = Duration::from_secs(90);

    pub fn play_app() {
        let folder = PathBuf::from(env::var_os(APP_FOLDER).unwrap_or_default());
        let (make, _, _) = striped(Manner { step: Duration::from_millis(15), ..Manner::default() });
        let loaded = folder.join(LOADED);
        let factory = Box::new(move || {
            let start = Instant::now();
            while !loaded.exists() && start.elapsed() < PATIENCE {
                thread::sleep(Duration::from_millis(20));
            }
            make()
        });
        let options = PlayOptions {
            seed: 7,
            config_path: Some(folder.join("config.toml")),
            recordings_dir: Some(folder.join(CLIPS)),
            screenshot_dir: Some(folder),
            seal: Seal { notary: Notary::Nobody, marks: true },
            ..PlayOptions::default()
        };
        if let Err(error) = play(options, factory) {
            eprintln!("{error:#}");
            std::process::exit(1);
        }
    }

    /// What this machine lacks for the test, if anything.
    pub fn missing() -> Option<String> {
        let lacks = |program: &str| Command::new("sh").args(["-c", &format!("command -v {program}")]).output().ok();
        for program in ["Xvfb", "xdotool"] {
            if !lacks(program).is_some_and(|output| output.status.success()) {
                return Some(format!("{program} is not installed"));
            }
        }
        let drivers = fs::read_dir("/usr/share/vulkan/icd.d").map(Iterator::count).unwrap_or(0);
        (drivers == 0).then(|| "no Vulkan driver is installed (mesa-vulkan-drivers)".into())
    }

    /// A child process that ends with the test.
    struct Running(Child);

    impl Drop for Running {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    struct Stage {
        display: String,
        folder: PathBuf,
        app: Running,
        _server: Running,
    }

    impl Stage {
        fn xdotool(&self, arguments: &[&str]) -> Option<String> {
            let output = Command::new("xdotool").args(arguments).env("DISPLAY", &self.display).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_string())
        }

        fn key(&self, key: &str) {
            assert!(self.xdotool(&["key", "--delay", "60", key]).is_some(), "xdotool could not press {key}");
            thread::sleep(Duration::from_millis(400));
        }

        /// Presses F12 and waits for the file; returns its bytes.
        fn screenshot(&self, name: &str) -> Vec<u8> {
            self.key("F12");
            let start = Instant::now();
            loop {
                if let Some(path) = shots(&self.folder).pop() {
                    let bytes = fs::read(&path).expect("a screenshot that was renamed into place");
                    let kept = artefacts().join(format!("window-{name}.png"));
                    fs::copy(&path, &kept).expect("the artefact folder can be written");
                    fs::remove_file(path).expect("our own file");
                    println!("kept {}", kept.display());
                    return bytes;
                }
                assert!(start.elapsed() < PATIENCE, "no screenshot {name}; {}", self.log());
                thread::sleep(Duration::from_millis(100));
            }
        }

        fn log(&self) -> String {
            fs::read_to_string(self.folder.join("log")).unwrap_or_default()
        }
    }

    fn shots(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries
            .filter(|path| path.to_string_lossy().ends_with(".png") && !path.to_string_lossy().contains("partial"))
            .collect()
    }

    fn artefacts() -> PathBuf {
        let folder = env::var_os("HOLDFAST_ARTEFACTS").map(PathBuf::from).unwrap_or_else(|| {
            let program = env::current_exe().expect("a running program has a path");
            // target/release/deps/window-... lies three below the target folder.
            program.ancestors().nth(3).expect("cargo's own layout").join("artefacts")
        });
        fs::create_dir_all(&folder).expect("the artefact folder can be made");
        folder
    }

    /// The app under test on a display of its own; it finds its folder of screenshots under the name `app`.
    fn stage(folder: &Path, mut app: Command, out: Stdio) -> Stage {
        let runtime = folder.join("runtime");
        fs::create_dir(&runtime).expect("a new folder");
        fs::set_permissions(&runtime, Permissions::from_mode(0o700)).expect("our own folder");
        let shots_folder = folder.join("app");
        fs::create_dir(&shots_folder).expect("a new folder");
        // Xvfb chooses a free display itself and writes its number. Whenever its last client leaves it would begin anew, and
        // refuse whoever comes meanwhile: our own look for the window, and then the app.
        let number = folder.join("display");
        let server = Command::new("sh")
            .args(["-c", "exec Xvfb -noreset -displayfd 3 -screen 0 1280x720x24 -nolisten tcp 3>\"$0\" 2>/dev/null"])
            .arg(&number)
            .spawn()
            .expect("sh is there");
        let server = Running(server);
        let start = Instant::now();
        let display = loop {
            match fs::read_to_string(&number).unwrap_or_default().trim() {
                "" => assert!(start.elapsed() < PATIENCE, "Xvfb did not start"),
                number => break format!(":{number}"),
            }
            thread::sleep(Duration::from_millis(50));
        };
        let log = File::create(shots_folder.join("log")).expect("a new file");
        let app = app
            .env("DISPLAY", &display)
            .env_remove("WAYLAND_DISPLAY")
            .env("XDG_RUNTIME_DIR", &runtime)
            .stdout(out)
            .stderr(log)
            .spawn()
            .expect("this program can be started again");
        let mut stage = Stage { display, folder: shots_folder, app: Running(app), _server: server };
        let start = Instant::now();
        let window = loop {
            if let Some(window) = stage.xdotool(&["search", "--onlyvisible", "--name", "^Holdfast$"]) {
                break window;
            }
            let ended = stage.app.0.try_wait().expect("our own child");
            assert!(ended.is_none() && start.elapsed() < PATIENCE, "no window; {}", stage.log());
            thread::sleep(Duration::from_millis(200));
        };
        // Without a window manager nobody else gives it the focus.
        stage.xdotool(&["windowfocus", &window]);
        thread::sleep(Duration::from_secs(3));
        stage
    }

    /// The bytes of a screenshot, and how many a row has.
    fn pixels(png: &[u8]) -> (Vec<u8>, usize) {
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().expect("our own picture");
        let mut rgb = vec![0; reader.output_buffer_size().expect("a small picture")];
        let info = reader.next_frame(&mut rgb).expect("our own picture");
        (rgb, info.width as usize * 3)
    }

    /// Pixels of the sign of a recording, in the corner at the top right.
    fn red_pixels(png: &[u8]) -> usize {
        let (rgb, row_bytes) = pixels(png);
        let corner = rgb.chunks_exact(row_bytes).take(60).flat_map(|row| row[row_bytes - 300..].chunks_exact(3));
        corner.filter(|pixel| pixel[0] > 190 && pixel[1] < 90 && pixel[2] < 90).count()
    }

    /// Share of the right half's pixels, in the middle third of the rows, that are not black.
    fn lit_share_of_right(png: &[u8]) -> f64 {
        let (rgb, row_bytes) = pixels(png);
        let rows = rgb.len() / row_bytes;
        let middle = rgb.chunks_exact(row_bytes).skip(rows / 3).take(rows / 3);
        let right: Vec<_> = middle.flat_map(|row| row.chunks_exact(3).skip(row_bytes / 6)).collect();
        right.iter().filter(|pixel| pixel.iter().any(|&value| value > 12)).count() as f64 / right.len() as f64
    }

    pub fn no_display_is_told_in_one_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let output = Command::new(env::current_exe().expect("a running program has a path"))
            .env(APP_FOLDER, folder.path())
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("WAYLAND_SOCKET")
            .output()
            .expect("this program can be started again");
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.lines().count() == 1, "{told}");
        assert!(told.contains("no display") && told.contains("holdfast rollout"), "{told}");
    }

    pub fn keys_change_what_the_window_shows() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut app = Command::new(env::current_exe().expect("a running program has a path"));
        app.env(APP_FOLDER, folder.path().join("app"));
        let mut stage = stage(folder.path(), app, Stdio::null());
        let loading = stage.screenshot("loading");
        File::create(stage.folder.join(LOADED)).expect("our own folder");
        thread::sleep(Duration::from_secs(2));
        let start_screen = stage.screenshot("start");
        assert_ne!(loading, start_screen, "the start screen does not tell that the model is ready");
        stage.key("Return");
        thread::sleep(Duration::from_secs(1));
        let before = stage.screenshot("play");
        assert_ne!(start_screen, before, "Enter did not start the game");
        stage.xdotool(&["keydown", "w"]);
        stage.xdotool(&["mousemove_relative", "60", "10"]);
        thread::sleep(Duration::from_secs(1));
        let after = stage.screenshot("walked");
        stage.xdotool(&["keyup", "w"]);
        assert_ne!(before, after, "the frames did not change with the keys");
        assert_eq!(red_pixels(&after), 0, "nothing is recorded");
        stage.key("F2");
        thread::sleep(Duration::from_secs(2));
        let recording = stage.screenshot("recording");
        assert!(red_pixels(&recording) > 40, "F2 shows no red dot");
        stage.key("F2");
        thread::sleep(Duration::from_secs(1));
        let recorded = stage.screenshot("recorded");
        assert_eq!(red_pixels(&recorded), 0, "the red dot stays");
        let clips = fs::read_dir(stage.folder.join(CLIPS)).expect("a recording").flatten();
        let mut clips: Vec<_> = clips.map(|clip| clip.path()).collect();
        clips.sort();
        assert!(clips.len() == 2 && clips[1].to_string_lossy().ends_with(".mp4"), "{clips:?}");
        stage.key("F3");
        thread::sleep(Duration::from_secs(1));
        let beside = stage.screenshot("side-by-side");
        assert_ne!(after, beside, "F3 did not show the simulator");
        assert!(lit_share_of_right(&beside) > 0.5, "the simulator's side is black");
        stage.key("F3");
        stage.key("F4");
        thread::sleep(Duration::from_secs(1));
        let charted = stage.screenshot("map");
        assert_ne!(after, charted, "F4 did not show the map");
        stage.key("F4");
        stage.key("Escape");
        let paused = stage.screenshot("pause");
        stage.key("Down");
        stage.key("Down");
        stage.key("Down");
        stage.key("Return");
        let settings = stage.screenshot("settings");
        assert_ne!(paused, settings, "the menu did not follow the keys");
        stage.key("Escape");
        // The second row of the pause menu, with the mouse.
        stage.xdotool(&["mousemove", "368", "233", "click", "1"]);
        thread::sleep(Duration::from_millis(800));
        stage.key("4");
        stage.key("2");
        let new_world = stage.screenshot("new-world");
        assert_ne!(paused, new_world, "the menu did not follow the mouse");
        stage.key("Return");
        thread::sleep(Duration::from_secs(1));
        stage.screenshot("world-42");
        for key in ["Escape", "Down", "Return", "1", "3", "Return"] {
            stage.key(key);
        }
        stage.screenshot("failed");
        stage.key("Down");
        stage.key("Down");
        // The last key ends the app, so that xdotool may find its window gone.
        stage.xdotool(&["key", "Return"]);
        let closing = Instant::now();
        let status = loop {
            if let Some(status) = stage.app.0.try_wait().expect("our own child") {
                break status;
            }
            assert!(closing.elapsed() < PATIENCE, "Quit did not end the app; {}", stage.log());
            thread::sleep(Duration::from_millis(50));
        };
        assert!(status.success(), "{status}; {}", stage.log());
    }

    pub fn the_window_measures_itself() {
        let place = Place::new();
        let figures = place.path("figures");
        let out = File::create(&figures).expect("a new file");
        let mut stage = stage(place.0.path(), place.command("bench --window --json --seconds 4"), out.into());
        // A focus that goes elsewhere pauses a game, and no measurement.
        let root = stage.xdotool(&["search", "--maxdepth", "0", ".*"]).expect("a display has a root window");
        stage.xdotool(&["windowfocus", &root]).expect("the root window can have the focus");
        let start = Instant::now();
        while stage.app.0.try_wait().expect("our own child").is_none() {
            assert!(start.elapsed() < PATIENCE, "the measurement did not end; {}", stage.log());
            thread::sleep(Duration::from_millis(50));
        }
        let figures = fs::read(figures).expect("our own file");
        let figures: serde_json::Value =
            serde_json::from_slice(&figures).unwrap_or_else(|fault| panic!("{fault}; {}", stage.log()));
        for figure in ["frames_per_s", "step_ms_p50", "redraws_per_s", "key_to_pixel_ms_p50", "mouse_to_pixel_ms_p50"] {
            assert!(figures[figure].as_f64().is_some_and(|value| value > 0.0), "{figure}: {figures}");
        }
        // The mouse is answered by turning the last frame, before the world answers.
        assert!(figures["mouse_events"].as_u64() > figures["key_events"].as_u64(), "{figures}");
    }

    pub fn a_replay_is_shown_and_its_screenshots_are_signed() {
        let place = Place::new();
        place.run("rollout --seed 7 --policy wander --ticks 60 --out out", 0);
        let shots = place.path("app");
        let line = format!("replay out/rollout.holdfast --screenshots {}", shots.display());
        let stage = stage(place.0.path(), place.command(&line), Stdio::null());
        let shot = |name: &str| {
            stage.screenshot(name);
            artefacts().join(format!("window-{name}.png"))
        };
        stage.key("space");
        stage.key("Home");
        let first = shot("replay-first");
        stage.key("End");
        thread::sleep(Duration::from_secs(3));
        let last = shot("replay-last");
        assert_ne!(fs::read(&first).expect("kept"), fs::read(&last).expect("kept"), "it does not go to the end");
        let anchors = Identity::anchors(&place.path("data/holdfast/identity"));
        let verdict = verify(&last, anchors.as_deref()).expect("a picture");
        assert_eq!((verdict.credentials, verdict.signer_known), (Validity::Valid, true), "{}", verdict.words());
        assert_eq!(verdict.watermark, Watermark::Found, "{}", verdict.words());
    }
}
