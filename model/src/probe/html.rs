//! What people read: one self-contained page with the table, curves, and strips of pictures.

use super::{
    Figure, Metric, Probe, Record, Report, Role, StripColumn, bar, compare,
    markdown::{BARS, LEGEND},
    report::{figure, number, short},
};
use holdfast_sim::Frame;
use std::fmt::Write;

/// Pixels between the pictures of a strip.
const GAP: usize = 2;

/// A strip as PNG: a tick a column, its pictures below each other. `None` without pictures.
pub fn strip_png(strip: &[StripColumn]) -> Option<Vec<u8>> {
    let first = strip.iter().find_map(|column| column.pictures.first())?;
    let (width, height) = (first.width + GAP, first.height + GAP);
    let rows = strip.iter().map(|column| column.pictures.len()).max()?;
    let mut sheet = Frame::new(strip.len() * width - GAP, rows * height - GAP);
    for (column, pictures) in strip.iter().enumerate() {
        for (row, picture) in pictures.pictures.iter().enumerate() {
            for y in 0..picture.height.min(height) {
                let at = ((row * height + y) * sheet.width + column * width) * 3;
                let line = &picture.rgb[y * picture.width * 3..(y + 1) * picture.width * 3];
                sheet.rgb[at..at + line.len()].copy_from_slice(line);
            }
        }
    }
    Some(sheet.to_png())
}

/// Base64 with padding (RFC 4648, section 4).
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, &byte| group << 8 | u32::from(byte)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(group >> (18 - 6 * place) & 63) as usize] as char;
            text.push(if place <= chunk.len() { digit } else { '=' });
        }
    }
    text
}

/// The page. `strip` gives the PNG of a probe's strip on a seed.
pub fn page(
    report: &Report,
    probes: &[Box<dyn Probe>],
    records: &[Record],
    strip: impl Fn(&str, u64) -> Option<Vec<u8>>,
) -> String {
    let mut body = String::new();
    let judged = report.bar_rows();
    if !judged.is_empty() {
        let _ = write!(body, "<h2>Bars</h2><p>{BARS}</p>{}", table(&bar::COLUMNS, &judged));
    }
    if let Some(compared) = &report.compared {
        let rows = table(&compare::COLUMNS, &compared.rows());
        let _ = write!(body, "<h2>Beside another run</h2><p>{}</p>{rows}", escape(&compared.summary()));
    }
    for probe in probes {
        let Some(found) = report.probes.get(probe.id()) else { continue };
        let _ = write!(body, "<h2 id=\"{0}\"><code>{0}</code></h2><p>{1}</p>", probe.id(), escape(found.about));
        let own: Vec<&Record> = records.iter().filter(|record| record.probe == probe.id()).collect();
        body += "<table><tr><th>metric<th>value<th>95% bounds<th>floor<th>ceiling<th>gap closed<th>on true frames<th>n<th>seeds";
        for metric in probe.metrics() {
            if let Some(figure) = found.metrics.get(&metric.name) {
                body += &row(&metric.name, &metric, figure);
            }
        }
        body += "</table>";
        if !found.controls.is_empty() {
            body += "<table><tr><th>control<th>value<th>95% bounds<th>floor<th>ceiling<th>gap closed<th>on true frames<th>n<th>seeds";
            for (name, control) in &found.controls {
                let metrics = probe.metrics();
                let metric = metrics.iter().find(|m| m.name == control.metric).expect("the report names our metrics");
                body += &row(&format!("{name}: {}", control.metric), metric, &control.figure);
            }
            body += "</table>";
        }
        body += &curves(&probe.metrics(), &own);
        body += &strips(probe.as_ref(), &own, &strip);
    }
    let bare = if body.contains("<img") { "" } else { "<p>No pictures: the folder's strips are not there.</p>" };
    format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><title>Holdfast probes</title><style>{STYLE}</style>\
         <h1>Does the world hold?</h1><p>Subject <b>{}</b>, model <code>{}</code>, seeds {} to {}, version {}.<br>\
         <code>{}</code></p><p>{LEGEND}</p><p>The block reader (<code>{}</code>) reads {:.1}% of single pixels of true frames right, each kind alike.</p>{bare}{body}</html>\n",
        escape(&report.subject),
        escape(&report.model_hash),
        report.seeds[0],
        report.seeds[1],
        report.version,
        escape(&report.command),
        short(&report.reader.hash),
        report.reader.accuracy * 100.0,
    )
}

const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;max-width:62rem;margin:2rem auto;padding:0 1rem;\
color:#1c2024;background:#fff}table{border-collapse:collapse;margin:.6rem 0}th,td{padding:.15rem .7rem;text-align:right;\
border-bottom:1px solid #ddd;font-variant-numeric:tabular-nums}th:first-child,td:first-child{text-align:left}\
img{image-rendering:pixelated;max-width:100%;display:block}figure{margin:.8rem 0}figcaption{color:#555}\
h2{margin-top:2.4rem}code{font-size:.92em}";

fn row(name: &str, metric: &Metric, figure: &Figure) -> String {
    let maybe = |value: Option<f64>| value.map_or("-".into(), number);
    let better = if metric.higher_is_better { "" } else { " (lower is better)" };
    let Figure { bounded, floor, ceiling, gap_closed, on_true_frames, .. } = figure;
    format!(
        "<tr><td>{}{better}<td><b>{}</b><td>{} .. {}<td>{}<td>{}<td>{}<td>{}<td>{}<td>{}",
        escape(name),
        number(bounded.value),
        number(bounded.lower95),
        number(bounded.upper95),
        maybe(*floor),
        maybe(*ceiling),
        maybe(*gap_closed),
        maybe(*on_true_frames),
        bounded.n,
        bounded.seeds
    )
}

fn table<const N: usize>(columns: &[&str; N], rows: &[[String; N]]) -> String {
    let mut html = format!("<table><tr><th>{}", columns.join("<th>"));
    for cells in rows {
        let _ = write!(html, "<tr><td>{}", cells.each_ref().map(|cell| escape(cell)).join("<td>"));
    }
    html + "</table>"
}

/// The best, the median and the worst seed by the headline, with their pictures.
fn strips(probe: &dyn Probe, records: &[&Record], strip: &impl Fn(&str, u64) -> Option<Vec<u8>>) -> String {
    let metric = probe.metrics().swap_remove(0);
    let mut ranked: Vec<(f64, u64)> =
        records.iter().filter_map(|r| Some((r.mean(&metric.name, Role::Subject)?, r.seed))).collect();
    if ranked.is_empty() {
        ranked = records.iter().map(|record| (f64::NAN, record.seed)).collect();
    }
    ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
    if !metric.higher_is_better {
        ranked.reverse();
    }
    let mut html = String::new();
    let mut drawn = Vec::new();
    for (name, at) in [("best", 0), ("median", ranked.len() / 2), ("worst", ranked.len().saturating_sub(1))] {
        let Some(&(value, seed)) = ranked.get(at).filter(|(_, seed)| !drawn.contains(seed)) else { continue };
        drawn.push(seed);
        if let Some(png) = strip(probe.id(), seed) {
            let _ = write!(
                html,
                "<figure><img alt=\"truth, subject and memory off\" src=\"data:image/png;base64,{}\"><figcaption>{name}: \
                 seed {seed}, {} {value:.3}; from above: truth, subject, memory off where that was run</figcaption></figure>",
                base64(&png),
                metric.name
            );
        }
    }
    html
}

/// Size of a plot and the room for its labels, pixels.
const PLOT: (f64, f64) = (420.0, 170.0);
const ROOM: f64 = 44.0;
const LINES: [(Role, &str, &str); 3] = [
    (Role::Subject, "subject", "#1668c7"),
    (Role::MemoryOff, "floor", "#b3541e"),
    (Role::MemoryTrue, "ceiling", "#3a8a3f"),
];

/// Every curve that the metrics are points of.
fn curves(metrics: &[Metric], records: &[&Record]) -> String {
    let mut names: Vec<&str> = metrics.iter().filter_map(|metric| Some(metric.curve?.0)).collect();
    names.dedup();
    let mut html = String::new();
    for name in names {
        let points: Vec<(f64, &Metric)> = metrics
            .iter()
            .filter_map(|metric| metric.curve.filter(|curve| curve.0 == name).map(|curve| (curve.1, metric)))
            .collect();
        let line = |role: Role| -> Vec<(f64, f64)> {
            points.iter().filter_map(|(x, metric)| Some((*x, figure(metric, records, role)?.bounded.value))).collect()
        };
        let lines = LINES.map(|(role, label, colour)| (line(role), label, colour));
        html += &plot(name, &lines);
    }
    html
}

/// Points, label and colour.
type Line<'a> = (Vec<(f64, f64)>, &'a str, &'a str);

fn plot(name: &str, lines: &[Line; 3]) -> String {
    let all = || lines.iter().flat_map(|(points, ..)| points.iter());
    if lines[0].0.len() < 2 {
        return String::new();
    }
    let bounds = |pick: fn(&(f64, f64)) -> f64| {
        let (low, high) = all().map(pick).fold((f64::MAX, f64::MIN), |(l, h), v| (l.min(v), h.max(v)));
        (low, if high > low { high } else { low + 1.0 })
    };
    let ((x0, x1), (y0, y1)) = (bounds(|point| point.0), bounds(|point| point.1));
    let place = |(x, y): (f64, f64)| {
        (ROOM + (x - x0) / (x1 - x0) * (PLOT.0 - 2.0 * ROOM), PLOT.1 - 28.0 - (y - y0) / (y1 - y0) * (PLOT.1 - 50.0))
    };
    let mut svg = format!(
        "<figure><svg width=\"{}\" height=\"{}\" font-size=\"11\" role=\"img\" aria-label=\"{name}\">",
        PLOT.0, PLOT.1
    );
    for value in [y0, y1] {
        let (_, y) = place((x0, value));
        let _ = write!(svg, "<text x=\"2\" y=\"{:.0}\">{value:.2}</text>", y + 4.0);
    }
    for value in [x0, x1] {
        let (x, _) = place((value, y0));
        let _ = write!(svg, "<text x=\"{x:.0}\" y=\"{:.0}\">{value}</text>", PLOT.1 - 10.0);
    }
    // The names of lines that end near each other stand one above the other.
    let mut ends: Vec<(f64, usize)> =
        lines.iter().enumerate().filter_map(|(at, line)| Some((place(*line.0.last()?).1, at))).collect();
    ends.sort_by(|a, b| a.0.total_cmp(&b.0));
    for at in 1..ends.len() {
        ends[at].0 = ends[at].0.max(ends[at - 1].0 + 12.0);
    }
    for &(y, at) in &ends {
        let (_, label, colour) = lines[at];
        let _ = write!(svg, "<text x=\"{}\" y=\"{:.0}\" fill=\"{colour}\">{label}</text>", PLOT.0 - 42.0, y + 4.0);
    }
    for (points, _, colour) in lines {
        let path: Vec<String> = points.iter().map(|&at| place(at)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\" points=\"{}\"/>",
            path.join(" ")
        );
        for point in &path {
            let (x, y) = point.split_once(',').expect("written with a comma above");
            let _ = write!(svg, "<circle cx=\"{x}\" cy=\"{y}\" r=\"2.5\" fill=\"{colour}\"/>");
        }
    }
    svg + &format!("</svg><figcaption>{}</figcaption></figure>", escape(name))
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_follows_the_examples_of_its_standard() {
        // RFC 4648, section 10.
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
        assert_eq!(base64(&[0xff, 0xef, 0xbe]), "/+++");
    }

    #[test]
    fn pictures_stand_in_their_columns() {
        let picture = |value| Frame { width: 3, height: 2, rgb: vec![value; 18] };
        let strip: Vec<StripColumn> =
            [0, 7].map(|tick| StripColumn { tick, pictures: vec![picture(10), picture(200)] }).into();
        let bytes = strip_png(&strip).expect("pictures");
        let mut reader = png::Decoder::new(std::io::Cursor::new(bytes)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        let info = reader.next_frame(&mut pixels).expect("whole");
        assert_eq!((info.width, info.height), (3 + 2 + 3, 2 + 2 + 2));
        assert_eq!((pixels[0], pixels[3 * 3], pixels[(4 * 8 + 5) * 3]), (10, 0, 200));
        assert_eq!(strip_png(&[]), None);
    }
}
