//! Scripts: `{name}`, `{first_name}`, `{company}`, `{email}`, any CSV column, `{field|default}`.
//! A missing field is found before the call and never said aloud. Scripts are foreign text: reading one
//! takes one pass over it, and what is made of it has a bound.

use std::collections::{BTreeMap, BTreeSet};

use super::{FieldError, text::clean};

/// The longest script, bytes.
pub const LONGEST: usize = 32 << 10;

/// The longest name of a field, letters.
pub const LONGEST_NAME: usize = 64;

/// The longest text made for one contact, bytes: a cell of its file may hold anything.
pub const LONGEST_RENDERED: usize = 64 << 10;

/// The fields of one contact by normalised name (see [`key`]).
pub type Fields = BTreeMap<String, String>;

/// How the reason of a call begins that was not made for want of a field: `missing field NAME`.
pub const MISSING: &str = "missing field ";

/// Why there is no text for a contact.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoScript {
    /// A field the script needs and the contact does not have.
    #[error("{MISSING}{0}")]
    Missing(String),
    #[error("the script is longer than {} KiB with this contact's fields", LONGEST_RENDERED >> 10)]
    TooLong,
}

/// How field names compare: `First Name`, `first_name` and `firstName ` are one.
#[must_use]
pub fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Field {
        name: String,
        /// As [`key`] has it.
        key: String,
        default: Option<String>,
    },
}

/// A script read once, to be said to many.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Script {
    parts: Vec<Part>,
    /// Bytes of its own words.
    words: usize,
}

impl Script {
    /// Reads a script. `{{` and `}}` are literal braces; a brace that opens no field name is text.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut script = Self { parts: Vec::new(), words: 0 };
        let mut rest = text;
        while let Some(i) = rest.find(['{', '}']) {
            let (before, at) = rest.split_at(i);
            script.say(before);
            if at.starts_with("{{") || at.starts_with("}}") {
                script.say(&at[..1]);
                rest = &at[2..];
            } else if let Some(field) = field_at(at) {
                let (name, default) = field.split_once('|').map_or((field, None), |(n, d)| (n, Some(d.trim().to_owned())));
                script.parts.push(Part::Field { name: name.trim().to_owned(), key: key(name), default });
                rest = &at[field.len() + 2..];
            } else {
                script.say(&at[..1]);
                rest = &at[1..];
            }
        }
        script.say(rest);
        script
    }

    fn say(&mut self, words: &str) {
        self.words += words.len();
        match self.parts.last_mut() {
            Some(Part::Text(text)) => text.push_str(words),
            _ if words.is_empty() => {}
            Some(Part::Field { .. }) | None => self.parts.push(Part::Text(words.to_owned())),
        }
    }

    /// The text for one contact.
    ///
    /// # Errors
    /// The first field that has neither a value nor a default, or a text beyond [`LONGEST_RENDERED`].
    pub fn render(&self, fields: &Fields) -> Result<String, NoScript> {
        let mut out = String::with_capacity(self.words.min(LONGEST_RENDERED) + 32);
        for part in &self.parts {
            let text = match part {
                Part::Text(text) => text.as_str(),
                Part::Field { name, key, default } => {
                    let value = fields.get(key).map(|v| v.trim()).filter(|v| !v.is_empty());
                    value.or(default.as_deref()).ok_or_else(|| NoScript::Missing(name.clone()))?
                }
            };
            if out.len() + text.len() > LONGEST_RENDERED {
                return Err(NoScript::TooLong);
            }
            out.push_str(text);
        }
        Ok(out)
    }

    /// The fields it cannot do without, once each.
    #[must_use]
    pub fn required(&self) -> Vec<String> {
        let mut seen = BTreeSet::new();
        self.fields().filter(|(_, key, default)| default.is_none() && seen.insert(*key)).map(|(name, ..)| name.to_owned()).collect()
    }

    fn fields(&self) -> impl Iterator<Item = (&str, &str, Option<&str>)> {
        self.parts.iter().filter_map(|p| match p {
            Part::Field { name, key, default } => Some((name.as_str(), key.as_str(), default.as_deref())),
            Part::Text(_) => None,
        })
    }
}

/// What is wrong with a script, under the name its maker knows it by.
#[must_use]
pub fn complaint(field: &'static str, text: &str) -> Option<FieldError> {
    if text.len() > LONGEST {
        return Some(FieldError::new(field, format!("{} bytes are more than the {LONGEST} a script may have", text.len())));
    }
    let script = Script::parse(text);
    let (name, ..) = script.fields().find(|(name, ..)| name.chars().count() > LONGEST_NAME)?;
    Some(FieldError::new(field, format!("the field name {{{}}} is longer than {LONGEST_NAME} letters", clean(name, 20))))
}

/// The inside of `{field}` or `{field|default}`, where the brace opens one. It ends at the next brace or
/// line, so that nothing is looked at twice.
fn field_at(at: &str) -> Option<&str> {
    let inside = at.strip_prefix('{')?;
    let end = inside.find(['{', '}', '\n'])?;
    let field = &inside[..end];
    let name = field.split('|').next().unwrap_or_default().trim();
    let named = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '-' | '.'));
    (named && inside[end..].starts_with('}')).then_some(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(k, v)| (key(k), (*v).to_owned())).collect()
    }

    #[test]
    fn fields_defaults_and_braces() {
        let f = fields(&[("name", "Jane Roe"), ("first_name", "Jane"), ("Plan Name", "Gold"), ("company", " ")]);
        let check = |script: &str, want: Result<&str, &str>| {
            assert_eq!(Script::parse(script).render(&f), want.map(str::to_owned).map_err(|m| NoScript::Missing(m.to_owned())), "{script}");
        };
        check("Hello {name}, your {plan name}.", Ok("Hello Jane Roe, your Gold."));
        check("Hi {firstName} of {company|your company}", Ok("Hi Jane of your company"));
        check("{company}", Err("company"));
        check("{renewal_date}", Err("renewal_date"));
        check("{{literal}} and {", Ok("{literal} and {"));
        check("a } b {} c", Ok("a } b {} c"));
    }

    #[test]
    fn required_fields_are_named_once() {
        assert_eq!(Script::parse("{name} {Name} {company|x} {plan}").required(), ["name", "plan"]);
    }

    #[test]
    fn a_text_has_a_bound_whatever_a_cell_holds() {
        let f = fields(&[("name", &"a".repeat(LONGEST_RENDERED - 2))]);
        let render = |script: &str| Script::parse(script).render(&f);
        assert_eq!(render("{name}ok").unwrap().len(), LONGEST_RENDERED);
        assert_eq!(render("{name}not"), Err(NoScript::TooLong));
        assert_eq!(render(&"{name}".repeat(5000)), Err(NoScript::TooLong));
    }

    #[test]
    fn limits_are_told() {
        let told = |text: &str| complaint("prompt", text).map(|e| e.message);
        assert_eq!(told(&"a".repeat(LONGEST)), None);
        assert!(told(&"a".repeat(LONGEST + 1)).is_some_and(|m| m.contains("32769 bytes")));
        assert_eq!(told(&format!("{{{}}}", "é".repeat(64))), None);
        assert!(told(&format!("{{{}|x}}", "é".repeat(65))).is_some_and(|m| m.contains("longer than 64")));
    }
}
