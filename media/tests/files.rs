//! Files as they are made and as they come back: video, animations, pictures; signed, changed, stripped, cut short.

mod material;

use holdfast_media::{
    animation::GifWriter,
    credentials::{Identity, Origin, Signer, Start, Statement, sign},
    decode::{self, Format},
    upscale,
    verify::{Validity, Verdict, Watermark, verify_bytes},
    video::Mp4Writer,
    watermark::{Key, mark},
};
use holdfast_sim::Frame;
use std::{fs, ops::ControlFlow, path::Path};

const WIDTH: usize = 128;
const HEIGHT: usize = 72;

fn statement(origin: Origin) -> Statement {
    Statement {
        title: "a walk".into(),
        version: "0".into(),
        origin,
        start: Start::Seed(7),
        actions_hash: Some("00".into()),
        ticks: [0, 40],
        is_marked: true,
    }
}

fn model() -> Origin {
    Origin::Model { name: "pebble".into(), hash: "abc".into() }
}

fn marked_walk(ticks: usize) -> Vec<Frame> {
    let mut frames = material::walk(7, WIDTH, HEIGHT, ticks);
    frames.iter_mut().for_each(|frame| mark(frame, Key::public()));
    frames
}

fn write_mp4(path: &Path, frames: &[Frame]) {
    let mut writer = Mp4Writer::create(path, WIDTH, HEIGHT).expect("room");
    frames.iter().for_each(|frame| writer.push(frame).expect("room"));
    writer.finish().expect("room");
}

fn look(bytes: &[u8], anchors: Option<&str>) -> Verdict {
    verify_bytes("file", bytes, anchors).expect("a picture or a video")
}

fn says(verdict: &Verdict) -> (Validity, Watermark, Option<bool>) {
    (verdict.credentials, verdict.watermark, verdict.generated)
}

/// How many frames can be decoded of these bytes.
fn frames_in(bytes: &[u8]) -> usize {
    let mut count = 0;
    let read = decode::planes(bytes, Format::of(bytes).expect("a video"), &mut |_| {
        count += 1;
        ControlFlow::Continue(())
    });
    read.map_or(0, |()| count)
}

#[test]
fn a_video_keeps_its_frames_and_their_colours_and_plays_when_it_was_cut_short() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("walk.mp4");
    let frames = marked_walk(44);
    write_mp4(&path, &frames);
    let bytes = fs::read(&path).expect("just written");
    let mut planes = Vec::new();
    decode::planes(&bytes, Format::Mp4, &mut |plane| {
        planes.push(plane);
        ControlFlow::Continue(())
    })
    .expect("our own video");
    assert_eq!(planes.len(), 45, "fewer than are looked at in a long one");
    // Brightness comes back as it went in, but for the quantiser: 16 to 235 for 0 to 255.
    let sent = upscale::nearest(&frames[30], 5);
    let error: f64 = (0..sent.width * sent.height)
        .map(|at| {
            let rgb = [0, 1, 2].map(|channel| f64::from(sent.rgb[at * 3 + channel]));
            let luma = 16.0 + 219.0 / 255.0 * (0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2]);
            (f64::from(planes[30].luma[at]) - luma).powi(2)
        })
        .sum::<f64>();
    let psnr_db = 10.0 * (255.0f64.powi(2) * (sent.width * sent.height) as f64 / error).log10();
    assert!(psnr_db > 36.0, "{psnr_db} dB");
    // Whole seconds are there at whatever byte it ends.
    let names: Vec<String> = material::boxes(&bytes).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["ftyp", "moov", "moof", "mdat", "moof", "mdat", "moof", "mdat"]);
    let second_fragment_ends: usize = material::boxes(&bytes)[..6].iter().map(|(_, held)| held.len()).sum();
    assert_eq!(frames_in(&bytes[..second_fragment_ends]), 40);
    assert!(frames_in(&bytes[..second_fragment_ends + 100]) >= 40);
}

#[test]
fn what_is_signed_is_known_and_what_was_changed_is_told() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("identity");
    let identity = Identity::of_this_computer(&home).expect("made on first use");
    let signer = Signer::new(&identity).expect("fit each other");
    let anchors = Identity::anchors(&home);
    let anchors = anchors.as_deref();
    let frame = marked_walk(5).pop().expect("six frames");
    let png = upscale::nearest(&frame, 5).to_png();
    let signed = signer.sign(&png, &statement(model())).expect("signed");

    let verdict = look(&signed, anchors);
    assert_eq!(says(&verdict), (Validity::Valid, Watermark::Found, Some(true)), "{}", verdict.words());
    assert!(verdict.signer_known && verdict.signer.as_deref().is_some_and(|name| name.contains("nobody vouches")));
    assert_eq!(verdict.generator.as_deref(), Some("Holdfast 0"));
    assert_eq!((verdict.model.as_deref(), verdict.model_hash.as_deref()), (Some("pebble"), Some("abc")));
    let stranger = look(&signed, None);
    assert_eq!((stranger.credentials, stranger.signer_known), (Validity::Valid, false));

    // The same picture but for one level of one channel of one pixel, under the same credentials.
    let mut touched = upscale::nearest(&frame, 5);
    touched.rgb[3000] ^= 1;
    let touched = material::move_credentials(&signed, &touched.to_png());
    assert_eq!(says(&look(&touched, anchors)), (Validity::Invalid, Watermark::Found, Some(true)));
    let stripped = material::strip_png(&signed);
    assert_eq!(stripped, png, "the pixels were not touched");
    assert_eq!(says(&look(&stripped, anchors)), (Validity::None, Watermark::Found, Some(true)));
    // Pixels of rules, not of a model.
    let plain = material::view(7, 640, 360).to_png();
    let truth = signer.sign(&plain, &statement(Origin::Simulator)).expect("signed");
    assert_eq!(says(&look(&truth, anchors)), (Validity::Valid, Watermark::NotFound, Some(false)));
    assert_eq!(says(&look(&plain, anchors)), (Validity::None, Watermark::NotFound, None));
}

#[test]
fn videos_and_animations_are_signed_in_their_place() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("identity");
    let signer = Signer::new(&Identity::of_this_computer(&home).expect("made on first use")).expect("fit");
    let anchors = Identity::anchors(&home);
    let frames = marked_walk(40);
    let mp4 = folder.path().join("walk.mp4");
    write_mp4(&mp4, &frames);
    let gif = folder.path().join("walk.gif");
    let mut writer = GifWriter::create(&gif, WIDTH, HEIGHT).expect("room");
    frames[..10].iter().for_each(|frame| writer.push(frame).expect("room"));
    writer.finish().expect("room");
    for path in [&mp4, &gif] {
        let before = fs::read(path).expect("just written");
        assert_eq!(says(&look(&before, None)), (Validity::None, Watermark::Found, Some(true)), "{}", path.display());
        sign(path, &signer, &statement(model())).expect("signed");
        let signed = fs::read(path).expect("just signed");
        let verdict = look(&signed, anchors.as_deref());
        assert_eq!(says(&verdict), (Validity::Valid, Watermark::Found, Some(true)), "{}", verdict.words());
        assert!(verdict.signer_known);
        let mut touched = signed.clone();
        let at = touched.len() - 2000;
        touched[at] ^= 1;
        assert_eq!(look(&touched, anchors.as_deref()).credentials, Validity::Invalid, "{}", path.display());
    }
    let stripped = material::strip_mp4(&fs::read(&mp4).expect("signed"));
    assert_eq!(says(&look(&stripped, None)), (Validity::None, Watermark::Found, Some(true)));
}

#[test]
fn a_start_picture_is_an_ingredient() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let signer = Signer::new(&Identity::of_this_computer(folder.path()).expect("made")).expect("fit");
    let png = material::photograph("start", 128, 72).to_png();
    let start = Start::Picture { name: "start.png".into(), png };
    let signed = signer
        .sign(&marked_walk(0)[0].to_png(), &Statement { start, ..statement(model()) })
        .expect("signed with its ingredient");
    let verdict = look(&signed, Identity::anchors(folder.path()).as_deref());
    assert_eq!(says(&verdict), (Validity::Valid, Watermark::Found, Some(true)), "{}", verdict.words());
}

#[test]
fn the_identity_is_made_once_and_is_the_users_alone() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let home = folder.path().join("deep/identity");
    Identity::of_this_computer(&home).expect("made on first use");
    let read = || fs::read(home.join("signing-key.pem")).expect("a key");
    let first = read();
    Identity::of_this_computer(&home).expect("there already");
    assert_eq!(first, read());
    #[cfg(unix)]
    for entry in fs::read_dir(&home).expect("a folder") {
        use std::os::unix::fs::PermissionsExt;
        let entry = entry.expect("readable");
        assert_eq!(entry.metadata().expect("a file").permissions().mode() & 0o777, 0o600, "{:?}", entry.path());
    }
    // A key that does not fit the certificate, and what is no key at all.
    let other = folder.path().join("other");
    Identity::of_this_computer(&other).expect("made");
    let wrong = Identity::from_files(&home.join("signing-chain.pem"), &other.join("signing-key.pem")).expect("read");
    let refused = Signer::new(&wrong).map(|signer| signer.sign(&Frame::new(8, 8).to_png(), &statement(model())));
    assert!(!matches!(refused, Ok(Ok(_))), "signs with a key that does not fit");
    let none = Identity::from_files(&home.join("nowhere.pem"), &home.join("signing-key.pem"));
    assert!(none.expect_err("no such file").to_string().contains("nowhere.pem"));
}

#[test]
fn what_is_damaged_or_foreign_is_an_error_or_a_verdict_and_never_a_panic() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let signer = Signer::new(&Identity::of_this_computer(folder.path()).expect("made")).expect("fit");
    let mp4 = folder.path().join("walk.mp4");
    write_mp4(&mp4, &marked_walk(4));
    let files = [
        signer.sign(&marked_walk(0)[0].to_png(), &statement(model())).expect("signed"),
        signer.sign(&fs::read(&mp4).expect("written"), &statement(model())).expect("signed"),
    ];
    for bytes in &files {
        let dice = material::bytes("dice", 6 * 60);
        for dice in dice.chunks_exact(6) {
            let mut spoilt = bytes.clone();
            let at = u32::from_le_bytes([dice[0], dice[1], dice[2], dice[3]]) as usize % bytes.len();
            spoilt[at] ^= dice[4] | 1;
            if dice[5].is_multiple_of(3) {
                spoilt.truncate(at);
            }
            // Whatever it says, it says it.
            let _ = verify_bytes("spoilt", &spoilt, None).map(|verdict| verdict.words());
        }
    }
    assert!(verify_bytes("text", b"what is written here", None).is_err());
    assert!(verify_bytes("empty", b"", None).is_err());
}
