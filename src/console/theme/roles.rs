//! The roles of a theme: what each means where the theme is silent, in sixteen colours, and without any.

use ratatui::style::{Color, Modifier};

/// Every role there is, and what it falls back to.
const ROLES: &[(&str, Option<&str>)] = &[
    ("bg", None),
    ("surface", Some("bg")),
    ("overlay", Some("surface")),
    ("text", None),
    ("text_dim", Some("text")),
    ("text_faint", Some("text_dim")),
    ("border", Some("text_faint")),
    ("border_focus", Some("key")),
    ("title", Some("text")),
    ("key", Some("info")),
    ("match", Some("warn")),
    ("selection_bg", None),
    ("selection_fg", Some("text")),
    ("selection_inactive_bg", Some("border")),
    ("selection_inactive_fg", Some("text")),
    ("info", Some("text")),
    ("success", Some("text")),
    ("warn", Some("text")),
    ("error", Some("text")),
    ("state_idle", Some("text_dim")),
    ("state_running", Some("success")),
    ("state_paused", Some("warn")),
    ("state_completed", Some("info")),
    ("state_error", Some("error")),
    ("call_pending", Some("state_idle")),
    ("call_calling", Some("info")),
    ("call_dialling", Some("text_dim")),
    ("call_answered", Some("state_running")),
    ("call_completed", Some("state_completed")),
    ("call_failed", Some("state_error")),
    ("outcome_interested", Some("series_1")),
    ("outcome_not_interested", Some("series_2")),
    ("outcome_callback", Some("series_3")),
    ("outcome_do_not_call", Some("series_4")),
    ("outcome_voicemail", Some("series_5")),
    ("outcome_wrong_number", Some("series_6")),
    ("outcome_untagged", Some("text_faint")),
    ("log_trace", Some("text_faint")),
    ("log_debug", Some("text_faint")),
    ("log_info", Some("text_dim")),
    ("log_warn", Some("warn")),
    ("log_error", Some("error")),
    ("gauge_filled", Some("spark")),
    ("spark", Some("series_1")),
    ("series_1", Some("info")),
    ("series_2", Some("text_dim")),
    ("series_3", Some("warn")),
    ("series_4", Some("error")),
    ("series_5", Some("key")),
    ("series_6", Some("text")),
    ("banner_bg", Some("warn")),
    ("banner_fg", Some("bg")),
    ("danger_bg", Some("error")),
    ("danger_fg", Some("bg")),
];

/// Roles of text, which must be read.
pub const READ: &[&str] = &[
    "text",
    "text_dim",
    "text_faint",
    "title",
    "key",
    "match",
    "info",
    "success",
    "warn",
    "error",
    "state_idle",
    "state_running",
    "state_paused",
    "state_completed",
    "state_error",
    "call_pending",
    "call_calling",
    "call_dialling",
    "call_answered",
    "call_completed",
    "call_failed",
    "outcome_interested",
    "outcome_not_interested",
    "outcome_callback",
    "outcome_do_not_call",
    "outcome_voicemail",
    "outcome_wrong_number",
    "outcome_untagged",
    "log_trace",
    "log_debug",
    "log_info",
    "log_warn",
    "log_error",
];

/// In sixteen colours by what it means, where the theme names none: three states are three colours whatever their
/// shades were.
const ANSI: &[(&str, Color)] = &[
    ("success", Color::Green),
    ("warn", Color::Yellow),
    ("error", Color::Red),
    ("state_running", Color::Green),
    ("state_paused", Color::Yellow),
    ("state_error", Color::Red),
    ("call_answered", Color::Green),
    ("call_failed", Color::Red),
    ("log_warn", Color::Yellow),
    ("log_error", Color::Red),
];

#[must_use]
pub fn is_role(name: &str) -> bool {
    ROLES.iter().any(|(role, _)| *role == name)
}

/// What a role means, where a theme does not name it.
#[must_use]
pub fn fallback(name: &str) -> Option<&'static str> {
    ROLES.iter().find(|(role, _)| *role == name).and_then(|(_, to)| *to)
}

#[must_use]
pub fn ansi(name: &str) -> Option<Color> {
    ANSI.iter().find(|(role, _)| *role == name).map(|(_, color)| *color)
}

/// What carries a meaning where there is no colour; glyphs and words do the rest.
#[must_use]
pub fn without_colour(role: &str) -> Modifier {
    match role {
        "error" | "warn" | "danger" | "banner" | "key" | "title" | "border_focus" | "state_running" | "call_answered" => Modifier::BOLD,
        "match" => Modifier::UNDERLINED,
        "text_faint" | "call_completed" | "border" => Modifier::DIM,
        _ => Modifier::empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_fallback_is_a_role_and_ends() {
        for (role, _) in ROLES {
            let (mut at, mut steps) = (*role, 0);
            while let Some(next) = fallback(at) {
                assert!(is_role(next), "{role} -> {next}");
                (at, steps) = (next, steps + 1);
                assert!(steps < 8, "{role} never ends");
            }
        }
        assert!(READ.iter().chain(ANSI.iter().map(|(r, _)| r)).all(|r| is_role(r)));
    }
}
