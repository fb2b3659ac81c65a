//! Themes: meanings to styles. A theme is a TOML file, of the user's or built in; it may stand on another, and what
//! it does not name falls back to what it means. A broken or missing one never stops a start.

mod colours;
mod depth;
mod draft;
mod roles;

use std::{
    cell::Cell,
    collections::{BTreeMap, HashMap},
    path::{Path, PathBuf},
};

pub use depth::Depth;
use draft::Draft;
use ratatui::style::{Color, Modifier, Style};

use super::symbols::Symbols;
use crate::domain::text::clean;

#[derive(Debug, thiserror::Error)]
pub enum ThemeError {
    #[error("theme {name}: {why}")]
    Broken { name: String, why: String },
    #[error("no theme is called \"{0}\"")]
    Unknown(String),
}

const BUILT_IN: [(&str, &str); 5] = [
    ("dark", include_str!("../../../themes/dark.toml")),
    ("light", include_str!("../../../themes/light.toml")),
    ("high-contrast", include_str!("../../../themes/high-contrast.toml")),
    ("colour-safe", include_str!("../../../themes/colour-safe.toml")),
    ("mono", include_str!("../../../themes/mono.toml")),
];

/// Themes stand on themes this deep at most.
const DEEPEST: usize = 4;

/// What a role looks like, as far as the theme says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Role {
    fg: Option<Color>,
    bg: Option<Color>,
    modifiers: Modifier,
}

#[derive(Debug, Clone)]
pub struct Theme {
    pub name: String,
    /// No colour at all: bold, reverse and underline carry the difference.
    pub mono: bool,
    /// What glyphs it asks for; the terminal may have fewer.
    pub symbols: Symbols,
    roles: HashMap<String, Role>,
    /// What is drawn now lies above the screen, on a ground of its own.
    raised: Cell<bool>,
    /// The selected row has one colour for all its cells.
    selection_recolours: bool,
    min_contrast: f64,
    /// What is in its file and means nothing.
    warnings: Vec<String>,
}

impl Theme {
    /// Reads a theme's text; what it stands on is built in.
    ///
    /// # Errors
    /// When it is not TOML, has a newer schema, a colour nobody knows, or stands on what there is not.
    pub fn parse(name: &str, text: &str, depth: Depth) -> Result<Self, ThemeError> {
        Self::standing(name, text, depth, &|parent| built_in(parent).map(str::to_owned))
    }

    /// Reads a theme's text with those that it stands on.
    fn standing(name: &str, text: &str, depth: Depth, find: &dyn Fn(&str) -> Option<String>) -> Result<Self, ThemeError> {
        let broken = |why: String| ThemeError::Broken { name: name.to_owned(), why };
        let mut drafts = vec![Draft::read(name, text)?];
        let mut names = vec![name.to_owned()];
        while let Some(parent) = drafts.last().and_then(|d| d.inherits.clone()) {
            let text = match (names.contains(&parent), names.len()) {
                (false, _) => find(&parent),
                // A user's dark may stand on the built-in one.
                (true, 1) => built_in(&parent).map(str::to_owned),
                (true, _) => return Err(broken(format!("it stands on itself: {} -> {parent}", names.join(" -> ")))),
            };
            let text = text.ok_or_else(|| broken(format!("it inherits \"{}\", and no theme is called that", clean(&parent, 60))))?;
            if drafts.len() > DEEPEST {
                return Err(broken(format!("it stands on more than {DEEPEST} others: {}", names.join(" -> "))));
            }
            drafts.push(Draft::read(&parent, &text)?);
            names.push(parent);
        }
        let warnings = drafts[0].warnings.clone();
        let whole = drafts.into_iter().rev().reduce(Draft::over).unwrap_or_default();
        let mono = depth == Depth::None || whole.colourless;
        Ok(Self {
            name: name.to_owned(),
            mono,
            symbols: whole.symbols(),
            roles: if mono { HashMap::new() } else { whole.roles(name, depth)? },
            raised: Cell::new(false),
            selection_recolours: whole.selection_recolours,
            min_contrast: whole.min_contrast,
            warnings,
        })
    }

    /// A role's look: its own, else of what it means.
    fn role(&self, role: &str) -> Role {
        let mut at = role;
        loop {
            if let Some(found) = self.roles.get(at) {
                return *found;
            }
            match roles::fallback(at) {
                Some(next) => at = next,
                None => return Role::default(),
            }
        }
    }

    fn color(&self, role: &str) -> Option<Color> {
        if self.mono { None } else { self.role(role).fg }
    }

    /// Text in a role, on the ground that is drawn on.
    #[must_use]
    pub fn style(&self, role: &str) -> Style {
        if self.mono {
            return Style::default().add_modifier(roles::without_colour(role));
        }
        let look = self.role(role);
        let mut style = Style::default().add_modifier(look.modifiers);
        if let Some(bg) = look.bg.or_else(|| self.ground()) {
            style = style.bg(bg);
        }
        if let Some(fg) = look.fg.or_else(|| self.color("text")) {
            style = style.fg(fg);
        }
        style
    }

    /// From now on what lies above the screen is drawn: dialogs, lists of choices. `false`: the screen itself.
    pub fn raise(&self, raised: bool) {
        self.raised.set(raised);
    }

    fn ground(&self) -> Option<Color> {
        self.color(if self.raised.get() { "overlay" } else { "bg" })
    }

    /// What lies behind a dialog: still there, nothing of it first.
    #[must_use]
    pub fn receded(&self) -> Style {
        if self.mono {
            return Style::default().add_modifier(Modifier::DIM);
        }
        let (text, ground) = (self.color("text_faint").unwrap_or_default(), self.color("bg").unwrap_or_default());
        match colours::between(text, ground) {
            Some(mixed) => Style::default().fg(mixed).bg(ground),
            None => Style::default().fg(text).bg(ground).add_modifier(Modifier::DIM),
        }
    }

    /// The selected row: one background, and one foreground where the theme recolours; reversed only without
    /// colours.
    #[must_use]
    pub fn selection(&self, focused: bool) -> Style {
        if self.mono {
            return Style::default().add_modifier(if focused { Modifier::REVERSED } else { Modifier::UNDERLINED });
        }
        let prefix = if focused { "selection" } else { "selection_inactive" };
        let mut style = Style::default();
        if let Some(bg) = self.color(&format!("{prefix}_bg")) {
            style = style.bg(bg);
        }
        if self.selection_recolours
            && let Some(fg) = self.color(&format!("{prefix}_fg"))
        {
            style = style.fg(fg);
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

    /// What is in the theme's file and means nothing, and what of it is hard to read.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let mut all = self.warnings.clone();
        for role in roles::READ {
            for ground in ["bg", "overlay"] {
                let (Some(text), Some(on)) = (self.color(role), self.color(ground)) else { continue };
                let Some(ratio) = colours::contrast(text, on).filter(|r| *r < self.min_contrast) else { continue };
                all.push(format!("{role} on {ground} has a contrast of {ratio:.1}, less than the {} of min_contrast", self.min_contrast));
            }
        }
        all
    }
}

fn built_in(name: &str) -> Option<&'static str> {
    BUILT_IN.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
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
        Theme::parse("dark", BUILT_IN[0].1, depth).unwrap_or_else(|_| bare())
    })
}

/// What is left when nothing can be read.
fn bare() -> Theme {
    Theme {
        name: "mono".to_owned(),
        mono: true,
        symbols: Symbols::unicode(),
        roles: HashMap::new(),
        raised: Cell::new(false),
        selection_recolours: false,
        min_contrast: 0.0,
        warnings: Vec::new(),
    }
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
    let folder = path.parent().unwrap_or(Path::new("."));
    Theme::standing(&name, &text, Depth::True, &|parent| of_user(parent, folder).or_else(|| built_in(parent).map(str::to_owned)))
}

/// A theme by name: the user's file first, then the built-in.
///
/// # Errors
/// When there is none of this name, or it is broken.
pub fn find(name: &str, folder: &Path, depth: Depth) -> Result<Theme, ThemeError> {
    let text_of = |name: &str| of_user(name, folder).or_else(|| built_in(name).map(str::to_owned));
    let text = text_of(name).ok_or_else(|| ThemeError::Unknown(clean(name, 60)))?;
    Theme::standing(name, &text, depth, &text_of)
}

fn of_user(name: &str, folder: &Path) -> Option<String> {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if plain { std::fs::read_to_string(folder.join(format!("{name}.toml"))).ok() } else { None }
}

/// The file of a theme in use, looked at now and then: whoever edits it sees what it becomes.
#[derive(Debug)]
pub struct Watched {
    path: PathBuf,
    seen: Option<std::time::SystemTime>,
}

impl Watched {
    /// The file that a theme of this name has, or would have.
    #[must_use]
    pub fn new(name: &str, folder: &Path) -> Self {
        let path = folder.join(format!("{name}.toml"));
        let seen = Self::changed_at(&path);
        Self { path, seen }
    }

    fn changed_at(path: &Path) -> Option<std::time::SystemTime> {
        std::fs::metadata(path).and_then(|m| m.modified()).ok()
    }

    /// The theme, when its file has changed since it was looked at last. A broken one is an error with its line,
    /// told once; what is in use stays.
    pub fn look(&mut self, depth: Depth) -> Option<Result<Theme, ThemeError>> {
        let changed = Self::changed_at(&self.path);
        if changed == self.seen {
            return None;
        }
        self.seen = changed;
        let name = self.path.file_stem().and_then(|n| n.to_str())?.to_owned();
        Some(find(&name, self.path.parent()?, depth))
    }
}

#[cfg(test)]
mod tests;
