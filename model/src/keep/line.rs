//! A line of a world: how it began, and what was done since. Everything else follows from these and the model.

use super::bytes::{Cursor, put_action, put_frame, take_frame};
use holdfast_sim::{Action, Frame, Pose, Start};

/// How the first line of a world began; worlds that are loaded go on with the line that they were saved in.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    Seed(u64),
    /// A picture, and where it was taken, if that is known.
    Image(Frame, Option<Pose>),
}

/// See the module.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    pub origin: Origin,
    /// Seed of the sampler's noise at the origin.
    pub noise_seed: u64,
    /// One a tick.
    pub actions: Vec<Action>,
}

impl Origin {
    pub fn start(&self) -> Start {
        match self {
            Origin::Seed(seed) => Start::Seed(*seed),
            Origin::Image(frame, pose) => Start::Image(frame.clone(), *pose),
        }
    }

    pub fn of(start: &Start) -> Origin {
        match start {
            Start::Seed(seed) => Origin::Seed(*seed),
            Start::Image(frame, pose) => Origin::Image(frame.clone(), *pose),
        }
    }

    pub fn seed(&self) -> Option<u64> {
        match self {
            Origin::Seed(seed) => Some(*seed),
            Origin::Image(..) => None,
        }
    }

    pub(super) fn put(&self, bytes: &mut Vec<u8>) {
        match self {
            Origin::Seed(seed) => {
                bytes.push(0);
                bytes.extend(seed.to_le_bytes());
            }
            Origin::Image(frame, None) => {
                bytes.push(1);
                put_frame(bytes, frame);
            }
            Origin::Image(frame, Some(pose)) => {
                bytes.push(4);
                let [x, y, z] = pose.position;
                [x, y, z, pose.yaw_deg, pose.pitch_deg].iter().for_each(|part| bytes.extend(part.to_le_bytes()));
                put_frame(bytes, frame);
            }
        }
    }

    /// Reads all that is left of a cursor.
    pub(super) fn take(mut cursor: Cursor) -> Result<Origin, String> {
        match cursor.u8()? {
            0 => {
                let seed = cursor.u64()?;
                cursor.end()?;
                Ok(Origin::Seed(seed))
            }
            1 => Ok(Origin::Image(take_frame(cursor)?, None)),
            4 => {
                let position = [cursor.f32()?, cursor.f32()?, cursor.f32()?];
                let pose = Pose { position, yaw_deg: cursor.f32()?, pitch_deg: cursor.f32()? };
                let sound = pose.position.iter().all(|side| side.is_finite()) && pose.yaw_deg.is_finite();
                if !sound || !(-90.0..=90.0).contains(&pose.pitch_deg) {
                    return Err("its start was taken from no place".into());
                }
                Ok(Origin::Image(take_frame(cursor)?, Some(pose)))
            }
            kind => Err(format!("there is no origin of kind {kind}")),
        }
    }
}

impl Line {
    pub fn new(origin: Origin, noise_seed: u64) -> Line {
        Line { origin, noise_seed, actions: Vec::new() }
    }

    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.noise_seed.to_le_bytes().to_vec();
        bytes.extend((self.actions.len() as u64).to_le_bytes());
        self.actions.iter().for_each(|action| put_action(&mut bytes, action));
        self.origin.put(&mut bytes);
        bytes
    }

    pub fn from_bytes(bytes: &[u8]) -> Result<Line, String> {
        let mut cursor = Cursor(bytes);
        let (noise_seed, count) = (cursor.u64()?, cursor.u64()?);
        if count > bytes.len() as u64 {
            return Err(format!("it claims {count} actions, and has {} bytes", bytes.len()));
        }
        let actions = (0..count).map(|_| cursor.action()).collect::<Result<_, _>>()?;
        Ok(Line { noise_seed, actions, origin: Origin::take(cursor)? })
    }
}

/// BLAKE3 of a frame: its width and height as four bytes each, little-endian, then its pixels.
pub fn frame_hash(frame: &Frame) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(frame.width as u32).to_le_bytes()).update(&(frame.height as u32).to_le_bytes());
    *hasher.update(&frame.rgb).finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_read_back_and_absurd_counts_are_refused() {
        let image = Frame { width: 2, height: 1, rgb: vec![1, 2, 3, 4, 5, 6] };
        let pose = Pose { position: [0.5, 64.62, -3.5], yaw_deg: 30.0, pitch_deg: -5.0 };
        for origin in [Origin::Seed(7), Origin::Image(image.clone(), None), Origin::Image(image, Some(pose))] {
            let jump = Action { jump: true, camera: [1.5, -2.0], ..Action::default() };
            let line = Line { origin, noise_seed: 9, actions: vec![Action::default(), jump] };
            let mut bytes = line.to_bytes();
            assert_eq!(Line::from_bytes(&bytes), Ok(line));
            bytes[8..16].copy_from_slice(&(1u64 << 60).to_le_bytes());
            assert!(Line::from_bytes(&bytes).expect_err("absurd").contains("claims 1152921504606846976 actions"));
        }
    }

    #[test]
    fn frames_of_other_shapes_have_other_hashes() {
        let [flat, tall] = [(4, 1), (1, 4)].map(|(width, height)| frame_hash(&Frame::new(width, height)));
        assert_ne!(flat, tall);
    }
}
