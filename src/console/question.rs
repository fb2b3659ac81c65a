//! What a room or a dialog asks the rows for, once, and what comes back: each answer carries its question, so that
//! whoever asked something else since passes it over. What must be looked at with every change is in `data.rs`.

use chrono::{DateTime, Utc};

use crate::{
    desk::{Actor, Away, CampaignRoom, Desk, DeskError, NumberStory, Overlap, ShiftReport},
    domain::{
        dispatch::Closure,
        id::{CallId, CampaignId, SourceId},
        legal,
        system::System,
    },
    store::{CallSearch, ContactSearch, ContactTable, Found, FoundCall, FoundContacts, FoundListed, ListedSearch, NumberRow, Rounds},
    telemetry::{LogSearch, OldLines},
};

/// What is asked for. It changes nothing: whoever may look may ask.
#[derive(Debug, Clone, PartialEq)]
pub enum Question {
    Calls(Box<CallSearch>),
    /// One call as it is now.
    Call(CallId),
    /// Who has tagged calls.
    Taggers,
    Contacts(Box<ContactSearch>),
    /// Numbers of the do-not-call list.
    Listed(Box<ListedSearch>),
    Number(String),
    Campaign(CampaignId),
    /// Whom a list has, and who else calls them.
    Overlap(ContactTable, SourceId, DateTime<Utc>),
    /// The same for the first start of a campaign.
    OverlapOf(CampaignId),
    /// Whom another round of it would find.
    Rounds(CampaignId),
    /// Since the last console ended.
    Away(DateTime<Utc>),
    Shift(DateTime<Utc>, DateTime<Utc>),
    Systems,
    /// Lines of the log that are remembered no more: read off its files, not off rows.
    Log(LogSearch),
    /// The numbers that are known.
    Numbers,
    /// Which places operators have closed, and how the table of laws is read.
    Law,
}

/// What of the law of places is this installation's own.
#[derive(Debug, Clone)]
pub struct LawToday {
    pub closures: Vec<Closure>,
    /// `None`: the profile minds no law.
    pub reading: Option<legal::Reading>,
    /// Places where it is a holiday that closes them.
    pub holidays: Vec<&'static str>,
}

#[derive(Debug)]
pub enum Answer {
    Calls(Box<Found>),
    /// `None` where it is gone.
    Call(Option<Box<FoundCall>>),
    Taggers(Vec<String>),
    Contacts(Box<FoundContacts>),
    Listed(Box<FoundListed>),
    Number(Box<NumberStory>),
    /// `None` where it is gone.
    Campaign(Option<Box<CampaignRoom>>),
    Overlap(Overlap),
    Rounds(Rounds),
    Away(Box<Away>),
    Shift(Box<ShiftReport>),
    Systems(Vec<System>),
    Log(OldLines),
    Numbers(Vec<NumberRow>),
    Law(LawToday),
}

/// What is known of it, to an owner.
///
/// # Errors
/// When the database refuses.
pub async fn answer(desk: &Desk, actor: &Actor, question: &Question) -> Result<Answer, DeskError> {
    let owner = actor.owner;
    Ok(match question {
        Question::Calls(search) => {
            // Whoever asks sees what is theirs, whatever the question says.
            let search = CallSearch { owner, ..(**search).clone() };
            Answer::Calls(Box::new(desk.store().find_calls(&search).await?))
        }
        Question::Call(id) => Answer::Call(desk.store().dialled_call(owner, *id).await?.map(Box::new)),
        Question::Contacts(search) => match desk.store().source(owner, search.list).await? {
            Some(list) => Answer::Contacts(Box::new(desk.store().find_contacts(owner, &list, search).await?)),
            None => Answer::Contacts(Box::default()),
        },
        Question::Listed(search) => Answer::Listed(Box::new(desk.store().find_listed(owner, search).await?)),
        Question::Taggers => Answer::Taggers(desk.store().taggers(owner).await?),
        Question::Number(number) => Answer::Number(Box::new(desk.number_story(owner, number).await?)),
        Question::Campaign(id) => match desk.store().campaign(owner, *id).await? {
            Some(row) => Answer::Campaign(Some(Box::new(desk.campaign_room(row).await?))),
            None => Answer::Campaign(None),
        },
        Question::Overlap(table, list, today) => Answer::Overlap(desk.overlap(owner, (*table, *list), None, *today).await?),
        Question::OverlapOf(id) => match desk.store().campaign(owner, *id).await? {
            Some(row) => Answer::Overlap(desk.overlap_of(&row).await?),
            None => Answer::Overlap(Overlap::default()),
        },
        Question::Rounds(id) => match desk.store().campaign(owner, *id).await? {
            Some(row) => Answer::Rounds(desk.rounds(&row).await?),
            None => Answer::Rounds(Rounds::default()),
        },
        Question::Away(from) => Answer::Away(Box::new(desk.away(owner, *from).await?)),
        Question::Shift(from, until) => Answer::Shift(Box::new(desk.shift_report(owner, *from, *until).await?)),
        Question::Systems => Answer::Systems(desk.systems(owner).await?),
        Question::Log(_) => Answer::Log(OldLines::default()),
        Question::Numbers => Answer::Numbers(desk.store().numbers(owner).await?),
        Question::Law => Answer::Law(LawToday {
            closures: desk.closures().await?.into_iter().filter(|c| c.holds_at(desk.now())).collect(),
            reading: desk.rules().reading(),
            holidays: legal::on_holiday(desk.now().date_naive()),
        }),
    })
}
