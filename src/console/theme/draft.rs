//! A theme's file as it is written, laid over the one it stands on, and what its roles become.

use std::collections::{BTreeMap, HashMap};

use ratatui::style::{Color, Modifier};

use super::{
    Role, ThemeError, built_in,
    colours::{self, reduce},
    depth::Depth,
    roles,
};
use crate::{console::symbols::Symbols, domain::text::clean};

/// The schema that this release reads.
const SCHEMA: i64 = 1;

const SECTIONS: [&str; 5] = ["meta", "palette", "roles", "ansi16", "symbols"];
const META: [&str; 7] = ["schema", "name", "appearance", "inherits", "min_contrast", "selection_recolours", "colour"];

#[derive(Debug, Default)]
pub(super) struct Draft {
    pub inherits: Option<String>,
    pub colourless: bool,
    pub selection_recolours: bool,
    pub min_contrast: f64,
    pub warnings: Vec<String>,
    light: bool,
    palette: BTreeMap<String, String>,
    /// As they are written, each with its line.
    roles: BTreeMap<String, Written>,
    ansi: BTreeMap<String, Written>,
    symbols: BTreeMap<String, String>,
}

#[derive(Debug, Clone)]
struct Written {
    value: toml::Value,
    line: usize,
}

/// The line of a key in a section of a file, from 1; 0 where it is not found.
fn line_of(text: &str, section: &str, key: &str) -> usize {
    let mut inside = false;
    for (i, line) in text.lines().map(str::trim).enumerate() {
        if let Some(head) = line.strip_prefix('[') {
            inside = head.trim_start().starts_with(section);
        } else if inside && line.split(['=', '.', ' ']).next().is_some_and(|k| k.trim_matches('"') == key) {
            return i + 1;
        }
    }
    0
}

impl Draft {
    pub fn read(name: &str, text: &str) -> Result<Self, ThemeError> {
        let broken = |why: String| ThemeError::Broken { name: name.to_owned(), why };
        let table: toml::Table = text.parse().map_err(|e: toml::de::Error| {
            let line = e.span().map_or(0, |s| text.get(..s.start).unwrap_or_default().lines().count().max(1));
            broken(format!("line {line}: {}", clean(e.message(), 200)))
        })?;
        let mut draft = Self { min_contrast: f64::NAN, ..Self::default() };
        let of = |section: &str| table.get(section).and_then(toml::Value::as_table).cloned().unwrap_or_default();
        for section in table.keys().filter(|s| !SECTIONS.contains(&s.as_str())) {
            draft.warnings.push(format!("[{}] means nothing", clean(section, 40)));
        }
        draft.read_meta(&of("meta"), text).map_err(broken)?;
        for (key, value) in of("palette") {
            let colour = value.as_str().map(str::to_owned);
            draft.palette.insert(key.clone(), colour.ok_or_else(|| broken(format!("line {}: {key} is no colour", line_of(text, "palette", &key))))?);
        }
        for (section, roles) in [("roles", &mut draft.roles), ("ansi16", &mut draft.ansi)] {
            for (key, value) in of(section) {
                let line = line_of(text, section, &key);
                if roles::is_role(&key) {
                    roles.insert(key, Written { value, line });
                } else {
                    draft.warnings.push(format!("line {line}: {} is no role", clean(&key, 40)));
                }
            }
        }
        for (key, value) in of("symbols") {
            match value.as_str().filter(|_| Symbols::has(&key)) {
                Some(glyph) => drop(draft.symbols.insert(key, glyph.to_owned())),
                None => draft.warnings.push(format!("line {}: {} is no symbol", line_of(text, "symbols", &key), clean(&key, 40))),
            }
        }
        Ok(draft)
    }

    fn read_meta(&mut self, meta: &toml::Table, text: &str) -> Result<(), String> {
        if meta.get("schema").and_then(toml::Value::as_integer).unwrap_or(SCHEMA) > SCHEMA {
            return Err(format!("line {}: its schema is newer than this release", line_of(text, "meta", "schema")));
        }
        for key in meta.keys().filter(|k| !META.contains(&k.as_str())) {
            self.warnings.push(format!("line {}: {} means nothing", line_of(text, "meta", key), clean(key, 40)));
        }
        let word = |key: &str| meta.get(key).and_then(toml::Value::as_str);
        self.inherits = word("inherits").map(str::to_owned);
        self.light = word("appearance") == Some("light");
        self.colourless = word("colour") == Some("none");
        self.selection_recolours = meta.get("selection_recolours").and_then(toml::Value::as_bool).unwrap_or(false);
        let contrast = meta.get("min_contrast");
        self.min_contrast =
            contrast.and_then(|v| v.as_float().or_else(|| v.as_integer().and_then(|n| i32::try_from(n).ok()).map(f64::from))).unwrap_or(f64::NAN);
        Ok(())
    }

    /// This theme over the one it stands on: names of the palette are looked up in both, whoever uses them.
    pub fn over(below: Self, own: Self) -> Self {
        fn both<T>(mut below: BTreeMap<String, T>, own: BTreeMap<String, T>) -> BTreeMap<String, T> {
            below.extend(own);
            below
        }
        Self {
            inherits: None,
            colourless: own.colourless || below.colourless && own.roles.is_empty(),
            selection_recolours: own.selection_recolours || below.selection_recolours,
            min_contrast: if own.min_contrast.is_nan() { below.min_contrast } else { own.min_contrast },
            warnings: own.warnings,
            light: own.light,
            palette: both(below.palette, own.palette),
            roles: both(below.roles, own.roles),
            ansi: both(below.ansi, own.ansi),
            symbols: both(below.symbols, own.symbols),
        }
    }

    pub fn symbols(&self) -> Symbols {
        let base = if self.symbols.get("set").is_some_and(|s| s == "ascii") { Symbols::ascii() } else { Symbols::unicode() };
        self.symbols.iter().fold(base, |symbols, (name, glyph)| symbols.with(name, glyph))
    }

    /// What its roles are on a terminal of so many colours. What neither it nor what it falls back to names is of the
    /// built-in theme for its ground.
    pub fn roles(&self, name: &str, depth: Depth) -> Result<HashMap<String, Role>, ThemeError> {
        let mut out = self.own_roles(name, depth)?;
        let ground = if self.light { "light" } else { "dark" };
        if name != ground
            && let Some(text) = built_in(ground)
        {
            for (role, look) in Self::read(ground, text)?.own_roles(ground, depth)? {
                let mut at = Some(role.as_str());
                while let Some(next) = at.filter(|r| !out.contains_key(*r)) {
                    at = roles::fallback(next);
                }
                if at.is_none() {
                    out.insert(role, look);
                }
            }
        }
        Ok(out)
    }

    fn own_roles(&self, name: &str, depth: Depth) -> Result<HashMap<String, Role>, ThemeError> {
        let broken = |role: &str, line: usize, why: String| ThemeError::Broken { name: name.to_owned(), why: format!("line {line}: role {role}: {why}") };
        let mut out = HashMap::new();
        for (role, written) in &self.roles {
            let look = self.look(&written.value).map_err(|why| broken(role, written.line, why))?;
            let meant = (depth == Depth::Ansi16).then(|| roles::ansi(role)).flatten();
            let at = |c: Color| reduce(c, depth);
            out.insert(role.clone(), Role { fg: meant.or(look.fg.map(at)), bg: look.bg.map(at), ..look });
        }
        if depth == Depth::Ansi16 {
            for (role, written) in &self.ansi {
                let look = self.look(&written.value).map_err(|why| broken(role, written.line, why))?;
                out.insert(role.clone(), look);
            }
        }
        Ok(out)
    }

    /// `"#rrggbb"`, a name of the palette, an ANSI name, 0 to 255, `"default"`, or a table of those with modifiers.
    fn look(&self, value: &toml::Value) -> Result<Role, String> {
        match value {
            toml::Value::Table(table) => {
                let mut role = Role::default();
                for (key, value) in table {
                    match (key.as_str(), value.as_bool()) {
                        ("fg", _) => role.fg = Some(self.colour(value)?),
                        ("bg", _) => role.bg = Some(self.colour(value)?),
                        (word, Some(on)) => role.modifiers.set(modifier(word).ok_or_else(|| format!("{} is no modifier", clean(word, 40)))?, on),
                        (word, None) => return Err(format!("{} is neither true nor false", clean(word, 40))),
                    }
                }
                Ok(role)
            }
            value => Ok(Role { fg: Some(self.colour(value)?), ..Role::default() }),
        }
    }

    fn colour(&self, value: &toml::Value) -> Result<Color, String> {
        let known = match value {
            toml::Value::Integer(n) => u8::try_from(*n).ok().map(Color::Indexed),
            toml::Value::String(text) => colours::parse(self.palette.get(text).unwrap_or(text)),
            _ => None,
        };
        known.ok_or_else(|| format!("\"{}\" is no colour", clean(value.to_string().trim_matches('"'), 40)))
    }
}

fn modifier(word: &str) -> Option<Modifier> {
    Some(match word {
        "bold" => Modifier::BOLD,
        "dim" => Modifier::DIM,
        "italic" => Modifier::ITALIC,
        "underline" => Modifier::UNDERLINED,
        "reverse" => Modifier::REVERSED,
        _ => return None,
    })
}
