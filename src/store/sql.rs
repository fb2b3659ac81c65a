//! One text for each statement, in the words of whichever database it is. What both speak stands in it as it is;
//! what they say differently is a word with a `#` before it: `#yes`, `#ids($1)`, `#int(v, 3)`. The table below is
//! all there is between them; a whole statement that has nothing in common stands twice, side by side, where it is run.
//!
//! Sets come as one JSON text in one bind: a list (`#ids`, `#words`, `#numbers`), or rows (`#rows($1)`), whose
//! values are then `#id(v, 0)`, `#int(v, 1)` and so on.

use std::sync::OnceLock;

use uuid::Uuid;

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sqlite,
    Postgres,
}

/// A word, SQLite's for it and PostgreSQL's; `{0}` and `{1}` are what stands in its brackets.
const WORDS: &[(&str, &str, &str)] = &[
    // A flag in a condition: SQLite's partial indexes are known by the very words.
    ("yes", "1", "TRUE"),
    ("no", "0", "FALSE"),
    // A condition as 0 or 1.
    ("bit", "({0})", "({0})::int"),
    // Lists.
    (
        "ids",
        "SELECT unhex(value) FROM json_each({0})",
        "SELECT id FROM (SELECT value::uuid AS id FROM jsonb_array_elements_text({0}::jsonb) OFFSET 0) AS fenced",
    ),
    ("words", "SELECT value FROM json_each({0})", "SELECT value FROM jsonb_array_elements_text({0}::jsonb)"),
    ("numbers", "SELECT value FROM json_each({0})", "SELECT value::bigint FROM jsonb_array_elements_text({0}::jsonb)"),
    // Rows and their values. The binary form, where a statement runs for each fact of a call: it is read quicker.
    ("rows", "(SELECT value AS v FROM json_each({0})) AS j", "jsonb_array_elements({0}::jsonb) AS j (v)"),
    ("rowsb", "(SELECT value AS v FROM jsonb_each({0})) AS j", "jsonb_array_elements({0}::jsonb) AS j (v)"),
    // The same of rows that are known by the id in front of each: `j.row_id`. What is worked out of JSON is worked out
    // behind a fence: beside it PostgreSQL takes no index of a table that is closed between owners.
    (
        "keyed",
        "(SELECT unhex(value ->> 0) AS row_id, value AS v FROM json_each({0})) AS j",
        "(SELECT (v ->> 0)::uuid AS row_id, v FROM jsonb_array_elements({0}::jsonb) AS e (v) OFFSET 0) AS j",
    ),
    (
        "keyedb",
        "(SELECT unhex(value ->> 0) AS row_id, value AS v FROM jsonb_each({0})) AS j",
        "(SELECT (v ->> 0)::uuid AS row_id, v FROM jsonb_array_elements({0}::jsonb) AS e (v) OFFSET 0) AS j",
    ),
    ("id", "unhex({0} ->> {1})", "({0} ->> {1})::uuid"),
    ("text", "({0} ->> {1})", "({0} ->> {1})"),
    ("int", "({0} ->> {1})", "({0} ->> {1})::bigint"),
    ("real", "({0} ->> {1})", "({0} ->> {1})::double precision"),
    ("flag", "({0} ->> {1})", "({0} ->> {1})::boolean"),
    ("at", "({0} ->> {1})", "({0} ->> {1})::timestamptz"),
    ("json", "({0} -> {1})", "({0} -> {1})"),
    // JSON that came as a text of its own.
    ("nested", "({0} ->> {1})", "({0} ->> {1})::jsonb"),
    ("jsontext", "({0} -> {1})", "({0} -> {1})::text"),
    // The reverse: rows as one JSON text.
    ("list", "json_group_array({0})", "COALESCE(json_agg({0}), '[]')"),
    ("array", "json_array({0})", "json_build_array({0})"),
    ("object", "json_object({0})", "json_build_object({0})"),
    ("inner", "json({0})", "{0}"),
    ("hex", "hex({0})", "{0}::text"),
    // A text of JSON in one bind, as a column keeps it.
    ("document", "{0}", "CAST({0} AS JSONB)"),
    ("nothing", "'{}'", "'{}'::jsonb"),
    // Functions by other names.
    ("least", "min({0}, {1})", "LEAST({0}, {1})"),
    ("most", "max({0}, {1})", "GREATEST({0}, {1})"),
    ("sum", "sum({0})", "CAST(sum({0}) AS BIGINT)"),
    ("fresh", "randomblob(16)", "gen_random_uuid()"),
    ("seconds", "unixepoch({0}, 'subsec')", "EXTRACT(EPOCH FROM {0})::double precision"),
    // A moment that is kept as text.
    ("moment", "{0}", "CAST({0} AS TIMESTAMPTZ)"),
    // For SQLite's planner the order in which tables are looked at.
    ("first", "CROSS JOIN", "JOIN"),
    ("holds", "instr({0}, {1}) > 0", "strpos({0}, {1}) > 0"),
    ("like", "LIKE", "ILIKE"),
    // A column that no index is to be taken by; PostgreSQL counts rows before it chooses.
    ("plain", "+{0}", "{0}"),
];

/// A statement that never changes, put into words once for each database.
pub(super) struct Text {
    template: &'static str,
    spoken: [OnceLock<String>; 2],
}

impl Text {
    pub(super) const fn new(template: &'static str) -> Self {
        Self { template, spoken: [OnceLock::new(), OnceLock::new()] }
    }

    pub(super) fn of(&'static self, kind: Kind) -> &'static str {
        self.spoken[kind as usize].get_or_init(|| spoken(kind, self.template))
    }
}

/// The text of a statement for a kind of database.
macro_rules! sql {
    ($kind:expr, $($part:tt)+) => {{
        static TEXT: $crate::store::sql::Text = $crate::store::sql::Text::new(concat!($($part)+));
        TEXT.of($kind)
    }};
}
pub(super) use sql;

/// A statement that is put together where it is run.
pub(super) fn say(kind: Kind, template: &str) -> sqlx::AssertSqlSafe<String> {
    sqlx::AssertSqlSafe(spoken(kind, template))
}

/// A template in the words of a database. What is no word of the table stays as it stands.
pub(super) fn spoken(kind: Kind, template: &str) -> String {
    let mut out = String::with_capacity(template.len() + 64);
    let mut rest = template;
    while let Some(at) = rest.find('#') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let end = rest.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(rest.len());
        let Some((_, sqlite, postgres)) = WORDS.iter().find(|(word, ..)| *word == &rest[..end]) else {
            debug_assert!(false, "no word of both databases: #{}", &rest[..end]);
            out.push('#');
            continue;
        };
        rest = &rest[end..];
        let word = if kind == Kind::Sqlite { sqlite } else { postgres };
        if !word.contains("{0}") {
            out.push_str(word);
            continue;
        }
        let (inside, behind) = brackets(rest);
        rest = behind;
        let inside = spoken(kind, inside);
        let (first, second) = if word.contains("{1}") { halves(&inside) } else { (inside.as_str(), "") };
        out.push_str(&word.replace("{0}", first).replace("{1}", second));
    }
    out + rest
}

/// JSON as a database takes it. PostgreSQL has no letter U+0000, so it is told as U+FFFD: a fact is not lost for a letter.
pub(super) fn letters(kind: Kind, json: String) -> String {
    const NONE: &str = "\\u0000";
    if kind == Kind::Sqlite || !json.contains(NONE) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    let mut rest = json.as_str();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        // A backslash stands in pairs, or before a letter that is escaped.
        let (told, skipped) = if escape.starts_with(NONE) { ("\\ufffd", NONE.len()) } else { (&escape[..2], 2) };
        out.push_str(told);
        rest = &escape[skipped..];
    }
    out + rest
}

/// What stands in the brackets that a text begins with, and what is behind them.
fn brackets(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' if depth == 1 => return (&text[1..i], &text[i + 1..]),
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    debug_assert!(false, "brackets are open: {text}");
    (text, "")
}

/// Both sides of the comma that is in no brackets.
fn halves(text: &str) -> (&str, &str) {
    let mut depth = 0_usize;
    for (i, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return (text[..i].trim(), text[i + 1..].trim()),
            _ => {}
        }
    }
    debug_assert!(false, "two are expected: {text}");
    (text, "")
}

/// Statements that each change rows, as one text: one after the other there, side by side in one statement here,
/// where a text with binds is one statement. They must not need what another of them wrote.
pub(super) fn together(kind: Kind, statements: &[impl AsRef<str>]) -> String {
    let statements: Vec<&str> = statements.iter().map(AsRef::as_ref).collect();
    if kind == Kind::Sqlite {
        return spoken(kind, &statements.join("; "));
    }
    let (with, counts) = side_by_side(&statements);
    spoken(kind, &format!("{with} SELECT {}", counts.join(" + ")))
}

/// The same for PostgreSQL: the statements as parts of one, and how many rows each has changed.
pub(super) fn side_by_side(statements: &[&str]) -> (String, Vec<String>) {
    let parts: Vec<String> = statements.iter().enumerate().map(|(i, s)| format!("c{i} AS ({s} RETURNING 1)")).collect();
    let counts = (0..statements.len()).map(|i| format!("(SELECT count(*) FROM c{i})")).collect();
    (format!("WITH {}", parts.join(", ")), counts)
}

/// A value that a [`Said`] statement binds.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Id(Uuid),
    Int(i64),
    Text(String),
    At(chrono::DateTime<chrono::Utc>),
}

/// A statement that is put together piece by piece, with what it binds, for whichever database.
pub(super) struct Said {
    template: String,
    pub(super) binds: Vec<Value>,
}

impl Said {
    pub(super) fn new(begin: impl Into<String>) -> Self {
        Self { template: begin.into(), binds: Vec::new() }
    }

    pub(super) fn push(&mut self, part: impl AsRef<str>) -> &mut Self {
        self.template.push_str(part.as_ref());
        self
    }

    pub(super) fn bind(&mut self, value: Value) -> &mut Self {
        self.binds.push(value);
        self.template.push_str(&format!("${}", self.binds.len()));
        self
    }

    pub(super) fn text(&self, kind: Kind) -> sqlx::AssertSqlSafe<String> {
        say(kind, &self.template)
    }
}

/// Binds all values of a [`Said`] to a query.
macro_rules! bound {
    ($query:expr, $said:expr) => {{
        let mut query = $query;
        for value in &$said.binds {
            query = match value.clone() {
                $crate::store::sql::Value::Id(v) => query.bind(v),
                $crate::store::sql::Value::Int(v) => query.bind(v),
                $crate::store::sql::Value::Text(v) => query.bind(v),
                $crate::store::sql::Value::At(v) => query.bind(v),
            };
        }
        query
    }};
}
pub(super) use bound;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_spoken_in_either_tongue_and_words_stand_in_words() {
        let text = "UPDATE t SET a = a + #int(v, 1), f = #yes FROM #rows($1) WHERE id = #id(v, 0) AND n IN (#words($2))";
        assert_eq!(
            spoken(Kind::Sqlite, text),
            "UPDATE t SET a = a + (v ->> 1), f = 1 FROM (SELECT value AS v FROM json_each($1)) AS j WHERE id = unhex(v ->> 0) AND n IN (SELECT value FROM json_each($2))"
        );
        assert_eq!(
            spoken(Kind::Postgres, text),
            "UPDATE t SET a = a + (v ->> 1)::bigint, f = TRUE FROM jsonb_array_elements($1::jsonb) AS j (v) WHERE id = (v ->> 0)::uuid AND n IN (SELECT value FROM jsonb_array_elements_text($2::jsonb))"
        );
        assert_eq!(spoken(Kind::Sqlite, "#most(0, live + #int(v, 1))"), "max(0, live + (v ->> 1))");
        assert_eq!(spoken(Kind::Postgres, "#most(0, live + #int(v, 1))"), "GREATEST(0, live + (v ->> 1)::bigint)");
    }

    #[test]
    fn a_letter_that_one_has_not_is_told_as_another() {
        let json = serde_json::json!(["a\u{0}b", "\\u0000", "\\\u{0}\"é"]).to_string();
        let told: serde_json::Value = serde_json::from_str(&letters(Kind::Postgres, json.clone())).unwrap();
        assert_eq!(told, serde_json::json!(["a\u{fffd}b", "\\u0000", "\\\u{fffd}\"é"]));
        assert_eq!(letters(Kind::Sqlite, json.clone()), json);
    }

    #[test]
    fn what_is_put_together_counts_its_binds() {
        let mut said = Said::new("SELECT 1 FROM t WHERE a = ");
        said.bind(Value::Int(1)).push(" AND #plain(b) = ").bind(Value::Text("x".to_owned()));
        assert_eq!(said.text(Kind::Sqlite).0, "SELECT 1 FROM t WHERE a = $1 AND +b = $2");
        assert_eq!(said.text(Kind::Postgres).0, "SELECT 1 FROM t WHERE a = $1 AND b = $2");
    }
}
