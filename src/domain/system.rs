//! What must be there before calls can be made, each with a light, the fact, and the way out: as rooms show it, and
//! whoever looks at the network tells it.

use serde::Serialize;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Light {
    Good,
    /// Nothing is wrong; it is not there yet.
    Unset,
    /// Calls can be made, but somebody should know.
    Warning,
    /// Calls cannot be made, or not all of them.
    Bad,
}

/// What somebody at the screen can do about it: the room has a key for each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mend {
    /// Ask for LiveKit's host, key and secret.
    SetLiveKit,
    AddAssistant,
    /// Give a number on a trunk to an assistant.
    AssignNumber,
    ImportContacts,
    NewCampaign,
    StartCampaign,
    AcceptTerms,
    ReleaseKillSwitch,
    OpenPlace,
    /// A look at the network tells more.
    Look,
    /// Nothing can be done from here: the words tell what and where.
    ReadOn,
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct System {
    /// Its place in the list: `database`, `LiveKit`.
    pub name: &'static str,
    pub light: Light,
    pub fact: String,
    /// What to do; empty where nothing is to be done.
    pub way_out: String,
    pub mend: Option<Mend>,
}

impl System {
    #[must_use]
    pub fn good(name: &'static str, fact: impl Into<String>) -> Self {
        Self { name, light: Light::Good, fact: fact.into(), way_out: String::new(), mend: None }
    }

    #[must_use]
    pub fn other(name: &'static str, light: Light, fact: impl Into<String>, mend: Mend, way_out: impl Into<String>) -> Self {
        Self { name, light, fact: fact.into(), way_out: way_out.into(), mend: Some(mend) }
    }
}
