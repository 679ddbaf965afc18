//! Pictures and videos as strangers may send them to `verify`: cut, damaged, and with the right checksums. Whatever comes,
//! the answer is an error or a verdict, soon, and never a panic; and nothing whose pixels changed is called unchanged.
//!
//! `HOLDFAST_FUZZ_SECONDS=600 cargo test --release -p holdfast-media --test faults -- --ignored --nocapture` looks for
//! more, ten minutes a parser.

mod material;
#[path = "../../tests/spoil/mod.rs"]
mod spoil;

use holdfast_media::{
    animation::GifWriter,
    credentials::{self, Identity, Origin, Reading, Signer, Start, State, Statement},
    decode::{self, Format},
    verify::{Validity, verify_bytes},
    video::Mp4Writer,
    watermark::{Key, mark},
};
use holdfast_sim::{Frame, script::Dice};
use spoil::{spoil, try_for_long, try_many};
use std::{fs, ops::ControlFlow, sync::LazyLock};

const BASELINE: &[u8] = include_bytes!("foreign/baseline.jpg");
const PROGRESSIVE: &[u8] = include_bytes!("foreign/progressive.jpg");
const LOSSY: &[u8] = include_bytes!("foreign/lossy.webp");
const LOSSLESS: &[u8] = include_bytes!("foreign/lossless.webp");

/// Small files of ours, each as it is and signed.
struct Files {
    png: [Vec<u8>; 2],
    gif: [Vec<u8>; 2],
    mp4: [Vec<u8>; 2],
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let identity = Identity::of_this_computer(&folder.path().join("identity")).expect("room");
    let signer = Signer::new(&identity).expect("just made");
    let mut frames = material::walk(7, 32, 18, 3);
    frames.iter_mut().for_each(|frame| mark(frame, Key::public()));
    let path = folder.path().join("file");
    let both = |plain: Vec<u8>| {
        let signed = signer.sign(&plain, &statement()).expect("signed");
        [plain, signed]
    };
    let png = both(frames[0].to_png());
    let mut gif = GifWriter::create(&path, 32, 18).expect("room");
    frames.iter().for_each(|frame| gif.push(frame).expect("room"));
    gif.finish().expect("room");
    let gif = both(fs::read(&path).expect("written"));
    // Wide enough that the writer does not enlarge it.
    let frames = material::walk(7, 640, 16, 3);
    let mut mp4 = Mp4Writer::create(&path, 640, 16).expect("room");
    frames.iter().for_each(|frame| mp4.push(frame).expect("room"));
    mp4.finish().expect("room");
    let mp4 = both(fs::read(&path).expect("written"));
    Files { png, gif, mp4 }
});

fn statement() -> Statement {
    Statement {
        title: "a walk".into(),
        version: "0".into(),
        origin: Origin::Model { name: "pebble".into(), hash: "abc".into() },
        start: Start::Seed(7),
        actions_hash: Some("00".into()),
        ticks: [0, 2],
        is_marked: true,
    }
}

/// The parsers, each with the files that are spoilt for it.
fn parsers() -> [(&'static str, [&'static [u8]; 2]); 5] {
    let Files { png, gif, mp4 } = &*FILES;
    let both = |[plain, signed]: &'static [Vec<u8>; 2]| [plain.as_slice(), signed.as_slice()];
    [
        ("PNG", both(png)),
        ("GIF", both(gif)),
        ("MP4", both(mp4)),
        ("JPEG", [BASELINE, PROGRESSIVE]),
        ("WebP", [LOSSY, LOSSLESS]),
    ]
}

/// One of the files, spoilt; a PNG's checksums are right again more often than not.
fn spoilt(files: [&[u8]; 2], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = files[dice.whole(0..2) as usize].to_vec();
    if Format::of(&bytes) != Some(Format::Png) || dice.chance(0.3) {
        spoil(&mut bytes, dice);
        return bytes;
    }
    let mut chunks = chunks(&bytes);
    let at = dice.whole(0..chunks.len() as u32) as usize;
    match dice.whole(0..6) {
        0 => drop(chunks.remove(at)),
        1 => chunks.push(chunks[at].clone()),
        2 => chunks.swap(at, 0),
        _ => spoil(&mut chunks[at].1, dice),
    }
    sealed(&chunks)
}

type Chunk = ([u8; 4], Vec<u8>);

fn chunks(png: &[u8]) -> Vec<Chunk> {
    let (mut at, mut chunks) = (8, Vec::new());
    while at + 12 <= png.len() {
        let length = u32::from_be_bytes(png[at..at + 4].try_into().expect("four bytes")) as usize;
        let name = png[at + 4..at + 8].try_into().expect("four bytes");
        chunks.push((name, png[at + 8..at + 8 + length].to_vec()));
        at += 12 + length;
    }
    chunks
}

fn sealed(chunks: &[Chunk]) -> Vec<u8> {
    let mut png = b"\x89PNG\r\n\x1a\n".to_vec();
    for (name, payload) in chunks {
        png.extend((payload.len() as u32).to_be_bytes());
        let from = png.len();
        png.extend(name.iter().chain(payload));
        // PNG's cyclic redundancy check (ISO 15948, annex D).
        let mut remainder = u32::MAX;
        for byte in &png[from..] {
            remainder ^= u32::from(*byte);
            for _ in 0..8 {
                remainder = if remainder & 1 == 1 { remainder >> 1 ^ 0xedb8_8320 } else { remainder >> 1 };
            }
        }
        png.extend((!remainder).to_be_bytes());
    }
    png
}

/// The brightness of all frames that can be read.
fn pixels(bytes: &[u8], format: Format) -> (bool, Vec<Vec<f32>>) {
    let mut seen = Vec::new();
    let read = decode::planes(bytes, format, &mut |plane| {
        seen.push(plane.luma);
        ControlFlow::Continue(())
    });
    (read.is_ok(), seen)
}

/// Reads the pixels, and answers whether there were any.
fn try_pixels(bytes: &[u8]) -> bool {
    let Some(format) = Format::of(bytes) else { return false };
    let (_, seen) = pixels(bytes, format);
    if format == Format::Mp4 {
        // What a rollout may begin with.
        let _ = decode::first_frame(bytes).map(|frame: Frame| assert_eq!(frame.rgb.len() % 3, 0));
    }
    !seen.is_empty()
}

/// Reads the credentials, and answers whether they hold. If they do, the pixels are those that were signed.
fn try_credentials(bytes: &[u8]) -> bool {
    let Some(format) = Format::of(bytes) else { return false };
    let Reading::Found(said) = credentials::read(bytes, format.media_type(), None) else { return false };
    if said.state == State::Broken {
        return false;
    }
    let Files { png, gif, mp4 } = &*FILES;
    let signed = [&png[1], &gif[1], &mp4[1]].into_iter().find(|file| Format::of(file) == Some(format));
    let signed = signed.expect("nothing else was signed");
    assert!(pixels(bytes, format) == pixels(signed, format), "changed pixels are called unchanged");
    true
}

#[test]
fn whole_files_are_read_and_their_credentials_hold() {
    for (name, files) in parsers() {
        for bytes in files {
            assert!(try_pixels(bytes), "{name}");
        }
    }
    let Files { png, gif, mp4 } = &*FILES;
    assert!(sealed(&chunks(&png[1])) == png[1]);
    for [plain, signed] in [png, gif, mp4] {
        assert!(!try_credentials(plain) && try_credentials(signed));
    }
}

#[test]
fn files_cut_anywhere_are_read_as_far_as_they_are_whole_or_refused() {
    for (_, [plain, signed]) in parsers() {
        for length in (0..plain.len()).step_by(plain.len() / 1000 + 1) {
            try_pixels(&plain[..length]);
        }
        for length in (0..signed.len()).step_by(97) {
            assert!(!try_credentials(&signed[..length]), "{length}");
        }
    }
}

#[test]
fn ten_thousand_spoilt_pictures_of_each_kind_are_read_or_refused() {
    for (seed, (name, files)) in (1..).zip(parsers()) {
        let good = try_many(10_000, seed, |dice| spoilt(files, dice), try_pixels);
        assert!(good > 0, "{name}: some are still pictures, or this test tries nothing");
    }
}

#[test]
fn spoilt_credentials_hold_only_where_no_pixel_changed() {
    for (seed, (name, [_, signed])) in (1..).zip(parsers()).take(3) {
        let good = try_many(500, seed, |dice| spoilt([signed, signed], dice), try_credentials);
        // Some bytes are padding, which nobody signs.
        assert!(good < 100, "{name}: {good}");
    }
}

#[test]
fn sizes_that_cannot_be_are_refused_before_they_are_taken() {
    let told = |bytes: &[u8]| {
        let format = Format::of(bytes).expect("a picture");
        decode::planes(bytes, format, &mut |_| ControlFlow::Continue(())).expect_err("too large").to_string()
    };
    let mut header = chunks(&FILES.png[0]);
    header[0].1[..8].copy_from_slice(&[0, 0, 0x80, 0, 0, 0, 0x80, 0]);
    let png = told(&sealed(&header));
    assert!(png.contains("32768x32768"), "{png}");
    // What the decoders refuse by themselves.
    header[0].1[..8].fill(0x7f);
    told(&sealed(&header));
    let mut jpeg = BASELINE.to_vec();
    let frame = jpeg.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a baseline frame");
    jpeg[frame + 5..frame + 9].fill(0xff);
    told(&jpeg);
    let mut gif = FILES.gif[0].clone();
    gif[6..10].fill(0xff);
    told(&gif);
}

/// What a long search found another reader to answer with never ending, with a panic, or by filling the memory.
#[test]
fn videos_that_tell_of_what_cannot_be_are_read_or_refused() {
    let plain = &FILES.mp4[0];
    let at = |name: &[u8; 4]| plain.windows(4).position(|found| found == name).expect("a box of ours");
    // Behind a name that is a letter too long stands a box without a size.
    let mut circle = plain.clone();
    circle.insert(at(b"stsc") + 3, 0xfe);
    // Four thousand million frames of one byte, all in no chunk; and in a fragment, of no bytes.
    let mut many = plain.clone();
    many[at(b"stsz") + 8..][..8].copy_from_slice(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    let mut empty = plain.clone();
    empty[at(b"trun") + 5..][..7].copy_from_slice(&[0, 0, 1, 0xff, 0xff, 0xff, 0xff]);
    for file in [circle, many, empty] {
        try_pixels(&file);
    }
}

fn long(which: usize) {
    let (name, files) = parsers()[which];
    let mut case = 0u32;
    try_for_long(
        name,
        |dice| spoilt(files, dice),
        |bytes| {
            case += 1;
            // The credentials of a picture take far longer than its pixels, and its verdict longer still.
            if case.is_multiple_of(64)
                && let Ok(verdict) = verify_bytes("file", bytes, None)
            {
                assert!(verdict.credentials != Validity::Valid || try_credentials(bytes), "{}", verdict.words());
            }
            try_pixels(bytes)
        },
    );
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_png_for_long() {
    long(0);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_gif_for_long() {
    long(1);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_mp4_for_long() {
    long(2);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_jpeg_for_long() {
    long(3);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_webp_for_long() {
    long(4);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_credentials_for_long() {
    let signed: Vec<&[u8]> = parsers()[..3].iter().map(|(_, [_, signed])| *signed).collect();
    let one = |dice: &mut Dice| {
        let file = signed[dice.whole(0..signed.len() as u32) as usize];
        spoilt([file, file], dice)
    };
    try_for_long("credentials", one, try_credentials);
}
