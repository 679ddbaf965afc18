//! H.264's units: from a byte stream with start codes to what MP4 holds, and back (ITU-T H.264, annex B; ISO/IEC 14496-15).

/// Sequence parameter set.
pub const SEQUENCE: u8 = 7;
/// Picture parameter set.
pub const PICTURE: u8 = 8;

const START: [u8; 4] = [0, 0, 0, 1];

/// A unit's type.
pub fn kind(unit: &[u8]) -> u8 {
    unit.first().map_or(0, |byte| byte & 31)
}

/// The units of a byte stream, without their start codes.
pub fn split(stream: &[u8]) -> Vec<Vec<u8>> {
    let starts: Vec<usize> = stream.windows(3).enumerate().filter(|(_, w)| *w == [0, 0, 1]).map(|(at, _)| at).collect();
    let ends = starts.iter().skip(1).copied().chain([stream.len()]);
    let unit = |(start, end): (&usize, usize)| {
        let mut unit = stream[start + 3..end].to_vec();
        // A unit never ends in a zero: what stands there belongs to the next start code.
        while unit.last() == Some(&0) {
            unit.pop();
        }
        unit
    };
    starts.iter().zip(ends).map(unit).filter(|unit| !unit.is_empty()).collect()
}

/// A frame's units as MP4 holds them: each after its length. The parameter sets stand in the file's head.
pub fn sample(units: &[Vec<u8>]) -> Vec<u8> {
    let units = units.iter().filter(|unit| ![SEQUENCE, PICTURE].contains(&kind(unit)));
    units.flat_map(|unit| (unit.len() as u32).to_be_bytes().into_iter().chain(unit.iter().copied())).collect()
}

/// A byte stream of one unit.
pub fn with_start_code(unit: &[u8]) -> Vec<u8> {
    [&START, unit].concat()
}

/// A byte stream from a sample whose lengths are `length_size` bytes; a damaged one ends early.
pub fn stream(mut sample: &[u8], length_size: usize) -> Vec<u8> {
    let mut stream = Vec::with_capacity(sample.len() + 16);
    while let Some((length, rest)) = sample.split_at_checked(length_size) {
        let length = length.iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte));
        let Some((unit, rest)) = rest.split_at_checked(length) else {
            break;
        };
        stream.extend_from_slice(&START);
        stream.extend_from_slice(unit);
        sample = rest;
    }
    stream
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_go_there_and_back() {
        let bytes = [0, 0, 0, 1, 0x67, 1, 0, 0, 0, 1, 0x68, 2, 0, 0, 1, 0x65, 3, 0, 0, 3, 4];
        let units = split(&bytes);
        assert_eq!(units, [vec![0x67, 1], vec![0x68, 2], vec![0x65, 3, 0, 0, 3, 4]]);
        let held = sample(&units);
        assert_eq!(held, [0, 0, 0, 6, 0x65, 3, 0, 0, 3, 4]);
        assert_eq!(stream(&held, 4), with_start_code(&units[2]));
        assert!(stream(&held[..7], 4).is_empty(), "cut short");
    }
}
