//! Integer hashing and the value noise built on it: the only randomness of the world, the same on every machine.

const X: u64 = 0x9E37_79B9_7F4A_7C15;
const Y: u64 = 0xC2B2_AE3D_27D4_EB4F;
const Z: u64 = 0x1656_67B1_9E37_79F9;

/// The finaliser of SplitMix64: every bit of the input moves every bit of the output.
pub fn mix(mut h: u64) -> u64 {
    h = (h ^ (h >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    h = (h ^ (h >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    h ^ (h >> 31)
}

/// A hash of a point in the plane under a seed.
pub fn hash2(seed: u64, x: i32, z: i32) -> u64 {
    mix(seed ^ (x as u64).wrapping_mul(X) ^ (z as u64).wrapping_mul(Z))
}

/// A hash of a point in space under a seed.
pub fn hash3(seed: u64, x: i32, y: i32, z: i32) -> u64 {
    mix(seed ^ (x as u64).wrapping_mul(X) ^ (y as u64).wrapping_mul(Y) ^ (z as u64).wrapping_mul(Z))
}

/// A quick hash of a block position for looks: cheap enough for every pixel.
#[inline]
pub fn look_hash(x: i32, y: i32, z: i32) -> u32 {
    let mut h = (x as u32).wrapping_mul(0x9E37_79B1)
        ^ (y as u32).wrapping_mul(0x85EB_CA77)
        ^ (z as u32).wrapping_mul(0xC2B2_AE3D);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// The top bits of a hash as a number in 0..1.
#[inline]
pub fn unit(hash: u64) -> f32 {
    (hash >> 40) as f32 / (1u64 << 24) as f32
}

/// Smooth noise in -1..1 whose bumps are `scale` blocks wide.
pub fn value(seed: u64, x: f32, z: f32, scale: f32) -> f32 {
    let (x, z) = (x / scale, z / scale);
    let (x0, z0) = (x.floor(), z.floor());
    let (fx, fz) = (fade(x - x0), fade(z - z0));
    let (x0, z0) = (x0 as i32, z0 as i32);
    let at = |dx, dz| unit(hash2(seed, x0 + dx, z0 + dz));
    let near = at(0, 0) + (at(1, 0) - at(0, 0)) * fx;
    let far = at(0, 1) + (at(1, 1) - at(0, 1)) * fx;
    (near + (far - near) * fz) * 2.0 - 1.0
}

/// `octaves` of [`value`], each half as wide and half as high as the one before, in -1..1.
pub fn fractal(seed: u64, x: f32, z: f32, scale: f32, octaves: u32) -> f32 {
    let (mut sum, mut high, mut total, mut wide) = (0.0, 1.0, 0.0, scale);
    for octave in 0..octaves {
        sum += high * value(seed.wrapping_add(u64::from(octave).wrapping_mul(Y)), x, z, wide);
        total += high;
        high *= 0.5;
        wide *= 0.5;
    }
    sum / total
}

/// 0 below `from`, 1 above `to`, smooth between.
pub fn smoothstep(from: f32, to: f32, value: f32) -> f32 {
    let t = ((value - from) / (to - from)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn fade(t: f32) -> f32 {
    t * t * t * (t * (t * 6.0 - 15.0) + 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_bounded_smooth_and_fills_its_range() {
        let (mut low, mut high) = (1.0f32, -1.0f32);
        for i in 0..4000 {
            let x = i as f32 * 0.37 - 700.0;
            let here = fractal(7, x, 3.0, 20.0, 3);
            assert!((here - fractal(7, x + 0.01, 3.0, 20.0, 3)).abs() < 0.01);
            (low, high) = (low.min(here), high.max(here));
        }
        assert!(
            (-1.0..-0.5).contains(&low) && (0.5..1.0).contains(&high),
            "{low} {high}"
        );
    }

    #[test]
    fn hashes_spread_over_their_range() {
        let mean = (0..10_000).map(|i| unit(hash3(1, i, -i, 3 * i))).sum::<f32>() / 10_000.0;
        assert!((mean - 0.5).abs() < 0.02, "{mean}");
        let mut buckets = [0; 16];
        for x in -64..64 {
            for z in -64..64 {
                buckets[(look_hash(x, 20, z) & 15) as usize] += 1;
            }
        }
        assert!(buckets.iter().all(|count| (850..1200).contains(count)), "{buckets:?}");
    }
}
