//! Which key means which action: the table's, with keys.toml over it. A line that cannot hold is refused in
//! words, with its number, and the rest holds.

use std::{collections::BTreeMap, path::Path};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use toml::Spanned;

use super::keys::{Action, Key, Place, TABLE};

/// A key as a terminal tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chord {
    code: KeyCode,
    ctrl: bool,
}

const NAMED: [(&str, KeyCode); 17] = [
    ("down", KeyCode::Down),
    ("up", KeyCode::Up),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("pgdn", KeyCode::PageDown),
    ("pgup", KeyCode::PageUp),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("tab", KeyCode::Tab),
    ("shift-tab", KeyCode::BackTab),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("space", KeyCode::Char(' ')),
    ("del", KeyCode::Delete),
    ("delete", KeyCode::Delete),
    ("ins", KeyCode::Insert),
    ("backspace", KeyCode::Backspace),
];

impl Chord {
    /// A key as it is written: `j`, `Ctrl-d`, `PgDn`, `F5`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (ctrl, rest) = match text.split_once('-') {
            Some((head, rest)) if head.eq_ignore_ascii_case("ctrl") && !rest.is_empty() => (true, rest),
            _ => (false, text),
        };
        let mut letters = rest.chars();
        let code = match (letters.next()?, letters.next()) {
            (c, None) => KeyCode::Char(c),
            ('F' | 'f', Some('1'..='9')) => KeyCode::F(rest[1..].parse().ok().filter(|n| *n <= 24)?),
            _ => NAMED.iter().find(|(name, _)| rest.eq_ignore_ascii_case(name))?.1,
        };
        Some(Self { code, ctrl })
    }

    #[must_use]
    pub fn of(event: &KeyEvent) -> Option<Self> {
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        (!event.modifiers.contains(KeyModifiers::ALT)).then_some(Self { code: event.code, ctrl })
    }
}

/// The keys of every action.
#[derive(Debug, Clone)]
pub struct KeyMap {
    rows: Vec<(&'static Key, Vec<String>)>,
}

impl Default for KeyMap {
    fn default() -> Self {
        Self { rows: TABLE.iter().map(|k| (k, k.keys.iter().map(|s| (*s).to_owned()).collect())).collect() }
    }
}

impl KeyMap {
    /// What a key means; `here`: a place that may have a meaning of its own for it.
    #[must_use]
    pub fn action(&self, event: &KeyEvent, here: Option<Place>) -> Option<Action> {
        let chord = Chord::of(event)?;
        let own = here.and_then(|place| self.holder(chord, Some(place)));
        own.or_else(|| self.holder(chord, None)).map(|k| k.action)
    }

    fn holder(&self, chord: Chord, only: Option<Place>) -> Option<&'static Key> {
        let held = |(row, keys): &&(&'static Key, Vec<String>)| row.place.only() == only && keys.iter().any(|k| Chord::parse(k) == Some(chord));
        self.rows.iter().find(held).map(|(row, _)| *row)
    }

    /// All rows of the table with their keys.
    pub fn rows(&self) -> impl Iterator<Item = (&'static Key, &[String])> {
        self.rows.iter().map(|(row, keys)| (*row, keys.as_slice()))
    }

    /// How the key of an action is written; where it has none, its command.
    #[must_use]
    pub fn name(&self, action: Action) -> String {
        let Some((row, keys)) = self.rows.iter().find(|(row, _)| row.action == action) else { return String::new() };
        keys.first().cloned().unwrap_or_else(|| format!(":{}", row.name))
    }

    /// The table with a file over it, and what is wrong with the file.
    #[must_use]
    pub fn load(file: &Path) -> (Self, Vec<String>) {
        match std::fs::read_to_string(file) {
            Ok(text) => Self::over(&text, &file.display().to_string()),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => (Self::default(), Vec::new()),
            Err(e) => (Self::default(), vec![format!("{}: {e}; the keys are the built-in ones", file.display())]),
        }
    }

    /// The table with the `[keys]` of a text over it.
    #[must_use]
    pub fn over(text: &str, name: &str) -> (Self, Vec<String>) {
        let (wanted, mut wrong) = match read(text) {
            Ok(read) => read,
            Err(why) => return (Self::default(), vec![format!("{name}: {why}; the keys are the built-in ones")]),
        };
        let mut map = Self::default();
        for (row, keys) in &mut map.rows {
            if let Some(own) = wanted.iter().find(|w| w.action == row.action) {
                keys.clone_from(&own.keys);
            }
        }
        wrong.extend(map.settle(&wanted));
        (map, wrong.into_iter().map(|w| format!("{name} {w}")).collect())
    }

    /// Takes every key away from all but one of those that hold it: what the file says goes over the table,
    /// the first line over a later one.
    fn settle(&mut self, wanted: &[Wanted]) -> Vec<String> {
        let mut wrong = Vec::new();
        let line = |row: &Key| wanted.iter().find(|w| w.action == row.action).map(|w| w.line);
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        order.sort_by_key(|i| line(self.rows[*i].0).unwrap_or(usize::MAX));
        let mut held: Vec<(Chord, &'static Key)> = Vec::new();
        for i in order {
            let (row, keys) = &mut self.rows[i];
            keys.retain(|text| {
                let Some(chord) = Chord::parse(text) else { return false };
                let Some((_, first)) = held.iter().find(|(c, other)| *c == chord && other.place.only() == row.place.only()) else {
                    held.push((chord, row));
                    return true;
                };
                let here = line(row).map_or_else(|| "its built-in key".to_owned(), |n| format!("line {n}"));
                let there = line(first).map_or_else(|| "built in".to_owned(), |n| format!("line {n}"));
                wrong.push(format!("{there} gives {text} to {}, and {here} to {}: the first keeps it, give {} another", first.name, row.name, row.name));
                false
            });
        }
        wrong
    }
}

/// One line of keys.toml.
struct Wanted {
    action: Action,
    keys: Vec<String>,
    line: usize,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    keys: BTreeMap<Spanned<String>, Keys>,
}

#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Keys {
    One(String),
    Several(Vec<String>),
}

/// The lines that mean something, and words for those that do not.
fn read(text: &str) -> Result<(Vec<Wanted>, Vec<String>), String> {
    let file: File = toml::from_str(text).map_err(|e| {
        let at = e.span().map_or_else(String::new, |s| format!("line {}: ", line_at(text, s.start)));
        format!("{at}{}", e.message())
    })?;
    let (mut wanted, mut wrong) = (Vec::new(), Vec::new());
    for (name, keys) in file.keys {
        let line = line_at(text, name.span().start);
        let name = name.into_inner();
        let Some(row) = TABLE.iter().find(|k| k.name == name) else {
            wrong.push(format!("line {line}: there is no action \"{name}\"{}", nearest(&name)));
            continue;
        };
        let all = match keys {
            Keys::One(key) if key.is_empty() => Vec::new(),
            Keys::One(key) => vec![key],
            Keys::Several(keys) => keys,
        };
        let (good, bad): (Vec<_>, Vec<_>) = all.into_iter().partition(|k| Chord::parse(k).is_some());
        wrong.extend(bad.iter().map(|k| format!("line {line}: \"{k}\" is no key; write j, Ctrl-d, PgDn, F5 or Space")));
        wanted.push(Wanted { action: row.action, keys: good, line });
    }
    wanted.sort_by_key(|w| w.line);
    Ok((wanted, wrong))
}

fn line_at(text: &str, byte: usize) -> usize {
    text.bytes().take(byte).filter(|b| *b == b'\n').count() + 1
}

/// The action whose name begins alike.
fn nearest(name: &str) -> String {
    let alike = |k: &&Key| k.name.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
    TABLE.iter().max_by_key(alike).filter(|k| alike(k) > 1).map_or_else(String::new, |k| format!("; {} is one", k.name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(map: &KeyMap, key: &str) -> Option<Action> {
        let chord = Chord::parse(key).unwrap();
        map.action(&KeyEvent::new(chord.code, if chord.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE }), None)
    }

    #[test]
    fn every_key_of_the_table_is_one() {
        let map = KeyMap::default();
        for row in TABLE {
            for key in row.keys {
                let chord = Chord::parse(key).unwrap();
                let event = KeyEvent::new(chord.code, if chord.ctrl { KeyModifiers::CONTROL } else { KeyModifiers::NONE });
                assert_eq!(map.action(&event, row.place.only()), Some(row.action), "{key}");
            }
        }
    }

    #[test]
    fn a_file_goes_over_the_table_and_conflicts_are_named_with_their_lines() {
        let (map, wrong) = KeyMap::over("[keys]\nnote = \"F2\"\nmark = \"m\"\nbell = \"m\"\npause = [\"p\", \"F5\"]\nquit = \"Ctrl-q\"\n", "keys.toml");
        assert_eq!(wrong, ["keys.toml line 3 gives m to mark, and line 4 to bell: the first keeps it, give bell another"]);
        for (key, action) in [("F2", Some(Action::Note)), ("n", None), ("m", Some(Action::Mark)), ("F5", Some(Action::PauseResume)), ("q", None)] {
            assert_eq!(press(&map, key), action, "{key}");
        }
        assert_eq!(map.name(Action::Bell), ":bell", "what lost its key is reached by name");
        let (map, wrong) = KeyMap::over("[keys]\nnote = \"p\"\n", "keys.toml");
        assert_eq!(wrong, ["keys.toml line 2 gives p to note, and its built-in key to pause: the first keeps it, give pause another"]);
        assert_eq!(press(&map, "p"), Some(Action::Note));
    }

    #[test]
    fn what_nobody_knows_is_named() {
        let (map, wrong) = KeyMap::over("[keys]\n\npaus = \"p\"\nnote = \"Hyper-x\"\n", "keys.toml");
        assert_eq!(
            wrong,
            ["keys.toml line 4: \"Hyper-x\" is no key; write j, Ctrl-d, PgDn, F5 or Space", "keys.toml line 3: there is no action \"paus\"; pause-all is one"]
        );
        assert_eq!(press(&map, "p"), Some(Action::PauseResume));
        assert!(KeyMap::over("[keys\n", "keys.toml").1[0].contains("line 1"));
    }
}
