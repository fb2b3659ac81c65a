//! What makes an installation ready to call, and what is done beyond the rows: each is asked for by one message with
//! all it needs, and its answer carries it.

use std::{path::PathBuf, sync::Arc};

use chrono::{DateTime, NaiveDate, Utc};

use super::{
    keeping,
    outside::{Export, Exported, Fault, LiveKitValues, NumberWish, Outside},
};
use crate::{
    desk::{Actor, AssistantEdit, Desk, DeskError},
    domain::{id::AssistantId, phone::PhoneNumber, role::Role, system::System},
};

#[derive(Debug, Clone, PartialEq)]
pub enum Setup {
    /// A look at the network.
    Look,
    LiveKit(LiveKitValues),
    AddAssistant(AssistantEdit),
    EditAssistant(AssistantId, AssistantEdit),
    /// And its name.
    DeleteAssistant(AssistantId, String),
    Assign(Box<NumberWish>),
    /// The person who accepts.
    AcceptTerms(String),
    ClosePlace {
        place: String,
        until: Option<DateTime<Utc>>,
        reason: String,
    },
    OpenPlace(String),
    Export(Export),
    /// A copy of the database into a new file.
    Backup(PathBuf),
    /// A number off the do-not-call list, and why.
    Allow {
        number: PhoneNumber,
        reason: String,
    },
    /// A country's national do-not-call list, of which day, and whose numbers stand in it without +.
    National {
        path: PathBuf,
        day: Option<NaiveDate>,
        region: Option<String>,
    },
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    Looked(Vec<System>),
    Said(String),
    /// More than fits a line.
    Told(String, Vec<String>),
    /// It holds once this process has started again.
    FromNextStart(String),
    /// The file of an export is there already.
    Exists(Export),
}

impl Setup {
    /// The least role that may; the same as the verb of the command line and the route of the REST API.
    #[must_use]
    pub fn needs(&self) -> Role {
        match self {
            Self::Look | Self::Export(_) => Role::Viewer,
            Self::AddAssistant(_) | Self::EditAssistant(..) | Self::DeleteAssistant(..) | Self::ClosePlace { .. } | Self::National { .. } => Role::Supervisor,
            // What reaches strangers, spends money, or opens what protects people.
            Self::LiveKit(_) | Self::Assign(_) | Self::AcceptTerms(_) | Self::OpenPlace(_) | Self::Backup(_) | Self::Allow { .. } => Role::Admin,
        }
    }

    /// A dialog stays open until the answer is there, and shows a refusal itself.
    #[must_use]
    pub fn has_dialog(&self) -> bool {
        !matches!(self, Self::Look | Self::Export(_) | Self::Backup(_) | Self::National { .. })
    }
}

const NO_OUTSIDE: &str = "this console has no network of its own: use the command line on the dialler host";

/// # Errors
/// In words, and with the field they are about.
pub async fn carry_out(desk: &Desk, actor: Actor, outside: Option<Arc<dyn Outside>>, setup: Setup) -> Result<Done, Fault> {
    let world = || outside.ok_or_else(|| Fault::from(NO_OUTSIDE));
    let zone_less = |place: &str| place.trim().to_ascii_uppercase();
    Ok(match setup {
        Setup::Look => Done::Looked(world()?.look().await),
        Setup::LiveKit(values) => Done::FromNextStart(world()?.connect(values).await?),
        Setup::AddAssistant(a) => {
            let row = desk.add_assistant(actor, None, a.name, a.agent_name, a.prompt, None).await.map_err(of_field)?;
            Done::Said(format!("assistant \"{}\" is there: now give it a number", row.name))
        }
        Setup::EditAssistant(id, edit) => {
            let words = format!("assistant \"{}\" was changed: it holds from the next call on", edit.name.trim());
            desk.edit_assistant(actor, id, edit).await.map_err(of_field)?;
            Done::Said(words)
        }
        Setup::DeleteAssistant(id, name) => {
            desk.delete_assistant(actor, id).await?;
            Done::Said(format!("assistant \"{name}\" was deleted"))
        }
        Setup::Assign(wish) => Done::Told(format!("{} is ready", wish.number), world()?.assign(actor, *wish).await?),
        Setup::AcceptTerms(person) => {
            let accepted = desk.accept_terms(actor, person).await.map_err(of_field)?;
            Done::Said(format!("the terms are accepted by {}", accepted.name))
        }
        Setup::ClosePlace { place, until, reason } => {
            let words = format!("{} is closed: nobody there is called, on any host", zone_less(&place));
            desk.close_place(actor, place, until, reason).await.map_err(of_field)?;
            Done::Said(words)
        }
        Setup::OpenPlace(place) => {
            let open = desk.open_place(actor, place.clone()).await?;
            let place = zone_less(&place);
            Done::Said(if open { format!("{place} is open: its laws hold") } else { format!("{place} was not closed") })
        }
        Setup::Backup(path) => Done::Said(keeping::back_up(world()?, path).await?),
        Setup::Allow { number, reason } => Done::Said(keeping::allow(desk, actor, number, reason).await?),
        Setup::National { path, day, region } => Done::Said(keeping::national(desk, actor, path, day, region).await?),
        Setup::Export(export) => match world()?.export(actor, export.clone()).await? {
            Exported::Exists => Done::Exists(export),
            Exported::Written(calls) => {
                // Not all of them were made: one waits, another was turned away.
                let rows = super::rows::count(i64::try_from(calls).unwrap_or(0), "row");
                Done::Said(format!("{rows} of \"{}\" in {}, one for each call, made or not", export.name, export.path.display()))
            }
        },
    })
}

/// A complaint about a field stands under it.
fn of_field(e: DeskError) -> Fault {
    match &e {
        DeskError::Invalid(errors) => Fault { field: errors.first().map(|e| e.field), words: e.to_string() },
        DeskError::Refused(refusal) => Fault { field: Some(refusal.gate), words: e.to_string() },
        _ => e.into(),
    }
}
