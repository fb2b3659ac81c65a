//! Scripts: `{name}`, `{first_name}`, `{company}`, `{email}`, any CSV column, `{field|default}`.
//! A missing field is found before the call and never said aloud.

use std::collections::BTreeMap;

/// The fields of one contact by normalised name (see [`key`]).
pub type Fields = BTreeMap<String, String>;

/// A field the script needs and the contact does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("missing field {0}")]
pub struct MissingField(pub String);

/// How field names compare: `First Name`, `first_name` and `firstName ` are one.
#[must_use]
pub fn key(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

enum Part<'a> {
    Text(&'a str),
    Field { name: &'a str, default: Option<&'a str> },
}

/// Splits a script. `{{` and `}}` are literal braces; a brace that opens no field name is text.
fn parts(script: &str) -> Vec<Part<'_>> {
    let mut out = Vec::new();
    let mut rest = script;
    while let Some(i) = rest.find(['{', '}']) {
        let (before, at) = rest.split_at(i);
        out.push(Part::Text(before));
        if at.starts_with("{{") || at.starts_with("}}") {
            out.push(Part::Text(&at[..1]));
            rest = &at[2..];
        } else if let Some(field) = at.strip_prefix('{').and_then(|a| a.split_once('}')).map(|(f, _)| f).filter(|f| is_field(f)) {
            let (name, default) = field.split_once('|').map_or((field, None), |(n, d)| (n, Some(d.trim())));
            out.push(Part::Field { name: name.trim(), default });
            rest = &at[field.len() + 2..];
        } else {
            out.push(Part::Text(&at[..1]));
            rest = &at[1..];
        }
    }
    out.push(Part::Text(rest));
    out
}

fn is_field(text: &str) -> bool {
    let name = text.split('|').next().unwrap_or_default().trim();
    !name.is_empty() && !text.contains(['{', '\n']) && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | ' ' | '-' | '.'))
}

/// The script for one contact.
///
/// # Errors
/// The first field that has neither a value nor a default.
pub fn render(script: &str, fields: &Fields) -> Result<String, MissingField> {
    let mut out = String::with_capacity(script.len() + 32);
    for part in parts(script) {
        match part {
            Part::Text(text) => out.push_str(text),
            Part::Field { name, default } => {
                let value = fields.get(&key(name)).map(|v| v.trim()).filter(|v| !v.is_empty());
                out.push_str(value.or(default).ok_or_else(|| MissingField(name.to_owned()))?);
            }
        }
    }
    Ok(out)
}

/// The fields a script cannot do without, once each.
#[must_use]
pub fn required(script: &str) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for part in parts(script) {
        if let Part::Field { name, default: None } = part
            && !out.iter().any(|n| key(n) == key(name))
        {
            out.push(name.to_owned());
        }
    }
    out
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
            assert_eq!(render(script, &f), want.map(str::to_owned).map_err(|m| MissingField(m.to_owned())), "{script}");
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
        assert_eq!(required("{name} {Name} {company|x} {plan}"), ["name", "plan"]);
    }
}
