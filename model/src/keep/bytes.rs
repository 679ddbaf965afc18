//! Small pieces that saves and recordings share: actions as eleven bytes, pictures deflated, reading within bounds.

use flate2::{Compression, read::DeflateDecoder, write::DeflateEncoder};
use holdfast_sim::{Action, Frame};
use std::io::{Read, Write};

/// No frame has a longer side, as no model has.
pub const MOST_SIDE_PX: usize = 2048;

/// What the bits of an action mean, the lowest first.
fn switches(action: &Action) -> [bool; 9] {
    let a = action;
    [a.forward, a.back, a.left, a.right, a.jump, a.sneak, a.sprint, a.attack, a.use_]
}

/// An action as bytes: two of switches, one of the slot, four of pitch and four of yaw, all little-endian.
pub fn put_action(bytes: &mut Vec<u8>, action: &Action) {
    let bits = switches(action).iter().enumerate().fold(0u16, |bits, (at, &on)| bits | u16::from(on) << at);
    bytes.extend(bits.to_le_bytes());
    bytes.push(action.hotbar);
    action.camera.iter().for_each(|turn| bytes.extend(turn.to_le_bytes()));
}

/// Reads bytes from the front of a slice; running out is an error, not a panic.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    pub fn take(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or("it says less than it must")?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        Ok(self.take(N)?.try_into().expect("as many as were taken"))
    }

    pub fn u8(&mut self) -> Result<u8, String> {
        Ok(self.array::<1>()?[0])
    }

    pub fn u16(&mut self) -> Result<u16, String> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32(&mut self) -> Result<u32, String> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn f32(&mut self) -> Result<f32, String> {
        self.array().map(f32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Result<u64, String> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn hash(&mut self) -> Result<[u8; 32], String> {
        self.array()
    }

    pub fn action(&mut self) -> Result<Action, String> {
        let bits = self.u16()?;
        if bits >= 1 << 9 {
            return Err("an action has switches that there are not".into());
        }
        let hotbar = self.u8()?;
        let camera = [f32::from_le_bytes(self.array()?), f32::from_le_bytes(self.array()?)];
        let on = |at: u32| bits & 1 << at != 0;
        let action = Action {
            forward: on(0),
            back: on(1),
            left: on(2),
            right: on(3),
            jump: on(4),
            sneak: on(5),
            sprint: on(6),
            attack: on(7),
            use_: on(8),
            hotbar,
            camera,
        };
        action.check()?;
        Ok(action)
    }

    /// Nothing may be left.
    pub fn end(self) -> Result<(), String> {
        if self.0.is_empty() { Ok(()) } else { Err(format!("{} bytes too many", self.0.len())) }
    }
}

/// Deflates quickly: what is kept is written while somebody plays.
pub fn deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish()).expect("memory takes any bytes")
}

/// Inflates to exactly `length` bytes; more or fewer are an error, and no more than that is ever made.
pub fn inflate(bytes: &[u8], length: usize) -> Result<Vec<u8>, String> {
    let mut inflated = Vec::new();
    let mut decoder = DeflateDecoder::new(bytes).take(length as u64 + 1);
    decoder.read_to_end(&mut inflated).map_err(|error| format!("it does not unpack: {error}"))?;
    if inflated.len() != length {
        return Err(format!("it unpacks to something else than the {length} bytes that it claims"));
    }
    Ok(inflated)
}

/// A picture as bytes: width and height in two bytes each, then its pixels deflated.
pub fn put_frame(bytes: &mut Vec<u8>, frame: &Frame) {
    bytes.extend((frame.width as u16).to_le_bytes());
    bytes.extend((frame.height as u16).to_le_bytes());
    bytes.extend(deflate(&frame.rgb));
}

/// Reads all of [`put_frame`]'s bytes.
pub fn take_frame(mut cursor: Cursor) -> Result<Frame, String> {
    let (width, height) = (usize::from(cursor.u16()?), usize::from(cursor.u16()?));
    if !(1..=MOST_SIDE_PX).contains(&width) || !(1..=MOST_SIDE_PX).contains(&height) {
        return Err(format!("a picture of {width}x{height}; at most {MOST_SIDE_PX} a side are possible"));
    }
    Ok(Frame { width, height, rgb: inflate(cursor.0, width * height * 3)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_switch_has_its_bit() {
        for bit in 0..9 {
            let mut bytes = (1u16 << bit).to_le_bytes().to_vec();
            bytes.extend([3, 0, 0, 0, 0, 0, 0, 0xb4, 0xc2]);
            let action = Cursor(&bytes).action().expect("an action");
            assert_eq!(switches(&action).iter().filter(|&&on| on).count(), 1);
            assert_eq!((action.hotbar, action.camera), (3, [0.0, -90.0]));
            let mut again = Vec::new();
            put_action(&mut again, &action);
            assert_eq!(again, bytes);
        }
        assert!(Cursor(&[0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0]).action().is_err(), "a tenth switch");
        assert!(Cursor(&[0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0]).action().is_err(), "a tenth slot");
        assert!(Cursor(&[0, 0, 0, 0, 0, 0xc0, 0x7f, 0, 0, 0, 0]).action().is_err(), "a turn that is no number");
        assert!(Cursor(&[0, 0, 0]).action().is_err());
    }

    #[test]
    fn pictures_unpack_to_what_they_claim_and_no_more() {
        let frame = Frame { width: 3, height: 2, rgb: (0..18).collect() };
        let mut bytes = Vec::new();
        put_frame(&mut bytes, &frame);
        assert_eq!(take_frame(Cursor(&bytes)), Ok(frame));
        bytes[0] = 2;
        assert!(take_frame(Cursor(&bytes)).is_err(), "too many pixels");
        bytes[..4].fill(0xff);
        assert!(take_frame(Cursor(&bytes)).is_err(), "65535x65535");
        assert!(inflate(&deflate(&vec![0; 10_000_000]), 1000).is_err(), "a bomb");
    }
}
