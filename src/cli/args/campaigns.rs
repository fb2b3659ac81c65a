//! What may be typed of campaigns.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub enum CampaignCommand {
    /// Make a campaign
    Create {
        name: String,
        /// Assistant by name or id
        #[arg(long)]
        assistant: String,
        /// Contact list or CSV file by name or id
        #[arg(long)]
        contacts: String,
        #[command(flatten)]
        knobs: Knobs,
    },
    /// All campaigns
    List,
    /// One campaign with its settings, its counts, and why it dials or does not
    Show {
        campaign: String,
    },
    /// Change what is named; a running campaign goes on with it
    Edit {
        campaign: String,
        #[command(flatten)]
        change: Change,
    },
    /// Make another one with the same settings
    Copy {
        campaign: String,
        /// Of the new one
        name: String,
        /// Other contacts than the first one's
        #[arg(long)]
        contacts: Option<String>,
        /// Another assistant than the first one's
        #[arg(long)]
        assistant: Option<String>,
    },
    /// Start, printing what it finds
    Start {
        campaign: String,
    },
    Pause {
        campaign: String,
    },
    Resume {
        campaign: String,
    },
    Stop {
        campaign: String,
        /// Hang up live calls too
        #[arg(long)]
        hang_up: bool,
    },
    /// Queue again whose last call ended so: no_answer, busy, voicemail; callback: promises that a stop broke
    Recycle {
        campaign: String,
        #[arg(required = true)]
        results: Vec<String>,
    },
    /// Why is it not dialling?
    Why {
        campaign: String,
    },
    Delete {
        campaign: String,
    },
    /// Every call with its result and what allowed it
    Export {
        campaign: String,
        #[arg(long, value_enum, default_value_t = Format::Csv)]
        format: Format,
        /// Into a new file instead of standard output
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// Leave cells that a spreadsheet would take for a formula as they are
        #[arg(long)]
        raw: bool,
    },
}

/// What a campaign may be told when it is made and afterwards.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct Knobs {
    /// The script; the assistant's prompt where it is empty
    #[arg(long)]
    pub prompt: Option<String>,
    /// Name of the agent worker, where it is not the assistant's
    #[arg(long, value_name = "NAME")]
    pub agent: Option<String>,
    /// Calls per day
    #[arg(long)]
    pub cap: Option<i64>,
    /// monday,tuesday,...
    #[arg(long)]
    pub days: Option<String>,
    /// 9-17 or 9:30-17:15 on the clock of --timezone; 0-0 sets no limit of its own. Legal hours are on
    /// each contact's own clock
    #[arg(long)]
    pub hours: Option<String>,
    /// Whose clock --hours and the day of --cap are on, as Area/City: Europe/Berlin. Else [engine] timezone, or the
    /// host's
    #[arg(long)]
    pub timezone: Option<String>,
    /// Calls at once
    #[arg(long)]
    pub concurrent: Option<i64>,
    /// Milliseconds between two dials
    #[arg(long)]
    pub delay: Option<i64>,
    /// Attempts at each contact
    #[arg(long)]
    pub attempts: Option<i64>,
    /// Seconds a phone rings
    #[arg(long, value_name = "SECONDS")]
    pub ring: Option<i64>,
    /// Seconds a call may last
    #[arg(long, value_name = "SECONDS")]
    pub longest: Option<i64>,
    /// Minutes until the next attempt after no answer
    #[arg(long, value_name = "MINUTES")]
    pub after_no_answer: Option<i64>,
    /// Minutes until the next attempt after busy
    #[arg(long, value_name = "MINUTES")]
    pub after_busy: Option<i64>,
    /// Minutes until the next attempt after a failure of the trunk
    #[arg(long, value_name = "MINUTES")]
    pub after_trunk: Option<i64>,
}

/// What an edit changes.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct Change {
    #[arg(long)]
    pub name: Option<String>,
    /// Assistant by name or id
    #[arg(long)]
    pub assistant: Option<String>,
    #[command(flatten)]
    pub knobs: Knobs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    Csv,
    /// One JSON document a line, with every gate's decision
    Jsonl,
    /// A spreadsheet
    Xlsx,
}
