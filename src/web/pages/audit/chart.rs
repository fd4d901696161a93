//! The chart of accesses by day and decision, drawn on the server as SVG. Its colours are classes, so that both schemes
//! and print have their own; the same numbers stand beside it as a table.

use std::fmt::Display;

use chrono::{Datelike, NaiveDate};
use plotters::prelude::*;

use crate::service::{DayCount, ServiceError};

const SIZE: (u32, u32) = (760, 250);
/// No bar is wider: one day is not a wall.
const WIDEST: i32 = 40;
/// Stand-ins that no theme has: each becomes a class.
const PERMIT: RGBColor = RGBColor(1, 0, 0);
const DENY: RGBColor = RGBColor(2, 0, 0);
const FAILED: RGBColor = RGBColor(3, 0, 0);
const INK: RGBColor = RGBColor(4, 0, 0);
const RULE: RGBColor = RGBColor(5, 0, 0);
const CLASSES: [(&str, &str); 6] = [
    ("fill=\"#010000\"", "class=\"permit\""),
    ("fill=\"#020000\"", "class=\"deny\""),
    ("fill=\"#030000\"", "class=\"failed\""),
    ("fill=\"#040000\"", "class=\"ink\""),
    ("stroke=\"#040000\"", "class=\"axis\""),
    ("stroke=\"#050000\"", "class=\"rule\""),
];

fn broken(e: impl Display) -> ServiceError {
    ServiceError::Internal(format!("the chart was not drawn: {e}"))
}

/// Bars go no higher than this; no log of ours has as many records in a day.
fn height(records: i64) -> f64 {
    f64::from(u32::try_from(records.max(0)).unwrap_or(u32::MAX))
}

/// The bars as one outline for each decision: a quarter of days has hundreds, and each would name its class.
fn outlined(svg: &str) -> String {
    let of = |bar: &str, name: &str| {
        let after = bar.split_once(&format!(" {name}=\""))?.1;
        Some(after.split_once('"')?.0.to_owned())
    };
    let mut out = String::with_capacity(svg.len());
    let mut outlines: Vec<(String, String)> = Vec::new();
    for line in svg.lines() {
        let bar = line.strip_prefix("<rect").and_then(|bar| {
            let number = |name| of(bar, name)?.parse::<i32>().ok();
            let (x, y, width, h) = (number("x")?, number("y")?, number("width")?, number("height")?);
            let w = width.min(WIDEST);
            let x = x.saturating_add(width.saturating_sub(w) / 2);
            Some((of(bar, "class")?, format!("M{x} {y}h{w}v{h}h-{w}z")))
        });
        match bar {
            Some((class, drawn)) => match outlines.iter_mut().find(|(known, _)| *known == class) {
                Some((_, outline)) => outline.push_str(&drawn),
                None => outlines.push((class, drawn)),
            },
            None => {
                if line == "</svg>" {
                    for (class, outline) in &outlines {
                        out.push_str(&format!("<path class=\"{class}\" d=\"{outline}\"/>\n"));
                    }
                }
                out.push_str(line);
                out.push('\n');
            }
        }
    }
    out
}

fn whole(value: f64) -> bool {
    (value - value.round()).abs() < 1e-6
}

/// The chart of the days from `from` to `until`, both included.
///
/// # Errors
/// When it cannot be drawn, which is a bug.
pub fn by_day(days: &[DayCount], from: NaiveDate, until: NaiveDate) -> Result<String, ServiceError> {
    let place = |day: NaiveDate| {
        f64::from(i32::try_from(day.signed_duration_since(from).num_days()).unwrap_or(i32::MAX))
    };
    let labels: Vec<String> = from
        .iter_days()
        .take_while(|d| *d <= until)
        .map(|d| format!("{:02}/{:02}", d.day(), d.month()))
        .collect();
    let highest = days.iter().map(|d| d.permit.saturating_add(d.deny).saturating_add(d.failed)).max();
    let top = (height(highest.unwrap_or(0)) * 1.08).max(4.0);
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, SIZE).into_drawing_area();
        let mut chart = ChartBuilder::on(&root)
            .margin(8)
            .margin_right(24)
            .x_label_area_size(28)
            .y_label_area_size(52)
            .build_cartesian_2d(-0.6..place(until) + 0.6, 0.0..top)
            .map_err(broken)?;
        let day = |x: &f64| {
            let found = labels.iter().zip(0_u32..).find(|(_, n)| (f64::from(*n) - x).abs() < 1e-6);
            found.map_or_else(String::new, |(label, _)| label.clone())
        };
        let number = |y: &f64| if whole(*y) { format!("{y:.0}") } else { String::new() };
        chart
            .configure_mesh()
            .disable_x_mesh()
            .axis_style(INK)
            .bold_line_style(RULE)
            .light_line_style(TRANSPARENT)
            .label_style(("sans-serif", 16).into_font().color(&INK))
            .x_labels(10)
            .y_labels(5)
            .x_label_formatter(&day)
            .y_label_formatter(&number)
            .draw()
            .map_err(broken)?;
        for counted in days.iter().filter(|d| (from..=until).contains(&d.on)) {
            let x = place(counted.on);
            let mut base = 0.0;
            for (records, colour) in
                [(counted.permit, PERMIT), (counted.deny, DENY), (counted.failed, FAILED)]
            {
                let end = base + height(records);
                if records > 0 {
                    let bar = Rectangle::new([(x - 0.36, base), (x + 0.36, end)], colour.filled());
                    chart.draw_series([bar]).map_err(broken)?;
                }
                base = end;
            }
        }
        root.present().map_err(broken)?;
    }
    for (colour, class) in CLASSES {
        svg = svg.replace(colour, class);
    }
    for default in [" opacity=\"1\"", " stroke-width=\"1\"", " font-family=\"sans-serif\""] {
        svg = svg.replace(default, "");
    }
    let svg = outlined(&svg);
    // The head of the drawing is ours: it names itself to screen readers and takes its width from the page.
    let (_, drawing) = svg.split_once('>').ok_or_else(|| broken("no head"))?;
    let (width, height) = SIZE;
    Ok(format!(
        "<svg class=\"chart\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"chart-title\">{drawing}"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chart_has_a_bar_for_each_decision_and_no_colour_of_its_own() {
        let day = |d| NaiveDate::from_ymd_opt(2027, 3, d).unwrap();
        let days = [
            DayCount { on: day(2), permit: 120, deny: 7, failed: 0 },
            DayCount { on: day(3), permit: 80, deny: 0, failed: 1 },
        ];
        let svg = by_day(&days, day(1), day(14)).unwrap();
        let bars = |class: &str| {
            let (_, outline) = svg.split_once(&format!("<path class=\"{class}\" d=\"")).unwrap();
            outline.split_once('"').unwrap().0.matches('z').count()
        };
        assert_eq!([bars("permit"), bars("deny"), bars("failed")], [2, 1, 1]);
        assert!(!svg.contains("<rect"), "{svg}");
        assert!(!svg.contains('#') && !svg.contains("style="), "{svg}");
        assert!(svg.contains("02/03") || svg.contains("03/03"), "{svg}");
        let alone =
            by_day(&[DayCount { on: day(2), permit: 9, deny: 0, failed: 0 }], day(2), day(2)).unwrap();
        assert!(alone.contains(&format!("h{WIDEST}v")), "{alone}");
        assert!(by_day(&[], day(1), day(1)).unwrap().contains("</svg>"));
    }
}
