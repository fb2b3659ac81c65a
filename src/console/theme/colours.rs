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

/// The nearest colour the terminal has.
pub fn reduce(color: Color, depth: Depth) -> Color {
    let Color::Rgb(r, g, b) = color else { return color };
    match depth {
        Depth::True | Depth::None => color,
        Depth::Ansi256 => Color::Indexed(nearest_256(r, g, b)),
        Depth::Ansi16 => nearest_16(r, g, b),
    }
}

fn nearest_256(r: u8, g: u8, b: u8) -> u8 {
    let level = |v: u8| {
        if v < 48 {
            0
        } else if v < 115 {
            1
        } else {
            (v - 35) / 40
        }
    };
    let value = |l: u8| if l == 0 { 0 } else { 55 + 40 * l };
    let distance = |x: (u8, u8, u8)| {
        let d = |a: u8, b: u8| i32::from(a) - i32::from(b);
        d(x.0, r).pow(2) + d(x.1, g).pow(2) + d(x.2, b).pow(2)
    };
    let (lr, lg, lb) = (level(r), level(g), level(b));
    let cube = distance((value(lr), value(lg), value(lb)));
    let mean = (u16::from(r) + u16::from(g) + u16::from(b)) / 3;
    let step = u8::try_from((mean.saturating_sub(3) / 10).min(23)).unwrap_or(0);
    let grey = 8 + 10 * step;
    if distance((grey, grey, grey)) < cube { 232 + step } else { 16 + 36 * lr + 6 * lg + lb }
}

/// By hue, not by distance: success, warning and error stay three different colours.
fn nearest_16(r: u8, g: u8, b: u8) -> Color {
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if max - min < 40 {
        return match max {
            0..=50 => Color::Black,
            51..=130 => Color::DarkGray,
            131..=200 => Color::Gray,
            _ => Color::White,
        };
    }
    match (r == max, g == max, r > 150, g > 130, b > 150) {
        (true, _, _, true, false) => Color::Yellow,
        (true, _, _, _, true) => Color::Magenta,
        (true, ..) => Color::Red,
        (_, true, _, _, true) => Color::Cyan,
        (_, true, ..) => Color::Green,
        (_, _, _, true, _) => Color::Cyan,
        _ => Color::Blue,
    }
}

/// Red, green and blue of a colour; `None` of one that is the terminal's own choice.
fn rgb(color: Color) -> Option<[f64; 3]> {
    let Color::Rgb(r, g, b) = color else { return None };
    Some([r, g, b].map(|v| f64::from(v) / 255.0))
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
