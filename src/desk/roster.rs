//! Contacts by hand: lists made, renamed and deleted, their contacts written one by one, as an import would
//! have read them. Whoever waits in a queue is called as the contact is now, or not at all when it is gone.

use chrono::{DateTime, Utc};
use rlibphonenumber::Region;

use super::{Actor, Desk, DeskError, audit, claim, dnc, retries};
use crate::{
    domain::{
        FieldError, Refusal,
        call::State,
        contact::{NewContact, Written},
        csv,
        id::{ContactId, SourceId},
        legal,
        phone::PhoneNumber,
        place, text,
    },
    store::{ContactRow, ContactTable, Lane, Map, NewCall, Tx},
};

/// What is to be changed of a contact; `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ContactChange {
    pub phone: Option<String>,
    pub name: Option<String>,
    pub email: Option<String>,
    pub company: Option<String>,
    pub notes: Option<String>,
    pub timezone: Option<String>,
    pub state: Option<String>,
    pub postcode: Option<String>,
    pub do_not_call: Option<bool>,
    pub consent_at: Option<String>,
    pub consent_source: Option<String>,
    /// By name; `None` takes the column away.
    pub fields: Vec<(String, Option<String>)>,
}

/// The longest name of a list or file, letters.
pub(super) const LONGEST_NAME: usize = super::campaigns::LONGEST_NAME;

/// Contacts removed in one transaction.
const SLICE: i64 = 5000;

impl Desk {
    /// An empty list, to be written into.
    ///
    /// # Errors
    /// Every field that is wrong, at once.
    pub async fn create_list(&self, actor: Actor, name: String, description: String) -> Result<SourceId, DeskError> {
        let (name, description) = checked(&name, &description)?;
        let (id, now) = (SourceId::fresh(), self.now());
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.insert_list(id, actor.owner, &name, "completed", now).await?;
                    tx.rename_list(actor.owner, id, &name, &description, now).await?;
                    audit(tx, &actor, now, "list_created", Some(id.0), &serde_json::json!({ "name": name })).await?;
                    Ok(id)
                })
            })
            .await
    }

    /// # Errors
    /// When there is no such list, or a field is wrong.
    pub async fn edit_list(&self, actor: Actor, id: SourceId, name: String, description: String) -> Result<(), DeskError> {
        let (name, description) = checked(&name, &description)?;
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    if !tx.rename_list(actor.owner, id, &name, &description, now).await? {
                        return Err(DeskError::NotFound("contact list"));
                    }
                    audit(tx, &actor, now, "list_edited", Some(id.0), &serde_json::json!({ "name": name })).await
                })
            })
            .await
    }

    /// Deletes a list or file with its contacts; their calls, outcomes and audit stay.
    ///
    /// # Errors
    /// While a campaign uses it.
    pub async fn delete_source(&self, actor: Actor, table: ContactTable, id: SourceId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    if !tx.has_source(actor.owner, table, id).await? {
                        return Err(DeskError::NotFound(noun(table)));
                    }
                    let users = tx.users_of_source(id).await?;
                    if !users.is_empty() {
                        let names: Vec<String> = users.iter().map(|u| format!("\"{}\"", u.name)).collect();
                        return Err(Refusal::new("in_use", format!("campaign {} calls from it: delete the campaign first", names.join(", "))).into());
                    }
                    tx.hide_source(table, id, now).await?;
                    audit(tx, &actor, now, "source_deleted", Some(id.0), &serde_json::json!({})).await
                })
            })
            .await?;
        self.discard(table, id).await
    }

    /// Removes the contacts of a source that is not to be, in slices.
    pub(super) async fn discard(&self, table: ContactTable, id: SourceId) -> Result<(), DeskError> {
        loop {
            let done = self.store.write(Lane::Bulk, move |tx| Box::pin(async move { tx.remove_source_slice(table, id, SLICE).await })).await?;
            if done {
                return Ok(());
            }
        }
    }

    /// Adds a contact behind the others of its list. Started campaigns over it call it as well.
    ///
    /// # Errors
    /// Every field that is wrong, at once; a number that the list has already.
    pub async fn add_contact(
        &self,
        actor: Actor,
        table: ContactTable,
        source: SourceId,
        written: Written,
        region: Option<Region>,
    ) -> Result<ContactId, DeskError> {
        let contact = csv::read_one(&written, region).map_err(DeskError::Invalid)?;
        let fields: Map = written.fields.into_iter().map(|(name, value)| (name, text::clean(value.trim(), LONGEST_VALUE).into())).collect();
        let now = self.now();
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { add(tx, &actor, (table, source), contact, &fields, now).await })).await
    }

    /// Changes a contact; calls of it that wait are made to whom it is then.
    ///
    /// # Errors
    /// When there is no such contact, a field is wrong, or another of the list has the number.
    pub async fn edit_contact(&self, actor: Actor, table: ContactTable, id: ContactId, change: ContactChange, region: Option<Region>) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.contact(actor.owner, table, id).await?.ok_or(DeskError::NotFound("contact"))?;
                    let to = changed(&row, change, region).map_err(DeskError::Invalid)?;
                    edit(tx, &actor, table, &row, to, now).await
                })
            })
            .await
    }

    /// Deletes a contact: nobody calls it any more. A call that is on goes to its end.
    ///
    /// # Errors
    /// When there is no such contact.
    pub async fn delete_contact(&self, actor: Actor, table: ContactTable, id: ContactId) -> Result<(), DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    let row = tx.contact(actor.owner, table, id).await?.ok_or(DeskError::NotFound("contact"))?;
                    for call in tx.unarmed_of_contact(row.source_id, id).await? {
                        dnc::cancel(tx, call, "the contact was deleted", now).await?;
                    }
                    tx.remove_contact(table, id).await?;
                    tx.move_counts(table, row.source_id, -1, -i64::from(row.do_not_call), now).await?;
                    let details = serde_json::json!({ "number": text::tail(&row.phone_number), "source": row.source_id });
                    audit(tx, &actor, now, "contact_deleted", Some(id.0), &details).await
                })
            })
            .await
    }
}

/// The longest value of a column for the script, letters: as an import keeps it.
const LONGEST_VALUE: usize = 2000;

fn noun(table: ContactTable) -> &'static str {
    match table {
        ContactTable::ContactList => "contact list",
        ContactTable::CsvFile => "CSV file",
    }
}

/// A list's name and description, cleaned.
fn checked(name: &str, description: &str) -> Result<(String, String), DeskError> {
    let mut errors = Vec::new();
    errors.extend(name_complaint(name));
    errors.extend(text::complaint("description", description, text::LONGEST_NOTE));
    if errors.is_empty() {
        Ok((text::clean(name.trim(), LONGEST_NAME), text::clean(description.trim(), text::LONGEST_NOTE)))
    } else {
        Err(DeskError::Invalid(errors))
    }
}

/// What is wrong with a list's name.
pub(super) fn name_complaint(name: &str) -> Option<FieldError> {
    (!text::is_name(name, LONGEST_NAME)).then(|| FieldError::new("name", format!("1 to {LONGEST_NAME} characters that can be seen are needed")))
}

async fn add(
    tx: &mut Tx,
    actor: &Actor,
    (table, source): (ContactTable, SourceId),
    contact: NewContact,
    fields: &Map,
    now: DateTime<Utc>,
) -> Result<ContactId, DeskError> {
    if !tx.has_source(actor.owner, table, source).await? {
        return Err(DeskError::NotFound(noun(table)));
    }
    refuse_duplicate(tx, table, source, &contact).await?;
    let last = tx.last_position(table, source).await?;
    let contact = NewContact { line: last.saturating_add(1), ..contact };
    tx.put_contact(table, source, &contact, Some(&contact.said), fields, now).await?;
    tx.move_counts(table, source, 1, i64::from(contact.do_not_call), now).await?;
    tx.fill_again(source, last).await?;
    if contact.do_not_call {
        silence(tx, actor, &contact, now).await?;
    }
    let details = serde_json::json!({ "number": text::tail(contact.number.as_str()), "source": source });
    audit(tx, actor, now, "contact_added", Some(contact.id.0), &details).await?;
    Ok(contact.id)
}

async fn refuse_duplicate(tx: &mut Tx, table: ContactTable, source: SourceId, contact: &NewContact) -> Result<(), DeskError> {
    match tx.contact_with(table, source, contact.number.as_str()).await? {
        Some(other) if other != contact.id => Err(DeskError::Conflict(format!("the {} has this number already: contact {other}", noun(table)))),
        Some(_) | None => Ok(()),
    }
}

/// The person's numbers onto the do-not-call list, with all that follows.
async fn silence(tx: &mut Tx, actor: &Actor, contact: &NewContact, now: DateTime<Utc>) -> Result<(), DeskError> {
    for number in std::iter::once(&contact.number).chain(&contact.alternatives) {
        dnc::suppress(tx, actor, number.as_str(), "the contact is marked \"do not call\"", now).await?;
    }
    Ok(())
}

/// A contact as it is to be.
struct Changed {
    contact: NewContact,
    /// What is known of its place: nothing of one that was imported before that was kept.
    said: Option<String>,
    fields: Map,
    /// Somebody says now that it must not be called.
    silenced: bool,
}

/// What a contact becomes by a change, read as a whole: its number may be of another country by it.
fn changed(row: &ContactRow, change: ContactChange, region: Option<Region>) -> Result<Changed, Vec<FieldError>> {
    let said = place::Said::of(row.said.as_deref(), &row.zones);
    let mut fields = row.fields.clone();
    let mut columns = Vec::new();
    for (name, value) in change.fields {
        fields.remove(&name);
        if let Some(value) = value {
            fields.insert(name.clone(), text::clean(value.trim(), LONGEST_VALUE).into());
            columns.push((name, value));
        }
    }
    let moved = change.phone.is_some() || change.timezone.is_some() || change.state.is_some() || change.postcode.is_some();
    // A post code that is given stands for the state.
    let state = change.state.or_else(|| change.postcode.is_none().then_some(said.state)).unwrap_or_default();
    let written = Written {
        phone: change.phone.unwrap_or_else(|| row.phone_number.clone()),
        name: change.name.unwrap_or_else(|| row.name.clone()),
        email: change.email.unwrap_or_else(|| row.email.clone()),
        company: change.company.unwrap_or_else(|| row.company.clone()),
        notes: change.notes.unwrap_or_else(|| row.notes.clone()),
        timezone: change.timezone.unwrap_or(if moved { said.zone } else { String::new() }),
        state: if moved { state } else { String::new() },
        postcode: change.postcode.unwrap_or_default(),
        do_not_call: change.do_not_call.unwrap_or(row.do_not_call),
        consent_at: change.consent_at.unwrap_or_else(|| row.consent_at.map(|t| t.to_rfc3339()).unwrap_or_default()),
        consent_source: change.consent_source.unwrap_or_else(|| row.consent_source.clone().unwrap_or_default()),
        fields: columns,
    };
    let mut contact = csv::read_one(&written, region)?;
    (contact.id, contact.line) = (row.id, row.position);
    for kept in row.alternatives.split(',').filter_map(|n| PhoneNumber::parse(n, None).ok()).map(|p| p.number) {
        if kept != contact.number && !contact.alternatives.contains(&kept) {
            contact.alternatives.push(kept);
        }
    }
    if !moved {
        contact.zones.clone_from(&row.zones);
    }
    let said = if moved { Some(contact.said.clone()) } else { row.said.clone() };
    Ok(Changed { contact, said, fields, silenced: change.do_not_call == Some(true) })
}

async fn edit(tx: &mut Tx, actor: &Actor, table: ContactTable, row: &ContactRow, to: Changed, now: DateTime<Utc>) -> Result<(), DeskError> {
    let contact = &to.contact;
    refuse_duplicate(tx, table, row.source_id, contact).await?;
    if row.do_not_call && !contact.do_not_call && tx.is_listed(actor.owner, contact.number.as_str()).await? {
        return Err(Refusal::new("do_not_call", "the number stays on the do-not-call list: only an admin may lift it, with a reason").into());
    }
    tx.put_contact(table, row.source_id, contact, to.said.as_deref(), &to.fields, now).await?;
    tx.move_counts(table, row.source_id, 0, i64::from(contact.do_not_call) - i64::from(row.do_not_call), now).await?;
    let other = row.phone_number != contact.number.as_str();
    let same = !other && row.name == contact.name && row.email == contact.email && row.country == contact.country && row.zones == contact.zones;
    if !same {
        redirect(tx, row, contact, now).await?;
    }
    if contact.do_not_call && (to.silenced || other || !row.do_not_call) {
        silence(tx, actor, contact, now).await?;
    }
    let was = other.then(|| text::tail(&row.phone_number));
    let details = serde_json::json!({ "number": text::tail(contact.number.as_str()), "was": was, "zones": contact.zones });
    audit(tx, actor, now, "contact_edited", Some(row.id.0), &details).await
}

/// Calls of the contact that nobody has been rung for go to whom it is now. One that is being prepared goes
/// back first: its claim was for another number.
async fn redirect(tx: &mut Tx, row: &ContactRow, contact: &NewContact, now: DateTime<Utc>) -> Result<(), DeskError> {
    for call in tx.unarmed_of_contact(row.source_id, row.id).await? {
        if call.state == State::Claimed {
            claim::release(tx, call.id, call.claim_number, None, "the contact was changed", now).await?;
        }
        let to = NewCall {
            id: call.id,
            phone_number: contact.number.to_string(),
            contact_name: contact.name.clone(),
            contact_email: contact.email.clone(),
            country: contact.country.clone(),
            zones: legal::queue_key(&contact.zones, &contact.country, contact.number.as_str()),
            ..retries::after(&call, call.dialable_at)
        };
        if !tx.redirect(&to, now).await? {
            return Err(crate::store::StoreError::moved().into());
        }
    }
    Ok(())
}
