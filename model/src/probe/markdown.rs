//! The report as a page for the repository: `docs/scores.md`.

use super::{
    Figure, Report, Role, bar, compare,
    report::{number, short},
};
use std::fmt::Write;

/// The page: a summary by headline, then each probe with all its figures and controls.
pub fn markdown(report: &Report) -> String {
    let [first, end] = report.seeds;
    let mut page = format!(
        "# Scores\n\nMade by `{}`; nothing here is written by hand.\n\nSubject: {}, model `{}`, version {}. Seeds {first} to \
         {}, never trained on. The block reader (`{}`) reads {:.1}% of single pixels of true frames right, each kind \
         alike.\n\n{LEGEND}\n\n## Headlines\n\n",
        plain(&report.command),
        plain(&report.subject),
        short(&report.model_hash),
        report.version,
        end - 1,
        short(&report.reader.hash),
        report.reader.accuracy * 100.0,
    );
    page += &head("probe");
    for (id, probe) in &report.probes {
        let name = format!("[`{id}`](#{id}) {}", probe.headline);
        match probe.metrics.get(&probe.headline) {
            Some(figure) => page += &row(&name, figure),
            None => {
                let _ = writeln!(page, "| {name} | no trial counted | | | | | | | |");
            }
        }
    }
    let judged = report.bar_rows();
    if !judged.is_empty() {
        let _ = write!(page, "\n## Bars\n\n{BARS}\n\n{}", table(&bar::COLUMNS, &judged));
    }
    if let Some(compared) = &report.compared {
        let rows = table(&compare::COLUMNS, &compared.rows());
        let _ = write!(page, "\n## Beside another run\n\n{}\n\n{rows}", compared.summary());
    }
    for (id, probe) in &report.probes {
        let _ = write!(page, "\n## {id}\n\n{}\n\n", plain(probe.about));
        if (probe.seeds_done as u64) < end - first {
            let _ = write!(page, "Only {} of {} seeds are finished.\n\n", probe.seeds_done, end - first);
        }
        page += &head("metric");
        // The headline first, as the probe has it.
        let others = probe.metrics.iter().filter(|(name, _)| **name != probe.headline);
        for (name, figure) in probe.metrics.get_key_value(&probe.headline).into_iter().chain(others) {
            page += &row(name, figure);
        }
        if probe.controls.is_empty() {
            page += "\nIt has no controls: it asks nothing of the memory.\n";
            continue;
        }
        let controls: Vec<_> =
            Role::CONTROLS.iter().filter_map(|role| probe.controls.get_key_value(role.name())).collect();
        let names: Vec<&str> = controls.iter().map(|(name, _)| **name).collect();
        let _ = write!(page, "\n| control | {} |\n| --- |{}\n", names.join(" | "), " ---: |".repeat(names.len()));
        for metric in probe.metrics.keys() {
            let cell = |figure: Option<&Figure>| figure.map_or("-".into(), bounded);
            let cells: Vec<String> = controls.iter().map(|(_, control)| cell(control.metrics.get(metric))).collect();
            if cells.iter().any(|cell| cell != "-") {
                let _ = writeln!(page, "| {} | {} |", plain(metric), cells.join(" | "));
            }
        }
    }
    page
}

/// What the columns and the roles are, for every page that shows them.
pub const LEGEND: &str = "Floor: the same model with all that it remembers of its world off: map, places of things, light, and \
what it knows of walls. Ceiling: the same with its memory filled from the simulator and the true pose; where the world \
changes unseen, that holds what was last seen, and a dream may be better. Gap: how much of the way from floor to ceiling is \
closed, on the seeds that have both; none where the ceiling is no better. With a hundred seeds or more, floors and ceilings \
run on one of four seeds, controls on one of eight. True: what the metric makes of true frames, the reader's own error where \
one reads. Bounds: 95%, bootstrap over seeds. n: trials that counted. Controls: a memory with its colours shuffled, one that \
another start wrote (what happens later it takes in as ever), and the picture of the start held still. Longer stays, walks \
and drift run without some of them, since they cost as much as all else. What a control reaches \
as well says nothing of memory by itself: a still picture has no ghosts and goes through no wall.";

/// How bars are judged, for every page that shows them.
pub const BARS: &str = "What is asked of a world, judged by the bounds: met where even the worse bound reaches the bar, \
missed where not even the better one does, open where the bar lies between them.";

/// The first column is text, the others are figures.
fn table<const N: usize>(columns: &[&str; N], rows: &[[String; N]]) -> String {
    let mut lines = vec![columns.join(" | "), format!("---{}", " | ---:".repeat(N - 1))];
    lines.extend(rows.iter().map(|cells| cells.each_ref().map(|cell| plain(cell)).join(" | ")));
    lines.iter().map(|line| format!("| {line} |\n")).collect()
}

fn head(name: &str) -> String {
    format!(
        "| {name} | value | 95% bounds | floor | ceiling | gap | true | n | seeds |\n\
         | --- | ---: | :---: | ---: | ---: | ---: | ---: | ---: | ---: |\n"
    )
}

fn row(name: &str, figure: &Figure) -> String {
    let maybe = |value: Option<f64>| value.map_or("-".into(), number);
    let better = if figure.higher_is_better { "" } else { " (lower is better)" };
    format!(
        "| {name}{better} | {} | {} .. {} | {} | {} | {} | {} | {} | {} |\n",
        number(figure.bounded.value),
        number(figure.bounded.lower95),
        number(figure.bounded.upper95),
        maybe(figure.floor),
        maybe(figure.ceiling),
        maybe(figure.gap_closed),
        maybe(figure.on_true_frames),
        figure.bounded.n,
        figure.bounded.seeds
    )
}

fn bounded(figure: &Figure) -> String {
    let [value, lower, upper] = [figure.bounded.value, figure.bounded.lower95, figure.bounded.upper95].map(number);
    format!("{value} ({lower} .. {upper})")
}

/// Text that a table cannot mistake for its own marks.
fn plain(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
