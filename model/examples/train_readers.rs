//! Trains the probes' readers of blocks and of keys, and writes their weights into the source tree: `cargo run --release
//! -p holdfast-model --example train_readers`. Some twenty minutes on one core, the same weights every time. They are
//! part of the program, and their hashes of every report: what was probed before cannot be gone on with.

use holdfast_model::probe::{
    inverse::InverseDynamics,
    reader::{BlockReader, FROZEN_CAMERA, gallery},
};
use holdfast_sim::seeds;
use std::{error::Error, path::Path};

/// Of blocks: worlds of a round, and rounds.
const WORLDS: u64 = 240;
const ROUNDS: usize = 48;
/// Of keys.
const WALKS: u64 = 480;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/probe");
    let keys = InverseDynamics::train(FROZEN_CAMERA, WALKS);
    std::fs::write(folder.join("inverse/frozen.f16"), keys.to_bytes())?;
    let blocks = BlockReader::train(FROZEN_CAMERA, WORLDS, ROUNDS);
    std::fs::write(folder.join("reader/frozen.f16"), blocks.to_bytes())?;
    let first = seeds::VALIDATION.start + 500;
    let accuracy = blocks.accuracy(&gallery(FROZEN_CAMERA, first..first + 40)) * 100.0;
    println!(
        "{accuracy:.1} % of single pixels of true frames are read right, each kind alike; build again to probe by it"
    );
    Ok(())
}
