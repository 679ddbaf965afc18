//! What time it is and what the weather does: both follow from the seed and the tick.

use super::chance::{self, Stream};
use super::sky::{Sky, Weather};

/// Ticks in a day: 20 minutes.
pub const DAY_TICKS: u64 = 24_000;
/// The weather may change after this long, and keeps to it with [`KEEP_WEATHER`].
const WEATHER_TICKS: u64 = 3_000;
const KEEP_WEATHER: f32 = 0.75;

/// The sky of a seed at a tick. `cold` ground turns rain to snow; `wish` overrides the seed's weather.
pub fn sky(seed: u64, tick: u64, cold: bool, wish: Option<Weather>) -> Sky {
    let weather = wish.unwrap_or_else(|| weather(seed, tick / WEATHER_TICKS, cold));
    Sky {
        time_of_day: time_of_day(seed, tick),
        weather,
        tick,
    }
}

/// 0 is midnight, 0.5 noon. Starts by day for four seeds in five, at dawn or dusk for one in ten, at night for one in
/// ten.
fn time_of_day(seed: u64, tick: u64) -> f32 {
    let mut dice = Stream::new(seed ^ chance::SKY, [0, 0], 0);
    let start = match dice.unit() {
        part if part < 0.8 => dice.between(0.30, 0.70),
        part if part < 0.85 => dice.between(0.22, 0.30),
        part if part < 0.9 => dice.between(0.70, 0.78),
        _ => dice.between(0.80, 1.20).fract(),
    };
    let start_ticks = (f64::from(start) * DAY_TICKS as f64) as u64;
    ((start_ticks + tick) % DAY_TICKS) as f32 / DAY_TICKS as f32
}

/// 70% clear. A spell of weather often outlasts its window, so changes are slow.
fn weather(seed: u64, window: u64, cold: bool) -> Weather {
    // The last window that drew anew; the first one always does.
    let drawn = (0..=window)
        .rev()
        .find(|&at| at == 0 || Stream::new(seed ^ chance::SKY, [1, 0], at).unit() > KEEP_WEATHER)
        .unwrap_or(0);
    let mut dice = Stream::new(seed ^ chance::SKY, [2, 0], drawn);
    match dice.unit() {
        part if part < 0.70 => Weather::Clear,
        // Now and then snow falls on warm ground too: the model must learn both.
        _ if cold || dice.unit() < 0.25 => Weather::Snow,
        _ => Weather::Rain,
    }
}

/// The direction in which a player of this seed first looks, degrees.
pub fn start_yaw_deg(seed: u64) -> f32 {
    (Stream::new(seed ^ chance::SKY, [3, 0], 0).between(-180.0, 180.0)).round()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_seeds_start_by_day_and_in_clear_weather() {
        let skies: Vec<Sky> = (0..2000).map(|seed| sky(seed, 0, seed % 4 == 0, None)).collect();
        let share = |fits: fn(&Sky) -> bool| skies.iter().filter(|sky| fits(sky)).count() as f32 / 2000.0;
        assert!((share(|sky| (0.3..0.7).contains(&sky.time_of_day)) - 0.8).abs() < 0.03);
        assert!((share(|sky| sky.weather == Weather::Clear) - 0.7).abs() < 0.03);
        assert!((share(|sky| sky.weather == Weather::Snow) - 0.13).abs() < 0.03);
    }

    #[test]
    fn a_day_passes_and_weather_changes_seldom() {
        assert_eq!(
            sky(7, 0, false, None).time_of_day,
            sky(7, DAY_TICKS, false, None).time_of_day
        );
        let changes: usize = (0..200)
            .map(|seed| {
                (1..8)
                    .filter(|&at| weather(seed, at, false) != weather(seed, at - 1, false))
                    .count()
            })
            .sum();
        assert!((50..400).contains(&changes), "{changes} changes in 200 days");
    }

    #[test]
    fn a_wish_overrides_the_seed() {
        assert_eq!(sky(1, 5, false, Some(Weather::Snow)).weather, Weather::Snow);
    }
}
