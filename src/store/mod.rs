//! Rows in, rows out. The only room with SQL text; one text per statement, next to the method that
//! runs it. It judges nothing: a method says which rows it expects to change and reports how many did.
//!
//! Writes go through one writer task per process (see `writer`); only `desk` calls [`Store::write`].

mod assistants;
mod audit;
mod backup;
mod boards;
mod books;
mod by_hand;
mod calls;
mod campaigns;
mod chronicle;
mod contacts;
mod counting;
mod dials;
mod dnc;
mod engines;
mod error;
mod figures;
mod file;
mod gates;
mod headcount;
mod history;
mod inbox;
mod kept;
mod keys;
mod lease;
mod lines;
mod log;
mod merging;
mod minutes;
mod moves;
mod news;
mod owners;
mod people;
mod pool;
mod postgres;
mod postgres_schema;
mod promises;
mod recordings;
mod reports;
mod requests;
mod retention;
mod roster;
mod rows;
mod schema;
mod search;
mod server;
mod settings;
mod slices;
mod sources;
mod sql;
mod sqlite;
mod sums;
mod tagging;
mod texts;
mod writer;

pub use books::{Alike, TakenNumber};
pub use calls::{CallFilter, Cursor, NewCall, NewOutcome, PaneQuery};
pub use campaigns::{CampaignEdit, NewCampaign, QueueCount, QueuedRow, ZoneHead};
pub use chronicle::{Aside, Deed, TOLD};
pub use contacts::{FillContact, Map, PlaceCount};
pub use counting::{ContactRows, Recyclable, Rounds};
pub use dials::LastDial;
pub use error::StoreError;
pub use figures::{Figures, Waiting};
pub use file::FileId;
pub use gates::{ArmRow, ClaimRow, ClaimStanding, ContactGates, OutgoingRow, TrunkGates};
pub use history::{ListedNumber, PromiseCount, PromisedCall, TagCount};
pub use inbox::{EventRow, NewEvent};
pub use kept::Kept;
pub use lease::Lease;
pub use lines::{Armed, Freed, ListeningLine};
pub use merging::Moved;
pub use minutes::{CampaignPace, PaceRow, minute_of, moment_of};
pub use moves::CallUpdate;
pub use news::{Height, News};
pub use people::{COUNTED, ContactSearch, FoundContacts, FoundListed, ListedSearch};
pub use pool::{Revision, Store, Tx};
#[cfg(debug_assertions)]
pub use postgres::shadow::{Seen, Shadow};
pub use postgres::{Connections, Lineage, ServerLook};
pub use postgres_schema::{Migrated, SEARCH_PATH, migrate_postgres, postgres_as_sql};
pub use recordings::RecordingRow;
pub use reports::ReportRow;
pub use requests::{NewRequest, OpenRequest, PhoneFacts, RequestRow};
pub use retention::{Aged, Standing};
pub use roster::{ContactRow, Makeup, PresentContact, UserOfList};
pub use rows::{AssistantRow, AuditRow, CallRow, CampaignRow, DayRow, EngineRow, NumberRow, OutcomeRow, PaneRow, SuppressedRow, TrunkRow};
pub use schema::schema_as_sql;
pub use search::{CallSearch, Found, FoundCall, Place};
pub use settings::{LISTED, Setting, Values};
pub use slices::ContactSlice;
pub use sources::{ContactTable, SourceRow, Unfinished};
pub use sums::Sums;
pub use tagging::{AgentWord, TagPace, Tagging, ToTag};
pub use writer::Lane;

/// A page of a list and how many rows there are in all.
#[derive(Debug, Clone)]
pub struct Page<T> {
    pub rows: Vec<T>,
    pub total: i64,
}
