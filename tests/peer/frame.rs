//! The Rust side of `compare.py`: evaluates the denoiser on one given input, as often as it is told.
//!
//! Arguments: model folder, threads, precision, files of pixels and condition (f32, little endian). Lines on the input:
//! `run N` answers with the milliseconds of N evaluations, `write PATH` writes the raw output.

use holdfast_model::{
    folder::ModelFolder,
    kernel::{Batch, Crew, FrameTape, Kernel, PackedWeights, Precision},
};
use std::{env, error::Error, fs, path::Path, time::Instant};

fn read(path: &str) -> Result<Vec<f32>, Box<dyn Error>> {
    let bytes = fs::read(path)?;
    Ok(bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect())
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [folder, threads, precision, pixels, condition] = arguments.as_slice() else {
        return Err("expected: model folder, threads, f32, bf16 or int8, pixels, condition".into());
    };
    let precision: Precision = precision.parse()?;
    let ModelFolder { config, weights, .. } = ModelFolder::load(Path::new(folder))?;
    let (pixels, condition) = (read(pixels)?, read(condition)?);
    let (width, height) = (config.width, config.height);
    let kernel = Kernel::with_precision(config, precision);
    let weights = PackedWeights::new(&kernel, weights);
    let (mut tape, crew) = (FrameTape::default(), Crew::new(threads.parse()?));
    let batch = Batch { pixels: &pixels, condition: &condition, samples: 1, width, height };
    for line in std::io::stdin().lines() {
        let line = line?;
        match line.split_once(' ') {
            Some(("run", count)) => {
                let times = (0..count.parse()?).map(|_| {
                    let begun = Instant::now();
                    kernel.frame(weights.get(), &batch, &mut tape, &crew);
                    format!("{:.4}", begun.elapsed().as_secs_f64() * 1e3)
                });
                println!("{}", times.collect::<Vec<_>>().join(" "));
            }
            Some(("write", path)) => {
                let bytes: Vec<u8> = tape.output().iter().flat_map(|value| value.to_le_bytes()).collect();
                fs::write(path, bytes)?;
                println!("written");
            }
            _ => return Err(format!("unknown line `{line}`").into()),
        }
    }
    Ok(())
}
