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
        match (reaches(figure.lower95), reaches(figure.upper95)) {
            (true, true) => Verdict::Met,
            (false, false) => Verdict::Missed,
            _ => Verdict::Open,
        }
    }
}

/// What the columns of [`Report::bar_rows`](super::Report::bar_rows) say.
pub const COLUMNS: [&str; 5] = ["what is asked", "bar", "value", "95% bounds", "verdict"];

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
            let figure = || Some(report::figure(metric, records, Role::Subject)?.bounded);
            let gap = || report::gap_closed_bounded(metric, records, Role::Subject);
            let mut judge = |bar: Option<f64>, figure: &dyn Fn() -> Option<Bounded>, gap_closed: bool| {
                let Some((bar, figure)) = bar.zip(bar.and_then(|_| figure())) else { return };
                // More of the gap is better, whichever way the metric goes.
                let higher_is_better = gap_closed || metric.higher_is_better;
                let verdict = Verdict::of(&figure, bar, higher_is_better);
                judged.push(Judged { metric: metric.name.clone(), gap_closed, bar, higher_is_better, figure, verdict });
            };
            judge(metric.bar, &figure, false);
            judge(metric.gap_bar, &gap, true);
        }
        judged
    }

    /// Its row in a table for people.
    pub fn cells(&self, probe: &str) -> [String; 5] {
        let what = if self.gap_closed { ", share of the gap closed" } else { "" };
        let at = if self.higher_is_better { "at least" } else { "at most" };
        let [value, lower, upper] = [self.figure.value, self.figure.lower95, self.figure.upper95].map(number);
        [
            format!("{probe} {}{what}", self.metric),
            format!("{at} {}", self.bar),
            value,
            format!("{lower} .. {upper}"),
            self.verdict.name().into(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worse_bound_decides() {
        let figure = Bounded { value: 0.9, lower95: 0.85, upper95: 0.95, n: 10 };
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
