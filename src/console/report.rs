//! A shift as a text to be handed on, and the same for a program.

use std::path::Path;

use chrono::{DateTime, Utc};

use super::rows::count;
use crate::{
    desk::{Happening, ShiftReport, What},
    domain::{outcome::Outcome, stats::Pace, text::clean, zone::Zone},
};

/// The report as a file of this name holds it: JSON where it ends so, else Markdown.
#[must_use]
pub fn text(report: &ShiftReport, zone: Zone, path: &Path) -> String {
    let json = path.extension().is_some_and(|e| e.eq_ignore_ascii_case("json"));
    let value = if json { serde_json::to_string_pretty(report).ok() } else { None };
    value.map_or_else(|| markdown(report, zone), |v| format!("{v}\n"))
}

/// What a reader wants first comes first.
#[must_use]
pub fn markdown(r: &ShiftReport, zone: Zone) -> String {
    let at = |t: DateTime<Utc>| t.with_timezone(&zone);
    let mut lines = vec![format!("# Shift {} to {}", at(r.from).format("%a %F %H:%M"), at(r.until).format("%H:%M %Z")), String::new()];
    lines.push(pace(&r.pace));
    lines.push(format!("Tagged: {}.", outcomes(&r.outcomes)));
    section(&mut lines, "By campaign", r.campaigns.iter().map(|c| format!("{}: {} Tagged: {}.", name(&c.name), pace(&c.pace), outcomes(&c.outcomes))));
    section(
        &mut lines,
        "By person",
        r.operators.iter().map(|o| {
            let each = o.seconds_each.map_or_else(String::new, |s| format!(", {s:.0} s each"));
            format!("{}: {}{each}: {}.", name(&o.name), count(o.tags, "tag"), outcomes(&o.outcomes))
        }),
    );
    section(&mut lines, "By quarter of an hour", r.quarters.iter().map(|(t, p)| format!("{}  {}", at(*t).format("%H:%M"), pace(p))));
    let listed = |(who, n): &(String, i64)| format!("{} by {}", count(*n, "number"), if who.is_empty() { "an import".to_owned() } else { name(who) });
    section(&mut lines, "Put on the do-not-call list", r.listed.iter().map(listed));
    section(&mut lines, "What happened", r.happened.iter().map(|h| happening(h, zone)));
    lines.push(String::new());
    lines.join("\n")
}

fn section(lines: &mut Vec<String>, title: &str, entries: impl Iterator<Item = String>) {
    let mut entries = entries.peekable();
    if entries.peek().is_some() {
        lines.extend([String::new(), format!("## {title}"), String::new()]);
        lines.extend(entries.map(|e| format!("- {e}")));
    }
}

fn name(text: &str) -> String {
    clean(text, 120)
}

/// `214 dials, 88 answered (41 %), no agent came to 1, 6 failed, 2:31 talked on average.`
#[must_use]
pub fn pace(p: &Pace) -> String {
    let mut text = count(p.dials, "dial");
    text.push_str(&format!(", {} answered", p.answered));
    if let Some(percent) = p.answered_percent() {
        text.push_str(&format!(" ({percent:.0} %)"));
    }
    if p.abandoned > 0 {
        text.push_str(&format!(", no agent came to {}", p.abandoned));
    }
    if p.failed > 0 {
        text.push_str(&format!(", {} failed", p.failed));
    }
    if let Some(talk) = p.talk_average() {
        text.push_str(&format!(", {}:{:02} talked on average", talk / 60, talk % 60));
    }
    text + "."
}

/// `31 interested, 2 callback`; `nothing` where there is none.
#[must_use]
pub fn outcomes(all: &[(Outcome, i64)]) -> String {
    let words: Vec<String> = all.iter().map(|(o, n)| format!("{n} {}", o.label())).collect();
    if words.is_empty() { "nothing".to_owned() } else { words.join(", ") }
}

/// `10:12 Q4 Sales was paused by the breaker: ...`
#[must_use]
pub fn happening(h: &Happening, zone: Zone) -> String {
    let what = match h.what {
        What::Started => "was started",
        What::Resumed => "was resumed",
        What::Paused | What::BreakerOpened => "was paused",
        What::Stopped => "was stopped",
        What::Completed => "called everybody",
        What::Failed => "cannot go on",
        What::AllStopped => "were stopped by the kill switch",
        What::AllReleased => "may be dialled again",
        What::Made => "was made",
        What::Changed => "was changed",
        What::Recycled => "was sent round again",
        What::Deleted | What::ListDeleted => "was deleted",
        What::Imported => "was imported",
        What::HungUp => "was hung up on",
    };
    let who = match (h.what, h.who.as_str()) {
        (What::BreakerOpened, _) => " because its calls went wrong".to_owned(),
        (_, "engine" | "") => String::new(),
        (_, who) => format!(" by {}", name(who)),
    };
    let subject = match (h.campaign.as_deref(), h.what) {
        (None, _) => "All campaigns".to_owned(),
        (Some(list), What::Imported | What::ListDeleted) => format!("list {}", name(list)),
        (Some(subject), _) => name(subject),
    };
    let reason = if h.reason.is_empty() { String::new() } else { format!(": {}", clean(&h.reason, 200)) };
    format!("{} {subject} {what}{who}{reason}", h.at.with_timezone(&zone).format("%H:%M"))
}
