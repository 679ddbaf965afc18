//! Pictures for tests: what stands for the dream's frames, and what no model of ours ever made.

#![allow(dead_code, reason = "each test takes what it needs")]

use holdfast_sim::{Action, Camera, Frame, Start, World, script::Policy, voxel::world::VoxelWorld};
use rustfft::{FftPlanner, num_complex::Complex32};

/// Frames of a walk through the true world: the dream's own subject, at any size.
pub fn walk(seed: u64, width: usize, height: usize, ticks: usize) -> Vec<Frame> {
    let mut world = VoxelWorld::new(Camera::new(width, height));
    let mut frames = vec![world.reset(&Start::Seed(seed)).expect("the simulator takes any seed").frame];
    let policy: Policy = "wander".parse().expect("a policy of the house");
    for action in policy.open_loop(seed).take(ticks) {
        frames.push(world.step(&action).expect("the simulator never fails").frame);
    }
    frames
}

/// A still of the true world, as if its seed had been photographed.
pub fn view(seed: u64, width: usize, height: usize) -> Frame {
    let mut world = VoxelWorld::new(Camera::new(width, height));
    world.reset(&Start::Seed(seed)).expect("the simulator takes any seed");
    let turn = Action { camera: [0.0, (seed % 120) as f32], ..Action::default() };
    world.step(&turn).expect("the simulator never fails").frame
}

/// Bytes that follow from a name.
pub fn bytes(name: &str, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    blake3::Hasher::new().update(name.as_bytes()).finalize_xof().fill(&mut bytes);
    bytes
}

/// A picture with the statistics of photographs: power falls with the square of frequency (D. J. Field, "Relations
/// between the statistics of natural images and the response properties of cortical cells", J. Opt. Soc. Am. A 4,
/// 1987), brightness and colours correlate, edges are made by folding, and a sensor's noise lies over it.
pub fn photograph(name: &str, width: usize, height: usize) -> Frame {
    let fields: Vec<Vec<f32>> = (0..3).map(|field| cloud(&format!("{name} {field}"), width, height)).collect();
    let noise = bytes(&format!("{name} sensor"), width * height * 3);
    let mut frame = Frame::new(width, height);
    for (at, pixel) in frame.rgb.chunks_exact_mut(3).enumerate() {
        // Where a field crosses zero there is an edge, as where one thing hides another.
        let thing = if fields[1][at] > 0.0 { 40.0 } else { -25.0 };
        let light = 120.0 + 45.0 * fields[0][at] + thing;
        for (channel, value) in pixel.iter_mut().enumerate() {
            let tint = [12.0, 0.0, -14.0][channel] * fields[2][at];
            let grain = (f32::from(noise[at * 3 + channel]) - 127.5) / 64.0;
            *value = (light + tint + grain).clamp(0.0, 255.0) as u8;
        }
    }
    frame
}

/// A random field whose amplitude falls as one over frequency; mean 0, deviation 1.
fn cloud(name: &str, width: usize, height: usize) -> Vec<f32> {
    let mut spectrum: Vec<Complex32> = bytes(name, width * height * 2)
        .chunks_exact(2)
        .map(|pair| Complex32::new(f32::from(pair[0]) - 127.5, f32::from(pair[1]) - 127.5))
        .collect();
    for (at, value) in spectrum.iter_mut().enumerate() {
        let frequency = |index: usize, count: usize| index.min(count - index) as f32 / count as f32;
        let radius = frequency(at % width, width).hypot(frequency(at / width, height));
        *value /= if radius == 0.0 { f32::INFINITY } else { radius };
    }
    let mut planner = FftPlanner::new();
    planner.plan_fft_inverse(width).process(&mut spectrum);
    let mut columns: Vec<Complex32> =
        (0..width).flat_map(|x| (0..height).map(move |y| y * width + x)).map(|at| spectrum[at]).collect();
    planner.plan_fft_inverse(height).process(&mut columns);
    let mut field: Vec<f32> =
        (0..height).flat_map(|y| (0..width).map(move |x| x * height + y)).map(|at| columns[at].re).collect();
    let deviation = (field.iter().map(|value| value * value).sum::<f32>() / field.len() as f32).sqrt();
    field.iter_mut().for_each(|value| *value /= deviation);
    field
}

/// A part of a picture.
pub fn crop(frame: &Frame, left: usize, top: usize, width: usize, height: usize) -> Frame {
    let rows = frame.rgb.chunks_exact(frame.width * 3).skip(top).take(height);
    let rgb = rows.flat_map(|row| row[left * 3..(left + width) * 3].iter().copied()).collect();
    Frame { width, height, rgb }
}

/// The same picture at another size, each pixel between its neighbours (bilinear), or their mean when it shrinks.
pub fn resized(frame: &Frame, width: usize, height: usize) -> Frame {
    let mut scaled = Frame::new(width, height);
    let step = [frame.width as f32 / width as f32, frame.height as f32 / height as f32];
    // Several samples a pixel, so that shrinking loses no pixel.
    let samples = step[0].max(step[1]).ceil().max(1.0) as usize;
    for (at, pixel) in scaled.rgb.chunks_exact_mut(3).enumerate() {
        let mut sums = [0.0f32; 3];
        for sample in 0..samples * samples {
            let within = |index: usize| (index as f32 + 0.5) / samples as f32;
            let x = ((at % width) as f32 + within(sample % samples)) * step[0] - 0.5;
            let y = ((at / width) as f32 + within(sample / samples)) * step[1] - 0.5;
            let (x, y) = (x.clamp(0.0, (frame.width - 1) as f32), y.clamp(0.0, (frame.height - 1) as f32));
            let (left, top) = (x as usize, y as usize);
            let (right, below) = ((left + 1).min(frame.width - 1), (top + 1).min(frame.height - 1));
            let (dx, dy) = (x - left as f32, y - top as f32);
            let corners = [(left, top, (1.0 - dx) * (1.0 - dy)), (right, top, dx * (1.0 - dy))];
            let others = [(left, below, (1.0 - dx) * dy), (right, below, dx * dy)];
            for (x, y, weight) in corners.into_iter().chain(others) {
                let colour = frame.pixel(x, y);
                sums.iter_mut().zip(colour).for_each(|(sum, value)| *sum += weight * f32::from(value));
            }
        }
        let count = (samples * samples) as f32;
        pixel.iter_mut().zip(sums).for_each(|(value, sum)| *value = (sum / count).round() as u8);
    }
    scaled
}

/// The PNG without its credentials: its `caBX` chunk.
pub fn strip_png(bytes: &[u8]) -> Vec<u8> {
    chunks(bytes).into_iter().filter(|chunk| &chunk[4..8] != b"caBX").fold(bytes[..8].to_vec(), |mut all, chunk| {
        all.extend_from_slice(chunk);
        all
    })
}

/// The credentials of one PNG in the place where another, of the same size, has none.
pub fn move_credentials(from: &[u8], to: &[u8]) -> Vec<u8> {
    let credentials = chunks(from).into_iter().find(|chunk| &chunk[4..8] == b"caBX").expect("a signed picture");
    // After the signature and the header, where the signed one has it.
    let head = 8 + 25;
    [&to[..head], credentials, &to[head..]].concat()
}

fn chunks(png: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut chunks) = (&png[8..], Vec::new());
    while rest.len() >= 12 {
        let length = u32::from_be_bytes(rest[..4].try_into().expect("four bytes")) as usize + 12;
        let (chunk, after) = rest.split_at(length);
        chunks.push(chunk);
        rest = after;
    }
    chunks
}

/// The boxes of an MP4, with their names.
pub fn boxes(mp4: &[u8]) -> Vec<(String, &[u8])> {
    let (mut rest, mut boxes) = (mp4, Vec::new());
    while rest.len() >= 8 {
        let length = u32::from_be_bytes(rest[..4].try_into().expect("four bytes")) as usize;
        let (held, after) = rest.split_at(length.clamp(8, rest.len()));
        boxes.push((String::from_utf8_lossy(&held[4..8]).into_owned(), held));
        rest = after;
    }
    boxes
}

/// The MP4 without its credentials: its `uuid` boxes.
pub fn strip_mp4(bytes: &[u8]) -> Vec<u8> {
    boxes(bytes).into_iter().filter(|(name, _)| name != "uuid").flat_map(|(_, held)| held.to_vec()).collect()
}
