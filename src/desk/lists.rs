//! Files of numbers that must not be called. A list is looked through before a number of it is kept: one that
//! cannot be read as a list, or is not what was asked for, must not pass for one.

use std::{
    collections::BTreeMap,
    io::{Read, Seek},
};

use chrono::{DateTime, Duration, Utc};
use rlibphonenumber::Region;
use tokio::sync::mpsc;

use super::{Actor, Desk, DeskError, audit, dnc, importing::Place};
use crate::{
    domain::{
        csv::{CsvError, Mapping, NumberList, Tally},
        phone,
    },
    store::{Lane, Setting},
};

/// What list, and how it is to be read.
#[derive(Debug, Clone, Default)]
pub struct ListImport {
    /// Country of numbers written without +.
    pub region: Option<Region>,
    pub mapping: Mapping,
    /// It is a country's national list, which some profiles ask for.
    pub national: Option<National>,
}

#[derive(Debug, Clone)]
pub struct National {
    /// Whose; that of its numbers where it is not said.
    pub country: Option<String>,
    /// Of when it is: it is fresh from then on, not from its import.
    pub as_of: DateTime<Utc>,
    /// It may be shorter than the one before.
    pub smaller: bool,
}

/// What an import of numbers did.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct ListReport {
    pub read: u64,
    /// Not on the list before.
    pub added: u64,
    /// Lines in which no number was found.
    pub invalid: u64,
    /// The header, or the first line where it held no number: what was not taken for an entry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// Whose national list it was taken for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
}

/// A list looked through.
#[derive(Default)]
struct Look {
    numbers: u64,
    countries: BTreeMap<String, u64>,
    tally: Tally,
}

impl Look {
    /// The country of nine tenths of its numbers.
    fn whose(&self) -> Option<String> {
        let (country, n) = self.countries.iter().max_by_key(|(_, n)| **n)?;
        (n * 10 >= self.numbers * 9).then(|| country.clone())
    }
}

impl Desk {
    /// Puts a file of numbers on the list: every number of each line, or of the columns its header names.
    ///
    /// # Errors
    /// When the file cannot be read, or less than half of its lines are numbers; of a national list less than
    /// nine tenths, or when it has shrunk by more than a tenth. Nothing is kept then. When the database
    /// refuses, what was written so far is kept.
    pub async fn import_do_not_call<R: Read + Seek + Send + 'static>(&self, actor: Actor, read: R, list: ListImport) -> Result<ListReport, DeskError> {
        let place = self.readers.enter(actor.owner).ok_or(DeskError::Busy("as many files are being imported as may be: wait for one to end"))?;
        let (look, place, read) = looked_through(place, read, &list).await?;
        judge(&look, list.national.is_some())?;
        let country = match &list.national {
            Some(national) => Some(self.judge_national(&actor, national, &look).await?),
            None => None,
        };
        let source = if country.is_some() { "national" } else { "import" };
        let (send, mut chunks) = mpsc::channel(4);
        hand_on(place, read, &list, send)?;
        let mut report = ListReport { read: look.numbers, invalid: look.tally.bad, header: look.tally.header.clone(), ..ListReport::default() };
        let store = self.silencing().await?;
        while let Some(numbers) = chunks.recv().await {
            let numbers: Vec<String> = numbers.map_err(|e: CsvError| DeskError::Conflict(format!("the list changed while it was read: {e}")))?;
            let (actor, now) = (actor.clone(), self.now());
            report.added += store.write(Lane::Bulk, move |tx| Box::pin(async move { dnc::suppress_all(tx, &actor, &numbers, source, now).await })).await?;
        }
        report.country = country.map(|c| c.iter().map(|b| char::from(*b)).collect());
        self.close_list(actor, list.national, country, look.tally.good, report).await
    }

    /// The list's date, from which it is fresh, in the transaction that says it is whole.
    async fn close_list(
        &self,
        actor: Actor,
        national: Option<National>,
        country: Option<[u8; 2]>,
        lines: u64,
        report: ListReport,
    ) -> Result<ListReport, DeskError> {
        let now = self.now();
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    if let (Some(national), Some(country)) = (&national, country) {
                        tx.put_setting(Setting::NationalList(actor.owner, country), &national.as_of.to_rfc3339()).await?;
                        tx.put_setting(Setting::NationalSize(actor.owner, country), &lines.to_string()).await?;
                    }
                    let as_of = national.as_ref().map(|n| n.as_of);
                    let details = serde_json::json!({ "report": report, "national": national.is_some(), "asOf": as_of });
                    audit(tx, &actor, now, "do_not_call_imported", None, &details).await?;
                    Ok(report)
                })
            })
            .await
    }

    /// Whose list it is, and that it may be the newest of it.
    async fn judge_national(&self, actor: &Actor, national: &National, look: &Look) -> Result<[u8; 2], DeskError> {
        if national.as_of > self.now() + Duration::days(1) {
            return Err(DeskError::field("asOf", "lies in the future: of when is the list?"));
        }
        let named = national.country.as_deref().map(|code| phone::region(code).map(|_| code.to_ascii_uppercase()));
        let country = match named {
            Some(named) => named.map_err(|e| DeskError::field("country", e.to_string()))?,
            None => look.whose().ok_or_else(|| DeskError::field("country", "its numbers are of several: whose national list is it?"))?,
        };
        let country: [u8; 2] = country.as_bytes().try_into().map_err(|_| DeskError::field("country", "is no country of two letters"))?;
        let before = self.store.setting(Setting::NationalSize(actor.owner, country)).await?.and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
        if look.tally.good * 10 < before * 9 && !national.smaller {
            let words = format!(
                "the list has {} lines, the one before had {before}: a national list that shrinks by more than a tenth is not whole. If it is, say so \
                 with --accept-smaller",
                look.tally.good
            );
            return Err(DeskError::Unread(words));
        }
        Ok(country)
    }
}

/// Whether a file is a list at all.
fn judge(look: &Look, national: bool) -> Result<(), DeskError> {
    let Tally { good, bad, wrong, .. } = &look.tally;
    let lines = good + bad;
    let enough = if national { good * 10 >= lines * 9 } else { good * 2 >= lines };
    if *good > 0 && enough {
        return Ok(());
    }
    let first = wrong.as_ref().map_or_else(String::new, |(line, text)| format!(" Line {line} is \"{text}\"."));
    let share = if national { "nine tenths of a national list" } else { "half of a list" };
    let words = format!(
        "{good} of {lines} lines hold a number, and {share} must.{first} Numbers without + need --region, a column of another name \
         --map phone=COLUMN"
    );
    Err(DeskError::Unread(words))
}

/// Reads a list to its end, and winds it back.
async fn looked_through<R: Read + Seek + Send + 'static>(place: Place, read: R, list: &ListImport) -> Result<(Look, Place, R), DeskError> {
    let (answer, wait) = tokio::sync::oneshot::channel();
    let (mapping, region) = (list.mapping.clone(), list.region);
    place
        .read(move |place| {
            let mut read = read;
            let look = look(&mut read, mapping, region).and_then(|look| {
                read.rewind()?;
                Ok(look)
            });
            drop(answer.send(look.map(|look| (look, place, read))));
        })
        .map_err(|e| unread(&e.into()))?;
    wait.await.map_err(|_| DeskError::Busy("the reader of the list broke down"))?.map_err(|e| unread(&e))
}

fn unread(e: &CsvError) -> DeskError {
    DeskError::Unread(e.to_string())
}

fn look(read: impl Read, mapping: Mapping, region: Option<Region>) -> Result<Look, CsvError> {
    let mut list = NumberList::open(read, mapping, region)?;
    let mut look = Look::default();
    while let Some(numbers) = list.next_line()? {
        for parsed in numbers {
            look.numbers += 1;
            *look.countries.entry(parsed.country).or_default() += 1;
        }
    }
    look.tally = list.tally;
    Ok(look)
}

/// Reads it again, in pieces for the writer.
fn hand_on<R: Read + Send + 'static>(place: Place, read: R, list: &ListImport, send: mpsc::Sender<Result<Vec<String>, CsvError>>) -> Result<(), DeskError> {
    let (mapping, region) = (list.mapping.clone(), list.region);
    let work = move |_place| {
        let mut numbers = Vec::with_capacity(dnc::CHUNK);
        let read = NumberList::open(read, mapping, region).and_then(|mut list| {
            while let Some(line) = list.next_line()? {
                numbers.extend(line.into_iter().map(|p| p.number.to_string()));
                if numbers.len() >= dnc::CHUNK && send.blocking_send(Ok(std::mem::take(&mut numbers))).is_err() {
                    return Ok(());
                }
            }
            Ok(())
        });
        // Nobody listens any more only when the import has failed already.
        drop(send.blocking_send(read.map(|()| numbers)));
    };
    place.read(work).map_err(|e| unread(&e.into()))
}
