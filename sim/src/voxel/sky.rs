//! What lies behind and between the blocks: sun, moon, sky, clouds, fog, and the light they give.

use super::noise::look_hash;
use super::ray::floor;
use glam::Vec3;

/// What falls from the sky.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weather {
    #[default]
    Clear,
    Rain,
    Snow,
}

/// The sky at a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sky {
    /// 0 is midnight, 0.25 sunrise, 0.5 noon, 0.75 sunset; 1 is midnight again.
    pub time_of_day: f32,
    pub weather: Weather,
    /// Moves the clouds and what falls.
    pub tick: u64,
}

impl Default for Sky {
    /// A clear late morning.
    fn default() -> Self {
        Sky {
            time_of_day: 0.42,
            weather: Weather::Clear,
            tick: 0,
        }
    }
}

/// Surfaces beyond this distance are not drawn: the fog has swallowed them.
pub const VIEW_BLOCKS: f32 = 48.0;
/// How high the clouds float.
const CLOUD_Y: f32 = 92.0;
/// Width of a cloud's cell in blocks.
const CLOUD_CELL: f32 = 11.0;

/// The sky's colours, worked out once a frame.
#[derive(Debug, Clone, Copy)]
pub struct Air {
    sun: Vec3,
    /// Two axes across the sun's direction, along which its square is drawn.
    sun_right: Vec3,
    sun_up: Vec3,
    zenith: Vec3,
    horizon: Vec3,
    glow: Vec3,
    cloud: Vec3,
    cloud_cover: f32,
    /// How clearly sun, moon and clouds show.
    clear: f32,
    drift: f32,
    /// The light of the open sky on a surface that looks up.
    pub light: Vec3,
    /// How dark it is, 0 by day to 1 at night.
    pub night: f32,
    fog_from: f32,
    fog_scale: f32,
}

impl Sky {
    /// Where the sun stands: it rises in the east (-x) and sets in the west, a little south of straight up.
    fn sun_direction(&self) -> Vec3 {
        let (sin, cos) = libm::sincosf((self.time_of_day - 0.25) * std::f32::consts::TAU);
        Vec3::new(-cos, sin * 0.94, -sin * 0.34)
    }

    pub fn air(&self) -> Air {
        let sun = self.sun_direction();
        let day = super::noise::smoothstep(-0.18, 0.28, sun.y);
        let dusk = (1.0 - (sun.y * 3.2).abs()).max(0.0);
        let dull = if self.weather == Weather::Clear { 0.0 } else { 1.0 };
        let grey = if self.weather == Weather::Snow {
            Vec3::new(0.74, 0.77, 0.82)
        } else {
            Vec3::new(0.50, 0.54, 0.60)
        };
        let lit = |night: Vec3, noon: Vec3| night + (noon - night) * day;
        let zenith = lit(Vec3::new(0.012, 0.018, 0.055), Vec3::new(0.33, 0.55, 0.95));
        let horizon = lit(Vec3::new(0.045, 0.06, 0.12), Vec3::new(0.71, 0.83, 0.98));
        let overcast = lit(grey * 0.13, grey);
        let light = lit(Vec3::new(0.20, 0.24, 0.36), Vec3::ONE) + Vec3::new(0.10, 0.0, -0.08) * dusk;
        let fog_from = if dull > 0.0 { 10.0 } else { 20.0 };
        // The sun never stands along z.
        let sun_right = sun.cross(Vec3::Z).normalize();
        Air {
            sun,
            sun_right,
            sun_up: sun_right.cross(sun),
            zenith: zenith.lerp(overcast * 0.86, dull * 0.9),
            horizon: horizon.lerp(overcast, dull * 0.9),
            glow: Vec3::new(0.98, 0.50, 0.18) * (dusk * (1.0 - 0.8 * dull)),
            cloud: lit(Vec3::new(0.07, 0.08, 0.13), Vec3::new(1.0, 1.0, 1.0)),
            cloud_cover: 0.42,
            clear: 1.0 - dull,
            drift: (self.tick % 1_000_000) as f32 * 0.02,
            light: light * (1.0 - dull * if self.weather == Weather::Snow { 0.12 } else { 0.24 }),
            night: 1.0 - day,
            fog_from,
            fog_scale: 1.0 / (VIEW_BLOCKS - 1.0 - fog_from),
        }
    }
}

impl Air {
    /// The colour of the sky without sun or clouds, which is also the colour of the fog in that direction.
    #[inline]
    pub fn haze(&self, direction: Vec3) -> Vec3 {
        let low = fourth_power(1.0 - direction.y.clamp(0.0, 1.0));
        let towards_sun = fourth_power(direction.dot(self.sun) * 0.5 + 0.5);
        let band = (1.0 - direction.y.abs()).max(0.0);
        self.zenith + (self.horizon - self.zenith) * low + self.glow * (towards_sun * band * band)
    }

    /// How much of a surface at this distance the fog hides, 0..=1.
    #[inline]
    pub fn fog(&self, distance: f32) -> f32 {
        let t = ((distance - self.fog_from) * self.fog_scale).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }

    /// The sky as seen from a height, in a direction of length 1.
    pub fn colour(&self, eye: Vec3, direction: Vec3) -> Vec3 {
        let mut colour = self.haze(direction);
        if self.clear > 0.0 {
            colour = self.bodies(colour, direction);
        }
        if direction.y > 0.02 && eye.y < CLOUD_Y {
            colour = self.clouds(colour, eye, direction);
        }
        colour.clamp(Vec3::ZERO, Vec3::ONE)
    }

    /// A square sun and a square moon.
    fn bodies(&self, behind: Vec3, direction: Vec3) -> Vec3 {
        let away = direction
            .dot(self.sun_right)
            .abs()
            .max(direction.dot(self.sun_up).abs());
        if away > 0.3125 {
            return behind;
        }
        if direction.dot(self.sun) > 0.0 {
            // Edges a pixel wide rather than stairs.
            let disc = 1.0 - super::noise::smoothstep(0.075, 0.092, away);
            let halo = (1.0 - away * 3.2).max(0.0) * 0.30;
            return behind.lerp(Vec3::new(1.0, 0.97, 0.80), (disc + halo).min(1.0) * self.clear);
        }
        let disc = 1.0 - super::noise::smoothstep(0.05, 0.064, away);
        behind.lerp(
            Vec3::new(0.86, 0.88, 0.95),
            disc * self.clear * (0.25 + 0.75 * self.night),
        )
    }

    fn clouds(&self, behind: Vec3, eye: Vec3, direction: Vec3) -> Vec3 {
        let far = (CLOUD_Y - eye.y) / direction.y;
        let fade = (1.0 - far / 260.0) * 0.75 * self.clear;
        if fade <= 0.0 {
            return behind;
        }
        let at = eye + direction * far;
        let (x, z) = ((at.x + self.drift) / CLOUD_CELL, at.z / CLOUD_CELL);
        let (x0, z0) = (floor(x), floor(z));
        let (fx, fz) = (edge(x - x0 as f32), edge(z - z0 as f32));
        let there = |dx: i32, dz: i32| self.cloud_in(x0 + dx, z0 + dz);
        // Most looks meet the flat of a cell: ask only for the neighbours that count.
        let row = |dz: i32| match fx {
            0.0 => there(0, dz),
            1.0 => there(1, dz),
            _ => there(0, dz) + (there(1, dz) - there(0, dz)) * fx,
        };
        let cover = match fz {
            0.0 => row(0),
            1.0 => row(1),
            _ => row(0) + (row(1) - row(0)) * fz,
        };
        behind.lerp(self.cloud, cover * fade)
    }

    /// Whether a cell holds cloud: patches of several cells.
    fn cloud_in(&self, x: i32, z: i32) -> f32 {
        let unit = |hash: u32| (hash >> 8) as f32 / (1 << 24) as f32;
        let patch = unit(look_hash(x >> 2, 71, z >> 2));
        let cell = unit(look_hash(x >> 1, 72, z));
        if patch * 0.65 + cell * 0.35 < self.cloud_cover {
            1.0
        } else {
            0.0
        }
    }
}

/// `powi` may round differently from one platform to another.
#[inline]
fn fourth_power(value: f32) -> f32 {
    let square = value * value;
    square * square
}

/// Clouds have flat middles and soft edges.
fn edge(t: f32) -> f32 {
    super::noise::smoothstep(0.3, 0.7, t)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn brightness(sky: Sky, direction: Vec3) -> f32 {
        sky.air().colour(Vec3::Y * 30.0, direction.normalize()).element_sum() / 3.0
    }

    #[test]
    fn the_sun_stands_high_at_noon_and_below_the_horizon_at_midnight() {
        let at = |time_of_day| {
            Sky {
                time_of_day,
                ..Sky::default()
            }
            .sun_direction()
        };
        assert!(at(0.5).y > 0.9 && at(0.0).y < -0.9 && at(0.25).y.abs() < 1e-3);
        assert!(at(0.25).x < -0.9 && at(0.75).x > 0.9, "rises in the east");
        assert!((at(0.37).length() - 1.0).abs() < 1e-3);
    }

    #[test]
    fn nights_and_bad_weather_are_darker_than_a_clear_day() {
        let level = Vec3::new(0.3, 0.2, 0.9);
        let day = Sky::default();
        let night = Sky {
            time_of_day: 0.0,
            ..day
        };
        let rain = Sky {
            weather: Weather::Rain,
            ..day
        };
        assert!(brightness(night, level) < 0.25 * brightness(day, level));
        assert!(brightness(rain, level) < 0.85 * brightness(day, level));
        let light = |sky: Sky| sky.air().light.element_sum();
        assert!(light(night) < light(rain) && light(rain) < light(day));
    }

    #[test]
    fn fog_hides_the_end_of_the_view_and_nothing_near() {
        for weather in [Weather::Clear, Weather::Rain, Weather::Snow] {
            let air = Sky {
                weather,
                ..Sky::default()
            }
            .air();
            assert_eq!((air.fog(4.0), air.fog(VIEW_BLOCKS - 0.5)), (0.0, 1.0));
            assert!((0..480).all(|i| air.fog(i as f32 * 0.1) <= air.fog(i as f32 * 0.1 + 0.1)));
        }
    }

    #[test]
    fn a_day_passes_without_a_jump() {
        let looks = [
            Vec3::new(0.1, 0.1, 1.0),
            Vec3::new(-1.0, 0.3, 0.2),
            Vec3::new(0.0, -0.3, -1.0),
        ];
        for step in 0..2000 {
            let now = Sky {
                time_of_day: step as f32 / 2000.0,
                ..Sky::default()
            };
            let next = Sky {
                time_of_day: (step + 1) as f32 / 2000.0,
                ..now
            };
            for look in looks {
                let (a, b) = (now.air().haze(look.normalize()), next.air().haze(look.normalize()));
                assert!((a - b).abs().max_element() < 0.012, "{step}: {a} {b}");
            }
        }
    }
}
