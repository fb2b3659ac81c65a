//! What may be typed.

mod calls;
mod campaigns;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand};

pub use calls::CallCommand;
pub use campaigns::{CampaignCommand, Change, Format, Knobs};

/// A clock's speed: a tenth of life to two hundred times.
fn speed(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|s| (0.1..=200.0).contains(s)).ok_or_else(|| "is no number from 0.1 to 200".to_owned())
}

/// A terminal operations console for outbound AI calling campaigns.
///
/// Without a command: the console, with engine and listener in it.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXIT_CODES)]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(flatten)]
    pub console: ConsoleFlags,
    #[command(flatten)]
    pub engine: EngineFlags,
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXIT_CODES: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused by a rule (the reason is printed).";

/// Flags of every command.
#[derive(Debug, Clone, ClapArgs)]
pub struct Global {
    /// Configuration file instead of the usual places
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Database: sqlite:PATH or postgres://USER:PASSWORD@HOST/NAME
    #[arg(long, global = true, value_name = "URL")]
    pub database: Option<String>,
    /// Act as this owner; "all" shows every owner's rows
    #[arg(long = "as", global = true, value_name = "UUID")]
    pub owner: Option<Owner>,
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
}

/// Whose rows a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    One(uuid::Uuid),
    /// Everybody's, to look at.
    All,
}

impl std::str::FromStr for Owner {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("all") {
            return Ok(Self::All);
        }
        text.parse().map(Self::One).map_err(|_| "is neither the UUID of an owner nor \"all\"".to_owned())
    }
}

/// Flags of whatever has a screen.
#[derive(Debug, Clone, Default, PartialEq, ClapArgs)]
#[command(next_help_heading = "Screen")]
pub struct ConsoleFlags {
    /// Show, change nothing
    #[arg(long)]
    pub read_only: bool,
    /// Lines instead of a screen: for readers of screens, pipes and terminals that cannot draw
    #[arg(long)]
    pub plain: bool,
    /// No letters but those of ASCII around what is shown
    #[arg(long)]
    pub ascii: bool,
    /// Colours; "auto" looks at the terminal
    #[arg(long, value_name = "WHEN", value_parser = ["auto", "never", "16", "256", "truecolor"])]
    pub color: Option<String>,
    /// Theme by name; see `theme list`
    #[arg(long, value_name = "NAME")]
    pub theme: Option<String>,
    /// Show only the calls that pass, as `/` in the console
    #[arg(long, value_name = "EXPR")]
    pub filter: Option<String>,
}

/// Flags of whatever has engine and listener.
#[derive(Debug, Clone, Default, PartialEq, ClapArgs)]
#[command(next_help_heading = "Engine and listener")]
pub struct EngineFlags {
    /// Nothing dials, whatever the configuration says
    #[arg(long)]
    pub no_dial: bool,
    /// Address of the REST and webhook listener
    #[arg(long, value_name = "ADDR")]
    pub listen: Option<String>,
    /// TLS ends at a proxy in front of us
    #[arg(long)]
    pub behind_proxy: bool,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Practise: sample campaigns and a simulated telephone network; no phone rings
    Demo {
        /// Contacts of the first campaign
        #[arg(long, default_value_t = 300, value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=10_000))]
        contacts: usize,
        #[arg(long, default_value_t = 7)]
        seed: u64,
        /// How many times faster than life
        #[arg(long, default_value_t = 1.0, value_parser = speed)]
        speed: f64,
        #[command(flatten)]
        console: ConsoleFlags,
    },
    /// Engine and listener without a screen
    Serve {
        #[command(flatten)]
        engine: EngineFlags,
        /// Started by a console that leaves: says when it is ready, then nothing
        #[arg(long, hide = true)]
        behind: bool,
    },
    /// The simulator alone: a LiveKit and Twilio stand-in on loopback
    Simulate {
        /// Where it listens, on loopback
        #[arg(long, alias = "at", default_value = "127.0.0.1:7880", value_name = "ADDR")]
        listen: std::net::SocketAddr,
        /// Where its webhooks go
        #[arg(long, value_name = "URL")]
        webhook: Option<String>,
        #[arg(long, default_value_t = 1.0, value_parser = speed)]
        speed: f64,
        /// A seeded mix of results instead of the last four digits
        #[arg(long, value_name = "SEED")]
        mix: Option<u64>,
        /// Callees and faults from a file; see the README
        #[arg(long, value_name = "FILE", conflicts_with = "mix")]
        script: Option<PathBuf>,
    },
    /// Import contacts from a CSV file, or - for standard input
    Import {
        file: PathBuf,
        /// Into a new contact list of this name
        #[arg(long, value_name = "NAME", conflicts_with = "csv")]
        list: Option<String>,
        /// As a CSV file (the default)
        #[arg(long)]
        csv: bool,
        /// Country of numbers written without +, such as US
        #[arg(long)]
        region: Option<String>,
        /// Columns by hand: phone=Mobile,name=Customer
        #[arg(long, value_name = "FIELD=COLUMN,...")]
        map: Vec<String>,
        /// This column means nothing, whatever its name
        #[arg(long, value_name = "COLUMN")]
        ignore_column: Vec<String>,
        /// Read and report, keep nothing
        #[arg(long)]
        dry_run: bool,
        /// Write bad rows there
        #[arg(long, value_name = "FILE")]
        rejects: Option<PathBuf>,
    },
    /// Campaigns
    #[command(subcommand)]
    Campaign(CampaignCommand),
    /// Calls
    #[command(subcommand)]
    Call(CallCommand),
    /// Assistants
    #[command(subcommand)]
    Assistant(AssistantCommand),
    /// Phone numbers
    #[command(subcommand)]
    Number(NumberCommand),
    /// Trunks at LiveKit
    #[command(subcommand)]
    Trunk(TrunkCommand),
    /// Do not call
    #[command(subcommand)]
    Dnc(DncCommand),
    /// The law of places: what the table says, and places that are closed for an emergency
    #[command(subcommand)]
    Law(LawCommand),
    /// The terms that the first real campaign asks for
    #[command(subcommand)]
    Terms(TermsCommand),
    /// The kill switch: no further dial on any host
    StopAll {
        /// Hang up every live call too
        #[arg(long, conflicts_with = "release")]
        hang_up: bool,
        /// Lift it
        #[arg(long)]
        release: bool,
    },
    /// Who dials, or why nobody does: engine, listener, LiveKit, database, campaigns, lines
    Status,
    /// Look for what is wrong, and say the way out; never dials
    Doctor,
    /// Mint a token for the REST API
    Token {
        /// Owner; the installation's unless given
        #[arg(long, value_name = "UUID")]
        sub: Option<uuid::Uuid>,
        #[arg(long, default_value = "supervisor")]
        role: String,
        #[arg(long, default_value = "1h")]
        ttl: String,
    },
    /// The configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Themes of the console
    #[command(subcommand)]
    Theme(ThemeCommand),
    /// Bring the database up to date; every start does so by itself
    Migrate {
        /// Write the schema for an SQL editor instead, and touch no database
        #[arg(long)]
        print_sql: bool,
    },
    /// Copy the database into a new file, running or not
    Backup { file: PathBuf },
    /// Put a backup back; nothing is dialled then until `stop-all --release`
    Restore { file: PathBuf },
    /// A completion script for a shell
    Completions { shell: clap_complete::Shell },
    /// The manual page
    Man,
}

#[derive(Debug, Subcommand)]
pub enum AssistantCommand {
    Add {
        name: String,
        /// Name of the agent worker
        #[arg(long)]
        agent: Option<String>,
        #[arg(long, default_value = "")]
        prompt: String,
        #[arg(long)]
        language: Option<String>,
    },
    List,
    /// Give one another name; no two have the same
    Rename {
        /// Its name or id
        name: String,
        new: String,
    },
    /// Delete one for whom nothing was ever called
    Delete {
        /// Its name or id
        name: String,
    },
}

#[derive(Debug, Subcommand)]
pub enum NumberCommand {
    /// Point a number at an assistant and an outbound trunk
    Assign {
        number: String,
        #[arg(long)]
        assistant: String,
        /// A trunk that exists at LiveKit, `ST_...`
        #[arg(long, conflicts_with_all = ["address", "username"])]
        trunk: Option<String>,
        #[command(flatten)]
        place: PlaceArgs,
    },
    List,
}

#[derive(Debug, Subcommand)]
pub enum TrunkCommand {
    /// Adopt or make the outbound trunk of an assistant's number
    Create {
        number: String,
        #[arg(long)]
        assistant: String,
        #[command(flatten)]
        place: PlaceArgs,
        /// The inbound trunk and its dispatch rule too
        #[arg(long)]
        inbound: bool,
    },
    /// Outbound trunks at LiveKit, and what differs from what is known here
    List,
}

/// Where a trunk is to be, and with which login.
#[derive(Debug, ClapArgs)]
pub struct PlaceArgs {
    /// Such as NAME.pstn.twilio.com; else [trunk] address, else the number's trunk at Twilio
    #[arg(long)]
    pub address: Option<String>,
    /// Name of the login there; else that of [trunk] where the address is that of [trunk]
    #[arg(long, requires = "password_stdin")]
    pub username: Option<String>,
    /// The password is the first line of standard input
    #[arg(long, requires = "username")]
    pub password_stdin: bool,
    /// auto, udp, tcp or tls
    #[arg(long, default_value = "auto")]
    pub transport: String,
}

#[derive(Debug, Subcommand)]
pub enum DncCommand {
    Add {
        number: String,
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Take a number off the list; the reason stays in the audit
    Remove {
        number: String,
        #[arg(long)]
        reason: String,
    },
    List,
    /// Numbers, one a line, or a CSV; - for standard input
    Import {
        file: PathBuf,
        /// Country of numbers written without +, such as US
        #[arg(long)]
        region: Option<String>,
        /// Columns by hand: phone=Mobile
        #[arg(long, value_name = "FIELD=COLUMN,...")]
        map: Vec<String>,
        /// It is a country's national list; profile "us" asks for that of the United States
        #[arg(long)]
        national: bool,
        /// Whose national list; that of its numbers unless given
        #[arg(long, value_name = "CC", requires = "national")]
        country: Option<String>,
        /// Of which day the national list is; the file's unless given
        #[arg(long, value_name = "DAY", requires = "national")]
        as_of: Option<String>,
        /// The national list may be shorter than the one before
        #[arg(long, requires = "national")]
        accept_smaller: bool,
    },
    /// The whole list as CSV on standard output
    Export,
}

#[derive(Debug, Clone, Subcommand)]
pub enum LawCommand {
    /// The rows of a place or a number, and whether it may be called now; of all places unless one is given
    Show {
        /// DE, US-LA or +12125550142
        place: Option<String>,
    },
    /// Call nobody in a place, on any host, until a moment or until it is opened
    Close {
        /// DE, US-LA
        place: String,
        /// Until when: +2h, 15:00, tue 15:00 or 2026-12-01 09:30 on the clock of this host's time zone
        #[arg(long)]
        until: Option<String>,
        #[arg(long)]
        reason: String,
    },
    /// Call there again
    Open {
        /// The place, or all
        place: String,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub enum TermsCommand {
    /// The terms, and who accepted them
    Show,
    /// Accept them, once for this installation
    Accept {
        #[arg(long)]
        name: String,
    },
}

#[derive(Debug, Clone, Subcommand)]
pub enum ThemeCommand {
    /// Those built in and those of the themes folder
    List,
    /// Read a theme and say what is wrong with it
    Check {
        /// By name, or a file
        theme: String,
    },
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// What holds, and where each value came from; secrets as ***
    Show,
    /// Complain about everything that is wrong
    Check,
    /// Where the files are looked for
    Path,
}
