//! Recordings: kept by the id of whoever made them before it is known of which call they are.

use chrono::{DateTime, Duration, Utc};

use super::{Desk, DeskError};
use crate::{
    domain::{
        id::CallId,
        recording::{News, address},
        text::{LONGEST_NOTE, clean},
    },
    store::{Lane, StoreError, Tx},
};

impl Desk {
    /// Keeps what is told of a recording; its call's row follows once the call is known.
    pub async fn recorded(&self, news: News) -> Result<(), DeskError> {
        let url = news.url.as_deref().and_then(address);
        let news = News { sid: clean(&news.sid, 64), call_sid: news.call_sid.map(|s| clean(&s, 64)), url, reason: clean(&news.reason, LONGEST_NOTE), ..news };
        self.store
            .write(Lane::Urgent, move |tx| {
                Box::pin(async move {
                    tx.put_recording(&news).await?;
                    if let Some(call) = tx.link_recording(&news.sid).await? {
                        tx.show_recording(call, news.at).await?;
                    }
                    Ok(())
                })
            })
            .await
    }

    /// A call's recording will be asked for by the caller; `false` when somebody does already.
    pub async fn ask_recording(&self, call: CallId, due: DateTime<Utc>) -> Result<bool, DeskError> {
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.ask_recording(call, due).await?) })).await
    }

    /// Somebody begins a call's recording now, and nobody else for `within`; `false` when it is not due any more.
    pub async fn begin_recording(&self, call: CallId, now: DateTime<Utc>, within: Duration) -> Result<bool, DeskError> {
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.take_recording(call, now, now + within).await?) })).await
    }

    /// When a call's recording is asked for again; `None`: never, with the reason where there is none.
    pub async fn plan_recording(&self, call: CallId, due: Option<DateTime<Utc>>, reason: String) -> Result<(), DeskError> {
        let reason = clean(&reason, 300);
        self.store.write(Lane::Urgent, move |tx| Box::pin(async move { Ok(tx.set_recording_task(call, due, &reason).await?) })).await
    }
}

/// Recordings that were told of before the call's Twilio id was.
pub(super) async fn link(tx: &mut Tx, call: CallId, call_sid: &str, now: DateTime<Utc>) -> Result<(), StoreError> {
    if tx.link_recordings(call, call_sid).await? { tx.show_recording(call, now).await } else { Ok(()) }
}
