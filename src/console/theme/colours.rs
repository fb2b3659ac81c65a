//! Colours by arithmetic: the nearest that a terminal has, contrast as the WCAG has it, and how far apart two are
//! for eyes that lack a cone.

use ratatui::style::Color;

use super::depth::Depth;

/// `#rrggbb`, an ANSI name, or `default`, which is the terminal's own.
pub fn parse(text: &str) -> Option<Color> {
    if text == "default" {
        return Some(Color::Reset);
    }
    text.parse().ok()
}

/// Colours whose parts are no farther apart are greys.
const NEARLY_GREY: u8 = 40;

/// The nearest colour the terminal has.
pub fn reduce(color: Color, depth: Depth) -> Color {
    let Color::Rgb(r, g, b) = color else { return color };
    match depth {
        Depth::True | Depth::None => color,
        Depth::Ansi256 => Color::Indexed(nearest_256(r, g, b)),
        Depth::Ansi16 => nearest_16(r, g, b),
    }
}

/// Of the cube and the greys whatever the eye sees nearest: it sees green best. What is nearly grey becomes a grey,
/// not a faint violet.
fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    let value = |l: u8| if l == 0 { 0 } else { 55 + 40 * l };
    let distance = |x: (u8, u8, u8)| {
        let d = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
        2 * d(x.0, r) + 4 * d(x.1, g) + 3 * d(x.2, b)
    };
    // The levels below and above.
    let levels = |v: u8| {
        let below = (1..=5).rev().find(|l| value(*l) <= v).unwrap_or(0);
        [below, (below + 1).min(5)]
    };
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let step = u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(0);
    let grey = (distance([8 + 10 * step; 3].into()), 232 + step);
    if r.max(g).max(b) - r.min(g).min(b) < NEARLY_GREY {
        return grey.1;
    }
    let mut best = grey;
    for lr in levels(r) {
        for lg in levels(g) {
            for lb in levels(b) {
                let found = (distance((value(lr), value(lg), value(lb))), 16 + 36 * lr + 6 * lg + lb);
                best = best.min(found);
            }
        }
    }
    best.1
}

/// By hue, not by distance: success, warning and error stay three different colours.
fn nearest_16(r: u8, g: u8, b: u8) -> Color {
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if max - min < NEARLY_GREY {
        return match max {
            0..=50 => Color::Black,
            51..=130 => Color::DarkGray,
            131..=200 => Color::Gray,
            _ => Color::White,
        };
    }
    let [red, green, blue] = [r, g, b].map(i32::from);
    if r == max {
        // Ambers and golds, dark and pale; else what has much blue in it is no red.
        let golden = (2 * green > red && 2 * blue < red) || (5 * green > 4 * red && blue + 40 < green);
        return if golden {
            Color::Yellow
        } else if b > 150 {
            Color::Magenta
        } else {
            Color::Red
        };
    }
    if g == max {
        return if green - blue > 30 || b <= 150 { Color::Green } else { Color::Cyan };
    }
    match (red > green + 30, g < 170) {
        (true, _) => Color::Magenta,
        (_, true) => Color::Blue,
        _ => Color::Cyan,
    }
}

/// Red, green and blue of a colour; `None` of one that is the terminal's own choice.
fn rgb(color: Color) -> Option<[f64; 3]> {
    let Color::Rgb(r, g, b) = color else { return None };
    Some([r, g, b].map(|v| f64::from(v) / 255.0))
}

/// A colour between two, nearer to the first; `None` where one is the terminal's own.
pub fn between(a: Color, b: Color) -> Option<Color> {
    let (Color::Rgb(ar, ag, ab), Color::Rgb(br, bg, bb)) = (a, b) else { return None };
    let mix = |a: u8, b: u8| u8::try_from((u16::from(a) * 3 + u16::from(b) * 2) / 5).unwrap_or(a);
    Some(Color::Rgb(mix(ar, br), mix(ag, bg), mix(ab, bb)))
}

fn linear(v: f64) -> f64 {
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

/// The WCAG's contrast of two colours, 1 to 21.
#[must_use]
pub fn contrast(a: Color, b: Color) -> Option<f64> {
    let luminance = |c: Color| {
        let [r, g, b] = rgb(c)?.map(linear);
        Some(0.2126 * r + 0.7152 * g + 0.0722 * b)
    };
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}
