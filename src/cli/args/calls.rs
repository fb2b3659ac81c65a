//! What may be typed of calls.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub enum CallCommand {
    /// Calls of a campaign, newest first
    List {
        campaign: String,
        /// pending, calling, answered, completed, failed, no_answer, busy, canceled
        #[arg(long)]
        status: Option<String>,
        /// interested, not_interested, callback, do_not_call, voicemail, wrong_number
        #[arg(long)]
        outcome: Option<String>,
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
        limit: i64,
        #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(i64).range(0..))]
        offset: i64,
    },
    /// One call with its timeline
    Show { call: String },
    /// Hang up a live call
    Hangup { call: String },
    /// Set an outcome
    Outcome {
        call: String,
        /// interested, not_interested, callback, do_not_call, voicemail, wrong_number
        #[arg(required_unless_present = "undo")]
        outcome: Option<String>,
        #[arg(long, conflicts_with = "undo")]
        note: Option<String>,
        /// When a callback is promised for: +2h, 15:00, "tue 15:00" or "2026-12-01 09:30" on the campaign's clock, or
        /// with its offset 2026-12-01T09:30:00+01:00
        #[arg(long, conflicts_with = "undo")]
        at: Option<String>,
        /// Take the last one back
        #[arg(long, conflicts_with = "outcome")]
        undo: bool,
    },
}
