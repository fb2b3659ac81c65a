//! Dialogs as they are drawn.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};

use super::{fit, popup, wrapped};
use crate::console::{
    dialogs::{Dialog, Form, ImportDialog},
    keys, panes,
    state::State,
};

/// Draws what is open.
pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let Some(dialog) = &state.dialog else { return };
    match dialog {
        Dialog::Help { scroll } => help(frame, state, area, *scroll),
        Dialog::Detail { call, scroll } => {
            let inside = popup(frame, &state.theme, area, 110, 36, "Call", "Esc closes");
            let lines = state
                .detail
                .as_ref()
                .filter(|d| d.row.id == *call)
                .map_or_else(|| vec![Line::from("loading...")], |d| panes::story(state, d, usize::from(inside.width)));
            let from = (*scroll).min(lines.len().saturating_sub(1));
            frame.render_widget(Paragraph::new(lines[from..].to_vec()), inside);
        }
        Dialog::New(form) => draw_form(frame, state, area, form),
        Dialog::Import(import) => draw_import(frame, state, area, import),
        simple => {
            let (title, lines) = words(simple);
            let most = usize::from(area.width.saturating_sub(8)).min(106);
            let broken = |l: String| if unicode_width::UnicodeWidthStr::width(l.as_str()) > most { wrapped(&l, most) } else { vec![l] };
            let lines: Vec<String> = lines.into_iter().flat_map(broken).collect();
            let width = lines.iter().map(|l| unicode_width::UnicodeWidthStr::width(l.as_str())).max().unwrap_or(20).clamp(44, 110);
            let (w, h) = (u16::try_from(width + 4).unwrap_or(110), u16::try_from(lines.len() + 2).unwrap_or(20));
            let inside = popup(frame, &state.theme, area, w, h, &title, "Esc");
            let lines: Vec<Line<'_>> =
                lines.into_iter().map(|l| Line::from(Span::styled(fit(&format!(" {l}"), usize::from(inside.width)), state.theme.style("text")))).collect();
            frame.render_widget(Paragraph::new(lines), inside);
        }
    }
}

/// The dialogs that are a few lines of words.
fn words(dialog: &Dialog) -> (String, Vec<String>) {
    let line = |s: &str| s.to_owned();
    match dialog {
        Dialog::Stop { name, live, left, sure: false, .. } => {
            let hang = if *live > 0 { "   [h]ang up now" } else { "" };
            (
                format!("Stop \"{name}\"?"),
                vec![
                    format!("{live} live calls: [k]eep until they end{hang}   Esc back"),
                    format!("{left} contacts stay undialled. It cannot be resumed, only started again."),
                ],
            )
        }
        Dialog::Stop { name, live, sure: true, .. } => {
            (format!("Hang up {live} calls?"), vec![format!("y stops \"{name}\" and hangs up {live} people in mid-call. Esc back")])
        }
        Dialog::Quit { live } => (
            format!("{live} live calls"),
            vec![
                line("[d]rain: dial no more, leave when the last call has ended"),
                line("[q]uit now: calls go on unsupervised; the next start looks after them"),
                line("Esc stay"),
            ],
        ),
        Dialog::HangUp { name, .. } => (line("Hang up?"), vec![format!("y hangs up on {name}. Esc back")]),
        Dialog::UndoDoNotCall { name, .. } => (line("Take do-not-call back?"), vec![format!("y takes {name} off the do-not-call list. Esc leaves it")]),
        Dialog::Callback { name, input, error, .. } => {
            let mut lines = vec![format!("When? {}_", input.value()), line("Enter alone: next day, same hour. Or +2h, 15:00, tue 15:00")];
            lines.extend(error.clone());
            (format!("Call {name} back"), lines)
        }
        Dialog::Note { name, input, .. } => (format!("Note on {name}"), vec![format!("{}_", input.value()), line("Enter saves")]),
        Dialog::Delete { name, input, .. } => (
            format!("Delete \"{name}\"?"),
            vec![line("Its calls and outcomes stay in the records, the campaign leaves the screen."), format!("Type its name: {}_", input.value())],
        ),
        Dialog::StopAll { input } => (
            line("Kill switch"),
            vec![line("No further dial on any host, until an admin releases it. Live calls go on."), format!("Type STOP: {}_", input.value())],
        ),
        Dialog::Terms { name, input, .. } => {
            let mut lines = wrapped(crate::desk::TERMS, 70);
            lines.extend([
                String::new(),
                format!("Your name: {}_", input.value()),
                format!("Enter accepts for this installation and starts \"{name}\". Esc: nobody is called"),
            ]);
            (line("Real phones will ring"), lines)
        }
        Dialog::Filter(input) => {
            (line("Filter"), vec![format!("/{}_", input.value()), line("words all hold; !word excludes; name: number: campaign: state: outcome:")])
        }
        Dialog::Command(input) => {
            (line("Command"), vec![format!(":{}_", input.value()), line("start pause resume stop why NAME, tag OUTCOME, import FILE, filter, theme, quit")])
        }
        Dialog::Words { title, lines } => (title.clone(), lines.clone()),
        Dialog::Help { .. } | Dialog::Detail { .. } | Dialog::New(_) | Dialog::Import(_) => (String::new(), Vec::new()),
    }
}

fn help(frame: &mut Frame<'_>, state: &State, area: Rect, scroll: usize) {
    let inside = popup(frame, &state.theme, area, 70, 40, "Keys", "j k scroll   Esc closes");
    let lines: Vec<Line<'_>> = keys::TABLE
        .iter()
        .map(|b| Line::from(vec![Span::styled(fit(&format!(" {}", b.key), 12), state.theme.style("key")), Span::styled(b.help, state.theme.style("text"))]))
        .collect();
    let from = scroll.min(lines.len().saturating_sub(usize::from(inside.height)));
    frame.render_widget(Paragraph::new(lines[from..].to_vec()), inside);
}

fn draw_form(frame: &mut Frame<'_>, state: &State, area: Rect, form: &Form) {
    use crate::console::dialogs::FormField as Field;
    let inside = popup(frame, &state.theme, area, 100, 18, "New campaign", "Tab next   Shift-Tab back   Esc away");
    let width = usize::from(inside.width);
    let mut lines = Vec::new();
    for (i, field) in form.fields.iter().enumerate() {
        let here = i == form.at;
        let style = state.theme.style(if here {
            "text"
        } else if i > form.at {
            "text_faint"
        } else {
            "text_dim"
        });
        let marker = if here { ">" } else { " " };
        match field {
            Field::Text { label, input, hint } => {
                let cursor = if here { "_" } else { "" };
                let hint = if here { format!("   ({hint})") } else { String::new() };
                lines.push(Line::from(Span::styled(fit(&format!("{marker} {label:<10} {}{cursor}{hint}", input.value()), width), style)));
            }
            Field::Choice { label, options, at } => {
                let value = options.get(*at).map_or("(none)", String::as_str);
                let arrows = if here && options.len() > 1 { format!("< {value} >  {} of {}", at + 1, options.len()) } else { value.to_owned() };
                lines.push(Line::from(Span::styled(fit(&format!("{marker} {label:<10} {arrows}"), width), style)));
            }
            Field::Summary => {
                lines.push(Line::default());
                for text in form.summary() {
                    lines.push(Line::from(Span::styled(fit(&format!("  {text}"), width), state.theme.style("text_dim"))));
                }
                let keys = match (here, form.asking) {
                    (true, true) => "Create it and begin to dial? y yes   any other key: no",
                    (true, false) => "c creates it idle   S creates and starts it",
                    (false, _) => "",
                };
                lines.push(Line::from(Span::styled(fit(&format!("{marker} {keys}"), width), state.theme.style("key"))));
            }
        }
    }
    if let Some(error) = &form.error {
        lines.push(Line::from(Span::styled(fit(&format!("  {error}"), width), state.theme.style("error"))));
    }
    frame.render_widget(Paragraph::new(lines), inside);
}

fn bar(bytes: u64, size: u64) -> String {
    let percent = (bytes * 100).checked_div(size).unwrap_or(0).min(100);
    let full = "#".repeat(usize::try_from(percent / 5).unwrap_or(0));
    format!("[{full:.<20}] {percent}%")
}

/// An import that runs behind the screen, for the header.
pub fn import_words(import: &ImportDialog) -> String {
    use crate::console::dialogs::ImportStage as Stage;
    match &import.stage {
        Stage::Running { bytes, size, rows, .. } => format!("import {} {rows} rows", bar(*bytes, *size)),
        _ => "import".to_owned(),
    }
}

fn draw_import(frame: &mut Frame<'_>, state: &State, area: Rect, import: &ImportDialog) {
    use crate::console::dialogs::ImportStage as Stage;
    let mut lines: Vec<String> = Vec::new();
    let corner = match &import.stage {
        Stage::Path { input, choices } => {
            lines.push(format!("CSV file: {}_", input.value()));
            lines.push("Tab completes".to_owned());
            lines.extend(choices.iter().map(|c| format!("  {c}")));
            "Enter next   Esc away"
        }
        Stage::Reading => {
            lines.push("reading...".to_owned());
            "Esc away"
        }
        Stage::Preview { preview, at } => {
            lines.push(preview.path.display().to_string());
            if let Some(error) = &preview.error {
                lines.push(error.clone());
            }
            for (i, (header, field)) in preview.columns.iter().enumerate().take(12) {
                let marker = if i == *at { ">" } else { " " };
                lines.push(format!("{marker} {:<28} {}", crate::domain::text::clean(header, 28), field.unwrap_or("(for the script)")));
            }
            lines.push(String::new());
            lines.extend(preview.rows.iter().map(|r| format!("  {}", r.join("  "))));
            "up/down column   left/right meaning   Enter imports"
        }
        Stage::Running { bytes, size, rows, sure } => {
            lines.push(format!("{}  {rows} rows", bar(*bytes, *size)));
            if *sure {
                lines.push("y cancels the import: nothing is kept".to_owned());
            }
            "Esc lets it run   x cancels"
        }
        Stage::Done(Ok(r)) => {
            lines.push(format!(
                "{} imported, {} duplicate, {} invalid, {} do-not-call, {} without a zone",
                r.imported, r.duplicate, r.invalid, r.do_not_call, r.no_zone
            ));
            lines.extend(r.remarks.iter().take(5).map(|x| format!("  line {}: kept, but {}", x.line, x.reason)));
            lines.extend(r.rejects.iter().take(10).map(|x| format!("  line {}: {}", x.line, x.reason)));
            "any key closes"
        }
        Stage::Done(Err(why)) => {
            lines.push(why.clone());
            "any key closes"
        }
    };
    let height = u16::try_from(lines.len() + 2).unwrap_or(24).clamp(5, 26);
    let inside = popup(frame, &state.theme, area, 96, height, "Import contacts", corner);
    let lines: Vec<Line<'_>> =
        lines.into_iter().map(|l| Line::from(Span::styled(fit(&format!(" {l}"), usize::from(inside.width)), state.theme.style("text")))).collect();
    frame.render_widget(Paragraph::new(lines), inside);
}
