//! Themes: meanings to styles, from TOML. A broken or missing file never stops a start.

use std::{
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

use ratatui::style::{Color, Modifier, Style};

use crate::domain::text::clean;

/// How many colours the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    None,
    Ansi16,
    Ansi256,
    True,
}

impl Depth {
    /// By `--color`, then `NO_COLOR`, then what the terminal says of itself.
    #[must_use]
    pub fn detect(flag: &str) -> Self {
        let var = |name: &str| std::env::var(name).unwrap_or_default();
        match flag {
            "never" => return Self::None,
            "16" => return Self::Ansi16,
            "256" => return Self::Ansi256,
            "truecolor" => return Self::True,
            _ => {}
        }
        let term = var("TERM");
        if !var("NO_COLOR").is_empty() || term == "dumb" {
            Self::None
        } else if matches!(var("COLORTERM").as_str(), "truecolor" | "24bit") {
            Self::True
        } else if term.contains("256color") {
            Self::Ansi256
        } else {
            Self::Ansi16
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    #[error("theme {name}: {why}")]
    Broken { name: String, why: String },
    #[error("no theme is called \"{0}\"")]
    Unknown(String),
}

const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../themes/dark.toml")),
    ("light", include_str!("../../themes/light.toml")),
    ("high-contrast", include_str!("../../themes/high-contrast.toml")),
    ("colour-safe", include_str!("../../themes/colour-safe.toml")),
    ("mono", include_str!("../../themes/mono.toml")),
];

/// Roles and what they fall back to when a theme does not name them.
const FALLBACK: [(&str, &str); 12] = [
    ("call_pending", "state_idle"),
    ("call_calling", "info"),
    ("call_answered", "state_running"),
    ("call_completed", "text_dim"),
    ("call_failed", "error"),
    ("state_running", "success"),
    ("state_paused", "warn"),
    ("state_completed", "info"),
    ("state_error", "error"),
    ("surface", "bg"),
    ("title", "text"),
    ("log_warn", "warn"),
];

#[derive(Debug, Clone)]
pub struct Theme {
    pub name: String,
    roles: HashMap<String, Color>,
    /// No colour at all: bold, reverse and underline carry the difference.
    pub mono: bool,
}

impl Theme {
    /// Reads a theme's text.
    ///
    /// # Errors
    /// When it is not TOML, has a newer schema or a colour nobody knows.
    pub fn parse(name: &str, text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let broken = |why: String| ThemeError::Broken { name: name.to_owned(), why };
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| broken(e.to_string().replace('\n', " ")))?;
        let meta = table.get("meta").and_then(toml::Value::as_table);
        if meta.and_then(|m| m.get("schema")).and_then(toml::Value::as_integer).unwrap_or(1) > 1 {
            return Err(broken("its schema is newer than this release".to_owned()));
        }
        let mono = depth == Depth::None || meta.and_then(|m| m.get("colour")).and_then(toml::Value::as_str) == Some("none");
        let palette = table.get("palette").and_then(toml::Value::as_table).cloned().unwrap_or_default();
        let mut roles = HashMap::new();
        for (role, value) in table.get("roles").and_then(toml::Value::as_table).into_iter().flatten() {
            let text = value.as_str().or_else(|| value.as_table().and_then(|t| t.get("fg")).and_then(toml::Value::as_str));
            let Some(text) = text else { continue };
            let text = palette.get(text).and_then(toml::Value::as_str).unwrap_or(text);
            let color = color(text).ok_or_else(|| broken(format!("role {role}: \"{text}\" is no colour")))?;
            roles.insert(role.clone(), reduce(color, depth));
        }
        Ok(Self { name: name.to_owned(), roles, mono })
    }

    fn color(&self, role: &str) -> Option<Color> {
        if self.mono {
            return None;
        }
        self.roles.get(role).copied().or_else(|| FALLBACK.iter().find(|(r, _)| *r == role).and_then(|(_, to)| self.color(to)))
    }

    /// Text in a role, on the screen's background.
    #[must_use]
    pub fn style(&self, role: &str) -> Style {
        let mut style = Style::default();
        if let Some(bg) = self.color("bg") {
            style = style.bg(bg);
        }
        if let Some(fg) = self.color(role).or_else(|| self.color("text")) {
            style = style.fg(fg);
        }
        if self.mono {
            style = match role {
                "error" | "warn" | "danger" | "banner" | "key" | "title" | "state_running" | "call_answered" => style.add_modifier(Modifier::BOLD),
                "text_faint" | "call_completed" | "border" => style.add_modifier(Modifier::DIM),
                _ => style,
            };
        }
        style
    }

    /// The selected row: one background and one foreground, reversed only without colours.
    #[must_use]
    pub fn selection(&self, focused: bool) -> Style {
        if self.mono {
            return if focused { Style::default().add_modifier(Modifier::REVERSED) } else { Style::default().add_modifier(Modifier::UNDERLINED) };
        }
        let prefix = if focused { "selection" } else { "selection_inactive" };
        let mut style = Style::default();
        if let Some(bg) = self.color(&format!("{prefix}_bg")) {
            style = style.bg(bg);
        }
        if focused { style.add_modifier(Modifier::BOLD) } else { style }
    }

    /// A bar across the screen: `banner` or `danger`.
    #[must_use]
    pub fn bar(&self, kind: &str) -> Style {
        match (self.color(&format!("{kind}_bg")), self.color(&format!("{kind}_fg"))) {
            (Some(bg), Some(fg)) => Style::default().bg(bg).fg(fg),
            _ => Style::default().add_modifier(Modifier::REVERSED | Modifier::BOLD),
        }
    }
}

fn color(text: &str) -> Option<Color> {
    if text == "default" {
        return Some(Color::Reset);
    }
    text.parse().ok()
}

/// The nearest colour the terminal has.
fn reduce(color: Color, depth: Depth) -> Color {
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

/// Names of the themes built in.
#[must_use]
pub fn names() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(n, _)| *n).collect()
}

/// A theme by name: the user's file first, then the built-in; on any fault the built-in dark.
#[must_use]
pub fn load(name: &str, folder: &Path, depth: Depth) -> Theme {
    find(name, folder, depth).unwrap_or_else(|e| {
        tracing::warn!(target: "console", "{e}; using dark");
        Theme::parse("dark", BUILT_IN[0].1, depth).unwrap_or(Theme { name: "mono".to_owned(), roles: HashMap::new(), mono: true })
    })
}

/// Names of all themes there are, each with its file where a file has it: it goes before one built in.
#[must_use]
pub fn all(folder: &Path) -> Vec<(String, Option<PathBuf>)> {
    let mut all: BTreeMap<String, Option<PathBuf>> = names().into_iter().map(|n| (n.to_owned(), None)).collect();
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    for path in files.filter(|p| p.extension().is_some_and(|e| e == "toml")) {
        if let Some(name) = path.file_stem().and_then(|n| n.to_str()) {
            all.insert(clean(name, 60), Some(path));
        }
    }
    all.into_iter().collect()
}

/// The theme of one file.
///
/// # Errors
/// When it cannot be read, or is broken.
pub fn read(path: &Path) -> Result<Theme, ThemeError> {
    let name = clean(&path.display().to_string(), 200);
    let text = std::fs::read_to_string(path).map_err(|e| ThemeError::Broken { name: name.clone(), why: format!("cannot be read: {e}") })?;
    Theme::parse(&name, &text, Depth::True)
}

/// A theme by name: the user's file first, then the built-in.
///
/// # Errors
/// When there is none of this name, or it is broken.
pub fn find(name: &str, folder: &Path, depth: Depth) -> Result<Theme, ThemeError> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if plain && let Ok(text) = std::fs::read_to_string(folder.join(format!("{name}.toml"))) {
        return Theme::parse(name, &text, depth);
    }
    let built_in = BUILT_IN.iter().find(|(n, _)| *n == name).ok_or_else(|| ThemeError::Unknown(name.to_owned()))?;
    Theme::parse(name, built_in.1, depth)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_theme_reads_at_every_depth() {
        for (name, text) in BUILT_IN {
            for depth in [Depth::None, Depth::Ansi16, Depth::Ansi256, Depth::True] {
                let theme = Theme::parse(name, text, depth).unwrap_or_else(|e| panic!("{e}"));
                assert_eq!(theme.mono, depth == Depth::None || name == "mono");
            }
        }
    }

    #[test]
    fn sixteen_colours_keep_success_warning_and_error_apart() {
        let theme = Theme::parse("dark", BUILT_IN[0].1, Depth::Ansi16).unwrap();
        let three = ["success", "warn", "error"].map(|r| theme.color(r));
        assert!(three[0] != three[1] && three[1] != three[2] && three[0] != three[2], "{three:?}");
    }

    #[test]
    fn a_broken_theme_says_why_and_never_stops() {
        assert!(Theme::parse("x", "[roles]\ntext = \"#zzz\"", Depth::True).is_err());
        assert!(Theme::parse("x", "[meta]\nschema = 2", Depth::True).is_err());
        assert_eq!(load("nope", Path::new("/nonexistent"), Depth::True).name, "dark");
    }
}
