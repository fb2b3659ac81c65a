//! A file that is looked at, and what came of it: what its columns are taken for, its first rows as a table, and the counts.

use crate::{
    console::{
        message::Preview,
        state::State,
        text::cities,
        widgets::{Entry, fit},
    },
    domain::{contact::ImportReport, phone, text::clean},
};

/// Cells of number, name, company and place: together they fit a card at 80 columns.
const CELLS: [usize; 4] = [17, 20, 16, 16];
/// The same where there is more room.
const WIDE: [usize; 4] = [17, 28, 26, 20];
/// From here there is.
const ROOM: u16 = 110;
const HEADS: [&str; 4] = ["number", "name", "company", "place"];
/// Cells of a column's own name.
const HEADER: usize = 28;

/// The file, what is wrong, its columns in a window around the one under the cursor, and the first rows.
pub fn preview(state: &State, preview: &Preview, at: usize, height: usize) -> Vec<Entry<'static>> {
    let mut entries = vec![Entry::Words(preview.path.display().to_string())];
    entries.extend(preview.error.clone().map(Entry::Wrong));
    let room = height.saturating_sub(preview.rows.len() + 9).clamp(3, 14);
    let top = (at + 1).saturating_sub(room);
    for (i, (header, field)) in preview.columns.iter().enumerate().skip(top).take(room) {
        entries.push(Entry::Choice(format!("{} -> {}", fit(&clean(header, HEADER), HEADER), meaning(*field)), i == at));
    }
    if preview.columns.len() > room {
        entries.push(Entry::Faint(format!("column {} of {}", at + 1, preview.columns.len())));
    }
    entries.push(Entry::Gap);
    let cells = if state.size.0 >= ROOM { WIDE } else { CELLS };
    let (good, refused): (Vec<_>, Vec<_>) = preview.rows.iter().partition(|r| !r.first().is_some_and(|c| c.starts_with("line ")));
    if !good.is_empty() {
        entries.push(Entry::Head(line(cells, HEADS.map(str::to_owned))));
    }
    entries.extend(good.into_iter().map(|r| {
        let cell = |i: usize| r.get(i).map_or_else(String::new, |c| clean(c, 60));
        Entry::Faint(line(cells, [phone::spaced(&cell(0)), cell(1), cell(2), cities(&cell(3))]))
    }));
    entries.extend(refused.into_iter().map(|r| Entry::Wrong(state.in_keys(&r.join(": ")))));
    entries
}

fn line(cells: [usize; 4], texts: [String; 4]) -> String {
    let cells: Vec<String> = cells.into_iter().zip(texts).map(|(width, text)| fit(&text, width)).collect();
    cells.join("  ").trim_end().to_owned()
}

/// What a column is, in words.
fn meaning(field: Option<&str>) -> String {
    field.map_or_else(|| "for the script".to_owned(), |f| f.replace('_', " "))
}

/// What came of it; what there was none of is not told.
pub fn report(state: &State, r: &ImportReport) -> Vec<Entry<'static>> {
    let mut parts = vec![format!("{} imported", r.imported)];
    let refused = [
        (r.duplicate, "there before or twice in the file"),
        (r.invalid, "without a number that can be called"),
        (r.do_not_call, "on do-not-call"),
        (r.no_zone, "in a place whose clock is unknown"),
    ];
    parts.extend(refused.iter().filter(|(n, _)| *n > 0).map(|(n, words)| format!("{n} {words}")));
    let mut entries = vec![Entry::Words(parts.join(", "))];
    entries.extend(r.abroad_words().map(Entry::Wrong));
    entries.extend(r.remarks.iter().take(5).map(|x| Entry::Faint(format!("line {}: kept, but {}", x.line, x.reason))));
    let mut rejects: Vec<_> = r.rejects.iter().collect();
    rejects.sort_by_key(|x| x.line);
    entries.extend(rejects.into_iter().take(10).map(|x| Entry::Faint(state.in_keys(&format!("line {}: {}", x.line, x.reason)))));
    let more = r.rejects.len().saturating_sub(10) + r.remarks.len().saturating_sub(5);
    if more > 0 {
        entries.push(Entry::Faint(format!("and {more} more")));
    }
    entries
}
