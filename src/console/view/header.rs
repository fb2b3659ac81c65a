//! The first line: the figures that a supervisor glances at, dropped from the right where there is no room.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
    widgets::Paragraph,
};
use unicode_width::UnicodeWidthStr;

use crate::{
    console::{state::State, widgets::fit},
    domain::campaign::Status,
};

pub fn draw(frame: &mut Frame<'_>, state: &State, area: Rect) {
    let clock = state.now.with_timezone(&state.options.zone);
    // Seconds only while somebody is on the line: an idle screen sends nothing.
    let clock = clock.format(if state.data.live_count() > 0 { "%H:%M:%S" } else { "%H:%M" }).to_string();
    let room = usize::from(area.width).saturating_sub(clock.len() + 3);
    let mut parts = figures(state);
    while parts.len() > 2 && parts.join(" │ ").width() + 1 > room {
        parts.pop();
    }
    let text = format!(" {} ", fit(&parts.join(" │ "), room));
    let spans = vec![Span::styled(text, state.theme.style("title")), Span::styled(clock, state.theme.style("text"))];
    frame.render_widget(Paragraph::new(Line::from(spans)), area);
}

/// Most wanted first.
fn figures(state: &State) -> Vec<String> {
    let d = &state.data;
    let begun = |c: &&crate::console::snapshot::CampaignView| matches!(c.row.execution_status, Status::Running | Status::Paused);
    let lines: i64 = d.campaigns.iter().filter(begun).map(|c| c.row.max_concurrent).sum();
    let percent = |v: Option<i64>| v.map_or_else(|| "-".to_owned(), |p| format!("{p}%"));
    let mut parts = vec![if state.options.simulated { "dialdeck SIMULATED".to_owned() } else { "dialdeck".to_owned() }];
    if state.options.following.borrow().is_some() {
        parts.push("following".to_owned());
    }
    parts.push(format!("live {}/{lines}", d.live_count()));
    parts.extend(state.behind.as_ref().and_then(|b| b.goes_on()));
    parts.push(format!("to tag {}", state.to_tag()));
    parts.push(running(d.campaigns_in(Status::Running), d.campaigns_in(Status::Paused)));
    parts.push(format!("answered {}", percent(d.answered)));
    parts.push(format!("failed {}", percent(d.failed)));
    parts.push(format!("dials/min {}", d.calls_per_minute));
    if state.options.supabase_hint {
        parts.push("SUPABASE_URL without DATABASE_URL: using SQLite".to_owned());
    }
    if d.other_owners > 0 {
        parts.push(crate::console::rows::count(d.other_owners, "other owner"));
    }
    parts
}

fn running(running: usize, paused: usize) -> String {
    if paused > 0 { format!("{running} running {paused} paused") } else { format!("{running} running") }
}
