//! What a tagger looks at: the queue with what the agent says, and one call with all that helps to judge it.

use chrono::{DateTime, Duration, Utc};

use super::{ContactClock, Desk, DeskError};
use crate::{
    domain::{
        id::{CallId, ContactId, OwnerId},
        outcome::Line,
    },
    store::{AgentWord, ContactRow, ContactTable, FoundCall, ListedNumber, PromisedCall, ReportRow, TagPace, Tagging, ToTag},
};

/// The head of the tagging desk and the calls that wait.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TaggingDesk {
    /// The oldest first.
    pub queue: Vec<ToTag>,
    /// How many wait in all.
    pub waiting: i64,
    pub oldest: Option<DateTime<Utc>>,
    /// This operator's, today.
    pub pace: TagPace,
    /// Others who tag at this moment.
    pub others: Vec<Tagging>,
}

/// One call as a tagger judges it.
#[derive(Debug, Clone)]
pub struct TagCard {
    pub call: FoundCall,
    /// What the agent says it was, how sure it is and why.
    pub word: Option<AgentWord>,
    pub report: Option<ReportRow>,
    /// The end of the transcript.
    pub last_words: Vec<Line>,
    /// Earlier calls to the number, by any campaign, newest first.
    pub earlier: Vec<FoundCall>,
    /// The contact's card and the list it is in.
    pub card: Option<(String, ContactRow)>,
    /// What it is now where the contact is.
    pub clock: ContactClock,
    /// Promised to the contact already.
    pub promised: Vec<PromisedCall>,
    /// This call is the promised callback: for when it was.
    pub keeps: Option<DateTime<Utc>>,
    /// Its number is on the do-not-call list, by whomever.
    pub listed: Option<ListedNumber>,
}

/// Whoever tagged within this is here.
const HERE: Duration = Duration::minutes(2);

/// The priority of a call that was promised for a moment.
const PROMISED: i64 = 1;

/// Lines of a transcript, and earlier calls, that are shown.
const LAST_WORDS: usize = 12;
const EARLIER: usize = 20;

impl Desk {
    /// The queue, and who works on it. `today` is when the operator's day began.
    pub async fn tagging_desk(&self, owner: OwnerId, me: &str, today: DateTime<Utc>, limit: i64) -> Result<TaggingDesk, DeskError> {
        let (store, now) = (&self.store, self.now());
        let (waiting, oldest) = store.untagged(owner).await?;
        Ok(TaggingDesk {
            queue: store.tagging_queue(owner, None, limit).await?,
            waiting,
            oldest,
            pace: store.tag_pace(owner, me, today, now + Duration::seconds(1)).await?,
            others: store.tagging_since(owner, now - HERE).await?.into_iter().filter(|t| t.who != me).collect(),
        })
    }

    /// One call with what helps to judge it; `None` where the owner has no such call.
    pub async fn tag_card(&self, owner: OwnerId, call: CallId) -> Result<Option<TagCard>, DeskError> {
        let store = &self.store;
        let Some(found) = store.dialled_call(owner, call).await? else { return Ok(None) };
        let (report, row) = (store.report(call).await?, store.call(owner, call).await?);
        let mut earlier = store.calls_to(owner, &found.call.phone_number).await?;
        earlier.retain(|c| c.dialled < found.dialled);
        earlier.truncate(EARLIER);
        Ok(Some(TagCard {
            word: store.agent_word(call).await?,
            last_words: report.as_ref().map(last_words).unwrap_or_default(),
            report,
            earlier,
            // A moment that was promised goes before the others of the queue.
            keeps: row.as_ref().filter(|r| r.priority == PROMISED).map(|r| r.dialable_at),
            listed: store.listed(owner, &found.call.phone_number).await?,
            card: self.card(owner, row.and_then(|r| r.contact_id)).await?,
            clock: ContactClock::of(&found.zones, self.now()),
            promised: store.promised_to(owner, &found.call.phone_number).await?,
            call: found,
        }))
    }

    /// The card of a call's contact, with the name of its list; `None` where it was deleted, or nobody's.
    async fn card(&self, owner: OwnerId, contact: Option<ContactId>) -> Result<Option<(String, ContactRow)>, DeskError> {
        let (store, Some(contact)) = (&self.store, contact) else { return Ok(None) };
        for table in [ContactTable::ContactList, ContactTable::CsvFile] {
            if let Some(card) = store.contact(owner, table, contact).await? {
                let list = store.source(owner, card.source_id).await?.map_or_else(String::new, |s| s.name);
                return Ok(Some((list, card)));
            }
        }
        Ok(None)
    }
}

/// The last lines of a transcript; what is no line of one is passed over.
fn last_words(report: &ReportRow) -> Vec<Line> {
    let lines = report.transcript.as_ref().and_then(|t| t.0.as_array()).map(Vec::as_slice).unwrap_or_default();
    let from = lines.len().saturating_sub(LAST_WORDS);
    lines[from..].iter().filter_map(|l| serde_json::from_value(l.clone()).ok()).collect()
}
