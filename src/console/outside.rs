//! What the console asks of the world beyond the rows: the network, and files. Whoever wires the program gives it; a
//! console that was given none says so.

use std::{fmt, path::PathBuf, pin::Pin};

use crate::{
    config::Secret,
    desk::Actor,
    domain::{
        id::{AssistantId, CampaignId},
        phone::PhoneNumber,
        system::System,
    },
};

/// What comes later.
pub type Soon<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// LiveKit's three values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveKitValues {
    pub host: String,
    pub api_key: String,
    pub api_secret: Secret,
}

/// A number, who is to call from it, and the trunk: LiveKit's id of one that is there (`ST_...`), the address of one
/// to find or make, or nothing where configuration or Twilio know it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberWish {
    pub number: PhoneNumber,
    pub assistant: AssistantId,
    pub trunk: String,
    pub username: String,
    pub password: Secret,
    /// Calls to the number come in as well.
    pub inbound: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Csv,
    Jsonl,
    Xlsx,
}

/// A campaign's calls, and the file they are to be written to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    pub campaign: CampaignId,
    pub name: String,
    pub path: PathBuf,
    pub format: Format,
    /// Somebody said that a file which is there may be replaced.
    pub over: bool,
}

/// Why something was not done, and which field of a form it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub field: Option<&'static str>,
    pub words: String,
}

impl<T: fmt::Display> From<T> for Fault {
    fn from(why: T) -> Self {
        Self { field: None, words: why.to_string() }
    }
}

/// What became of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Exported {
    /// So many calls are in the file.
    Written(u64),
    /// There is such a file, and nobody said it may be replaced.
    Exists,
}

/// The world beyond the rows.
pub trait Outside: fmt::Debug + Send + Sync {
    /// Looks at everything that `dialdeck doctor` looks at, network and all: a line a finding, by the name of its check.
    fn look(&self) -> Soon<Vec<System>>;

    /// What goes before the configuration file, where one of LiveKit's values comes from it: a variable or a flag.
    fn goes_before(&self) -> Option<String>;

    /// Tries LiveKit's values against the server, and writes them to the configuration file if they hold. Answers what
    /// is to be said beside that.
    fn connect(&self, values: LiveKitValues) -> Soon<Result<String, Fault>>;

    /// Gives a number to an assistant, with what it needs at LiveKit. Answers what LiveKit has now, in lines.
    fn assign(&self, actor: Actor, wish: NumberWish) -> Soon<Result<Vec<String>, String>>;

    /// Copies the database into a new file while it is in use; how large that is.
    fn back_up(&self, path: PathBuf) -> Soon<Result<u64, String>>;

    /// Writes a campaign's calls to a file.
    fn export(&self, actor: Actor, export: Export) -> Soon<Result<Exported, String>>;
}
