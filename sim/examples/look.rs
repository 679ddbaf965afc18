//! Draws the true world: `cargo run --release -p holdfast-sim --example look -- OUT.png SEED ..`.
//!
//! One row for each seed: views around the start, at the size that models see, enlarged. `TIME=0.9` (a time of day),
//! `WEATHER=rain|snow` and `LARGE=1` (fewer, larger views) change what is drawn.

use glam::IVec3;
use holdfast_sim::voxel::chunk::Chunks;
use holdfast_sim::voxel::render::{Scene, View, render};
use holdfast_sim::voxel::sky::{Sky, VIEW_BLOCKS, Weather};
use holdfast_sim::{Camera, Frame, Pose};
use std::path::Path;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let out = arguments.next().ok_or("expected a PNG file to write, then seeds")?;
    let seeds: Vec<u64> = arguments.map(|seed| seed.parse()).collect::<Result<_, _>>()?;
    let setting = |name: &str| std::env::var(name).ok();
    let large = setting("LARGE").is_some();
    let ((width, height), zoom, across) = if large { ((480, 270), 1, 4) } else { ((128, 72), 2, 8) };
    let camera = Camera::new(width, height);
    let sky = Sky {
        time_of_day: setting("TIME").map_or(Ok(Sky::default().time_of_day), |text| text.parse())?,
        weather: match setting("WEATHER").as_deref() {
            Some("rain") => Weather::Rain,
            Some("snow") => Weather::Snow,
            _ => Weather::Clear,
        },
        tick: 100,
    };
    let mut sheet = Sheet::new((width, height), zoom, across, seeds.len());
    let mut view = View::new(width, height);
    for (row, seed) in seeds.into_iter().enumerate() {
        let mut chunks = Chunks::new(seed);
        let feet = chunks.spawn();
        chunks.load_around(feet.as_ivec3(), VIEW_BLOCKS as i32 + 1);
        for turn in 0..across {
            let eye = feet + glam::Vec3::new(0.0, 1.62, 0.0);
            let pitch_deg = if turn % 4 == 3 { 30.0 } else { 6.0 };
            let pose = Pose {
                position: eye.to_array(),
                yaw_deg: (turn * 360 / across) as f32,
                pitch_deg,
            };
            let crack = (turn % 4 == 3).then(|| (feet.floor().as_ivec3() + IVec3::new(0, -1, 0), 6));
            let scene = Scene {
                chunks: &chunks,
                sky: &sky,
                boxes: &[],
                crack,
            };
            render(&scene, &pose, &camera, &mut view);
            sheet.place(row * across + turn, &view.frame);
        }
        println!(
            "seed {seed}: feet at {feet}, {}",
            chunks.terrain().biome(feet.x as i32, feet.z as i32).name()
        );
    }
    sheet.write(Path::new(&out))
}

/// Pictures side by side, enlarged.
struct Sheet {
    tile: (usize, usize),
    zoom: usize,
    across: usize,
    picture: Frame,
}

impl Sheet {
    fn new(tile: (usize, usize), zoom: usize, across: usize, down: usize) -> Self {
        Sheet {
            tile,
            zoom,
            across,
            picture: Frame::new(tile.0 * zoom * across, tile.1 * zoom * down),
        }
    }

    fn place(&mut self, index: usize, frame: &Frame) {
        let (x0, y0) = (
            index % self.across * self.tile.0 * self.zoom,
            index / self.across * self.tile.1 * self.zoom,
        );
        for y in 0..self.tile.1 * self.zoom {
            for x in 0..self.tile.0 * self.zoom {
                let at = ((y0 + y) * self.picture.width + x0 + x) * 3;
                self.picture.rgb[at..at + 3].copy_from_slice(&frame.pixel(x / self.zoom, y / self.zoom));
            }
        }
    }

    fn write(&self, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
        let file = std::io::BufWriter::new(std::fs::File::create(path)?);
        let mut encoder = png::Encoder::new(file, self.picture.width as u32, self.picture.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.write_header()?.write_image_data(&self.picture.rgb)?;
        Ok(())
    }
}
