//! Bars: what a world should reach, and whether it is shown that it does. A figure is judged by its bounds.

use super::{Bounded, Metric, Record, Role, report, report::number};
use serde::Serialize;

/// What the 95% bounds of a figure say of its bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Even the worse bound reaches it.
    Met,
    /// The bar lies between the bounds: more seeds would tell.
    Open,
    /// Not even the better bound reaches it.
    Missed,
}

impl Verdict {
    pub fn name(self) -> &'static str {
        match self {
            Verdict::Met => "met",
            Verdict::Open => "open",
            Verdict::Missed => "missed",
        }
    }

    fn of(figure: &Bounded, bar: f64, higher_is_better: bool) -> Verdict {
        let reaches = |value: f64| if higher_is_better { value >= bar } else { value <= bar };
        // Of what is asked of all, one that fails is enough, however many draws leave it out.
        if bar == ALL && higher_is_better && !reaches(figure.value) {
            return Verdict::Missed;
        }
        match (reaches(figure.lower95), reaches(figure.upper95)) {
            (true, true) => Verdict::Met,
            (false, false) => Verdict::Missed,
            _ => Verdict::Open,
        }
    }
}

/// The bar of a share that asks it of every world.
pub const ALL: f64 = 1.0;

/// What the columns of [`Report::bar_rows`](super::Report::bar_rows) say.
pub const COLUMNS: [&str; 6] = ["what is asked", "bar", "value", "95% bounds", "seeds", "verdict"];

/// A bar, and the figure that stands before it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    pub metric: String,
    /// Whether the share of the gap that is closed is judged, and not the metric's own value.
    pub gap_closed: bool,
    pub bar: f64,
    pub higher_is_better: bool,
    #[serde(flatten)]
    pub figure: Bounded,
    pub verdict: Verdict,
}

impl Judged {
    /// Every bar of the metrics before the subject's figures; those of which nothing counted are left out.
    pub fn all(metrics: &[Metric], records: &[&Record]) -> Vec<Judged> {
        let mut judged = Vec::new();
        for metric in metrics {
            if let Some(bar) = metric.bar
                && let Some(figure) = report::figure(metric, records, Role::Subject)
            {
                judged.push(Judged::new(metric, false, bar, figure.bounded));
            }
            if let Some(bar) = metric.gap_bar
                && let Some(gap) = report::gap_closed_bounded(metric, records, Role::Subject)
            {
                judged.push(Judged::new(metric, true, bar, gap));
            }
        }
        judged
    }

    fn new(metric: &Metric, gap_closed: bool, bar: f64, figure: Bounded) -> Judged {
        // More of the gap is better, whichever way the metric goes.
        let higher_is_better = gap_closed || metric.higher_is_better;
        let verdict = Verdict::of(&figure, bar, higher_is_better);
        Judged { metric: metric.name.clone(), gap_closed, bar, higher_is_better, figure, verdict }
    }

    /// Its row in a table for people.
    pub fn cells(&self, probe: &str) -> [String; 6] {
        let what = if self.gap_closed { ", share of the gap closed" } else { "" };
        let at = if self.higher_is_better { "at least" } else { "at most" };
        let [value, lower, upper] = [self.figure.value, self.figure.lower95, self.figure.upper95].map(number);
        [
            format!("{probe} {}{what}", self.metric),
            format!("{at} {}", self.bar),
            value,
            format!("{lower} .. {upper}"),
            self.figure.seeds.to_string(),
            self.verdict.name().into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_bound_decides() {
        let figure = Bounded { value: 0.9, lower95: 0.85, upper95: 0.95, n: 10, seeds: 10 };
        for (bar, higher_is_better, expected) in [
            (0.85, true, Verdict::Met),
            (0.9, true, Verdict::Open),
            (0.96, true, Verdict::Missed),
            (0.95, false, Verdict::Met),
            (0.9, false, Verdict::Open),
            (0.84, false, Verdict::Missed),
        ] {
            assert_eq!(Verdict::of(&figure, bar, higher_is_better), expected, "{bar} {higher_is_better}");
        }
        let all_but_one = Bounded { upper95: 1.0, ..figure };
        assert_eq!(Verdict::of(&all_but_one, ALL, true), Verdict::Missed);
        let all = Bounded { value: 1.0, lower95: 1.0, ..all_but_one };
        assert_eq!(Verdict::of(&all, ALL, true), Verdict::Met);
    }

    #[test]
    fn a_value_and_a_gap_are_judged_each_by_its_own_bar() {
        let records: Vec<Record> = (0..20)
            .map(|seed| {
                let mut record = Record::new("known", seed);
                for (role, value) in [(Role::Subject, 3.0), (Role::MemoryOff, 5.0), (Role::MemoryTrue, 1.0)] {
                    record.add("error", role, value);
                }
                record
            })
            .collect();
        let records: Vec<&Record> = records.iter().collect();
        let metric = Metric::mean("error").lower_is_better().with_bar(2.0).with_gap_bar(0.5);
        let judged = Judged::all(&[metric, Metric::mean("absent").with_bar(1.0)], &records);
        let found: Vec<_> = judged.iter().map(|j| (j.gap_closed, j.figure.value, j.verdict)).collect();
        assert_eq!(found, [(false, 3.0, Verdict::Missed), (true, 0.5, Verdict::Met)]);
    }
}
